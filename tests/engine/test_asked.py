"""What is read off the head of a request."""

from typing import Any

import pytest

from engine.transport.asked import Asked
from engine.transport.http_reply import headers_of


def asked(*headers: tuple[bytes, bytes], **more: Any) -> Asked:
    return Asked({"type": "http", "method": "POST", "headers": list(headers), **more})


def test_of_several_headers_of_one_name_the_first_counts() -> None:
    sent = asked((b"authorization", b"Bearer mine"), (b"authorization", b"Bearer another"))
    assert sent.header(b"authorization") == "Bearer mine"
    assert sent.header(b"accept") is None


def test_cookies_may_come_in_several_headers() -> None:
    sent = asked((b"cookie", b"a=1; torii_guest=g1.x"), (b"cookie", b"b=2"))
    assert (sent.cookie("a"), sent.cookie("b"), sent.cookie("torii_guest")) == ("1", "2", "g1.x")
    assert sent.cookie("c") is None
    assert asked().cookie("a") is None


@pytest.mark.parametrize(("client", "address"), [(("10.0.0.1", 4711), "10.0.0.1"), (None, None)])
def test_a_unix_socket_has_no_address(client: tuple[str, int] | None, address: str | None) -> None:
    assert asked(client=client).address == address


def test_headers_of_an_answer_win_over_those_of_all_and_leave_them_as_they_are() -> None:
    own = headers_of("application/json", 200, {"Cache-Control": "private", "x-guest-token": "g1.x"})
    assert dict(own)[b"cache-control"] == b"private"
    assert dict(own)[b"x-guest-token"] == b"g1.x"
    plain = headers_of("application/json", 200, {})
    assert dict(plain) == {
        b"content-type": b"application/json; charset=utf-8",
        b"cache-control": b"no-store",
        b"vary": b"Accept",
    }
    assert dict(headers_of("application/json", 401, {}))[b"www-authenticate"] == b"Bearer"
