"""Figures for Prometheus: of jobs from the ledger, of this process's requests and turns from itself."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from api.dependencies import Auth, Given
from domain.errors import LedgerUnavailable
from ledger.stats import GROWTH

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from ledger.stats import Figures, Waiting

router = APIRouter(tags=["health"])
ENDS = ("completed", "failed", "canceled", "expired", "timed_out")
SECONDS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
)
async def metrics(given: Given, caller: Auth) -> Response:
    """Figures in Prometheus' text format: jobs by kind and status, waiting and its age, durations, tokens, money,
    requests by route, turns of the dispatcher. Only for servers. A ledger that is down is told by `longrun_ledger_up`.
    """
    caller.server_only()
    registry = CollectorRegistry()
    try:
        registry.register(OfJobs(await given.stats.ever(), await given.stats.open()))
        up = 1
    except LedgerUnavailable:
        up = 0
    registry.register(_One(GaugeMetricFamily("longrun_ledger_up", "Whether the ledger answered.", value=up)))
    return Response(generate_latest() + generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class _One(Collector):
    def __init__(self, metric: "Metric") -> None:
        self._metric = metric

    def collect(self) -> "Iterator[Metric]":
        yield self._metric


class OfJobs(Collector):
    """What the ledger knows; the same from every process, so scrape or sum one API process alone."""

    def __init__(self, ended: "dict[str, Figures]", waiting: "Iterable[Waiting]") -> None:
        self._ended, self._open = ended, list(waiting)

    def collect(self) -> "Iterator[Metric]":
        yield from self._of_open()
        ended = CounterMetricFamily("longrun_jobs_ended", "Jobs that have ended.", labels=["kind", "status"])
        tokens = CounterMetricFamily("longrun_tokens", "Tokens of models that ended jobs have used.", labels=["kind"])
        usd = CounterMetricFamily("longrun_cost_usd", "What ended jobs have cost, as far as known.", labels=["kind"])
        seconds = HistogramMetricFamily(
            "longrun_job_seconds", "How long completed jobs ran; the sum to 5 %.", labels=["kind"]
        )
        for kind, figures in self._ended.items():
            for status in ENDS:
                ended.add_metric([kind, status], getattr(figures, status))
            tokens.add_metric([kind], figures.tokens)
            usd.add_metric([kind], float(figures.usd))
            seconds.add_metric([kind], _cumulated(figures), _sum(figures))
        yield from (ended, tokens, usd, seconds)

    def _of_open(self) -> "Iterator[Metric]":
        jobs = GaugeMetricFamily("longrun_jobs_open", "Jobs that have not ended.", labels=["kind", "status"])
        oldest = GaugeMetricFamily(
            "longrun_oldest_wait_seconds", "How long the first job that nobody has begun is due.", labels=["kind"]
        )
        waits: dict[str, float] = {}
        for one in self._open:
            jobs.add_metric([one.kind, one.status], one.jobs)
            waits[one.kind] = max(waits.get(one.kind, 0.0), one.oldest_seconds or 0.0)
        for kind, wait in waits.items():
            oldest.add_metric([kind], wait)
        yield from (jobs, oldest)


def _cumulated(figures: "Figures") -> list[tuple[str, float]]:
    """Jobs that ran at most so long, for each bound."""
    bounds = [(str(bound), bound) for bound in SECONDS] + [("+Inf", float("inf"))]
    return [
        (name, sum(jobs for bucket, jobs in figures.durations if _longest(bucket) <= bound)) for name, bound in bounds
    ]


def _longest(bucket: int) -> float:
    return GROWTH**bucket / 1000


def _sum(figures: "Figures") -> float:
    return sum(jobs * _longest(bucket) / GROWTH**0.5 for bucket, jobs in figures.durations)
