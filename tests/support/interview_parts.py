"""What analyses interviews, on a real ledger and a real folder of recordings; who hears and judges follow scripts."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from activities.interview_audio import InterviewAudio
from activities.interviews import InterviewAnswers
from activities.portions import Portions
from domain.errors import LongrunError
from domain.interviews.asking import Parsed
from domain.interviews.audio import AudioFetcher, AudioInfo, AudioStore, Hearing, SpeechToText
from domain.interviews.item import Interview
from domain.interviews.overall import Overall
from domain.interviews.rating import Judged
from domain.interviews.transcript import Piece, TranscribedBy, Transcript, Word
from domain.protocols import Answer, LanguageModel
from domain.usage import Call
from ledger.database import Database
from ledger.interview_work import InterviewWork
from ledger.interviews import Interviews
from ledger.items import JobItems
from ledger.postings import Postings
from providers.audio.reader import AudioFiles
from providers.files import Files
from providers.storage.local import LocalAudio
from providers.storage.recordings import Recordings
from providers.web import GuardedClient

INFO = AudioInfo(container="wav", seconds=30.0)
BYTES = b"RIFF" + bytes(range(256)) * 40
WORDS_A_SECOND = 2.5
ASKED = (
    "Tell me about a time when you led a project?",
    "How do you find out why a service is slow?",
    "Why do you want to work here?",
)
ANSWERED = (
    "Last year I led the move of our billing to PostgreSQL. I planned it with 4 people, and errors fell by 30 percent.",
    "I measure before I change anything, because my first guess about a slow query has often been wrong.",
    "Because you build tools for hospitals, and my last three years were about scheduling for clinics in Berlin.",
)
TURNS = tuple((speaker, text) for pair in zip(ASKED, ANSWERED, strict=True) for speaker, text in enumerate(pair))


def spoken(turns: Sequence[tuple[int, str]] = TURNS, by: TranscribedBy = "offline") -> Transcript:
    """A transcript of those turns: (speaker, text), at an even pace."""
    words: list[Word] = []
    at = 0.5
    for speaker, text in turns:
        for word in text.split():
            words.append(Word(text=word, start=at, end=at + 0.9 / WORDS_A_SECOND, speaker=speaker))
            at += 1 / WORDS_A_SECOND
        at += 0.5
    return Transcript(words=tuple(words), duration_seconds=at, transcribed_by=by)


class Ears:
    """Fits SpeechToText. Hears piece by piece of ten seconds; `hangs` after so many pieces until it is told to go on,
    `fails` at once."""

    name: TranscribedBy = "offline"

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.missing: str | None = None
        self.transcript = spoken()
        self.hangs: int | None = None
        self.fails: LongrunError | None = None
        self.reached, self.gone, self._told = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.heard: list[float] = []

    def go_on(self, hangs: int | None = None) -> None:
        """To where it hangs next."""
        told, self.hangs, self._told = self._told, hangs, asyncio.Event()
        told.set()

    async def transcribe(
        self,
        hearing: Hearing,
        *,
        kept: Sequence[Piece],
        keep: Callable[[Piece], Awaitable[None]],
        heard: Callable[[float], None],
    ) -> Transcript:
        assert hearing.path.read_bytes() == BYTES
        if self.fails:
            raise self.fails
        try:
            for number in range(len(kept), 3):
                if number == self.hangs:
                    self.reached.set()
                    await self._told.wait()
                start = 10.0 * number
                self.heard.append(start)
                words = tuple(word for word in self.transcript.words if start <= word.start < start + 10)
                await keep(Piece(start=start, end=start + 10, words=words))
                heard(start + 10)
        except asyncio.CancelledError:
            self.gone.set()
            raise
        return self.transcript


class InterviewModel:
    """Fits LanguageModel. Tells apart by the shape that is asked for; `fails` by the words of an answer, or `parse`,
    `overall`."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.missing: str | None = None
        self.fails: dict[str, LongrunError] = {}
        self.scores: Callable[[int], int] = lambda turn: 3 + turn % 2
        self.calls: list[Call] = []
        self.at_once = self.most_at_once = 0
        # so many have to be asked for a judgement at the same time before the first is given
        self.together, self.met = 1, asyncio.Event()
        self.hangs = False
        self.reached = asyncio.Event()

    async def ask(self, call: Call, *, instructions: str, prompt: str, output: type[Any], max_tokens: int) -> Answer:
        assert instructions
        self.calls.append(call)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if output is Judged:
                if self.at_once >= self.together:
                    self.met.set()
                await self.met.wait()
            if self.hangs:
                self.reached.set()
                await asyncio.Event().wait()
            return Answer(output=self._said(call, prompt, output), vendor="anthropic", model="claude-haiku-5-5")
        finally:
            self.at_once -= 1

    def _said(self, call: Call, prompt: str, output: type[Any]) -> Any:
        name = {Parsed: "parse", Overall: "overall"}.get(output, "")
        for words, error in self.fails.items():
            if words == name or (not name and words in prompt):
                raise error
        if output is Parsed:
            # each of the questions is one line, and each answer one or two
            lines = prompt.splitlines()[1:-1]
            asks = [number for number, line in enumerate(lines) if "[0 " in line]
            ends = [*asks[1:], len(lines)]
            found = [
                {"asked": [at], "answer_first": at + 1, "answer_last": end - 1}
                for at, end in zip(asks, ends, strict=True)
            ]
            return Parsed.model_validate({"questions": found})
        if output is Overall:
            return Overall(summary="You say what you did.", improvements=["Say how it ended."])
        quote = next(text for text in ANSWERED if text.split()[0] in prompt and text[:20] in prompt)
        quote = quote[:40].rsplit(" ", 1)[0]
        rated = {"quotes": [quote], "reason": "it says so", "score": self.scores(call.turn)}
        return Judged.model_validate(
            {
                **dict.fromkeys(
                    (
                        *("relevance", "structure", "specificity", "depth", "clarity"),
                        *("problem_solving", "self_awareness", "fit"),
                    ),
                    rated,
                ),
                "strengths": [{"quote": quote, "what": "You name what you did:"}],
                "change_quote": "",
                "change": "Say how it ended.",
                "outline": ["Begin with the task."],
            }
        )


