"""What the sandbox forgets, so that its file does not grow without end."""

from pathlib import Path

import pytest

from infra.sandbox.stripe import store
from infra.sandbox.stripe.events import endpoint_body
from infra.sandbox.stripe.idempotency import IdempotencyKeys, Kept
from infra.sandbox.stripe.store import KEYS_LAST_S, Store

FEW = 10


@pytest.fixture
def now() -> list[float]:
    return [1_800_000_000.0]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: list[float]) -> Store:
    monkeypatch.setattr(store, "MAX_OF_A_KIND", FEW)
    monkeypatch.setattr(store, "PRUNE_EVERY", 1)
    return Store(tmp_path / "sandbox.sqlite", lambda: now[0])


def count(small: Store, table: str, where: str = "true") -> int:
    found: int = small.connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
    return found


def test_the_oldest_of_a_kind_go_first(small: Store) -> None:
    with small.transaction() as tx:
        tx.new("we", "webhook_endpoint", endpoint_body(tx, "http://127.0.0.1:1/", ["customer.created"], "whsec_1"))
        first, *_, last = [tx.new("cus", "customer", {"email": str(number)}) for number in range(FEW * 3)]
        for _ in range(FEW * 3):
            tx.emit("customer.created", last)
        for _ in range(FEW * 3):
            tx.emit("customer.updated", last)  # nobody listens to it
        assert tx.find("customer", first["id"]) is None
        assert tx.find("customer", last["id"]) == last
    assert count(small, "objects") == FEW + FEW + 1  # customers, events, and the endpoint that is the only one
    assert count(small, "deliveries") == 0  # their events are gone
    small.close()


def test_keys_last_a_day(small: Store, now: list[float]) -> None:
    keys = IdempotencyKeys(small)
    with small.transaction():
        keys.keep("k", "/v1/x", {"a": "1"}, Kept(200, "{}", "req_1"))
    now[0] += KEYS_LAST_S - 1
    with small.transaction() as tx:
        tx.new("cus", "customer", {})
    assert keys.find("k", "/v1/x", {"a": "1"}) == Kept(200, "{}", "req_1")
    now[0] += 2
    with small.transaction() as tx:
        tx.new("cus", "customer", {})
    assert keys.find("k", "/v1/x", {"a": "1"}) is None
    small.close()


def test_what_fails_half_way_leaves_nothing(small: Store) -> None:
    with pytest.raises(ZeroDivisionError), small.transaction() as tx:
        tx.move("jpy", 1 // len(tx.new("cus", "customer", {})) + 1 // 0)
    assert count(small, "objects") == 0
    with small.transaction() as tx:
        assert tx.balance() == {}
    small.close()
