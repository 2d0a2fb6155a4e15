"""From a recording to a workout that is kept with its figures."""

from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from domain.running.figures import VERSION, Runner
from domain.workout import WorkoutRefused

if TYPE_CHECKING:
    from domain.protocols import WorkoutReader
    from domain.workout import Workout
    from ledger.users import Users
    from ledger.workouts import Kept, WorkoutRow, Workouts

STALE = 20


class Keeping:
    """The one way in for workouts, by whichever door they come."""

    def __init__(self, workouts: "Workouts", users: "Users", reader: "WorkoutReader") -> None:
        self._workouts, self._users, self._reader = workouts, users, reader

    async def runner(self, user_id: str) -> Runner:
        """What is known of the user's heart: what they gave, and the highest that their workouts have seen."""
        user, highest = await self._users.get(user_id), await self._workouts.highest_heart_rate(user_id)
        given = user.heart_rate if user else None
        return Runner(
            resting_bpm=given.resting if given else None,
            max_bpm=given.max if given else None,
            highest_seen_bpm=highest,
        )

    async def keep(
        self, user_id: str, workout: "Workout", *, workout_id: UUID | None = None
    ) -> "tuple[WorkoutRow, bool]":
        """The workout as it is kept, and whether it is new; one that is known is not counted again."""
        if known := await self._workouts.find(user_id, workout):
            return known, False
        facts, runner, recording = await self._reader.figured(workout, await self.runner(user_id))
        return await self._workouts.put(user_id, workout, facts, runner, recording, workout_id=workout_id)

    async def known(self, user_id: str) -> "dict[str, Kept]":
        """What the user has already, by the hash of the file that it came in."""
        return await self._workouts.by_content(user_id)

    async def current(self, row: "WorkoutRow") -> "WorkoutRow":
        """The workout with the figures that are right by now: its user may have given a heart rate since."""
        runner = await self.runner(row.user_id)
        if not _stale(row, runner):
            return row
        with suppress(WorkoutRefused):  # of what is kept the old figures are better than none
            await self._refigure(row.id, runner)
        return await self._workouts.get(row.id) or row

    async def refigure(self, user_id: str) -> int:
        """Bring the figures of all of a user's workouts up to what is known by now; answers how many were not.

        As far as it has come it has come: what is called again goes on from there.
        """
        done = 0
        while True:
            # told of anew each time: what is given meanwhile counts too
            runner = await self.runner(user_id)
            stale = await self._workouts.stale(user_id, runner, limit=STALE)
            for workout_id in stale:
                await self._refigure(workout_id, runner)
            done += len(stale)
            if not stale:
                return done

    async def behind(self, user_id: str) -> bool:
        """Whether there is anything to refigure."""
        return bool(await self._workouts.stale(user_id, await self.runner(user_id), limit=1))

    async def _refigure(self, workout_id: UUID, runner: Runner) -> None:
        if recording := await self._workouts.recording(workout_id):
            await self._workouts.refigure(workout_id, await self._reader.refigured(recording, runner), runner)


def _stale(row: "WorkoutRow", runner: Runner) -> bool:
    facts, then = row.facts, row.runner
    if facts.version < VERSION or facts.zones is None:
        return facts.version < VERSION
    if (then.resting_bpm, then.max_bpm) != (runner.resting_bpm, runner.max_bpm):
        return True
    return facts.zones.estimated and then.highest_seen_bpm != runner.highest_seen_bpm
