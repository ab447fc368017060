"""uvicorn's HTTP protocol, with bounds that it lacks: how large the head of a request is, how long it takes, how many wait in line.

httptools keeps an unfinished header whole and joins each piece to it anew: 300 MB of one header took more than a minute of the
event loop, and two million small ones a gigabyte. A proxy in front has such bounds; whoever reaches the gateway itself meets these.
"""

import asyncio
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.peers import Peers, peer_of

MAX_HEAD_BYTES = 64 * 1024
"""Of a request's line and headers, or of what follows a body's chunks; what comes in one read may be more."""
HEAD_S = 10.0
"""How long a head may take to come, from its first byte or from the connection's begin."""
MAX_PIPELINED = 100
"""Requests that wait for the answer to an earlier one of their connection."""


STALL_S = 60.0
"""How often it is looked at whether a client reads of an answer that waits for it."""
LEAST_READ = 300_000
"""Bytes that it has to read in that time: slower than lines are on which shops are read, and so fast that not much is kept."""


class BoundedHTTP(HttpToolsProtocol):
    """Answers 431 or 408 and closes where a head is too large or too late; ends connections whose answers are not read."""

    _waiting: asyncio.TimerHandle | None = None
    _is_in_head = True
    _unread = 0
    """Bytes that came since something was made of them."""

    peers: ClassVar[Peers | None] = None
    _counted: str | None = None
    """The peer that this connection counts for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.peers is not None and not self._count(self.peers, transport):
            transport.abort()  # with no word: who floods does not read, and words take time
            return
        self._wait()

    def _count(self, peers: Peers, transport: asyncio.Transport) -> bool:
        host = peer_of(transport)
        if host is None or not peers.comes(host):
            return host is None
        self._counted = host
        return True

    def _count_no_more(self) -> None:
        if self.peers is not None and self._counted is not None:
            self.peers.goes(self._counted)
            self._counted = None

    _stalling: asyncio.TimerHandle | None = None
    _unsent = 0
    """Bytes of answers that wait for the client, when they were last looked at."""

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        self._look_no_more()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        if self._stalling is None and self.transport.get_write_buffer_size():
            self._look_later()  # what is closed stays until all was read

    def _look_later(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._stalling = self.loop.call_later(STALL_S, self._look)

    def _look(self) -> None:
        if self.transport.get_write_buffer_size() > max(0, self._unsent - LEAST_READ):
            self.transport.abort()
        else:
            self._look_later()

    def _look_no_more(self) -> None:
        if self._stalling is not None:
            self._stalling.cancel()
            self._stalling = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_no_more()
        self._count_no_more()
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._is_in_head and self._waiting is None:
            self._wait()

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many requests in line")  # which httptools takes for a wrong request
        super().on_message_begin()
        self._is_in_head = True

    def on_headers_complete(self) -> None:
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):  # RFC 9112, 3.2
            raise ValueError("not one host")
        self._is_in_head = False
        self._unread = 0
        self._wait_no_more()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Answer a handshake that is none, such as one with a body: uvicorn would leave its connection as it is, for ever."""
        super().handle_websocket_upgrade()
        self._count_no_more()  # nobody tells us of its end; how many sockets there may be is the gateway's to say
        conn = getattr(self.transport.get_protocol(), "conn", None)
        if conn is not None and conn.handshake_exc is not None:
            self.send_400_response("Invalid WebSocket handshake.")

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEAD_S, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _refuse(self, status: HTTPStatus) -> None:
        self._waiting = None
        if self.transport.is_closing():
            return
        is_silent = self.scope is None  # whoever has asked nothing is told nothing
        is_answering = self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]
        if not is_silent and not is_answering:
            line = f"HTTP/1.1 {status} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            self.transport.write(line.encode())
        self.transport.close()


def bounded(peers: Peers) -> type[BoundedHTTP]:
    """The protocol for a server, whose connections are counted by their peers."""
    return type("BoundedHTTP", (BoundedHTTP,), {"peers": peers})
