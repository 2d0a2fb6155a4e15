"""One row a kind. Worker, start routes, OpenAPI, aliases, replay and wiring tests all read this table."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from activities.erasing import Erased
from activities.tools import SHAPES, with_own_means
from domain import library, plan, plan_check
from domain.interviews.item import KIND as ANALYSE_INTERVIEW
from domain.interviews.item import AnalyseRequest, AnalyseResult
from domain.model import Model, Request
from domain.postings.enriching import KIND as ENRICH_POSITION
from domain.postings.enriching import EnrichRequest, EnrichResult
from domain.research import Briefing, CompanyResearchRequest
from domain.running import contents, ingest
from domain.running.imports import REFIGURE, ImportRequest, ImportResult, RefigureRequest, RefigureResult
from domain.tasks import HttpTaskRequest, TaskResult, request_for
from providers.model_names import known
from workflows.analyse_interview import WITHIN as INTERVIEW_WITHIN
from workflows.analyse_interview import AnalyseInterview
from workflows.company_research import CompanyResearch
from workflows.documents import ProcessDocuments, ReprocessDocuments
from workflows.enrich_position import WITHIN, EnrichPosition
from workflows.erasing import KIND as ERASE_USER
from workflows.erasing import EraseUser, ErasureRequest
from workflows.http_task import HttpTask
from workflows.kind import Catalog, Kind
from workflows.plan import RunPlan, steps_of
from workflows.refigure import RefigureRuns
from workflows.run_contents import GenerateCoachingInsight, GenerateRunLetter, ProcessActivityContent
from workflows.run_history import IngestRunHistory
from workflows.run_import import KIND as IMPORT_RUN_EXPORT
from workflows.run_import import ImportRunExport
from workflows.run_reviews import ReviewRuns, WeeklyRunDigest


def _same_research(request: CompanyResearchRequest) -> Any:
    url = str(request.company_url).lower().rstrip("/") if request.company_url else None
    names = [" ".join(words.lower().split()) for words in (request.company_name, request.role)]
    return [*names, request.deep_mode, url]


def _task_title(task: HttpTaskRequest) -> str:
    return f"Task {(task.url.path or '/')[:100]} at {task.url.host}"


def _about_runs() -> tuple[Kind, ...]:
    def kind(name: str, workflow: type, payload: type[Request], result: type[Model], title: str) -> Kind:
        return Kind(
            name=name,
            workflow=workflow,
            payload=payload,
            result=result,
            title=lambda _: title,
            max_duration=timedelta(minutes=30),
            owner_of=lambda request: request.user_id,
        )

    of_one, result = contents.ContentRequest, contents.ContentResult
    review = contents.ReviewResult
    return (
        kind("generate-run-letter", GenerateRunLetter, of_one, result, "Write a letter about a run"),
        kind("generate-coaching-insight", GenerateCoachingInsight, of_one, result, "Write a coaching insight on a run"),
        kind("process-activity-content", ProcessActivityContent, of_one, contents.BothResult, "Write about a run"),
        kind(
            "weekly-run-digest", WeeklyRunDigest, contents.DigestRequest, review, "Write the digest of a week of runs"
        ),
        kind("review-runs", ReviewRuns, contents.ReviewRequest, review, "Write about more than one run"),
    )


def ours(task_hosts: Sequence[str] = ()) -> tuple[Kind, ...]:
    """The built-in kinds; `task_hosts` are those that tasks may be sent to."""
    return (
        Kind(
            name="company-research",
            aliases=("research",),
            workflow=CompanyResearch,
            payload=CompanyResearchRequest,
            result=Briefing,
            title=lambda request: f"Research {request.company_name} for {request.role}",
            max_duration=timedelta(minutes=30),
            same=_same_research,
            fresh=lambda request: request.refresh,
        ),
        Kind(
            name="http-task",
            workflow=HttpTask,
            payload=request_for(task_hosts),
            result=TaskResult,
            title=_task_title,
            max_duration=timedelta(days=30),
            # what the application is sent is signed as the service's word
            by_name=True,
        ),
        Kind(
            name=plan.KIND,
            aliases=("workflow",),
            workflow=RunPlan,
            payload=plan_check.request_for(SHAPES, known),
            result=plan.PlanResult,
            title=lambda request: f"Run {request.workflow_name}",
            max_duration=timedelta(days=30),
            steps_of=steps_of,
            by_name=with_own_means,
        ),
        Kind(
            name=IMPORT_RUN_EXPORT,
            workflow=ImportRunExport,
            payload=ImportRequest,
            result=ImportResult,
            title=lambda _: "Import an export of workouts",
            max_duration=timedelta(hours=12),
            owner_of=lambda request: request.user_id,
        ),
        Kind(
            name=REFIGURE,
            workflow=RefigureRuns,
            payload=RefigureRequest,
            result=RefigureResult,
            title=lambda _: "Count the figures of workouts again",
            max_duration=timedelta(hours=12),
            owner_of=lambda request: request.user_id,
        ),
        *_about_runs(),
        Kind(
            name=ingest.KIND,
            workflow=IngestRunHistory,
            payload=ingest.IngestRequest,
            result=ingest.IngestResult,
            title=lambda _: "Write about past runs",
            # once the runs are counted it is an hour for each thousand of them
            max_duration=timedelta(days=30),
            owner_of=lambda request: request.user_id,
            one_of=lambda request: request.user_id,
        ),
        Kind(
            name="bulk-document-processing",
            aliases=("bulk-documents",),
            workflow=ProcessDocuments,
            payload=library.Upload,
            result=library.DocumentsDone,
            title=lambda asked: f"Index documents: {len(asked.documents)}",
            max_duration=timedelta(days=1),
            items="documents",
        ),
        Kind(
            name="document-reprocessing",
            aliases=("document-reprocess",),
            workflow=ReprocessDocuments,
            payload=library.Reprocess,
            result=library.DocumentsDone,
            title=lambda asked: f"Index documents anew: {len(asked.document_ids)}",
            max_duration=timedelta(days=1),
            items="documentIds",
        ),
        Kind(
            name=ENRICH_POSITION,
            workflow=EnrichPosition,
            payload=EnrichRequest,
            result=EnrichResult,
            title=lambda _: "Read a job position",
            max_duration=WITHIN,
            one_of=lambda request: str(request.job_position_id),
        ),
        Kind(
            name=ANALYSE_INTERVIEW,
            aliases=("analyze-interview",),
            workflow=AnalyseInterview,
            payload=AnalyseRequest,
            result=AnalyseResult,
            title=lambda _: "Analyse an interview",
            max_duration=INTERVIEW_WITHIN,
            one_of=lambda request: str(request.timeline_item_id),
        ),
        Kind(
            name=ERASE_USER,
            workflow=EraseUser,
            payload=ErasureRequest,
            result=Erased,
            title=lambda _: "Erase a user's data",
            max_duration=timedelta(days=7),
            by_name=True,
        ),
    )


KINDS = ours()


def installed(task_hosts: Sequence[str] = ()) -> Catalog:
    """Our kinds and those of installed packages (entry points of the group `longrun.kinds`, each a Kind)."""
    return Catalog([*ours(task_hosts), *_theirs()])


@cache
def _theirs() -> tuple[Kind, ...]:
    # looked for among all that is installed, which takes a while and finds the same as long as a process lives
    return tuple(entry.load() for entry in entry_points(group="longrun.kinds"))
