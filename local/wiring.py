"""Who listens where, and what API and worker are told of it."""

import os
from collections.abc import Mapping

from local import ports
from local.process import StartError
from local.temporal import NAMESPACE
from settings import Settings

PARTS = ("postgres", "temporal", "api", "worker")


class Wiring:
    """The addresses of one stack. DATABASE_URL and TEMPORAL_ADDRESS in `environ` name servers used instead of own ones.

    Raises StartError when the settings contradict themselves.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        unknown = set(settings.stack) - set(PARTS)
        if unknown:
            raise StartError(f"LONGRUN_STACK names {', '.join(sorted(unknown))}; its parts are {', '.join(PARTS)}.")
        self.api = "api" in settings.stack
        if self.api and not settings.loopback and not settings.api_keys:
            raise StartError("LONGRUN_HOST is open to other machines: set LONGRUN_API_KEYS to a key of your own.")
        database = environ.get("DATABASE_URL", "").strip()
        temporal = environ.get("TEMPORAL_ADDRESS", "").strip()
        self._settings = settings
        self._environ = environ
        self.own_postgres = "postgres" in settings.stack and not database
        self.own_temporal = "temporal" in settings.stack and not temporal
        self.database_url = settings.database_url
        default = f"{ports.LOOPBACK}:{settings.temporal_port}"
        self.temporal_address = default if self.own_temporal else temporal or default
        given = environ.get("TEMPORAL_NAMESPACE", "").strip()
        self.namespace = NAMESPACE if self.own_temporal else given or NAMESPACE
        own_ui = f"http://{ports.LOOPBACK}:{settings.ui_port}" if self.own_temporal else None
        self.ui_url = settings.ui_url or own_ui
        host = {"0.0.0.0": ports.LOOPBACK, "::": "[::1]", "::1": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
        self.api_url = f"http://{host}:{settings.port}"

    def check_ports(self) -> None:
        """Raise StartError naming the variable that moves a port which is taken."""
        settings = self._settings
        wanted = [("LONGRUN_PORT", settings.port, settings.host)] if self.api else []
        if self.own_temporal:
            wanted.append(("LONGRUN_TEMPORAL_PORT", settings.temporal_port, ports.LOOPBACK))
            wanted.append(("LONGRUN_UI_PORT", settings.ui_port, ports.LOOPBACK))
        for variable, port, host in wanted:
            if ports.taken(port, host):
                raise StartError(
                    f"Port {port} is taken: stop what listens there, or set {variable}, e.g. to {port + 1}."
                )

    def environment(self, key: str) -> dict[str, str]:
        """The environment of API and worker; `key` is what they accept when no keys are set."""
        dropped = {"DATABASE_DIRECT_URL"} if self.own_postgres else set[str]()
        if self.own_temporal:
            # A key or a profile meant for another cluster would be used against ours.
            dropped |= {name for name in self._environ if name.startswith("TEMPORAL_")}
        env = {name: value for name, value in self._environ.items() if name not in dropped}
        if self.own_temporal:
            env["TEMPORAL_CONFIG_FILE"] = os.devnull
        return env | {
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": self.namespace,
            "LONGRUN_API_KEYS": ",".join(self._settings.api_keys or (key,)),
            "LONGRUN_HOST": self._settings.host,
            "LONGRUN_PORT": str(self._settings.port),
            "LONGRUN_UI_URL": self.ui_url or "",
            "LONGRUN_HOME": str(self._settings.home.expanduser().resolve()),
            "PYTHONUNBUFFERED": "1",
        }
