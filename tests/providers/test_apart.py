"""What happens in the process of its own, and what of it is felt outside."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from domain.errors import CallerError
from providers.apart import Apart, ProcessEnded
from tests.support.elsewhere import Sneaky, die, eat, print_something, refuse

MEMORY = 512 * 1024 * 1024


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
async def apart() -> AsyncGenerator[Apart]:
    apart = Apart(seconds=30, memory=MEMORY)
    yield apart
    await apart.close()


async def test_calls_share_one_process_that_is_not_ours(apart: Apart) -> None:
    first, second = await asyncio.gather(apart.run(os.getpid), apart.run(print_something))
    assert first == second != os.getpid()


async def test_errors_come_back_as_they_were_raised(apart: Apart) -> None:
    with pytest.raises(CallerError, match="not this one") as raised:
        await apart.run(refuse, "unsafe_xml")
    assert raised.value.code == "unsafe_xml"
    assert await apart.run(len, b"abc") == 3


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        ("os", "mkdir", ("{there}",)),
        ("builtins", "eval", ("__import__('os').mkdir('{there}')",)),
        ("domain.connectors", "files", ("domain",)),
        ("pathlib", "PosixPath", ("{there}",)),
    ],
)
async def test_an_answer_does_nothing(
    apart: Apart, tmp_path: Path, module: str, name: str, args: tuple[str, ...]
) -> None:
    there = tmp_path / "there"
    pid = await apart.run(os.getpid)
    with pytest.raises(ProcessEnded):
        await apart.run(Sneaky, module, name, *(arg.format(there=there) for arg in args))
    assert not there.exists()
    assert not alive(pid)
    assert await apart.run(os.getpid) != pid


async def test_what_a_library_raises_is_told_by_its_name(apart: Apart) -> None:
    with pytest.raises(RuntimeError, match=r"^JSONDecodeError$"):
        await apart.run(json.loads, "people's words")


async def test_much_goes_both_ways(apart: Apart) -> None:
    content = os.urandom(20_000_000)
    assert await apart.run(bytes, content) == content


async def test_who_dies_dies_alone(apart: Apart) -> None:
    first = await apart.run(os.getpid)
    with pytest.raises(ProcessEnded) as raised:
        await apart.run(die)
    assert raised.value.in_time
    assert await apart.run(os.getpid) != first


async def test_who_died_while_resting_costs_no_call(apart: Apart) -> None:
    pid = await apart.run(os.getpid)
    resting = apart._process  # pyright: ignore[reportPrivateUsage]
    assert resting is not None
    os.kill(pid, signal.SIGKILL)
    while resting.returncode is None:
        await asyncio.sleep(0.01)
    assert await apart.run(os.getpid) != pid


async def test_a_call_has_its_seconds_and_no_more() -> None:
    apart = Apart(seconds=1, memory=MEMORY)
    with pytest.raises(ProcessEnded) as raised:
        await apart.run(time.sleep, 60)
    assert not raised.value.in_time
    await apart.close()


async def test_more_memory_than_allowed_is_not_to_be_had(apart: Apart) -> None:
    if sys.platform != "linux":
        pytest.skip("not run: this system limits no memory")
    with pytest.raises(MemoryError):
        await apart.run(eat, 2 * MEMORY)
    assert await apart.run(eat, 1000) == 1000


async def test_a_cancelled_call_ends_the_process_at_once(apart: Apart) -> None:
    pid = await apart.run(os.getpid)
    call = asyncio.create_task(apart.run(time.sleep, 25))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not alive(pid)
    assert await apart.run(os.getpid) != pid


async def test_nothing_is_left_behind(apart: Apart) -> None:
    pid = await apart.run(os.getpid)
    await apart.close()
    assert not alive(pid)
