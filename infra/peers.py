"""How many connections each peer has open: whoever opens thousands takes the file descriptors of everybody."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

NETWORK_V6 = 64
"""Bits of an IPv6 address that name a network: whoever has one has all of its addresses."""


def peer_of(transport: asyncio.BaseTransport) -> str | None:
    """The address at the other end; None where there is none, as on a Unix socket."""
    name = transport.get_extra_info("peername")
    return name[0] if isinstance(name, tuple | list) and name else None


class Peers:
    """Counts those of a process. Trusted proxies bring many clients, and may have as many as they like."""

    def __init__(self, most: int, trusted: Sequence[str] = ()) -> None:
        self._most = most
        self._trusted = [ip_network(each) for each in trusted]
        self._open: Counter[str] = Counter()

    def comes(self, host: str) -> bool:
        """Count one more; whether it may stay. What may not is not counted."""
        who = self._who(host)
        if who is None:
            return True
        if self._open[who] >= self._most:
            return False
        self._open[who] += 1
        return True

    def goes(self, host: str) -> None:
        """One of those that stayed has gone."""
        who = self._who(host)
        if who is None:
            return
        self._open[who] -= 1
        if not self._open[who]:
            del self._open[who]

    def _who(self, host: str) -> str | None:
        """Who it counts for; None for a proxy."""
        address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        if any(address in network for network in self._trusted):
            return None
        if isinstance(address, IPv6Address):
            return str(ip_network((address, NETWORK_V6), strict=False))
        return str(address)
