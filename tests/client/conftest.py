from collections.abc import Iterator

import pytest

from longrun import Client
from tests.client.server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, "secret-key", timeout=30, patience=30) as client:
        yield client
