"""Loopback ports for the embedded servers: below the ephemeral range, remembered between starts."""

import errno
import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

import psutil

from infra.embedded.refusals import AddressUnusable, PortTaken

LOOPBACK = "127.0.0.1"
# Ports from 32768 are handed to outgoing connections, which could sit on ours between two starts.
LOWEST, HIGHEST = 15_000, 32_767


def remembered_ports(file: Path, names: Sequence[str]) -> dict[str, int]:
    """Name -> port, the same as last time unless someone else listens there now."""
    known = _read(file)
    chosen: dict[str, int] = {}
    for name in names:
        port = known.get(name)
        chosen[name] = (
            port
            if port and port not in chosen.values() and is_free(port)
            else _another(taken=[*known.values(), *chosen.values()])
        )
    if chosen != known:
        file.write_text(json.dumps(chosen, indent=2) + "\n")
    return chosen


def is_free(port: int, host: str = LOOPBACK) -> bool:
    return _refusal(host, port) is None


def require_free(host: str, port: int) -> None:
    """Raises PortTaken, naming who has it if we may know, or AddressUnusable."""
    refusal = _refusal(host, port)
    if refusal is None:
        return
    if refusal.errno == errno.EADDRINUSE:
        raise PortTaken(port, holder(port))
    raise AddressUnusable(host, port, refusal.strerror or str(refusal))


def holder(port: int) -> str:
    """Who listens on `port`, as `pid 123 (nginx)`."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells only root
        connections = []
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
            except psutil.NoSuchProcess:
                continue
    return "another program"


def _refusal(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # as servers do: a port in TIME_WAIT after our own last run is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _another(taken: Sequence[int]) -> int:
    while True:
        port = random.randint(LOWEST, HIGHEST)
        if port not in taken and is_free(port):
            return port


def _read(file: Path) -> dict[str, int]:
    try:
        known = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):  # a torn file costs nothing: ports are chosen anew
        return {}
    return {name: port for name, port in known.items() if isinstance(port, int)} if isinstance(known, dict) else {}
