"""The embedded default's user pool, made on moto's server."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from jose import jwt
from moto.server import ThreadedMotoServer

from adapters.aws.clients import Aws
from adapters.cognito.directory import CognitoDirectory
from adapters.cognito.issuer import issuer_of, jwks_url_of
from adapters.cognito.pool import (
    DEMO_ACCOUNTS,
    DEMO_PASSWORD,
    Pool,
    SignInRefused,
    access_token,
    ensure_pool,
    ensure_user,
)
from domain.accounts.model import Identity
from domain.accounts.service import InvalidToken
from domain.shared.refusals import Unavailable

REGION = "ap-northeast-1"
BUYER = "buyer@example.com"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "tests")
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
async def aws(endpoint: str) -> AsyncIterator[Aws]:
    async with Aws(REGION, endpoint, timeout_ms=5000) as aws:
        yield aws


@pytest.fixture(scope="module")
async def pool(aws: Aws) -> Pool:
    return await ensure_pool(aws, "pool-tests")


@pytest.fixture(scope="module")
async def buyer(aws: Aws, pool: Pool) -> str:
    return await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer")


async def test_the_second_start_finds_what_the_first_made(aws: Aws, pool: Pool, buyer: str) -> None:
    assert await ensure_pool(aws, "pool-tests") == pool
    assert await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer") == buyer
    named = [each["Name"] for each in (await aws.cognito.list_user_pools(MaxResults=60))["UserPools"]]
    assert named.count("pool-tests") == 1


async def test_an_interrupted_start_is_finished(aws: Aws) -> None:
    half = (await aws.cognito.create_user_pool(PoolName="half-made", UsernameAttributes=["email"]))["UserPool"]["Id"]
    await aws.cognito.create_group(UserPoolId=half, GroupName="seller")
    await aws.cognito.admin_create_user(UserPoolId=half, Username=BUYER)  # has no password yet

    pool = await ensure_pool(aws, "half-made")
    await ensure_user(aws, pool, BUYER, DEMO_PASSWORD, "buyer")

    assert pool.pool_id == half
    assert await access_token(aws, pool, BUYER, DEMO_PASSWORD)


async def test_the_pool_is_as_the_documents_say(aws: Aws, pool: Pool) -> None:
    made = (await aws.cognito.describe_user_pool(UserPoolId=pool.pool_id))["UserPool"]
    policy = made["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] == 8
    assert all(policy[each] for each in ("RequireLowercase", "RequireNumbers", "RequireSymbols"))
    assert {"email", "custom:user_type", "custom:seller_id"} <= {each["Name"] for each in made["SchemaAttributes"]}
    groups = (await aws.cognito.list_groups(UserPoolId=pool.pool_id))["Groups"]
    assert {each["GroupName"] for each in groups} == {"buyer", "seller", "admin"}


async def test_the_app_client_is_as_the_documents_say(aws: Aws, pool: Pool) -> None:
    described = await aws.cognito.describe_user_pool_client(UserPoolId=pool.pool_id, ClientId=pool.client_id)
    client = described["UserPoolClient"]
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (1, "hours")
    assert (client["RefreshTokenValidity"], client["TokenValidityUnits"]["RefreshToken"]) == (30, "days")
    assert {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"} <= set(client["ExplicitAuthFlows"])
    assert not [each for each in client["WriteAttributes"] if each.startswith("custom:")]


@pytest.mark.parametrize("password", ["Sh0rt-1", "no-digits-here", "n0symbols4here"])
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
    await ensure_user(aws, pool, "changed@example.com", DEMO_PASSWORD, "buyer")
    await aws.cognito.admin_set_user_password(
        UserPoolId=pool.pool_id, Username="changed@example.com", Password="An0ther-one", Permanent=True
    )
    await ensure_user(aws, pool, "changed@example.com", DEMO_PASSWORD, "buyer")
    assert await access_token(aws, pool, "changed@example.com", "An0ther-one")


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
    identity = Identity(claims["sub"], claims["username"], frozenset())
    assert await CognitoDirectory(aws, pool.pool_id).email_of(identity) == BUYER


async def test_the_directory_refuses_who_is_gone_disabled_or_somebody_else(aws: Aws, pool: Pool, buyer: str) -> None:
    directory = CognitoDirectory(aws, pool.pool_id)
    disabled = await ensure_user(aws, pool, "disabled@example.com", DEMO_PASSWORD, "buyer")
    await aws.cognito.admin_disable_user(UserPoolId=pool.pool_id, Username="disabled@example.com")
    for subject, username in [("gone", "gone"), (disabled, disabled), ("an-older-user-of-this-name", BUYER)]:
        with pytest.raises(InvalidToken):
            await directory.email_of(Identity(subject, username, frozenset()))


async def test_the_directory_gives_up_in_time_on_a_pool_that_never_answers(endpoint: str) -> None:
    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        async with Aws(REGION, f"http://127.0.0.1:{port}", timeout_ms=100) as aws:
            with pytest.raises(Unavailable):
                await CognitoDirectory(aws, "pool").email_of(Identity("sub", "name", frozenset()))


def test_the_key_set_is_below_the_issuer_on_aws_and_below_the_address_of_an_emulator() -> None:
    on_aws = "https://cognito-idp.ap-northeast-1.amazonaws.com/ap-northeast-1_x"
    assert issuer_of(REGION, "ap-northeast-1_x") == on_aws
    assert jwks_url_of(REGION, "ap-northeast-1_x") == f"{on_aws}/.well-known/jwks.json"
    emulated = jwks_url_of(REGION, "ap-northeast-1_x", "http://127.0.0.1:5000/")
    assert emulated == "http://127.0.0.1:5000/ap-northeast-1_x/.well-known/jwks.json"
