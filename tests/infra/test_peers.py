"""One address does not take the connections of all others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from infra.http_protocol import bounded
from infra.peers import Peers
from tests.infra.test_http_protocol import GET, Streams, answer, echo

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_addresses_of_one_client_count_together(first: str, second: str, together: bool) -> None:
    peers = Peers(1)
    assert peers.comes(first)
    assert peers.comes(second) is not together
    peers.goes(first)
    assert peers.comes(first)


def test_a_trusted_proxy_brings_as_many_as_it_likes() -> None:
    peers = Peers(1, ["10.0.0.0/8", "192.0.2.1"])
    assert all(peers.comes("10.1.2.3") for _ in range(1_000))
    assert all(peers.comes("192.0.2.1") for _ in range(1_000))
    assert [peers.comes("192.0.2.2") for _ in range(2)] == [True, False]
    peers.goes("10.1.2.3")


class Server:
    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def is_served(self) -> bool:
        reader, writer = await self.connect()
        try:
            writer.write(GET.replace(b"host: a", b"host: a\r\nconnection: close"))
            return (await answer(reader)).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False
        finally:
            writer.close()


@asynccontextmanager
async def serving(most: int) -> AsyncIterator[Server]:
    protocol = bounded(Peers(most))
    config = uvicorn.Config(echo, http=protocol, ws="websockets-sansio", lifespan="off", log_config=None)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield Server(server.sockets[0].getsockname()[1])


async def until_served(server: Server) -> None:
    async with asyncio.timeout(60):
        while not await server.is_served():
            await asyncio.sleep(0.01)


async def test_so_many_connections_of_one_address_are_open_and_no_more() -> None:
    async with serving(3) as server:
        held = [await server.connect() for _ in range(3)]
        for _, writer in held:
            writer.write(GET)
        for reader, _ in held:  # each of them is served
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        assert not await server.is_served()
        held.pop()[1].close()
        await until_served(server)
        assert await server.is_served(), "one that ended does not count"
        for _, writer in held:
            writer.close()


async def test_a_connection_that_became_a_socket_counts_among_sockets_alone() -> None:
    async with serving(1) as server:
        reader, writer = await server.connect()
        writer.write(HANDSHAKE)
        await until_served(server)
        assert await server.is_served()
        writer.close()
        await reader.read()
        assert await server.is_served()