class Analysing:
    """The real way from a recording that lies in the store, a folder unless another one is given, to a row."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        ears: SpeechToText,
        model: LanguageModel,
        *,
        at_once: int = 2,
        samples: int = 3,
        work: InterviewWork | None = None,
        fetcher: AudioFetcher | None = None,
        store: AudioStore | None = None,
        max_seconds: float = 3600,
    ) -> None:
        self.work = work or InterviewWork(database)
        self.interviews, self.postings = Interviews(database), Postings(database)
        self.store, self.ears, items = store or LocalAudio(folder), ears, JobItems(database)
        self.client, self.reader = GuardedClient(timeout=5), AudioFiles(max_seconds=max_seconds)
        fetcher = fetcher or Recordings(Files(self.client, "the recording's server"))
        self._audio = InterviewAudio(
            self.interviews, self.work, items, self.store, fetcher, self.reader, ears, by_link=ears.name == "deepgram"
        )
        self._answers = InterviewAnswers(
            self.work, self.postings, items, Portions(items), model, at_once=at_once, samples=samples
        )

    @property
    def activities(self) -> Sequence[Callable[..., Any]]:
        audio, answers = self._audio, self._answers
        judging = (answers.parse, answers.parse_by_rules, answers.score, answers.store, answers.store_by_rules)
        return (audio.load, audio.transcribe, *judging)

    async def give(self, user_id: str, folder: Path, *, posting_id: UUID | None = None) -> UUID:
        """A row whose recording lies in the store."""
        interview_id, path = uuid4(), folder / uuid4().hex
        path.write_bytes(BYTES)
        await self.interviews.put(interview_id, user_id, posting_id=posting_id)
        await self.store.put(str(interview_id), path)
        assert await self.interviews.keep_audio(interview_id, INFO, len(BYTES))
        return interview_id

    async def row(self, interview_id: UUID) -> Interview:
        row = await self.interviews.get(interview_id)
        assert row is not None
        return row

    async def close(self) -> None:
        await self.client.aclose()
        await self.reader.close()
