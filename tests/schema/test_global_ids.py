"""Global ids: those that come again are not made again, and no more of them are kept than is said."""

from uuid import UUID, uuid4

import pytest

from resolvers import global_ids
from resolvers.global_ids import Encoded, decode, encode


def test_an_id_says_type_and_key_and_is_the_same_each_time() -> None:
    made, keys = Encoded("Product"), [uuid4() for _ in range(3)]
    for key in (*keys, *keys):
        assert decode(made[key]) == ("Product", key)
        assert made[key] == encode("Product", UUID(str(key)))
    assert len(made) == 3


def test_no_more_are_kept_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(global_ids, "MAX_IDS", 4)
    made = Encoded("Product")
    for key in [uuid4() for _ in range(50)]:
        assert decode(made[key]) == ("Product", key)
        assert len(made) <= 4
