"""Everything the environment may say, read once by the roots (worker.py, api/app.py, cli.py). Blank is unset."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self


class SettingsError(Exception):
    """A variable is missing or unreadable; the message names it."""


@dataclass(frozen=True)
class Settings:
    """One field a variable. Temporal's own TEMPORAL_* are read by temporalio.envconfig, not here."""

    # ledger
    database_url: str = "postgresql://127.0.0.1:5432/longrun"
    database_direct_url: str | None = None
    database_pooled: bool = False
    schema: str = "longrun"
    pool_size: int = 10
    # api
    api_keys: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int | None = None
    cors_origins: tuple[str, ...] = ("*",)
    anonymous: tuple[str, ...] = ()
    # jobs
    in_flight: int = 500
    graceful_seconds: float = 30.0
    cancel_grace_seconds: float = 30.0
    ledger_patience_seconds: float = 60.0
    rate_limit_patience_seconds: float = 120.0
    result_cache_hours: float = 24.0
    retention_days: float = 90.0
    retention_event_days: float = 90.0
    # tasks of the application
    public_url: str | None = None
    task_hosts: tuple[str, ...] = ()
    task_request_seconds: float = 60.0
    task_wait_hours: float = 72.0
    # providers
    model: str | None = None
    anthropic_api_key: str | None = None
    anthropic_base_url: str | None = None
    openai_api_key: str | None = None
    openai_base_url: str | None = None
    model_timeout_seconds: float = 120.0
    model_requests_per_minute: float | None = None
    model_tokens_per_minute: float | None = None
    quick_model: str | None = None
    batch_pause_seconds: float = 2.0
    github_token: str | None = None
    github_api_url: str = "https://api.github.com"
    search_api_key: str | None = None
    search_api_url: str | None = None
    connector_tokens: tuple[str, ...] = ()
    connector_urls: tuple[str, ...] = ()
    web_scraping_token: str | None = None
    crawlbase_url: str = "https://api.crawlbase.com"
    fetch_allow: tuple[str, ...] = ()
    site_candidates: tuple[str, ...] = ()
    fetch_timeout_seconds: float = 15.0
    fetch_max_bytes: int = 3_000_000
    # documents
    document_max_bytes: int = 50_000_000
    upload_max_bytes: int = 500_000_000
    documents_at_once: int = 5
    document_readers: int = 2
    chunk_tokens: int = 400
    chunk_overlap: int = 50
    embeddings: str | None = None
    # runners' files
    workout_max_bytes: int = 50 * 1024**2
    export_max_bytes: int = 2 * 1024**3
    # interviews
    deepgram_api_key: str | None = None
    deepgram_base_url: str | None = None
    deepgram_model: str = "nova-3"
    deepgram_usd_per_minute: float | None = None
    deepgram_timeout_seconds: float = 1800.0
    deepgram_callback_minutes: float | None = None
    deepgram_callback_wait_minutes: float = 60.0
    audio_store: str = "local"
    audio_dir: Path | None = None
    audio_bucket: str = "interviews"
    audio_max_bytes: int = 500_000_000
    audio_max_hours: float = 4.0
    audio_fetch_seconds: float = 900.0
    answers_at_once: int = 4
    answer_samples: int = 3
    # the product's own tables and objects
    rows: str = "ledger"
    rows_map: Path | None = None
    supabase_url: str | None = None
    supabase_service_role_key: str | None = None
    # job positions
    agent_turns: int = 6
    agent_calls: int = 12
    agent_seconds: float = 90.0
    agent_max_usd: float = 0.05
    # telling the world
    webhook_retry: tuple[float, ...] = (5, 30, 120, 900, 3600, 14400, 43200, 86400)
    webhook_timeout_seconds: float = 15.0
    smtp_url: str | None = None
    email_from: str = "Longrun <longrun@localhost>"
    # the machine's stack
    home: Path = Path(".longrun")
    cache: Path = Path("~/.cache/longrun")
    ui_port: int = 8233
    temporal_port: int = 7233
    ui_url: str | None = None
    temporal_cli: Path | None = None
    stack: tuple[str, ...] = ("postgres", "temporal", "api", "worker")
    log_level: str = "info"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the variables of `VARIABLES`; raise SettingsError naming the one that cannot be read."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            variable = VARIABLES[field.name]
            raw = environ.get(variable, "").strip()
            if not raw:
                continue
            try:
                values[field.name] = READERS.get(field.type, str)(raw)
            except ValueError as error:
                raise SettingsError(f"{variable} cannot be read: {error}") from error
        return cls(**values)

    @property
    def direct_url(self) -> str:
        """The ledger with as little as possible in between: migrations go there."""
        return self.database_direct_url or self.database_url

    @property
    def listening_url(self) -> str | None:
        """Where LISTEN works; None behind a transaction pooler that there is no way around."""
        return None if self.database_pooled and not self.database_direct_url else self.direct_url

    @property
    def reached_at(self) -> str:
        """Where others reach the API, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def audio_folder(self) -> Path:
        return self.audio_dir or self.home / "audio"

    @property
    def loopback(self) -> bool:
        return self.host in ("127.0.0.1", "::1", "localhost")


def _flag(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if raw.lower() not in words:
        raise ValueError("say true or false")
    return words[raw.lower()]


def _list(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _seconds(raw: str) -> tuple[float, ...]:
    found = tuple(map(float, _list(raw)))
    if not all(0 <= seconds < 1e9 for seconds in found):
        raise ValueError("say seconds, separated by commas")
    return found


def _above_zero(raw: str) -> float:
    found = float(raw)
    if not 0 < found < 1e9:
        raise ValueError("say a number above 0")
    return found


def _path(raw: str) -> Path:
    return Path(raw).expanduser()


READERS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    bool: _flag,
    tuple[str, ...]: _list,
    tuple[float, ...]: _seconds,
    Path: _path,
    Path | None: _path,
    int | None: int,
    float | None: _above_zero,
}

# The vendors' own names stay; everything of ours begins with LONGRUN_.
PLAIN = {
    *("database_url", "database_direct_url", "anthropic_api_key", "anthropic_base_url", "openai_api_key"),
    *("openai_base_url", "github_token", "github_api_url", "search_api_key", "search_api_url"),
    *("web_scraping_token", "crawlbase_url", "smtp_url", "supabase_url", "supabase_service_role_key"),
    *("deepgram_api_key", "deepgram_base_url"),
}
VARIABLES: dict[str, str] = {
    field.name: field.name.upper() if field.name in PLAIN else f"LONGRUN_{field.name.upper()}"
    for field in fields(Settings)
}
