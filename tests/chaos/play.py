"""Doing the steps on the house, one after the other. An answer that no caller should get is noted as wrong."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from tests.chaos.notes import LIMITS, Crash, Notes, now
from tests.chaos.outside import World
from tests.chaos.plan import Step
from tests.support.house import House
from tests.support.processes import KEY, until

KIND = "errand"
# A killed server is missed for a moment longer by those who had connections to it.
AFTERMATH = 30.0
# What changed in the engine a moment ago is none of the reconciler's yet: it might still be on its way to the ledger.
SETTLED = 2.5


class Player:
    """The methods that take a Step are the steps, by their names."""

    def __init__(self, house: House, world: World, tag: str) -> None:
        self.notes = Notes(tag)
        self._house, self._world = house, world
        headers = {"authorization": f"Bearer {KEY}"}
        self._http = httpx.Client(base_url=house.stack.url, headers=headers, timeout=30, trust_env=False)
        self._dead: list[tuple[int, Crash]] = []
        self._outage = self._touched = 0.0

    def close(self) -> None:
        self._http.close()

    def play(self, steps: Sequence[Step]) -> None:
        for at, step in enumerate(steps):
            for due, crash in list(self._dead):
                if due <= at:
                    self._revive(crash)
            if step.what == "crash":
                self._kill(step.given["part"], at, step.given["after"])
            else:
                getattr(self, step.what)(step)
            time.sleep(step.pause)

    def settle(self, sequences: range) -> None:
        """Everything runs, nothing is held, limited or paused any more."""
        for _, crash in list(self._dead):
            self._revive(crash)
        self._house.mend()
        self._world.open(sequences)
        lifted = {"paused": False, "limits": dict.fromkeys((*LIMITS, "perPremiumOwner"))}
        until(lambda: self._queue(**lifted), AFTERMATH, "the end of all limits")
        until(lambda: time.monotonic() > self._touched + SETTLED, what="the rest after the last touch")

    def reconcile(self) -> dict[str, Any]:
        """The report of one reconciliation; 503 while the parts find each other again."""
        return until(lambda: self._ask("POST", "/api/reconciliation", {}, (200, 503)), 30, "a reconciliation")

    # what callers do

    def start(self, step: Step) -> None:
        if said := self._ask("POST", "/api/jobs", self._job(step, step.given)):
            self._know(step, said["jobId"])

    def start_batch(self, step: Step) -> None:
        items = [self._job(step, item) for item in step.given["items"]]
        if said := self._ask("POST", "/api/jobs/batch", {"items": items}):
            self.notes.batches[step.sequence].append(said["batchId"])
            self.notes.jobs[step.sequence] += said["jobIds"]

    def start_keyed(self, step: Step) -> None:
        for _ in range(step.given["times"]):
            if said := self._ask("POST", "/api/jobs", self._job(step, step.given), (200, 202, 409)):
                self._know(step, said["jobId"])

    def cancel(self, step: Step) -> None:
        for _ in range(step.given["times"]):
            self._to(step, "cancel", {"reason": "chaos"}, (202, 409))

    def replay(self, step: Step) -> None:
        body: dict[str, Any] = {"fromStep": step.given["fromStep"]} if step.given["fromStep"] else {}
        if step.given["edited"]:
            body["payload"] = dict.fromkeys(("first", "then"), self._world.url("quick", step.sequence))
        if said := self._to(step, "replay", body, (202, 409)):
            self._know(step, said["jobId"])

    def reschedule(self, step: Step) -> None:
        self._to(step, "reschedule", {"delay": step.given["delay"]}, (200, 409))

    def cancel_batch(self, step: Step) -> None:
        if known := self.notes.batches[step.sequence]:
            self._ask("POST", f"/api/batches/{_one(known, step)}/cancel", {}, (202, 409))

    def cancel_all(self, step: Step) -> None:
        self._bulk({"action": "cancel", "filter": {"tag": f"{self.notes.tag}/{step.sequence}"}})

    def replay_many(self, step: Step) -> None:
        if known := self.notes.jobs[step.sequence]:
            self._bulk({"action": "replay", "jobIds": known[-3:]})

    # what operators do

    def pause(self, _: Step) -> None:
        self._queue(paused=True)

    def resume(self, _: Step) -> None:
        self._queue(paused=False)

    def limit(self, step: Step) -> None:
        self._queue(limits=dict(step.given))

    def terminate(self, step: Step) -> None:
        self._temporal(step, "terminate")

    def reset(self, step: Step) -> None:
        if job_id := self._temporal(step, "reset", "--type", "FirstWorkflowTask"):
            self.notes.resets[job_id] += 1

    # what the world does

    def let_through(self, step: Step) -> None:
        self._world.let(step.sequence, through=True)

    def let_down(self, step: Step) -> None:
        self._world.let(step.sequence, through=False)

    # how it is done

    def _job(self, step: Step, given: Any) -> dict[str, Any]:
        options = given["options"] | {"tags": [self.notes.tag, f"{self.notes.tag}/{step.sequence}"]}
        if "idempotencyKey" in options:
            options["idempotencyKey"] += f" of {self.notes.tag}/{step.sequence}"
        payload = {name: self._world.url(given[name], step.sequence) for name in ("first", "then")}
        return {"jobType": KIND, "payload": payload, "options": options}

    def _know(self, step: Step, job_id: str) -> None:
        if job_id not in self.notes.jobs[step.sequence]:
            self.notes.jobs[step.sequence].append(job_id)

    def _to(self, step: Step, verb: str, body: Any, fine: tuple[int, ...]) -> dict[str, Any] | None:
        """One of the sequence's jobs, whatever became of it."""
        known = self.notes.jobs[step.sequence]
        return self._ask("POST", f"/api/jobs/{_one(known, step)}/{verb}", body, fine) if known else None

    def _bulk(self, body: dict[str, Any]) -> None:
        if said := self._ask("POST", "/api/jobs/bulk", body):
            self.notes.bulks.append(said["bulkId"])

    def _queue(self, **changes: Any) -> bool:
        sent = now()
        done = self._ask("PATCH", f"/api/queues/{KIND}", changes, (200,))
        if "limits" in changes:
            self.notes.limited(changes["limits"], sent, sure=done is not None)
        return done is not None

    def _temporal(self, step: Step, verb: str, *more: str) -> str | None:
        """Something done to a job's execution behind our back; the engine may be down or know none."""
        known = self.notes.jobs[step.sequence]
        if not known or self._house.engine.process.exit_code is not None:
            return None
        job_id = _one(known, step)
        self.notes.touched.add(job_id)
        line = ["workflow", verb, "--workflow-id", job_id, "--reason", "chaos", "--command-timeout", "5s", *more]
        with suppress(subprocess.CalledProcessError):
            self._house.stack.temporal(*line)
        self._touched = time.monotonic()
        return job_id

    def _ask(self, method: str, path: str, body: Any, fine: tuple[int, ...] = (202,)) -> dict[str, Any] | None:
        """What is answered; None when it was refused, as it may be."""
        away = any(crash.part == "ledger" for _, crash in self._dead) or time.monotonic() < self._outage
        answer = self._http.request(method, path, json=body)
        if answer.status_code not in (*fine, *((503,) if away else ())):
            self.notes.wrong.append(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.is_success else None

    def _kill(self, part: str, at: int, after: int) -> None:
        for _, crash in list(self._dead):
            if crash.part == part:
                self._revive(crash)  # two that would be down together are down one after the other
        crash = Crash(part, now())
        self.notes.crashes.append(crash)
        self._house.kill(part)
        self._dead.append((at + after, crash))
        if not after:  # the steps that follow find it at work again
            self._revive(crash)
            self._house.part(part).ready()

    def _revive(self, crash: Crash) -> None:
        self._dead = [(due, one) for due, one in self._dead if one is not crash]
        self._house.part(crash.part).launch()
        crash.up = now()
        if crash.part == "ledger":
            self._outage = time.monotonic() + AFTERMATH


def _one(known: Sequence[str], step: Step) -> str:
    """The younger the likelier: the old ones have mostly ended."""
    return known[int(step.pick**0.5 * len(known))]
