"""One file."""

from domain.workout import Workout


def read_workout(content: bytes, name: str = "") -> Workout:
    """The workout in a FIT, GPX, TCX or JSON file, gzipped or not. `name` is a name for one that has none.

    Raises WorkoutRefused."""
    raise NotImplementedError
