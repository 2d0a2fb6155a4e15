"""Running: what writes about runs."""

from activities.run_contents import RunContents
from activities.run_reviews import RunReviews
from activities.running_words import Writer
from assembly.parts import Activities, Parts
from engine.start import QUEUE
from ledger.contents import Contents
from ledger.users import Users
from ledger.workouts import Workouts


async def activities(parts: Parts) -> Activities:
    workouts, contents = Workouts(parts.database), Contents(parts.database)
    writer = Writer(workouts, contents, parts.models)
    one = RunContents(writer, contents)
    more = RunReviews(workouts, Users(parts.database), contents, writer)
    return {
        QUEUE: [one.load, one.store, more.load, more.store],
        "llm": [one.generate, one.letter, one.insight, more.generate],
    }
