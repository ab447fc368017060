"""Who is an admin: the pool's group and our row, both; and when either goes, at the next request."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from websockets.asyncio.client import connect

from adapters.cognito.pool import DEMO_PASSWORD, ensure_user
from adapters.postgres import tables
from commands import jobs
from composition import periodic
from composition.cloud import open_aws, token, user_pool
from domain.accounts.suspension import UserNotFound
from domain.shared.periodic import Outcome
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.api.sockets import PROTOCOL, begin, closed, exchange
from tests.api.test_sessions import gateway
from tests.api.test_suspending import events
from tests.command_line import told
from tests.factories import Factory

ROOT = Path(__file__).parents[2]
ORDER = "query ($id: ID!) { order(id: $id) { id } }"


@pytest.fixture
async def order(make: Factory) -> str:
    """Somebody else's, which only an admin sees."""
    seller = await make.seller()
    buyer = await make.row(tables.users, email=f"bought-{seller}@example.com")
    return encode("Order", await make.order(buyer, (await make.product(seller_id=seller), seller, 100)))


async def sees(client: Client, order: str) -> bool:
    return (await client.data(ORDER, id=order))["order"] is not None


async def until_sees(client: Client, order: str, wanted: bool) -> float:
    """How long it took, in seconds."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        while await sees(client, order) is not wanted:
            pass
    return time.monotonic() - began


async def in_group(settings: Settings, email: str, *, take: bool = False) -> bool:
    """Whether the pool's group has somebody; `take`: taken out first, as on Cognito's own pages."""
    async with open_aws(settings, 10_000) as aws:
        asked = {"UserPoolId": (await user_pool(settings, aws)).pool_id, "Username": email}
        if take:
            await aws.cognito.admin_remove_user_from_group(**asked, GroupName="admin")
        found = await aws.cognito.admin_list_groups_for_user(**asked)
    return "admin" in {each["GroupName"] for each in found["Groups"]}


async def test_an_admin_no_more_sees_less_within_a_second_in_every_process(
    http: httpx.AsyncClient, prepared: Settings, token_of: Tokens, make: Factory, order: str, address: str
) -> None:
    email = "fallen@example.com"
    access_token = await token_of(email, "admin")
    async with gateway(prepared) as elsewhere:
        clients = [Client(each, token=access_token) for each in (http, elsewhere)]
        assert [await sees(each, order) for each in clients] == [True, True]
        async with connect(address, subprotocols=[PROTOCOL]) as socket:
            await begin(socket, authorization=f"Bearer {access_token}")
            assert (await exchange(socket, {"type": "ping"}))["type"] == "pong"
            assert await jobs.revoke_admin(prepared, email.upper())
            for client in clients:
                assert await until_sees(client, order, False) < 5  # a second, and what a busy machine adds
            assert await closed(socket) == (4403, "what the account may do has changed")
        assert not await in_group(prepared, email)
        assert not await jobs.revoke_admin(prepared, email)
        # the same token again, once the row says so again: it has the claim until it expires
        assert await jobs.grant_admin(prepared, email)
        assert not await jobs.grant_admin(prepared, email)
        await until_sees(clients[0], order, True)
    user_id = await make.user_id(email)
    admin = {"userId": str(user_id)}
    assert await events(make, user_id) == [("AdminGranted", admin), ("AdminRevoked", admin), ("AdminGranted", admin)]


async def test_neither_the_group_nor_the_row_alone_makes_an_admin(
    http: httpx.AsyncClient, prepared: Settings, make: Factory, order: str
) -> None:
    for email, group, row in (("grouped@example.com", "admin", False), ("rowed@example.com", "buyer", True)):
        async with open_aws(prepared, 10_000) as aws:
            await ensure_user(aws, await user_pool(prepared, aws), email, DEMO_PASSWORD, group)
        client = Client(http, token=await token(prepared, email, DEMO_PASSWORD))
        await client.data("{ viewer { email } }")
        await make.change(tables.users, await make.user_id(email), is_admin=row)
        async with gateway(prepared) as fresh:
            assert not await sees(Client(fresh, token=client.headers["authorization"].removeprefix("Bearer ")), order)


async def test_the_gateways_own_role_cannot_make_an_admin(prepared: Settings, make: Factory) -> None:
    import asyncpg

    user_id = await make.row(tables.users, email="climber@example.com", cognito_sub="climber")
    connection = await asyncpg.connect(prepared.database_url.get_secret_value())
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE accounts.users SET is_admin = true WHERE id = $1", user_id)
    finally:
        await connection.close()


async def test_who_is_taken_out_of_the_group_elsewhere_is_found_by_the_job_and_nobody_else_is_touched(
    http: httpx.AsyncClient, prepared: Settings, token_of: Tokens, make: Factory, order: str
) -> None:
    taken, kept = [Client(http, token=await token_of(f"{each}-out@example.com", "admin")) for each in ("taken", "kept")]
    assert await sees(taken, order)
    assert not await in_group(prepared, "taken-out@example.com", take=True)
    assert (await periodic.run_once(prepared, "follow-admins")).outcome is Outcome.DONE
    await until_sees(taken, order, False)
    assert await sees(kept, order)
    # it gives nothing: whoever is put into the group is no admin here before an operator says so
    async with open_aws(prepared, 10_000) as aws:
        await ensure_user(aws, await user_pool(prepared, aws), "taken-out@example.com", DEMO_PASSWORD, "admin")
    assert (await periodic.run_once(prepared, "follow-admins")).count == 0
    [row] = await make.rows(select(tables.users.c.is_admin).where(tables.users.c.email == "taken-out@example.com"))
    assert row.is_admin is False


async def test_an_unknown_address_is_refused_and_one_who_was_never_here_is_not(
    prepared: Settings, http: httpx.AsyncClient, order: str
) -> None:
    for use in (jobs.grant_admin, jobs.revoke_admin):
        with pytest.raises(UserNotFound):
            await use(prepared, "nobody-here@example.com")
    async with open_aws(prepared, 10_000) as aws:
        await ensure_user(aws, await user_pool(prepared, aws), "never-here@example.com", DEMO_PASSWORD, "buyer")
    assert await jobs.grant_admin(prepared, "never-here@example.com")
    assert await sees(Client(http, token=await token(prepared, "never-here@example.com", DEMO_PASSWORD)), order)


async def test_the_commands_say_what_became_of_it(prepared: Settings, corner: dict[str, str], token_of: Any) -> None:
    pool = {
        "TORII_COGNITO_USER_POOL_ID": prepared.cognito_user_pool_id,
        "TORII_COGNITO_CLIENT_ID": prepared.cognito_client_id,
    }

    email = "on-the-line@example.com"
    await token_of(email, "buyer")
    asked = [(command, email) for command in ("grant-admin", "grant-admin", "revoke-admin", "revoke-admin")]
    asked.append(("grant-admin", "nobody@example.com"))
    assert await told(*(("users", *each) for each in asked), environment=corner | pool) == [
        (0, "· the user is an admin from the next token on"),
        (0, "· the user was an admin before"),
        (0, "· the user is an admin no more"),
        (0, "· the user was no admin"),
        (1, "torii: nobody here has this mail address"),
    ]
