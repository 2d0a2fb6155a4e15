"""`python -m tests.chaos`: see --help."""

import argparse
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from local.live import say
from local.process import StartError
from local.temporal import TemporalMissingError
from tests.chaos.ground import ground
from tests.chaos.plan import AT_ONCE, groups
from tests.chaos.run import Verdict, run

HELP = f"""\
Plays random sequences of what callers, operators and accidents do (start, cancel, replay, pause, limits, terminate,
reset, kill -9 of worker, engine and database) on real processes, {AT_ONCE} sequences beside each other. After each such
group everything runs again, ledger and engine are compared once, and then: every job has ended or rightly waits, both
sides tell the same, no outside call was made more often than attempts and crashes allow, no limit was exceeded.

  make chaos                                       200 sequences of a new seed, about six minutes
  make chaos ARGS="--sequences 20 --seed 7"        fewer, of that seed
  make chaos ARGS="--seed 7 --only 37"             number 37 and those beside it, as they were

What is asked, and in which order, is the seed's; how the processes interleave is the machine's, so a rare failure may
take a few tries. Exits 1 when anything did not hold.
"""


def explain(verdict: Verdict, seed: int, sequences: int) -> str:
    """A failure, with all that is needed to see it again."""
    first = verdict.sequences.start
    wrong, steps = "\n  ".join(verdict.wrong), "\n  ".join(map(str, verdict.steps))
    again = f'make chaos ARGS="--seed {seed} --sequences {sequences} --only {first}"'
    return f"What did not hold:\n  {wrong}\nThe steps:\n  {steps}\nAgain: {again}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("make chaos", description=HELP, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sequences", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(100_000), help="a number (a new one)")
    parser.add_argument("--only", type=int, metavar="K", help="only the group of sequence K")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the parts' logs and data stay")
    asked = parser.parse_args(arguments)
    chosen = [group for group in groups(asked.sequences) if asked.only is None or asked.only in group]
    if not chosen:
        parser.error(f"there is no sequence {asked.only} among {asked.sequences}: they count from 0")
    say(f"Seed {asked.seed}, {sum(map(len, chosen))} sequences.")
    with tempfile.TemporaryDirectory(prefix="longrun-chaos-", ignore_cleanup_errors=True) as passing:
        folder = asked.keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL's user must enter
        try:
            return play(folder, asked.seed, asked.sequences, chosen)
        except (StartError, TemporalMissingError) as error:
            say(str(error))
            return 1


def play(folder: Path, seed: int, sequences: int, chosen: Sequence[range]) -> int:
    began, failed = time.monotonic(), 0
    jobs, crashes = Counter[str](), Counter[str]()
    with ground(folder) as (house, world):
        for group in chosen:
            verdict = run(house, world, seed, group)
            jobs, crashes = jobs + verdict.jobs, crashes + verdict.crashes
            say(
                f"{group.start:>4} to {group.stop - 1:<4} {verdict.jobs.total():>4} jobs, {verdict.calls:>4} calls,"
                f" {verdict.crashes.total()} crashes, {verdict.mended} mended, {verdict.seconds:.1f} s"
                f"{'' if not verdict.wrong else ': WRONG'}"
            )
            if verdict.wrong:
                failed += 1
                say(explain(verdict, seed, sequences))
    say(f"Jobs: {_told(jobs)}. Crashes: {_told(crashes)}. {time.monotonic() - began:.0f} s, seed {seed}.")
    say(f"{failed} of {len(chosen)} groups did NOT hold." if failed else "Everything held.")
    return 1 if failed else 0


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counted.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
