"""The activities of the kinds that write about more than one run."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from temporalio import activity

from activities.run_contents import Loaded, drafted
from activities.running_words import GONE
from domain.errors import JobError
from domain.running import reviews
from domain.running.brief import brief
from domain.running.contents import DigestRequest, ReviewRequest, ReviewResult, ReviewSheet, Words
from domain.running.reviewed import review
from domain.running.traced import Known
from domain.usage import Call

if TYPE_CHECKING:
    from activities.running_words import Writer
    from domain.running.figures import Facts
    from domain.running.runs import RunSummary
    from ledger.contents import Contents
    from ledger.users import Users
    from ledger.workouts import Workouts

DAY, WEEK = timedelta(days=1), timedelta(days=7)
# What a week is set against, what a trend is seen in, what predictions and suggestions are made of.
WEEKS_BEFORE, MONTHS_BEFORE, RECENT = 4 * WEEK, timedelta(days=400), timedelta(days=90)
# Nobody is paid to say that nothing was run.
BLANK = "there are no figures to write from"
Asked = DigestRequest | ReviewRequest


class RunReviews:
    """A digest and the rest alike: load what is to be written from, write, store."""

    def __init__(self, workouts: "Workouts", users: "Users", contents: "Contents", writer: "Writer") -> None:
        self._workouts, self._users, self._contents, self._writer = workouts, users, contents, writer

    @activity.defn(name="load_review")
    async def load(self, asked: Asked) -> Loaded:
        """Put what is to be written from into the job's draft. Raises JobError `not_found`."""
        return Loaded(figures=len((await self._loaded(asked)).facts))

    @activity.defn(name="generate_review")
    async def generate(self, asked: Asked) -> ReviewResult:
        """Write the words into the draft."""
        draft = await self._contents.draft(_call().job_id)
        # a replay from this step was given no draft
        sheet = ReviewSheet.model_validate(draft[0]) if draft else await self._loaded(asked)
        if sheet.is_blank:
            words = Words(text=review(sheet), answered_by="offline", reason=BLANK)
        else:
            prompt = brief(sheet.title, sheet.facts, sheet.notes)
            known = Known.of(sheet.facts, sheet.named)
            words = await self._writer.checked(_call(), "run_review", prompt, known, lambda: review(sheet))
        await self._contents.keep_words(_call().job_id, words)
        return ReviewResult(about=sheet.about, key=sheet.key, answered_by=words.answered_by)

    @activity.defn(name="store_review")
    async def store(self) -> None:
        """Keep what was written in the place of what was there. Raises JobError `draft_gone`."""
        sheet, words = await drafted(self._contents, _call().job_id)
        await self._contents.store_review(ReviewSheet.model_validate(sheet), words, _call())
        await self._contents.drop_draft(_call().job_id)

    async def _loaded(self, asked: Asked) -> ReviewSheet:
        user = await self._users.get(asked.user_id)
        zone = ZoneInfo((user and user.timezone) or "UTC")
        sheet = await (self._week(asked, zone) if isinstance(asked, DigestRequest) else self._review(asked, zone))
        await self._contents.keep_sheet(_call().job_id, sheet)
        return sheet

    async def _week(self, asked: DigestRequest, zone: ZoneInfo) -> ReviewSheet:
        monday = asked.monday or last_monday(datetime.now(zone).date())
        begins = datetime.combine(monday, time(), zone)
        runs = await self._workouts.summaries(asked.user_id, since=begins - WEEKS_BEFORE, until=begins + WEEK + DAY)
        return reviews.week_sheet(asked.user_id, runs, monday, zone.key)

    async def _review(self, asked: ReviewRequest, zone: ZoneInfo) -> ReviewSheet:
        now, user_id = datetime.now(UTC), asked.user_id
        if asked.about == "comparison":
            return reviews.comparison_sheet(
                user_id, await self._run(asked.a, user_id), await self._run(asked.b, user_id), zone.key
            )
        back = MONTHS_BEFORE if asked.about == "trends" else RECENT
        runs = await self._workouts.summaries(user_id, since=now - back)
        make = reviews.trends_sheet if asked.about == "trends" else reviews.suggestion_sheet
        return make(user_id, runs, now, zone.key)

    async def _run(self, workout_id: UUID | None, user_id: str) -> "tuple[RunSummary, Facts]":
        row = await self._workouts.get(workout_id) if workout_id else None
        if row is None or row.user_id != user_id:
            raise JobError(GONE, code="not_found")
        return row.summary, row.facts


def last_monday(today: date) -> date:
    """The Monday of the last week that has ended before `today`, or with the day before it."""
    return today - timedelta(days=today.weekday() + 7)


def _call() -> Call:
    return Call(job_id=UUID(activity.info().workflow_id), step="generate", attempt=activity.info().attempt)
