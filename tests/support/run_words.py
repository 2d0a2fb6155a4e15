"""What writes about runs, on a real ledger; the model answers from a script."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from activities.run_contents import RunContents
from activities.run_reviews import RunReviews
from activities.running_words import Writer
from domain.errors import LongrunError
from domain.protocols import Answer, LanguageModel
from domain.usage import Call
from ledger.contents import Contents
from ledger.database import Database
from ledger.users import Users
from ledger.workouts import Workouts

TRUE = "You went out again, and nobody but you knows what for. Keep the next days easy, and then come back to it."
LETTER, INSIGHT = "You write a short letter", "You are a running coach"


class WordsModel:
    """Fits domain.protocols.LanguageModel. It says one thing after the other, an error is raised; then what is true.

    `fails`: by how the instructions begin. `together` makes callers wait for each other, `hangs` for ever.
    """

    def __init__(self, *says: str | LongrunError, missing: str | None = None) -> None:
        self.says: list[str | LongrunError] = list(says)
        self.fails: dict[str, LongrunError] = {}
        self.missing = missing
        self.hangs = False
        self.reached = asyncio.Event()
        self.calls: list[Call] = []
        self.prompts: list[str] = []
        self.together: asyncio.Barrier | None = None

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[Any], max_tokens: int) -> Answer:
        self.calls.append(call)
        self.prompts.append(prompt)
        self.reached.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.together:
            await self.together.wait()
        for beginning, error in self.fails.items():
            if instructions.startswith(beginning):
                raise error
        said = self.says.pop(0) if self.says else TRUE
        if isinstance(said, LongrunError):
            raise said
        return Answer(output=output.model_validate({"text": said}), vendor="anthropic", model="claude-haiku-5-5")


def word_activities(database: Database, model: LanguageModel) -> Sequence[Callable[..., Any]]:
    """The real activities of the kinds that write about runs."""
    workouts, contents = Workouts(database), Contents(database)
    writer = Writer(workouts, contents, model)
    one, more = RunContents(writer, contents), RunReviews(workouts, Users(database), contents, writer)
    return (
        *(one.load, one.generate, one.store, one.letter, one.insight),
        *(more.load, more.generate, more.store),
    )
