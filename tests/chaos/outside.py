"""The world outside that the jobs call: it answers as each payload asks, and remembers every call."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from tests.support.site_server import Answer, Asked, SiteServer
from tests.support.stand_ins import Background

BROKEN = Answer(drop=True)


@dataclass
class Call:
    """One request of a job's step."""

    job: str
    step: str
    at: datetime
    answered: bool = False


class World:
    """Payloads name `url(manner, sequence)`; see plan.MANNERS."""

    def __init__(self, background: Background, site: SiteServer) -> None:
        self.calls: dict[str, list[Call]] = defaultdict(list)
        self._background, self._site = background, site
        self._held: dict[str, list[asyncio.Future[bool]]] = defaultdict(list)
        self._open: set[str] = set()
        site.routes["/call"] = self._answer

    def url(self, manner: str, sequence: int) -> str:
        return f"{self._site.url}/call?manner={manner}&sequence={sequence}"

    def let(self, sequence: int, through: bool) -> None:
        """Answer, or disappoint, whoever is held in that sequence."""
        self._background.call(self._let, str(sequence), through)

    def open(self, sequences: range) -> None:
        """From now on nobody of these sequences is held."""
        for sequence in sequences:
            self._open.add(str(sequence))
            self.let(sequence, through=True)

    def close(self, sequences: range) -> None:
        """Those who are to be held are held again: sequences may be run more than once."""
        self._open -= {str(sequence) for sequence in sequences}

    def of(self, job_id: str, step: str) -> list[Call]:
        return [call for call in self.calls[job_id] if call.step == step]

    def _let(self, sequence: str, through: bool) -> None:
        for held in self._held.pop(sequence, []):
            if not held.done():
                held.set_result(through)

    async def _answer(self, asked: Asked) -> Answer:
        call = Call(asked.headers["longrun-job-id"], asked.headers["longrun-step"], datetime.now(UTC))
        self.calls[call.job].append(call)
        asks = parse_qs(urlsplit(asked.target).query)
        call.answered = await self._well(call, asks["manner"][0], asks["sequence"][0])
        return Answer(body=f"{call.step} of {call.job}") if call.answered else BROKEN

    async def _well(self, call: Call, manner: str, sequence: str) -> bool:
        """Whether the call is answered, once it is time."""
        manner, _, seconds = manner.partition(":")
        if manner == "slow":
            await asyncio.sleep(float(seconds))
        if manner == "held" and sequence not in self._open:
            held = asyncio.get_running_loop().create_future()
            self._held[sequence].append(held)
            return await held
        if manner == "flaky":
            return len(self.of(call.job, call.step)) > 1
        return manner != "broken"
