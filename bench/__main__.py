"""`python -m bench [part …]` (see PARTS): every figure beside its bar; exits 1 when a bar is missed."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bench import admission, documents, http, ingest, jobs, million
from bench.figures import Figure, show
from bench.ground import Ground
from local.live import say
from local.process import StartError
from local.temporal import TemporalMissingError

PARTS: dict[str, tuple[str, Callable[[Ground], Awaitable[Sequence[Figure]]]]] = {
    "http": ("What a front end calls, beside bare routes of the same app", http.measure),
    "admission": ("The next of those who wait behind a limit of five: one turn of the dispatcher", admission.measure),
    "million": ("A ledger of a million jobs over HTTP, one call at a time: p95 beside p50", million.measure),
    "documents": ("A thousand documents, and searches while some are cut anew", documents.measure),
    "jobs": ("A job of four empty steps, beside plain FastAPI + Temporal", jobs.measure),
    "ingest": ("A runner's history: letters and insights for ten thousand runs", ingest.measure),
}


async def run(names: Sequence[str]) -> bool:
    """Whether every bar was held."""
    held = True
    with tempfile.TemporaryDirectory(prefix="longrun-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's user must enter
        with Ground(Path(folder)) as ground:
            for name in names:
                title, measure = PARTS[name]
                say(f"Measuring {name} …")
                figures = await measure(ground)
                show(title, figures)
                held = held and all(figure.held for figure in figures)
    return held


def main(names: Sequence[str]) -> int:
    unknown = set(names) - set(PARTS)
    if unknown:
        say(f"There is no {', '.join(sorted(unknown))} to measure; there are {', '.join(PARTS)}.")
        return 2
    started, load = time.monotonic(), os.getloadavg()[0]
    say(f"{os.cpu_count()} cores, load {load:.1f} before. Best on a quiet machine; all of it takes about ten minutes.")
    try:
        held = asyncio.run(run(names or list(PARTS)))
    except (StartError, TemporalMissingError) as error:
        say(str(error))
        return 1
    say(f"{'Every bar is held' if held else 'A bar is NOT held'} ({time.monotonic() - started:.0f} s).")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
