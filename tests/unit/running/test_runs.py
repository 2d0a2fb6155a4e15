"""Windows over a runner's runs say what a look at each run would."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.running.runs import Runs, RunSummary

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
SUMMARIES = st.builds(
    RunSummary,
    id=st.uuids().map(str),
    name=st.just("Run"),
    started_at=st.integers(0, 400).map(lambda hours: NOW - timedelta(hours=hours)),
    is_run=st.booleans(),
    values=st.dictionaries(st.sampled_from(("distance", "pace")), st.floats(0, 1e5)),
)


@given(
    st.lists(SUMMARIES, max_size=20),
    SUMMARIES,
    st.lists(st.tuples(st.integers(-20, 420), st.integers(0, 20)), max_size=3),
)
def test_windows_within_windows_hold_the_runs_of_all_of_them(
    workouts: list[RunSummary], last: RunSummary, asked: list[tuple[int, int]]
) -> None:
    last = RunSummary(last.id, last.name, NOW + timedelta(hours=1), True, last.values)
    runs = Runs.of(workouts).and_then(last)
    expected = [last, *sorted((run for run in workouts if run.is_run), key=lambda run: run.started_at, reverse=True)]
    for hours, days in asked:
        moment = NOW - timedelta(hours=hours)
        runs = runs.before(moment, days)
        expected = [run for run in expected if moment - timedelta(days=days) <= run.started_at < moment]
    assert list(runs) == expected
    assert len(runs) == len(expected)
    later = last._replace(started_at=NOW + timedelta(hours=2))
    assert list(runs.and_then(later)) == [later, *expected]
    for name in ("distance", "pace", "decoupling"):
        assert list(runs.values(name)) == [run.values[name] for run in expected if name in run.values]
