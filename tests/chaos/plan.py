"""What happens, drawn from a seed before anything runs: the same seed asks for the same things in the same order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

# So many sequences share the product at a time: one's crashes, pauses and limits are the others' too.
AT_ONCE = 10
FEWEST, MOST = 5, 12
WITH_CRASH = 0.5
LONGEST_PAUSE = 0.08
OWNERS, KEYS = ("", "ada", "grace"), ("", "", "left", "right")
# How the outside world answers a call: at once, after so many seconds, when it is let through, with a broken
# connection the first time, or each time.
MANNERS = {"quick": 6, "slow:0.2": 3, "slow:0.8": 2, "held": 7, "flaky": 3, "broken": 1}
KEYED = {"one": ("slow:0.2", "held"), "two": ("flaky", "quick"), "three": ("broken", "quick")}


@dataclass(frozen=True)
class Step:
    """One thing that is done; `pause` seconds pass after it. `pick` in [0, 1) chooses among what the sequence knows."""

    sequence: int
    what: str
    pick: float = 0.0
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])
    pause: float = 0.0

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.given.items())
        return f"{self.sequence:>4}  {self.what}({told}) pick {self.pick:.3f}"


Draw = Callable[[Random], dict[str, Any]]


def _nothing(_: Random) -> dict[str, Any]:
    return {}


def _options(rng: Random) -> dict[str, Any]:
    options: dict[str, Any] = {
        "owner": rng.choice(OWNERS),
        "concurrencyKey": rng.choice(KEYS),
        "priority": rng.randint(1, 5),
        "retry": {"maxAttempts": rng.randint(1, 3), "minTimeoutInMs": 50, "maxTimeoutInMs": 200},
    }
    rare = rng.random()
    if rare < 0.1:
        options["delay"] = rng.choice(["1s", "2s", "1h"])
    elif rare < 0.2:
        options["ttl"] = rng.choice(["1s", "3s"])
    elif rare < 0.25:
        options["maxDuration"] = 2
    return {name: value for name, value in options.items() if value != ""}


def _job(rng: Random) -> dict[str, Any]:
    first, then = rng.choices(list(MANNERS), list(MANNERS.values()), k=2)
    return {"first": first, "then": then, "options": _options(rng)}


def _batch(rng: Random) -> dict[str, Any]:
    return {"items": [_job(rng) for _ in range(rng.randint(2, 4))]}


def _keyed(rng: Random) -> dict[str, Any]:
    """The same few keys come again and again, now and then with another payload."""
    key = rng.choice(list(KEYED))
    first, then = KEYED[key] if rng.random() < 0.9 else ("quick", "quick")
    options = _options(rng) | {"owner": "keyed", "idempotencyKey": key}
    return {"first": first, "then": then, "options": options, "times": rng.randint(1, 2)}


def _cancel(rng: Random) -> dict[str, Any]:
    return {"times": rng.choice([1, 1, 2])}


def _replay(rng: Random) -> dict[str, Any]:
    return {"fromStep": rng.choice([None, None, "tell"]), "edited": rng.random() < 0.3}


def _limits(rng: Random) -> dict[str, Any]:
    return {"total": rng.choice([None, 1, 2, 5]), "perOwner": rng.choice([None, 2]), "perKey": rng.choice([None, 1, 2])}


def _crash(rng: Random) -> dict[str, Any]:
    part = rng.choices(["worker", "engine", "ledger"], [6, 5, 1])[0]
    return {"part": part, "after": rng.choice([0, 0, rng.randint(1, 12)])}


KINDS: Mapping[str, tuple[int, Draw]] = {
    "start": (28, _job),
    "start_batch": (5, _batch),
    "start_keyed": (8, _keyed),
    "cancel": (12, _cancel),
    "replay": (9, _replay),
    "pause": (3, _nothing),
    "resume": (4, _nothing),
    "limit": (5, _limits),
    "reschedule": (2, lambda rng: {"delay": rng.choice(["1s", "1h"])}),
    "cancel_batch": (3, _nothing),
    "cancel_all": (1, _nothing),
    "replay_many": (1, _nothing),
    "terminate": (4, _nothing),
    "reset": (4, _nothing),
    "let_through": (6, _nothing),
    "let_down": (4, _nothing),
}


def sequence(seed: int, number: int) -> list[Step]:
    """The steps of one sequence; the first starts a job."""
    rng = Random(f"{seed}/{number}")
    weights = [weight for weight, _ in KINDS.values()]
    names = ["start", *rng.choices(list(KINDS), weights, k=rng.randint(FEWEST, MOST) - 1)]
    steps = [
        Step(number, name, rng.random(), KINDS[name][1](rng), round(rng.uniform(0, LONGEST_PAUSE), 3)) for name in names
    ]
    if rng.random() < WITH_CRASH:
        steps.insert(rng.randint(1, len(steps)), Step(number, "crash", given=_crash(rng)))
    return steps


def together(seed: int, numbers: Sequence[int]) -> list[Step]:
    """The steps of some sequences, shuffled into one order that keeps each sequence's own."""
    rng = Random(f"{seed}/together/{numbers[0]}")
    waiting = [sequence(seed, number) for number in numbers]
    merged: list[Step] = []
    while waiting := [steps for steps in waiting if steps]:
        merged.append(rng.choice(waiting).pop(0))
    return merged


def groups(sequences: int) -> list[range]:
    """Which sequences run together."""
    return [range(first, min(first + AT_ONCE, sequences)) for first in range(0, sequences, AT_ONCE)]
