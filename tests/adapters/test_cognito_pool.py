"""The embedded default's user pool, made on moto's server, and the key set of a pool in good and bad times."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jwt

from adapters.aws.clients import Aws
from adapters.cognito.directory import CognitoDirectory
from adapters.cognito.issuer import issuer_of, jwks_url_of
from adapters.cognito.keys import MAX_BYTES, KeySet
from adapters.cognito.pool import (
    DEMO_ACCOUNTS,
    DEMO_PASSWORD,
    Pool,
    SignInRefused,
    access_token,
    ensure_pool,
    ensure_user,
)
from domain.accounts.model import Identity, PoolUser
from domain.accounts.refusals import InvalidToken
from domain.shared.ids import SessionId
from domain.shared.refusals import Unavailable
from tests.watch import Watch

REGION = "ap-northeast-1"
BUYER = "buyer@example.com"


@pytest.fixture(scope="module")
async def pool(aws: Aws, pool_name: str) -> Pool:
    return await ensure_pool(aws, pool_name)


@pytest.fixture(scope="module")
async def buyer(aws: Aws, pool: Pool) -> str:
    return await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer")


def identity_of(subject: str, username: str) -> Identity:
    now = datetime.now(UTC)
    return Identity(subject, username, frozenset(), SessionId(uuid4()), now, now)


async def test_the_second_start_finds_what_the_first_made(aws: Aws, pool_name: str, pool: Pool, buyer: str) -> None:
    assert await ensure_pool(aws, pool_name) == pool
    assert await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer") == buyer
    pools = (await aws.cognito.list_user_pools(MaxResults=60))["UserPools"]
    assert [each["Name"] for each in pools].count(pool_name) == 1


async def test_an_interrupted_start_is_finished(aws: Aws, pool_name: str) -> None:
    name = f"{pool_name}-half"
    half = (await aws.cognito.create_user_pool(PoolName=name, UsernameAttributes=["email"]))["UserPool"]["Id"]
    await aws.cognito.create_group(UserPoolId=half, GroupName="seller")
    await aws.cognito.admin_create_user(UserPoolId=half, Username=BUYER)  # has no password yet

    pool = await ensure_pool(aws, name)
    await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer")
    assert pool.pool_id == half
    assert await access_token(aws, pool, BUYER, DEMO_PASSWORD)


async def test_pool_and_app_client_are_as_the_documents_say(aws: Aws, pool: Pool) -> None:
    made = (await aws.cognito.describe_user_pool(UserPoolId=pool.pool_id))["UserPool"]
    assert {"email", "custom:user_type", "custom:seller_id"} <= {each["Name"] for each in made["SchemaAttributes"]}
    groups = (await aws.cognito.list_groups(UserPoolId=pool.pool_id))["Groups"]
    assert {each["GroupName"] for each in groups} == {"buyer", "seller", "admin"}
    described = await aws.cognito.describe_user_pool_client(UserPoolId=pool.pool_id, ClientId=pool.client_id)
    client = described["UserPoolClient"]
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (1, "hours")
    assert (client["RefreshTokenValidity"], client["TokenValidityUnits"]["RefreshToken"]) == (30, "days")
    assert {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"} <= set(client["ExplicitAuthFlows"])
    assert not [each for each in client["WriteAttributes"] if each.startswith("custom:")]


@pytest.mark.parametrize("password", ["sh0rt-1", "no-digits-here", "n0symbols4here", "0123-4567"])
async def test_a_weak_password_is_refused_by_the_pool(aws: Aws, pool: Pool, password: str) -> None:
    with pytest.raises(aws.cognito.exceptions.InvalidPasswordException):
        await aws.cognito.sign_up(ClientId=pool.client_id, Username="weak@example.com", Password=password)


async def test_every_demo_account_signs_in_to_its_group(aws: Aws, pool: Pool) -> None:
    for email, group in DEMO_ACCOUNTS.items():
        subject = await ensure_user(aws, pool, email, DEMO_PASSWORD, group)
        claims = jwt.get_unverified_claims(await access_token(aws, pool, email, DEMO_PASSWORD))
        assert (claims["sub"], claims["cognito:groups"]) == (subject, [group])
        assert (claims["iss"], claims["client_id"]) == (issuer_of(REGION, pool.pool_id), pool.client_id)


async def test_a_changed_password_outlives_the_next_start(aws: Aws, pool: Pool) -> None:
    user = {"UserPoolId": pool.pool_id, "Username": "changed@example.com"}
    await ensure_user(aws, pool, user["Username"], DEMO_PASSWORD, "buyer")
    await aws.cognito.admin_set_user_password(**user, Password="An0ther-one", Permanent=True)
    await ensure_user(aws, pool, user["Username"], DEMO_PASSWORD, "buyer")
    assert await access_token(aws, pool, user["Username"], "An0ther-one")


@pytest.mark.parametrize(("email", "password"), [(BUYER, "Wr0ng-password"), ("nobody@example.com", DEMO_PASSWORD)])
async def test_wrong_credentials_are_refused_alike(aws: Aws, pool: Pool, buyer: str, email: str, password: str) -> None:
    with pytest.raises(SignInRefused, match="wrong address or password"):
        await access_token(aws, pool, email, password)


async def test_an_account_that_must_choose_a_password_gets_no_token(aws: Aws, pool: Pool) -> None:
    await aws.cognito.admin_create_user(
        UserPoolId=pool.pool_id, Username="invited@example.com", TemporaryPassword=DEMO_PASSWORD
    )
    with pytest.raises(SignInRefused, match="NEW_PASSWORD_REQUIRED"):
        await access_token(aws, pool, "invited@example.com", DEMO_PASSWORD)


async def test_the_directory_knows_the_address_behind_a_token(aws: Aws, pool: Pool, buyer: str) -> None:
    claims = jwt.get_unverified_claims(await access_token(aws, pool, BUYER, DEMO_PASSWORD))
    identity = identity_of(claims["sub"], claims["username"])
    assert await CognitoDirectory(aws, pool.pool_id).user(identity) == PoolUser(claims["sub"], BUYER, True)


async def test_the_directory_refuses_who_is_gone_disabled_or_somebody_else(aws: Aws, pool: Pool, buyer: str) -> None:
    directory = CognitoDirectory(aws, pool.pool_id)
    disabled = await ensure_user(aws, pool, "disabled@example.com", DEMO_PASSWORD, "buyer")
    await aws.cognito.admin_disable_user(UserPoolId=pool.pool_id, Username="disabled@example.com")
    for subject, username in [("gone", "gone"), (disabled, disabled), ("an-older-user-of-this-name", BUYER)]:
        with pytest.raises(InvalidToken):
            await directory.user(identity_of(subject, username))


async def test_the_directory_gives_up_in_time_on_a_pool_that_never_answers(aws: Aws) -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        async with Aws(REGION, f"http://127.0.0.1:{port}", timeout_ms=100) as hanging:
            with pytest.raises(Unavailable):
                await CognitoDirectory(hanging, "pool").user(identity_of("sub", "name"))


def test_the_key_set_is_below_the_issuer_on_aws_and_below_the_address_of_an_emulator() -> None:
    assert issuer_of(REGION, "r_x") == "https://cognito-idp.ap-northeast-1.amazonaws.com/r_x"
    assert jwks_url_of(REGION, "r_x") == f"{issuer_of(REGION, 'r_x')}/.well-known/jwks.json"
    assert jwks_url_of(REGION, "r_x", "http://127.0.0.1:5000/") == "http://127.0.0.1:5000/r_x/.well-known/jwks.json"


KEY = jwk.construct(rsa.generate_private_key(65537, 2048).public_key(), "RS256").to_dict()


def published(*kids: str, **changed: Any) -> bytes:
    return json.dumps({"keys": [KEY | {"kid": kid, "use": "sig"} | changed for kid in kids]}).encode()


class KeyServer:
    """A small HTTP server that publishes keys, and can be told to misbehave."""

    def __init__(self) -> None:
        self.url, self.head = "", "200 OK"
        self.document = published("first")
        self.missing = 0  # bytes that trickle
        self.paths: list[str] = []
        self.asked, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.paths.append(request.split()[1].decode())
        self.asked.set()
        await self.answers.wait()
        length = len(self.document) + self.missing
        head = f"HTTP/1.1 {self.head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + self.document)
        while self.missing and not reader.at_eof():  # until the other side gives up
            with suppress(TimeoutError):
                await asyncio.wait_for(reader.read(), 0.02)
            writer.write(b" ")
        writer.close()


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/jwks.json"
        yield server


@pytest.fixture
async def keys(server: KeyServer, clock: Watch) -> AsyncIterator[KeySet]:
    async with KeySet(server.url, clock) as keys:
        yield keys


async def test_a_storm_of_unknown_keys_is_one_fetch(keys: KeySet, server: KeyServer, clock: Watch) -> None:
    assert await keys.key("first")
    clock.wind(timedelta(minutes=1))
    found = await asyncio.gather(*(keys.key(f"unknown-{n}") for n in range(50)))
    assert (found, len(server.paths)) == ([None] * 50, 2)


async def test_a_new_key_is_fetched_at_most_once_a_minute(keys: KeySet, server: KeyServer, clock: Watch) -> None:
    assert await keys.key("first")
    server.document = published("second")
    clock.wind(timedelta(seconds=59))
    assert await keys.key("second") is None
    assert len(server.paths) == 1
    clock.wind(timedelta(seconds=1))
    assert await keys.key("second")
    assert "first" not in keys  # withdrawn
    server.document = published("third")
    clock.wind(-timedelta(days=1))  # a clock that is set back does not stop refreshes for a day
    assert await keys.key("third")


async def test_a_fetch_outlives_the_request_that_started_it(keys: KeySet, server: KeyServer) -> None:
    server.answers.clear()
    starter, other = asyncio.create_task(keys.key("first")), asyncio.create_task(keys.key("first"))
    await server.asked.wait()
    starter.cancel()
    server.answers.set()
    assert await other
    assert (starter.cancelled(), len(server.paths)) == (True, 1)


BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "a redirect": {"head": "302 Found\r\nLocation: /elsewhere"},
    "an error": {"head": "503 Service Unavailable"},
    "too much": {"document": b" " * MAX_BYTES + published("first", "second")},
    "not HTTP": {"head": "\0"},
    "not JSON": {"document": b"<html>"},
    "no keys": {"document": published()},
    "numbers for keys": {"document": b'{"keys": [1, 2]}'},
    "deep nesting": {"document": b"[" * 60_000},
    "secret keys": {"document": published("first", "second", kty="oct", k="c2VjcmV0")},
    "other algorithms": {"document": published("first", "second", alg="RS512")},
    "encryption keys": {"document": published("first", "second", use="enc")},
    "no modulus": {"document": published("first", "second", n=None)},
    "a bad modulus": {"document": published("first", "second", n="!")},
    "a bad exponent": {"document": published("first", "second", e="AA")},
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
async def test_a_bad_answer_takes_no_cached_key_away_and_without_one_nobody_signs_in(
    keys: KeySet, server: KeyServer, clock: Watch, name: str
) -> None:
    good = vars(server).copy()
    vars(server).update(BAD_ANSWERS[name])
    with pytest.raises(Unavailable):
        await keys.key("first")
    vars(server).update({attribute: good[attribute] for attribute in BAD_ANSWERS[name]})
    clock.wind(timedelta(seconds=1))  # not a minute: nobody can sign in meanwhile
    assert await keys.key("first")
    vars(server).update(BAD_ANSWERS[name])
    clock.wind(timedelta(minutes=1))
    assert await keys.key("second") is None
    assert await keys.key("first")
    assert server.paths == ["/jwks.json"] * 3  # and never /elsewhere


async def test_a_fetch_that_trickles_is_given_up(server: KeyServer, clock: Watch) -> None:
    server.missing = 1000  # one byte each 20 ms: no single read is slow
    async with KeySet(server.url, clock, timeout_s=0.1) as keys:
        with pytest.raises(Unavailable):
            await keys.key("first")


async def test_refused_keys_are_neither_kept_nor_asked_for(server: KeyServer, clock: Watch) -> None:
    server.document = published("dummy", "first")
    async with KeySet(server.url, clock, refuse_kids={"dummy"}) as keys:
        assert (await keys.key("dummy"), server.paths) == (None, [])
        assert await keys.key("first")
        assert "dummy" not in keys


async def test_keys_of_six_hours_are_fetched_again_while_they_serve(
    keys: KeySet, server: KeyServer, clock: Watch
) -> None:
    assert await keys.key("first")
    server.document = published("second")
    clock.wind(timedelta(hours=6, seconds=-1))
    keys.keep_fresh()
    server.asked.clear()
    clock.wind(timedelta(seconds=1))
    keys.keep_fresh()
    assert "first" in keys
    async with asyncio.timeout(60):
        while "second" not in keys:
            await asyncio.sleep(0.01)
    assert "first" not in keys  # withdrawn
    assert len(server.paths) == 2
