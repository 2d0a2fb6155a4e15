"""What activities ask of the outside world and of the engine; providers, ledger and engine fit these shapes."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.job import Job
from domain.library import Answers
from domain.model import Model
from domain.research import CodeFound, CompanyResearchRequest, Evidence, SiteFound
from domain.running.figures import Facts, Runner
from domain.running.given import GivenWorkout
from domain.tasks import HttpTaskRequest, TaskAnswer
from domain.tool_use import Choice, Exchange, ToolOffer
from domain.usage import Call, Spent, Totals
from domain.workout import Workout, WorkoutRefused

T = TypeVar("T")


class SiteReader(Protocol):
    """Finds and reads a company's site. Raises VendorError with the honest reason as its code."""

    async def read(self, request: CompanyResearchRequest) -> tuple[SiteFound, Sequence[Evidence]]: ...


class CodeReader(Protocol):
    """Finds and reads a company's public code. Raises VendorError or RateLimited."""

    async def read(self, request: CompanyResearchRequest) -> tuple[CodeFound, Sequence[Evidence]]: ...


class Answer(Model):
    """A model's answer, parsed by the caller's type; `recalled` when it was paid before and came from the ledger."""

    output: Any
    vendor: str
    model: str
    recalled: bool = False


class LanguageModel(Protocol):
    """One structured answer of a model; `configured` is None when a key is set, else the reason why nobody answers."""

    @property
    def missing(self) -> str | None: ...

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[T], max_tokens: int) -> Answer: ...


class ToolModel(Protocol):
    """A model that may ask for tools before it answers, chosen by name at each call (None: the settings' one)."""

    def missing_for(self, model: str | None) -> str | None:
        """Why that model cannot be asked, in words, or None."""
        ...

    async def choose(
        self,
        call: Call,
        *,
        model: str | None,
        instructions: str,
        prompt: str,
        exchanges: Sequence[Exchange],
        offers: Sequence[ToolOffer],
        output: type[Any],
        max_tokens: int,
    ) -> Choice:
        """One turn. Raises BudgetExceeded, RateLimited and VendorError, as LanguageModel.ask does."""
        ...


class Till(Protocol):
    """Where paid calls are counted (ledger.spend)."""

    async def answered(self, call: Call, prompt_hash: str) -> tuple[str, str, Any] | None:
        """The (vendor, model, answer) already paid for, if that turn's answer reached the ledger."""
        ...

    async def totals(self, job_id: UUID) -> Totals: ...

    async def record(self, spent: Spent, *, prompt_hash: str, answer: Any) -> Totals: ...


class Bucket(Protocol):
    """A vendor's limits a minute, shared by all who ask it (ledger.buckets)."""

    async def take(self, job_id: UUID, vendor: str, model: str, tokens: int) -> None:
        """Wait for the turn of a call that may take so many tokens."""
        ...

    async def give_back(self, vendor: str, model: str, tokens: int) -> None:
        """Say how many of them were not taken after all."""
        ...


class Engine(Protocol):
    """What activities ask of Temporal."""

    async def who_canceled(self, job_id: UUID) -> str | None:
        """Who asked the engine itself to cancel (the identity in the history), or None."""
        ...

    async def reconcile(self) -> dict[str, Any]:
        """Compare ledger and engine, mend what differs, and report it."""
        ...


class Replayer(Protocol):
    """Opens an old job again."""

    async def again(self, job_id: UUID, new_id: UUID, by: str | None = None) -> UUID:
        """The new job's id; the same call repeated opens one. Raises CallerError where it cannot be done."""
        ...


class ChildOpener(Protocol):
    """Opens a job inside another one and says what its workflow is handed."""

    async def open_child(self, parent_id: UUID, child_id: UUID, kind: str, payload: dict[str, Any]) -> Job[Any]: ...


class Forgetter(Protocol):
    """Takes out of the engine what belongs to a user. Raises EngineUnavailable."""

    async def end_schedules(self, owner: str) -> None: ...

    async def forget(self, job_ids: Sequence[UUID]) -> None:
        """Delete the executions of ended jobs."""
        ...


class TaskRunner(Protocol):
    """The application that a task lives in. Raises VendorError, RateLimited, JobError."""

    async def call(self, task: HttpTaskRequest, job_id: UUID, until: datetime) -> TaskAnswer:
        """The result, or that it will come by a callback until then."""
        ...

    async def cancel(self, task: HttpTaskRequest, job_id: UUID) -> None:
        """Say that nobody wants the result any more."""
        ...


class FiringOpener(Protocol):
    """Opens the job of a schedule's firing and says what its workflow is handed."""

    async def open_firing(self, schedule_id: str, job_id: UUID, workflow_id: str, due_at: datetime) -> Job[Any]: ...

    async def cancel_firing(self, schedule_id: str, job_id: UUID) -> None:
        """Note that the engine cancels the job on its schedule's behalf."""
        ...


class DocumentSearch(Protocol):
    """Finds chunks of an owner's documents by words and, where embeddings are kept, by meaning."""

    async def search(
        self, owner: str, question: str, *, project_id: str | None = None, tag: str | None = None, limit: int = 5
    ) -> Answers:
        """The best chunks, best first. Raises LedgerUnavailable; where meaning cannot be asked, words alone answer."""
        ...


class Embedder(Protocol):
    """Says what texts mean, as vectors of unit length, comparable with each other under the same `model`."""

    @property
    def model(self) -> str: ...

    async def embed(self, texts: Sequence[str], call: Call | None = None) -> list[list[float]]:
        """One vector a text. `call`: for whom it is paid. Raises VendorError, RateLimited, BudgetExceeded."""
        ...


class WorkoutReader(Protocol):
    """Reads recordings and counts what is in them, where it holds up nobody. Raises WorkoutRefused."""

    async def read(self, content: bytes, name: str = "") -> Workout: ...

    async def given(self, given: GivenWorkout) -> Workout: ...

    async def figured(self, workout: Workout, runner: Runner) -> tuple[Facts, Runner, bytes]:
        """Its facts, the runner as this workout shows them, and the recording as it is kept."""
        ...

    async def refigured(self, recording: bytes, runner: Runner) -> Facts:
        """The facts of a recording that is kept, for a runner of whom all is known."""
        ...

    async def count(self, path: Path) -> int:
        """How many files are in an export."""
        ...

    async def members(
        self, path: Path, start: int, known: Collection[str] = ()
    ) -> Sequence[tuple[str, Workout | WorkoutRefused]]:
        """Some files of an export after the first `start`, with their names; none after the last. Those whose content
        has a hash that is `known` are not read: WorkoutKnown."""
        ...

    async def leave(self, path: Path) -> None:
        """Nobody asks for more of that export."""
        ...


class FileFetcher(Protocol):
    """Fetches files from addresses that users name."""

    async def fetch(self, url: str) -> bytes:
        """Raises VendorError, RateLimited."""
        ...
