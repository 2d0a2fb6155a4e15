"""A small model at the door of job positions: what it reads is there at once; when it fails or hangs, nobody waits."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from api import doors
from intake.postings import MODEL_SECONDS, PostingIntake
from ledger.database import Database
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

    def __init__(
        self, database: Database, vendor: AgentVendor, client: httpx.AsyncClient, intake: PostingIntake
    ) -> None:
        self.database, self.vendor, self.intake, self._client = database, vendor, intake, client

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
        patch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        intakes: list[PostingIntake] = []

        def patient(*parts: Any, **named: Any) -> PostingIntake:
            """A busy machine may answer late; how long a door waits is shown where something hangs."""
            intakes.append(PostingIntake(*parts, **named, seconds=30))
            return intakes[-1]

        patch.setattr(doors, "PostingIntake", patient)
        patch.setattr(doors, "QUICK_SECONDS", 30.0)
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
                client = httpx.AsyncClient(base_url=address, headers=headers, timeout=60)
                [intake] = intakes
                door = Door(database, vendor, await opened.enter_async_context(client), intake)

                async def reads() -> bool:
                    # the first find the model loading, and the process that reads not yet started
                    return (await door.give(READS, description=PLAIN))["title"] is not None

                await until(reads, 180)
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


@pytest.fixture
def hasty(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """The door with the patience that it has elsewhere."""
    monkeypatch.setattr(door.intake, "_seconds", MODEL_SECONDS)
    return door


async def at_once(door: Door, glances: Look, **asked: str) -> dict[str, Any]:
    """What is answered, its title known, within five seconds; a busy machine holds up one of some answers."""
    for _ in range(3):
        began = time.monotonic()
        found = await door.give(glances, **asked)
        if found["title"] and time.monotonic() - began < 5:
            return found
    pytest.fail("nothing was there within five seconds")


async def test_one_that_hangs_is_given_up_within_five_seconds(hasty: Door, site: SiteServer) -> None:
    found = await at_once(hasty, None, url=f"{site.url}/job")
    assert (found["title"], found["processingStatus"]) == ("Senior Data Engineer", "pending")
    assert found["jobId"]

    async def given_up() -> bool:
        return hasty.vendor.dropped >= 1 or not hasty.vendor.reached.is_set()

    await until(given_up)
    [job] = await hasty.database.fetch("SELECT not_before <= now() AS begins FROM jobs WHERE id = $1", found["jobId"])
    assert job["begins"]


@pytest.mark.parametrize("answer", [Answer(500), Answer(401), Answer(drop=True), {"title": "no word"}])
async def test_one_that_fails_is_no_loss(hasty: Door, answer: Look) -> None:
    found = await at_once(hasty, answer, description=TEXT)
    assert (found["title"], found["processingStatus"]) == ("Senior Data Engineer", "pending")
