"""Signing up, in and out through the gateway. The emulator takes any code for a sign-up or a reset."""

import itertools
from typing import Any

import httpx
import pytest

from adapters.postgres import tables
from tests.api.client import Client
from tests.factories import Factory

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


async def test_signing_out_needs_somebody_who_is_signed_in(api: Client) -> None:
    assert await api.codes(SIGN_OUT, **{"in": {}}) == ["UNAUTHENTICATED"]


async def test_somebody_signs_out(api: Client, http: httpx.AsyncClient) -> None:
    tokens = await signed_in(api, await registered(api))
    ended = await payload(Client(http, token=tokens["accessToken"]), SIGN_OUT, refreshToken=tokens["refreshToken"])
    # The emulator has no RevokeToken.
    assert ended == {"ended": True, "refreshTokenRevoked": False, "userErrors": []}
