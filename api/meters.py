"""What this process counts of the requests it answers, for Prometheus."""

from prometheus_client import Histogram

REQUESTS = Histogram(
    "longrun_http_seconds",
    "Time until a request's answer begins.",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
ELSEWHERE = "-"


def observe(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request under its route's template; what matches no route is one line, whatever it asked for."""
    REQUESTS.labels(method if route else ELSEWHERE, route or ELSEWHERE, str(status)).observe(seconds)
