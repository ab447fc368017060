"""The servers that `make servers` builds, as other suites use them."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.servers.running import STRIPE_MOCK_SERVER, TOXIPROXY_SERVER, running

pytestmark = pytest.mark.servers


def call(url: str, data: object = None, **headers: str) -> Any:
    body = None if data is None else json.dumps(data).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        return json.load(answer)


def test_stripe_mock_checks_requests_against_stripes_own_description(stripe_mock: str) -> None:
    authorization = {"Authorization": "Bearer sk_test_123"}
    assert call(f"{stripe_mock}/v1/balance", **authorization)["object"] == "balance"
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(f"{stripe_mock}/v1/no_such_thing", **authorization)
    refused.value.close()
    assert refused.value.code == 404


def test_toxiproxy_stands_between_two_programs(toxiproxy: str, stripe_mock: str) -> None:
    upstream = stripe_mock.removeprefix("http://")
    proxy = call(f"{toxiproxy}/proxies", {"name": "stripe", "listen": "127.0.0.1:0", "upstream": upstream})
    through = f"http://{proxy['listen']}/v1/balance"
    assert call(through, Authorization="Bearer sk_test_123")["object"] == "balance"
    call(f"{toxiproxy}/proxies/stripe/toxics", {"name": "cut", "type": "reset_peer", "attributes": {"timeout": 0}})
    with pytest.raises(ConnectionResetError):
        call(through, Authorization="Bearer sk_test_123")


async def test_a_server_listens_on_loopback_alone_and_ends_with_its_block(tmp_path: Path) -> None:
    for server in (STRIPE_MOCK_SERVER, TOXIPROXY_SERVER):
        async with running(server, tmp_path, tmp_path):
            process = psutil.Process(int((tmp_path / f"{server.recipe.name}.pid").read_text()))
            addresses = [each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        assert addresses
        assert set(addresses) == {"127.0.0.1"}
        assert not process.is_running()
