"""A small model at the door of job positions: what it reads is there at once; when it fails or hangs, nobody waits."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from ledger.database import Database
from local import ports
from settings import Settings
from tests.api.conftest import KEY, serving
from tests.support.agent_vendor import AgentVendor, Look
from tests.support.databases import cloned
from tests.support.posting_parts import TEXT
from tests.support.site_server import Answer, SiteServer, page
from tests.support.stack_parts import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
# No grammar knows what this is.
PLAIN = (
    "somebody who bakes with us every night, from three o'clock on. we are krume & sons, by the old harbour of bremen."
)
READS = {
    "title": {"value": "bakes with us", "quote": "somebody who bakes with us every night"},
    "companyName": {"value": "krume & sons", "quote": "we are krume & sons"},
    "locations": [{"value": "bremen", "quote": "the old harbour of bremen"}],
}
LIES = {
    "title": {"value": "Chief Baker", "quote": "Chief Baker wanted"},
    "companyName": {"value": "Globex", "quote": "us"},
}


class Door:
    """An API with a model's key, whose engine is down."""

    def __init__(self, database: Database, vendor: AgentVendor, client: httpx.AsyncClient) -> None:
        self.database, self.vendor, self._client = database, vendor, client

    async def give(self, glances: Look, **asked: str) -> dict[str, Any]:
        self.vendor.forget({})
        self.vendor.glances = glances
        answer = await self._client.post("/api/job-positions", json={"userId": uuid4().hex, **asked})
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[SiteServer]:
    lines = "".join(f"<p>{line}</p>" for line in TEXT.replace("# ", "").replace("**", "").splitlines() if line)
    async with SiteServer({"/job": page(f"<main>{lines}</main>", title="Jobs")}) as site:
        yield site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(postgres_url: str, template: str, site: SiteServer) -> AsyncGenerator[Door]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{ports.free()}")
        async with cloned(postgres_url, template) as url, AgentVendor() as vendor, AsyncExitStack() as opened:
            database = Database(url)
            settings = Settings(
                database_url=url,
                api_keys=(KEY,),
                fetch_allow=(site.authority,),
                anthropic_api_key="k",
                anthropic_base_url=vendor.url,
            )
            with serving(settings) as address:
                headers = {"Authorization": f"Bearer {KEY}"}
                client = httpx.AsyncClient(base_url=address, headers=headers, timeout=20)
                door = Door(database, vendor, await opened.enter_async_context(client))

                async def reads() -> bool:
                    # the first find the model loading, and the process that reads not yet started
                    return (await door.give(READS, description=PLAIN))["title"] is not None

                await until(reads, 60)
                yield door
            await database.close()


async def test_what_it_reads_is_there_at_once_and_the_job_pays(door: Door) -> None:
    found = await door.give(READS, description=PLAIN)
    assert (found["title"], found["company"]["name"], found["locations"]) == (
        "bakes with us",
        "krume & sons",
        ["bremen"],
    )
    assert {one["source"] for one in found["evidence"].values()} == {"model"}
    assert found["processingStatus"] == "pending"
    [job] = await door.database.fetch(
        "SELECT not_before <= now() AS begins, spent_tokens FROM jobs WHERE id = $1", found["jobId"]
    )
    assert tuple(job.values()) == (True, 20), "it waits for nobody any more"
    [paid] = await door.database.fetch("SELECT step, model FROM spend WHERE job_id = $1", found["jobId"])
    assert tuple(paid.values()) == ("door", "claude-haiku-5-5")
    [(_, body)] = door.vendor.bodies
    assert not body.get("tools")


async def test_programs_stand_against_it_and_made_up_quotes_are_refused(door: Door) -> None:
    found = await door.give(LIES, description=TEXT)
    assert (found["title"], found["company"]["name"]) == ("Senior Data Engineer", "Acme Rockets")
    nothing = await door.give(LIES, description=PLAIN)
    assert (nothing["title"], nothing["company"]["name"]) == (None, None)


async def test_one_that_hangs_is_given_up_within_five_seconds(door: Door, site: SiteServer) -> None:
    began = time.monotonic()
    found = await door.give(None, url=f"{site.url}/job")
    assert time.monotonic() - began < 5
    assert (found["title"], found["processingStatus"]) == ("Senior Data Engineer", "pending")
    assert found["jobId"]

    async def given_up() -> bool:
        return door.vendor.dropped == 1

    await until(given_up)
    [job] = await door.database.fetch("SELECT not_before <= now() AS begins FROM jobs WHERE id = $1", found["jobId"])
    assert job["begins"]


@pytest.mark.parametrize("answer", [Answer(500), Answer(401), Answer(drop=True), {"title": "no word"}])
async def test_one_that_fails_is_no_loss(door: Door, answer: Look) -> None:
    began = time.monotonic()
    found = await door.give(answer, description=TEXT)
    assert time.monotonic() - began < 5
    assert (found["title"], found["processingStatus"]) == ("Senior Data Engineer", "pending")
