"""Ports on loopback, and whether the world beyond it can be reached."""

import socket
import threading
import time
from contextlib import suppress

LOOPBACK = "127.0.0.1"


def free() -> int:
    """A port nobody listens on at this moment. On Linux nobody else is given it by chance for a minute: so long rests
    a connection there that was closed by the side that listened."""
    with socket.socket() as listener:
        # what rests would keep those from listening who are told of the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()) as caller:
            listener.accept()[0].close()
            caller.recv(1)
        return listener.getsockname()[1]


def taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could not listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def reachable(*targets: tuple[str, int], seconds: float = 2.0) -> bool:
    """Whether a TCP connection to one of them opens within that time; a name's look-up, which can hang, included."""
    opened = threading.Event()

    def knock(target: tuple[str, int]) -> None:
        with suppress(OSError):
            socket.create_connection(target, timeout=seconds).close()
            opened.set()

    knocking = [threading.Thread(target=knock, args=(target,), daemon=True) for target in targets]
    for each in knocking:
        each.start()
    deadline = time.monotonic() + seconds
    while any(each.is_alive() for each in knocking) and time.monotonic() < deadline:
        if opened.wait(0.02):
            break
    return opened.is_set()
