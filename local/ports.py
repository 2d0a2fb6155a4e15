"""Ports on loopback, and whether the world beyond it can be reached."""

import socket
import threading

LOOPBACK = "127.0.0.1"


def free() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could not listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def reachable(host: str, port: int, seconds: float = 2.0) -> bool:
    """Whether a TCP connection opens within that time, name look-up included (which alone can hang far longer)."""
    opened = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
        except OSError:
            return
        opened.set()

    knocking = threading.Thread(target=knock, daemon=True)
    knocking.start()
    knocking.join(seconds)
    return opened.is_set()
