"""Ports are remembered, and given up when someone else has them."""

import json
import socket
from pathlib import Path

import pytest

from infra.embedded.ports import HIGHEST, LOOPBACK, LOWEST, remembered_ports, require_free
from infra.embedded.refusals import AddressUnusable

NAMES = ("postgres", "valkey")


def test_ports_stay_the_same_below_the_ephemeral_range(tmp_path: Path) -> None:
    first = remembered_ports(tmp_path / "ports.json", NAMES)
    assert all(LOWEST <= port <= HIGHEST < 32_768 for port in first.values())
    assert len(set(first.values())) == 2
    assert remembered_ports(tmp_path / "ports.json", NAMES) == first


def test_a_port_that_someone_took_is_chosen_anew_and_the_other_stays(tmp_path: Path) -> None:
    first = remembered_ports(tmp_path / "ports.json", NAMES)
    with socket.create_server((LOOPBACK, first["postgres"])):
        second = remembered_ports(tmp_path / "ports.json", NAMES)
    assert second["postgres"] != first["postgres"]
    assert second["valkey"] == first["valkey"]
    assert json.loads((tmp_path / "ports.json").read_text()) == second


@pytest.mark.parametrize("torn", ["", "{", "[1, 2]", '{"postgres": "abc"}'])
def test_a_torn_file_costs_nothing(tmp_path: Path, torn: str) -> None:
    (tmp_path / "ports.json").write_text(torn)
    assert set(remembered_ports(tmp_path / "ports.json", NAMES)) == set(NAMES)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(AddressUnusable, match=r"cannot listen on 192\.0\.2\.1:8000"):
        require_free("192.0.2.1", 8000)
