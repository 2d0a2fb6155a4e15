"""The connection to Temporal, by the standard TEMPORAL_* variables (temporalio.envconfig) and nothing else."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

if TYPE_CHECKING:
    from temporalio.plugin import SimplePlugin

LOCAL = "127.0.0.1:7233"


async def connect(environ: Mapping[str, str], *plugins: "SimplePlugin", lazy: bool = True) -> Client:
    """A client (of the local server without TEMPORAL_ADDRESS). A lazy one lives while the engine is down; workers
    need one that is connected. Raises RuntimeError when that fails."""
    config = dict(ClientConfig.load_client_connect_config(override_env_vars=dict(environ)))
    config.setdefault("target_host", LOCAL)
    return await Client.connect(**config, plugins=list(plugins), lazy=lazy)  # pyright: ignore[reportArgumentType, reportCallIssue]
