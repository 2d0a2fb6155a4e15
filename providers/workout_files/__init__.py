"""Workouts out of FIT, GPX, TCX and JSON files, gzipped ones, and the archives that services export.

Touch this when a file that a device or service writes is refused or misread.

A file is known by its content, never by its name. What cannot be read is refused with a reason (WorkoutRefused), and
in an archive each member alone. All of it is synchronous and keeps a core busy: call it in a thread or process.
"""

from providers.workout_files.archive import Member, count, members
from providers.workout_files.single import read_workout

__all__ = ["Member", "count", "members", "read_workout"]
