"""From a recording to its figures."""

from domain.running.figures import Fact, Facts, Runner
from domain.workout import Workout

__all__ = ["Fact", "Facts", "Runner", "facts_of"]


def facts_of(workout: Workout, runner: Runner | None = None) -> Facts:
    """All figures of one workout. Pure: the same recording and runner give the same facts."""
    raise NotImplementedError
