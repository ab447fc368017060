"""A pool that asks for no code, as no emulator does here: changing to somebody else's address must not tell whose it is."""

from types import SimpleNamespace
from typing import Any

import pytest

from domain.accounts.credentials import CredentialChanges
from domain.accounts.pace import Pace
from domain.accounts.refusals import AddressTaken
from domain.shared.viewer import ANONYMOUS


class Pool:
    """Also tokens, directory and users; `taken` is the address of another row."""

    def __init__(self, *, asks_for_code: bool, taken: str) -> None:
        self.asks_for_code, self.taken, self.address = asks_for_code, taken, ""

    async def change_address(self, access_token: str, email: str) -> bool:
        self.address = email
        return self.asks_for_code

    async def verify(self, access_token: str) -> Any:
        return SimpleNamespace(username="name")

    async def user(self, identity: Any) -> str:
        return self.address

    async def keep_address(self, viewer: Any, address: str) -> None:
        if address == self.taken:
            raise AddressTaken


@pytest.mark.parametrize("asks_for_code", [True, False])
async def test_another_users_address_looks_as_if_a_code_was_on_its_way(asks_for_code: bool) -> None:
    pool: Any = Pool(asks_for_code=asks_for_code, taken="taken@example.com")
    nobody: Any = None
    changes = CredentialChanges(pool, pool, pool, pool, nobody, Pace(0), nobody, nobody, nobody)
    assert await changes.request_address(ANONYMOUS, "token", "taken@example.com") is True
    assert await changes.request_address(ANONYMOUS, "token", "free@example.com") is asks_for_code
