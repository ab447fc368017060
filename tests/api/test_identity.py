"""Signing up, in and out through the gateway. The emulator takes any code for a sign-up or a reset."""

import asyncio
import itertools
import logging
import time
from typing import Any

import httpx
import pytest

from adapters.postgres import tables
from commands import jobs
from composition.cloud import open_aws
from gateway import create_app
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import client_of
from tests.factories import Factory
from tests.relay import relayed

PASSWORD = "hon-no-mushi-7"
ANOTHER = "tsundoku-no-8"
_numbers = itertools.count(1)

REGISTER = "mutation ($in: AccountRegisterInput!) { p: accountRegister(input: $in) { nextStep missing userErrors { code field } } }"
CONFIRM = (
    "mutation ($in: AccountConfirmInput!) { p: accountConfirm(input: $in) { nextStep userErrors { code field } } }"
)
RESEND = "mutation ($in: AccountConfirmationResendInput!) { p: accountConfirmationResend(input: $in) { nextStep userErrors { code } } }"
SIGN_IN = """mutation ($in: SessionCreateInput!) { p: sessionCreate(input: $in) {
  accessToken refreshToken expiresIn challenge { kind session username } userErrors { code field message retryable } } }"""
ANSWER = """mutation ($in: SessionChallengeAnswerInput!) { p: sessionChallengeAnswer(input: $in) {
  accessToken refreshToken challenge { kind } missing userErrors { code } } }"""
REFRESH = """mutation Refresh($in: SessionRefreshInput!) { p: sessionRefresh(input: $in) {
  accessToken refreshToken expiresIn userErrors { code field } } }"""
SIGN_OUT = (
    "mutation ($in: SessionEndInput!) { p: sessionEnd(input: $in) { ended refreshTokenRevoked userErrors { code } } }"
)
WHO = "{ viewer { email } }"


def new_address() -> str:
    return f"identity-{next(_numbers)}@example.com"


async def payload(api: Client, mutation: str, **values: Any) -> Any:
    return (await api.data(mutation, **{"in": values}))["p"]


async def registered(api: Client, email: str | None = None) -> str:
    """The address of somebody who signed up and confirmed it."""
    address = email or new_address()
    assert (await payload(api, REGISTER, email=address, password=PASSWORD))["nextStep"] == "ENTER_CODE"
    assert (await payload(api, CONFIRM, email=address, code="123456"))["nextStep"] == "SIGN_IN"
    return address


async def signed_in(api: Client, email: str, password: str = PASSWORD) -> Any:
    given = await payload(api, SIGN_IN, email=email, password=password)
    assert (given["userErrors"], given["challenge"]) == ([], None)
    return given


async def test_somebody_signs_up_confirms_signs_in_and_is_known(
    api: Client, http: httpx.AsyncClient, make: Factory
) -> None:
    address = await registered(api)
    tokens = await signed_in(api, address)
    assert tokens["expiresIn"] == 3600
    assert await Client(http, token=tokens["accessToken"]).data(WHO) == {"viewer": {"email": address}}
    user = tables.users
    [row] = await make.rows(user.select().where(user.c.email == address))
    assert row.email_verified_at is not None


async def test_an_address_in_capitals_is_the_same_address(api: Client) -> None:
    address = await registered(api)
    assert (await signed_in(api, f"  {address.upper()} "))["accessToken"]


async def test_the_refresh_token_renews_the_access_token(api: Client, http: httpx.AsyncClient) -> None:
    address = await registered(api)
    tokens = await signed_in(api, address)
    renewed = await payload(api, REFRESH, refreshToken=tokens["refreshToken"])
    assert renewed["accessToken"] != tokens["accessToken"]
    assert (renewed["refreshToken"], renewed["expiresIn"], renewed["userErrors"]) == (tokens["refreshToken"], 3600, [])
    assert await Client(http, token=renewed["accessToken"]).data(WHO) == {"viewer": {"email": address}}
    refused = await payload(api, REFRESH, refreshToken="never-was-one")
    assert (refused["accessToken"], refused["userErrors"]) == (
        None, [{"code": "SESSION_ENDED", "field": ["refreshToken"]}],
    )  # fmt: skip


