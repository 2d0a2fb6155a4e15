"""Which addresses a user's word may make us connect to, decided at connect time.

A name is looked up once for a connection, every address of the answer is judged, and the connection goes to one of the
judged numbers. The name is not looked up again, so a name server that changes its answer (DNS rebinding) gains nothing,
and an address that is refused never sees a packet.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import cast

import httpcore2

from domain.errors import VendorError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
# A public number that answers only inside a cloud: Azure's WireServer.
CLOUD_ONLY = frozenset({IPv4Address("168.63.129.16")})
TRIED = 4
NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the open internet; IPv6 forms that carry an IPv4 address are judged by it."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        carried = ip.ipv4_mapped or (IPv4Address(ip.packed[-4:]) if ip in NAT64 else None)
        if carried is None:
            return ip in GLOBAL_UNICAST and ip.is_global and ip.sixtofour is None
        ip = carried
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and ip not in CLOUD_ONLY


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name as the system's resolver gives them, IPv4 first; numbers in any spelling pass through."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in ordered))


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """Opens TCP connections to public addresses only, and to the `host:port` pairs of `allow` whatever they resolve to.

    Raises VendorError `address_refused` and `unknown_host` (neither heals). `resolve` and `network` exist for tests.
    """

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolve: Resolve = look_up,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow = frozenset(pair.strip().lower() for pair in allow)
        self._resolve = resolve
        self._network = network or cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = (await self._admitted(host, port))[:TRIED]
        share = timeout and timeout / len(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("the name has no address")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _admitted(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            if isinstance(error, UnicodeError) or error.errno in NO_SUCH_NAME:
                raise VendorError("there is no such host", code="unknown_host", retryable=False) from error
            raise httpcore2.ConnectError("the name cannot be looked up") from error
        if not addresses:
            raise httpcore2.ConnectError("the name has no address")
        bracketed = f"[{host}]" if ":" in host else host
        if f"{bracketed}:{port}".lower() in self._allow or all(map(is_public, addresses)):
            return addresses
        raise VendorError("that address is not on the open internet", code="address_refused", retryable=False)
