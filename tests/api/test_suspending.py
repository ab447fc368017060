"""What operators do to users: `torii users suspend` and `reinstate`, as two gateways see it."""

import asyncio
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from adapters.postgres import tables
from commands import jobs
from domain.accounts.suspension import MAX_REASON, UserNotFound
from domain.shared.refusals import InvalidInput
from settings import Settings
from tests.api.client import Client
from tests.api.test_new_passwords import a_second_later
from tests.api.test_sessions import code_of, gateway, refused, sign_in
from tests.command_line import told
from tests.factories import Factory

ROOT = Path(__file__).parents[2]
WHO = "{ viewer { email } }"


async def events(make: Factory, user_id: Any) -> list[tuple[str, Any]]:
    outbox = tables.outbox
    found = await make.rows(
        select(outbox.c.type, outbox.c.payload).where(outbox.c.aggregate_id == user_id).order_by(outbox.c.id)
    )
    return [(row.type, row.payload) for row in found if row.type != "UserRegistered"]


async def reason(make: Factory, user_id: UUID) -> str | None:
    users = tables.users
    [row] = await make.rows(select(users.c.suspension_reason).where(users.c.id == user_id))
    return row.suspension_reason  # type: ignore[no-any-return]


async def test_a_suspended_user_is_out_everywhere_within_a_second_and_has_to_sign_in_anew(
    http: httpx.AsyncClient, prepared: Settings, make: Factory
) -> None:
    email = "Operators-Look-At@example.com"
    tokens = await sign_in(prepared, email.lower())
    async with gateway(prepared) as elsewhere:
        clients = [Client(each, token=tokens["AccessToken"]) for each in (http, elsewhere)]
        for client in clients:
            await client.data(WHO)
        assert await jobs.suspend_user(prepared, email, " sold what was not theirs ")
        began = time.monotonic()
        for client in clients:
            response = await refused(client)
            assert (response.status_code, code_of(response)) == (403, "ACCOUNT_SUSPENDED")
        assert time.monotonic() - began < 5  # a second, and what a busy machine adds
        assert not await jobs.suspend_user(prepared, email, "again")
        user_id = await make.user_id(email.lower())
        assert await reason(make, user_id) == "sold what was not theirs"
        assert await jobs.reinstate_user(prepared, email)
        assert not await jobs.reinstate_user(prepared, email)
        async with asyncio.timeout(60):
            while (response := await clients[0].post(WHO)).status_code == 403:
                pass
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")  # what was signed in before
        await a_second_later()  # past the gateway, which would see to it
        anew = Client(elsewhere, token=(await sign_in(prepared, email.lower()))["AccessToken"])
        async with asyncio.timeout(60):
            while (await anew.post(WHO)).status_code == 403:
                pass
        assert await anew.data(WHO) == {"viewer": {"email": email.lower()}}
    assert await reason(make, user_id) is None
    assert await events(make, user_id) == [
        ("UserSuspended", {"userId": str(user_id)}),  # and not a word of the operator's
        ("UserReinstated", {"userId": str(user_id)}),
    ]


async def test_an_unknown_address_and_an_essay_are_refused(prepared: Settings) -> None:
    with pytest.raises(UserNotFound):
        await jobs.suspend_user(prepared, "nobody-here@example.com", None)
    with pytest.raises(UserNotFound):
        await jobs.reinstate_user(prepared, "nobody-here@example.com")
    with pytest.raises(InvalidInput):
        await jobs.suspend_user(prepared, "nobody-here@example.com", "x" * (MAX_REASON + 1))


async def test_the_commands_say_what_became_of_it(prepared: Settings, corner: dict[str, str], make: Factory) -> None:
    await make.row(tables.users, cognito_sub="said-on-the-line", email="said@example.com")

    suspend = ("users", "suspend", "said@example.com", "--reason", "it was said")
    reinstate = ("users", "reinstate", "said@example.com")
    nobody = ("users", "suspend", "nobody@example.com")
    assert await told(suspend, suspend, reinstate, nobody, environment=corner) == [
        (0, "· the user is suspended, and signed out everywhere"),
        (0, "· the user was suspended before"),
        (0, "· the user may sign in again"),
        (1, "torii: nobody here has this mail address"),
    ]
