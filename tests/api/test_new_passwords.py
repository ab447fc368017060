"""A new password puts out whoever got in with the old one: in every process, on open sockets, and whether seen here or not."""

import asyncio
import time

import httpx

from adapters.cognito.pool import DEMO_PASSWORD
from settings import Settings
from tests.api.client import Client
from tests.api.test_sessions import code_of, gateway, refused, sign_in
from tests.relay import relayed

NEW = "tsundoku-no-8"
WHO = "{ viewer { email } }"
SESSIONS = "{ viewer { sessions { current } } }"
CHANGE = """mutation ($old: String!, $new: String!) { p: passwordChange(input: { oldPassword: $old, newPassword: $new }) {
    nextStep sessionsEnded userErrors { code } } }"""
RESET = """mutation ($email: String!, $new: String!) { p: passwordResetConfirm(input: {
    email: $email, code: "123456", password: $new }) { nextStep sessionsEnded userErrors { code } } }"""
ASK = "mutation ($email: String!) { passwordResetRequest(input: { email: $email }) { nextStep } }"
REFRESH = "mutation ($token: String!) { p: sessionRefresh(input: { refreshToken: $token }) { userErrors { code } } }"


async def a_second_later() -> None:
    """Tokens tell the second of their sign-in, and one of the same second goes on."""
    second = int(time.time())
    while int(time.time()) == second:
        await asyncio.sleep(0.01)


async def test_a_changed_password_ends_the_other_sessions_and_not_the_one_that_changed_it(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    email = "changes@example.com"
    thief, unseen, owner = [await sign_in(prepared, email) for _ in range(3)]
    await a_second_later()
    async with gateway(prepared) as elsewhere:
        client = Client(http, token=owner["AccessToken"])
        thief_elsewhere = Client(elsewhere, token=thief["AccessToken"])
        for each in (client, thief_elsewhere):
            await each.data(WHO)
        wrong = (await client.data(CHANGE, old="Wr0ng-password", new=NEW))["p"]
        assert (wrong["nextStep"], wrong["sessionsEnded"]) == (None, False)
        await thief_elsewhere.data(WHO)  # a slip of the finger signs nobody out
        done = (await client.data(CHANGE, old=DEMO_PASSWORD, new=NEW))["p"]
        assert done == {"nextStep": "DONE", "sessionsEnded": True, "userErrors": []}
        began = time.monotonic()
        assert code_of(await refused(thief_elsewhere)) == "UNAUTHENTICATED"
        assert time.monotonic() - began < 5  # a second, and what a busy machine adds
        never_seen_here = await Client(elsewhere, token=unseen["AccessToken"]).post(WHO)
        assert (never_seen_here.status_code, code_of(never_seen_here)) == (401, "UNAUTHENTICATED")
        for stolen in (thief, unseen):
            renewed = (await Client(elsewhere).data(REFRESH, token=stolen["RefreshToken"]))["p"]
            assert renewed["userErrors"] == [{"code": "SESSION_ENDED"}]
        assert await client.data(SESSIONS) == {"viewer": {"sessions": [{"current": True}]}}
        await a_second_later()
        renewed = (await client.data(REFRESH, token=owner["RefreshToken"]))["p"]
        assert renewed["userErrors"] == []
        # signing out everywhere ends that one too
        await client.data("mutation { sessionEnd(input: { everywhere: true }) { ended } }")
        assert (await client.post(WHO)).status_code == 401


async def test_a_reset_password_ends_all_sessions_also_of_one_who_was_never_here(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    for email, was_here in (("resets@example.com", True), ("resets-unseen@example.com", False)):
        thief = await sign_in(prepared, email)
        client = Client(http, token=thief["AccessToken"])
        if was_here:
            await client.data(WHO)
        await a_second_later()
        await Client(http).data(ASK, email=email)
        done = (await Client(http).data(RESET, email=email, new=NEW))["p"]
        assert done == {"nextStep": "SIGN_IN", "sessionsEnded": True, "userErrors": []}
        response = await client.post(WHO)
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")


async def test_without_the_database_the_password_is_new_and_the_answer_says_that_sessions_go_on(
    prepared: Settings,
) -> None:
    email = "half-done@example.com"
    mine = await sign_in(prepared, email)
    async with relayed(prepared.database_url.get_secret_value()) as (relay, url):
        slow = {"database_url": type(prepared.database_url)(url), "database_timeout_ms": 400}
        async with gateway(prepared.model_copy(update=slow)) as http:
            client = Client(http, token=mine["AccessToken"])
            await client.data(WHO)
            relay.flowing.clear()
            done = (await client.data(CHANGE, old=DEMO_PASSWORD, new=NEW))["p"]
            assert done == {"nextStep": "DONE", "sessionsEnded": False, "userErrors": []}
            relay.flowing.set()
