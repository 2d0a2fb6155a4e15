"""A workout as bytes to keep, and back."""

from domain.workout import Workout


def packed(workout: Workout) -> bytes:
    """All of it: the streams delta-coded and compressed, what the device said as JSON before them."""
    raise NotImplementedError


def unpacked(stored: bytes) -> Workout:
    """The workout that `packed` was given; raises ValueError on bytes that it has not made."""
    raise NotImplementedError
