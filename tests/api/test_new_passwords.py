"""A new password puts out whoever got in with the old one: in every process, on open sockets, and whether seen here or not."""

import asyncio
import time

import httpx
import pytest
from botocore.exceptions import ClientError

from adapters.cognito.pool import DEMO_PASSWORD
from composition.cloud import open_aws
from settings import Settings
from tests.api.client import Client
from tests.api.test_sessions import code_of, gateway, refreshed, refused, sign_in
from tests.relay import relayed

NEW = "tsundoku-no-8"
WHO = "{ viewer { email } }"
SESSIONS = "{ viewer { sessions { current } } }"
CHANGE = """mutation ($old: String!, $new: String!) { p: passwordChange(input: { oldPassword: $old, newPassword: $new }) {
    nextStep sessionsEnded accessToken refreshToken userErrors { code } } }"""
CREATE = """mutation ($email: String!, $password: String!) { p: sessionCreate(input: { email: $email, password: $password }) {
    accessToken challenge { kind session username } } }"""
ANSWER = """mutation ($kind: SessionChallengeKind!, $session: String!, $username: String!, $answer: String!) {
    p: sessionChallengeAnswer(input: { kind: $kind, session: $session, username: $username, answer: $answer }) {
    accessToken refreshToken userErrors { code } } }"""
RESET = """mutation ($email: String!, $new: String!) { p: passwordResetConfirm(input: {
    email: $email, code: "123456", password: $new }) { nextStep sessionsEnded userErrors { code } } }"""
ASK = "mutation ($email: String!) { passwordResetRequest(input: { email: $email }) { nextStep } }"
REFRESH = "mutation ($token: String!) { p: sessionRefresh(input: { refreshToken: $token }) { userErrors { code } } }"


async def a_second_later() -> None:
    """Tokens tell the second of their sign-in, and one of the second in which sessions end is over too."""
    second = int(time.time())
    while int(time.time()) == second:
        await asyncio.sleep(0.01)


async def test_a_changed_password_ends_the_other_sessions_and_not_the_one_that_changed_it(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    email = "changes@example.com"
    thief, unseen, owner = [await sign_in(prepared, email) for _ in range(3)]
    async with gateway(prepared) as elsewhere:
        client = Client(http, token=owner["AccessToken"])
        thief_elsewhere = Client(elsewhere, token=thief["AccessToken"])
        for each in (client, thief_elsewhere):
            await each.data(WHO)
        wrong = (await client.data(CHANGE, old="Wr0ng-password", new=NEW))["p"]
        assert (wrong["nextStep"], wrong["sessionsEnded"]) == (None, False)
        await thief_elsewhere.data(WHO)  # a slip of the finger signs nobody out
        done = (await client.data(CHANGE, old=DEMO_PASSWORD, new=NEW))["p"]
        new = {name: done.pop(name) for name in ("accessToken", "refreshToken")}
        assert done == {"nextStep": "DONE", "sessionsEnded": True, "userErrors": []}
        began = time.monotonic()
        assert code_of(await refused(thief_elsewhere)) == "UNAUTHENTICATED"
        assert time.monotonic() - began < 5  # a second, and what a busy machine adds
        never_seen_here = await refused(Client(elsewhere, token=unseen["AccessToken"]))
        assert (never_seen_here.status_code, code_of(never_seen_here)) == (401, "UNAUTHENTICATED")
        for stolen in (thief, unseen):
            renewed = (await Client(elsewhere).data(REFRESH, token=stolen["RefreshToken"]))["p"]
            assert renewed["userErrors"] == [{"code": "SESSION_ENDED"}]
        assert await client.data(SESSIONS) == {"viewer": {"sessions": [{"current": True}]}}
        # the pool has taken back what it had given, and gave other tokens to go on with
        for each in (thief, unseen, owner):
            with pytest.raises(ClientError, match="NotAuthorized"):
                await refreshed(prepared, each["RefreshToken"])
        assert await Client(elsewhere, token=new["accessToken"]).data(WHO) == {"viewer": {"email": email}}
        renewed = (await client.data(REFRESH, token=new["refreshToken"]))["p"]
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
        await Client(http).data(ASK, email=email)
        done = (await Client(http).data(RESET, email=email, new=NEW))["p"]
        assert done == {"nextStep": "SIGN_IN", "sessionsEnded": True, "userErrors": []}
        response = await client.post(WHO)
        assert (response.status_code, code_of(response)) == (401, "UNAUTHENTICATED")
        with pytest.raises(ClientError, match="NotAuthorized"):
            await refreshed(prepared, thief["RefreshToken"])


async def test_whoever_signs_in_right_after_a_reset_is_in_and_the_session_of_the_same_second_is_not(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    email = "same-second@example.com"
    await sign_in(prepared, email)
    await Client(http).data(ASK, email=email)
    await a_second_later()  # so that all of this is in one, on a machine that is not too slow
    thief = await sign_in(prepared, email)
    done = (await Client(http).data(RESET, email=email, new=NEW))["p"]
    assert done["sessionsEnded"]
    mine = (await Client(http).data(CREATE, email=email, password=NEW))["p"]
    assert await Client(http, token=mine["accessToken"]).data(WHO) == {"viewer": {"email": email}}
    assert (await Client(http, token=thief["AccessToken"]).post(WHO)).status_code == 401


async def test_a_temporary_password_that_is_replaced_ends_what_was_signed_in_before(
    http: httpx.AsyncClient, prepared: Settings
) -> None:
    email, temporary = "temporary@example.com", "Kari-no-1"
    thief = Client(http, token=(before := await sign_in(prepared, email))["AccessToken"])
    await thief.data(WHO)
    async with open_aws(prepared, 10_000) as aws:
        await aws.cognito.admin_set_user_password(
            UserPoolId=prepared.cognito_user_pool_id, Username=email, Password=temporary, Permanent=False
        )
    challenge = (await Client(http).data(CREATE, email=email, password=temporary))["p"]["challenge"]
    assert challenge["kind"] == "NEW_PASSWORD_REQUIRED"
    await thief.data(WHO)  # asked is not yet answered
    mine = (await Client(http).data(ANSWER, **challenge, answer=NEW))["p"]
    assert mine["userErrors"] == []
    assert (await thief.post(WHO)).status_code == 401
    with pytest.raises(ClientError, match="NotAuthorized"):
        await refreshed(prepared, before["RefreshToken"])
    owner = Client(http, token=mine["accessToken"])
    assert await owner.data(SESSIONS) == {"viewer": {"sessions": [{"current": True}]}}
    assert (await owner.data(REFRESH, token=mine["refreshToken"]))["p"]["userErrors"] == []


async def test_without_the_database_the_password_is_new_and_the_answer_says_that_sessions_go_on(
    prepared: Settings,
) -> None:
    email = "half-done@example.com"
    mine = await sign_in(prepared, email)
    async with relayed(prepared.database_url.get_secret_value()) as (relay, url):
        slow = {"database_url": type(prepared.database_url)(url), "database_timeout_ms": 1_500}
        async with gateway(prepared.model_copy(update=slow)) as http:
            client = Client(http, token=mine["AccessToken"])
            await client.data(WHO)
            relay.flowing.clear()
            done = (await client.data(CHANGE, old=DEMO_PASSWORD, new=NEW))["p"]
            assert (done["nextStep"], done["sessionsEnded"], done["userErrors"]) == ("DONE", False, [])
            relay.flowing.set()