async def test_a_refused_bearer_does_not_hinder_what_brings_credentials_of_its_own(
    api: Client, http: httpx.AsyncClient
) -> None:
    tokens = await signed_in(api, await registered(api))
    stale = Client(http, token=tokens["accessToken"][:-4] + "AAAA")
    renewed = await payload(stale, REFRESH, refreshToken=tokens["refreshToken"])
    assert renewed["accessToken"]
    inside = """mutation ($in: SessionRefreshInput!) { ...F }
    fragment F on Mutation { __typename p: sessionRefresh(input: $in) { accessToken } }"""
    assert (await payload(stale, inside, refreshToken=tokens["refreshToken"]))["accessToken"]


@pytest.mark.parametrize(
    "beside",
    [
        'q: cartItemRemove(input: { lineId: "x" }) { cart { totalQuantity } }',
        '... on Mutation { q: cartItemRemove(input: { lineId: "x" }) { cart { totalQuantity } } }',
        "...Hidden",
        "q: sessionEnd(input: {}) { ended }",
    ],
)
async def test_a_refused_bearer_is_never_taken_for_none_where_anything_else_is_asked(
    api: Client, http: httpx.AsyncClient, beside: str
) -> None:
    tokens = await signed_in(api, await registered(api))
    stale = Client(http, token=tokens["accessToken"][:-4] + "AAAA")
    query = "mutation ($in: SessionRefreshInput!) { p: sessionRefresh(input: $in) { accessToken } " + beside + " }"
    hidden = 'fragment Hidden on Mutation { q: cartItemRemove(input: { lineId: "x" }) { cart { totalQuantity } } }'
    mixed = f"{query} {hidden}" if "Hidden" in beside else query
    response = await stale.post(mixed, **{"in": {"refreshToken": tokens["refreshToken"]}})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert "data" not in response.json()
    assert (await stale.post(WHO)).status_code == 401


async def test_a_refused_bearer_beside_two_operations_counts_for_the_one_that_is_named(
    api: Client, http: httpx.AsyncClient
) -> None:
    tokens = await signed_in(api, await registered(api))
    stale = Client(http, token=tokens["accessToken"][:-4] + "AAAA")
    body = {"query": REFRESH + " query Who " + WHO, "variables": {"in": {"refreshToken": tokens["refreshToken"]}}}
    named = {
        name: await http.post("/graphql", json=body | {"operationName": name}, headers=stale.headers)
        for name in ("Refresh", "Who")
    }
    assert {name: response.status_code for name, response in named.items()} == {"Refresh": 200, "Who": 401}


async def test_answers_do_not_tell_whether_an_address_is_known(api: Client) -> None:
    known, confirmed, unknown = new_address(), await registered(api), new_address()
    await payload(api, REGISTER, email=known, password=PASSWORD)
    same = {
        "registering": [
            await payload(api, REGISTER, email=each, password=PASSWORD) for each in (known, confirmed, unknown)
        ],
        "a weak password": [
            await payload(api, REGISTER, email=each, password="weak") for each in (confirmed, new_address())
        ],
        "asking for a code": [await payload(api, RESEND, email=each) for each in (known, confirmed, new_address())],
        "a wrong password": [
            await payload(api, SIGN_IN, email=each, password=ANOTHER) for each in (known, confirmed, new_address())
        ],
        # registering with an address, then signing in with that password, must not tell whether it was free
        "the oracle": [await payload(api, SIGN_IN, email=each, password=PASSWORD) for each in (known, new_address())],
    }
    for what, answers in same.items():
        assert all(each == answers[0] for each in answers), what
    assert same["registering"][0] == {"nextStep": "ENTER_CODE", "missing": [], "userErrors": []}


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("short-1", ["LENGTH"]),
        ("0123456-", ["LETTER"]),
        ("CAPITALS-1", ["LETTER"]),
        ("no-digits-here", ["DIGIT"]),
        ("n0symbols4here", ["SYMBOL"]),
        ("", ["LENGTH", "LETTER", "DIGIT", "SYMBOL"]),
        ("a1-" * 86, ["LENGTH"]),
    ],
)
async def test_a_weak_password_is_told_what_it_lacks(api: Client, password: str, missing: list[str]) -> None:
    refused = await payload(api, REGISTER, email=new_address(), password=password)
    assert refused == {
        "nextStep": None, "missing": missing, "userErrors": [{"code": "WEAK_PASSWORD", "field": ["password"]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b",
        "a b@example.com",
        "a@example.com\r\nbcc:b@example.com",
        "@example.com",
        f"{'a' * 250}@example.com",
    ],
)
async def test_what_is_no_address_is_refused_before_anybody_is_asked(api: Client, address: str) -> None:
    refused = await payload(api, REGISTER, email=address, password=PASSWORD)
    assert refused["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["email"]}]


async def test_somebody_signs_out(api: Client, http: httpx.AsyncClient) -> None:
    tokens = await signed_in(api, await registered(api))
    ended = await payload(Client(http, token=tokens["accessToken"]), SIGN_OUT, refreshToken=tokens["refreshToken"])
    # The emulator has no RevokeToken.
    assert ended == {"ended": True, "refreshTokenRevoked": False, "userErrors": []}
    assert (await Client(http, token=tokens["accessToken"]).post(WHO)).status_code == 401
    refused = await payload(api, REFRESH, refreshToken=tokens["refreshToken"])  # the emulator would go on renewing
    assert (refused["accessToken"], refused["userErrors"][0]["code"]) == (None, "SESSION_ENDED")


async def test_signing_out_everywhere_ends_the_other_session_too(api: Client, http: httpx.AsyncClient) -> None:
    address = await registered(api)
    here, there = await signed_in(api, address), await signed_in(api, address)
    for tokens in (here, there):
        assert await Client(http, token=tokens["accessToken"]).data(WHO)
    ended = await payload(Client(http, token=here["accessToken"]), SIGN_OUT, everywhere=True)
    assert ended == {"ended": True, "refreshTokenRevoked": True, "userErrors": []}
    for tokens in (here, there):
        assert (await Client(http, token=tokens["accessToken"]).post(WHO)).status_code == 401
        assert (await payload(api, REFRESH, refreshToken=tokens["refreshToken"]))["accessToken"] is None


CHANGE_PASSWORD = """mutation ($in: PasswordChangeInput!) { p: passwordChange(input: $in) {
  nextStep missing sessionsEnded userErrors { code field } } }"""
RESET = "mutation ($in: PasswordResetRequestInput!) { p: passwordResetRequest(input: $in) { nextStep userErrors { code } } }"
CONFIRM_RESET = """mutation ($in: PasswordResetConfirmInput!) { p: passwordResetConfirm(input: $in) {
  nextStep missing sessionsEnded userErrors { code field } } }"""
CHANGE_EMAIL = "mutation ($in: EmailChangeRequestInput!) { p: emailChangeRequest(input: $in) { nextStep userErrors { code field } } }"
CONFIRM_EMAIL = (
    "mutation ($in: EmailChangeConfirmInput!) { p: emailChangeConfirm(input: $in) { nextStep userErrors { code } } }"
)


async def test_the_password_is_changed_by_whoever_knows_it(api: Client, http: httpx.AsyncClient) -> None:
    address = await registered(api)
    user = Client(http, token=(await signed_in(api, address))["accessToken"])
    wrong = await payload(user, CHANGE_PASSWORD, oldPassword=ANOTHER, newPassword=ANOTHER)
    assert wrong["userErrors"] == [{"code": "WRONG_PASSWORD", "field": ["oldPassword"]}]
    weak = await payload(user, CHANGE_PASSWORD, oldPassword=PASSWORD, newPassword="weak")
    assert (weak["missing"], weak["userErrors"]) == (
        ["LENGTH", "DIGIT", "SYMBOL"],
        [{"code": "WEAK_PASSWORD", "field": ["newPassword"]}],
    )
    assert (await payload(user, CHANGE_PASSWORD, oldPassword=PASSWORD, newPassword=ANOTHER))["nextStep"] == "DONE"
    assert await signed_in(api, address, ANOTHER)


async def test_a_forgotten_password_is_replaced_and_nobody_learns_who_is_known(api: Client) -> None:
    address, unknown = await registered(api), new_address()
    asked = [await payload(api, RESET, email=each) for each in (address, unknown)]
    assert asked == [{"nextStep": "ENTER_CODE", "userErrors": []}] * 2
    refused = [
        await payload(api, CONFIRM_RESET, email=each, code="moto-confirmation-code:1", password=ANOTHER)
        for each in (address, unknown)
    ]
    nothing_done = {"nextStep": None, "missing": [], "sessionsEnded": False}
    assert refused == [nothing_done | {"userErrors": [{"code": "INVALID_CODE", "field": ["code"]}]}] * 2
    done = await payload(api, CONFIRM_RESET, email=address, code="123456", password=ANOTHER)
    assert done["nextStep"] == "SIGN_IN"
    assert await signed_in(api, address, ANOTHER)


async def test_a_refresh_token_of_a_deleted_account_is_refused_plainly(api: Client, http: httpx.AsyncClient) -> None:
    tokens = await signed_in(api, await registered(api))
    user = Client(http, token=tokens["accessToken"])
    delete = 'mutation { p: accountDelete(input: { confirm: "DELETE" }) { userErrors { code } } }'
    assert (await user.data(delete))["p"]["userErrors"] == []
    refused = await payload(api, REFRESH, refreshToken=tokens["refreshToken"])
    assert (refused["accessToken"], refused["userErrors"]) == (
        None,
        [{"code": "SESSION_ENDED", "field": ["refreshToken"]}],
    )


async def test_the_users_row_follows_a_changed_address_and_nobody_takes_anothers(
    api: Client, http: httpx.AsyncClient
) -> None:
    address, of_another = await registered(api), await registered(api)
    await Client(http, token=(await signed_in(api, of_another))["accessToken"]).data(WHO)
    before = await signed_in(api, address)
    user = Client(http, token=before["accessToken"])
    assert await user.data(WHO) == {"viewer": {"email": address}}
    taken = await payload(user, CHANGE_EMAIL, email=of_another)
    assert taken == {"nextStep": "ENTER_CODE", "userErrors": []}  # like any other: whose it is, is not told
    assert await user.data(WHO) == {"viewer": {"email": address}}
    told = await payload(user, CONFIRM_EMAIL, code="123456")  # whoever has a code reads the mail of that address
    assert told == {"nextStep": None, "userErrors": [{"code": "ADDRESS_TAKEN"}]}
    moved = new_address()
    assert await payload(user, CHANGE_EMAIL, email=moved) == taken
    assert await user.data(WHO) == {"viewer": {"email": address}}  # as long as nobody has entered the code
    assert (await payload(user, CONFIRM_EMAIL, code="123456"))["nextStep"] == "DONE"
    assert await user.data(WHO) == {"viewer": {"email": moved}}
    tokens = await signed_in(api, moved)
    assert (await payload(user, CONFIRM_EMAIL, code="123456"))["userErrors"] == [{"code": "INVALID_CODE"}]
    # a refresh token that was given under the old address lives on
    assert (await payload(api, REFRESH, refreshToken=tokens["refreshToken"]))["accessToken"]
    assert (await payload(api, REFRESH, refreshToken=before["refreshToken"]))["accessToken"]


async def test_an_invited_user_answers_the_challenge_and_is_signed_in(api: Client, prepared: Settings) -> None:
    address = new_address()
    async with open_aws(prepared, 10_000) as aws:
        await aws.cognito.admin_create_user(
            UserPoolId=prepared.cognito_user_pool_id,
            Username=address,
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
        )
    asked = await payload(api, SIGN_IN, email=address, password=PASSWORD)
    assert (asked["accessToken"], asked["userErrors"]) == (None, [])
    answer = asked["challenge"]
    weak = await payload(api, ANSWER, **answer, answer="weak")
    assert (weak["missing"], weak["userErrors"]) == (["LENGTH", "DIGIT", "SYMBOL"], [{"code": "WEAK_PASSWORD"}])
    done = await payload(api, ANSWER, **answer, answer=ANOTHER)
    assert (done["challenge"], done["userErrors"]) == (None, [])
    assert done["accessToken"]


async def test_passkeys_are_not_supported_where_the_pool_has_none(api: Client, http: httpx.AsyncClient) -> None:
    address = await registered(api)
    user = Client(http, token=(await signed_in(api, address))["accessToken"])
    not_supported = [{"code": "NOT_SUPPORTED"}]
    begun = await user.data("mutation { p: passkeyRegistrationStart { options userErrors { code } } }")
    assert begun["p"] == {"options": None, "userErrors": not_supported}
    kept = await user.data(
        """mutation { p: passkeyRegistrationComplete(input: { credential: "{}" }) { passkeys { id } userErrors { code } } }"""
    )
    assert kept["p"] == {"passkeys": None, "userErrors": not_supported}
    gone = await user.data("""mutation { p: passkeyDelete(input: { id: "key" }) { deletedId userErrors { code } } }""")
    assert gone["p"] == {"deletedId": None, "userErrors": not_supported}
    assert await user.codes("{ passkeys { id } }") == ["NOT_SUPPORTED"]
    assert [error["code"] for error in (await payload(api, SIGN_IN, email=address))["userErrors"]] == ["NOT_SUPPORTED"]
    broken = await user.data(
        """mutation { p: passkeyRegistrationComplete(input: { credential: "[" }) { userErrors { code field } } }"""
    )
    assert broken["p"]["userErrors"] == [{"code": "BAD_USER_INPUT", "field": ["credential"]}]


@pytest.mark.parametrize(
    "signed_in_only",
    [
        """{ passkeys { id } }""",
        """mutation { passkeyRegistrationStart { options } }""",
        """mutation { passkeyDelete(input: { id: "x" }) { deletedId } }""",
        """mutation { passkeyRegistrationComplete(input: { credential: "{}" }) { passkeys { id } } }""",
        """mutation { passwordChange(input: { oldPassword: "a", newPassword: "b" }) { nextStep } }""",
        """mutation { emailChangeRequest(input: { email: "a@example.com" }) { nextStep } }""",
        """mutation { emailChangeConfirm(input: { code: "1" }) { nextStep } }""",
        """mutation { sessionEnd(input: {}) { ended } }""",
    ],
)
async def test_what_acts_on_somebody_needs_somebody_who_is_signed_in(api: Client, signed_in_only: str) -> None:
    assert await api.codes(signed_in_only) == ["UNAUTHENTICATED"]


async def test_no_password_address_or_token_gets_into_the_log(
    api: Client, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "torii"):
        address = await registered(api)
        tokens = await signed_in(api, address)
        await payload(api, SIGN_IN, email=address, password=ANOTHER)
        user = Client(http, token=tokens["accessToken"])
        await payload(user, CHANGE_PASSWORD, oldPassword=PASSWORD, newPassword=ANOTHER)
        await payload(user, SIGN_OUT, refreshToken=tokens["refreshToken"])
    secrets = (address, PASSWORD, ANOTHER, tokens["accessToken"], tokens["refreshToken"])
    assert [secret for secret in secrets if secret in caplog.text] == []


async def test_a_pool_that_never_answers_is_an_outage_in_time(api: Client, prepared: Settings) -> None:
    address = await registered(api)
    async with relayed(f"{prepared.aws_endpoint_url}/") as (relay, url):
        hurried = {"cognito_timeout_ms": 500, "aws_endpoint_url": url, "identity_pace_ms": 60_000}
        app = create_app(prepared.model_copy(update=hurried))
        async with app.router.lifespan_context(app), client_of(app) as http:
            client = Client(http)
            relay.flowing.clear()
            began = time.perf_counter()
            answers = await asyncio.gather(
                client.answer(SIGN_IN, **{"in": {"email": address, "password": PASSWORD}}),
                client.answer(REGISTER, **{"in": {"email": new_address(), "password": PASSWORD}}),
                client.answer(REFRESH, **{"in": {"refreshToken": "any"}}),
            )
            assert time.perf_counter() - began < 10  # neither the query's 20 s nor the pace's minute
            for answer in answers:
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["SERVICE_UNAVAILABLE"]
                assert answer["errors"][0]["extensions"]["retryable"]
            relay.flowing.set()
            assert await payload(client, REFRESH, refreshToken="never-was-one")


async def test_a_repair_makes_the_row_of_somebody_who_never_came(
    api: Client, prepared: Settings, make: Factory
) -> None:
    address = await registered(api)
    user = tables.users
    assert await make.rows(user.select().where(user.c.email == address)) == []
    told: list[int] = []
    repaired = await jobs.repair_users(prepared, lambda _stage, done, _total: told.append(done))
    assert repaired.made >= 1
    assert told[-1] == repaired.seen
    [row] = await make.rows(user.select().where(user.c.email == address))
    events = await make.rows(tables.outbox.select().where(tables.outbox.c.aggregate_id == row.id))
    assert [event.type for event in events] == ["UserRegistered"]
    assert (await jobs.repair_users(prepared, lambda _stage, _done, _total: None)).made == 0
