"""Access tokens: real ones of moto's pool are accepted, everything else is refused, for the right reason."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jose import jws, jwt

from adapters.aws.clients import Aws
from adapters.cognito.issuer import EMULATOR_KID, EMULATOR_MODULUS, issuer_of, jwks_url_of
from adapters.cognito.keys import KeySet
from adapters.cognito.pool import DEMO_PASSWORD, Pool, ensure_pool, ensure_user
from adapters.cognito.tokens import CognitoTokens
from domain.accounts.refusals import InvalidToken
from domain.shared.refusals import Unavailable
from tests.hostile_tokens import HOSTILE, parts_of, resign, swapped
from tests.watch import Watch

REGION = "ap-northeast-1"
SELLER = "seller@example.com"


@dataclass(frozen=True)
class SignedIn:
    pool: Pool
    subject: str
    access: str
    id: str
    jwks_url: str

    @property
    def issuer(self) -> str:
        return issuer_of(REGION, self.pool.pool_id)


async def sign_in(aws: Aws, pool: Pool) -> SignedIn:
    subject = await ensure_user(aws, pool, SELLER, DEMO_PASSWORD, "seller")
    answer = await aws.cognito.initiate_auth(
        ClientId=pool.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": SELLER, "PASSWORD": DEMO_PASSWORD},
    )
    given = answer["AuthenticationResult"]
    keys_at = jwks_url_of(REGION, pool.pool_id, aws.cognito.meta.endpoint_url)
    return SignedIn(pool, subject, given["AccessToken"], given["IdToken"], keys_at)


@pytest.fixture(scope="module")
async def seller(aws: Aws, pool_name: str) -> SignedIn:
    return await sign_in(aws, await ensure_pool(aws, pool_name))


@pytest.fixture
def clock() -> Watch:
    return Watch(datetime.now(UTC))


@pytest.fixture(scope="module")
async def keys(seller: SignedIn) -> AsyncIterator[KeySet]:
    async with KeySet(seller.jwks_url, Watch(datetime.now(UTC))) as keys:
        yield keys


@pytest.fixture
def tokens(seller: SignedIn, keys: KeySet, clock: Watch) -> CognitoTokens:
    return CognitoTokens(keys, seller.issuer, seller.pool.client_id, clock)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature was checked, in order."""
    checked: list[str] = []

    def verify(token: str, *arguments: Any, _verify: Any = jws.verify, **named: Any) -> Any:
        checked.append(token)
        return _verify(token, *arguments, **named)

    monkeypatch.setattr(jws, "verify", verify)
    return checked


async def reason(tokens: CognitoTokens, token: str) -> str:
    """Why a token is refused, which only the cause says."""
    with pytest.raises(InvalidToken) as refused:
        await tokens.verify(token)
    return str(refused.value.__cause__)


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_token_is_refused(tokens: CognitoTokens, seller: SignedIn, name: str) -> None:
    why, made_from = HOSTILE[name]
    assert why in await reason(tokens, made_from(seller.access))


async def test_a_real_access_token_says_who_it_is(tokens: CognitoTokens, seller: SignedIn) -> None:
    identity = await tokens.verify(seller.access)
    assert (identity.subject, identity.groups) == (seller.subject, frozenset({"seller"}))
    assert await tokens.verify(resign(seller.access, **{"cognito:groups": None})) != identity  # in no group


async def test_an_id_token_is_refused(tokens: CognitoTokens, seller: SignedIn) -> None:
    assert "not an access token" in await reason(tokens, seller.id)


async def test_tokens_of_another_pool_or_client_are_refused(
    aws: Aws, pool_name: str, tokens: CognitoTokens, seller: SignedIn
) -> None:
    elsewhere = await sign_in(aws, await ensure_pool(aws, f"{pool_name}-other"))
    assert "another issuer" in await reason(tokens, elsewhere.access)
    made = await aws.cognito.create_user_pool_client(
        UserPoolId=seller.pool.pool_id, ClientName="other", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
    )
    other = await sign_in(aws, Pool(seller.pool.pool_id, made["UserPoolClient"]["ClientId"]))
    assert "another client" in await reason(tokens, other.access)


async def test_clocks_may_differ_by_a_minute(tokens: CognitoTokens, seller: SignedIn, clock: Watch) -> None:
    claims = jwt.get_unverified_claims(seller.access)
    for moment in (claims["exp"] + 59, claims["iat"] - 60):
        clock.time = datetime.fromtimestamp(moment, UTC)
        assert (await tokens.verify(seller.access)).subject == seller.subject
    for moment, why in ((claims["exp"] + 60, "expired"), (claims["iat"] - 61, "future")):
        clock.time = datetime.fromtimestamp(moment, UTC)
        assert why in await reason(tokens, seller.access)


async def test_the_emulators_key_is_refused_where_production_says_so(seller: SignedIn, clock: Watch) -> None:
    async with KeySet(seller.jwks_url, clock, refuse_kids={EMULATOR_KID}) as keys:
        tokens = CognitoTokens(keys, seller.issuer, seller.pool.client_id, clock)
        assert "unknown key" in await reason(tokens, seller.access)


async def test_the_emulators_key_is_refused_under_any_id(seller: SignedIn, clock: Watch) -> None:
    async with KeySet(seller.jwks_url, clock, refuse_moduli={EMULATOR_MODULUS}) as keys:
        tokens = CognitoTokens(keys, seller.issuer, seller.pool.client_id, clock)
        with pytest.raises(Unavailable):  # it has no other
            await tokens.verify(seller.access)


async def test_a_signature_is_checked_once_and_the_time_always(
    tokens: CognitoTokens, seller: SignedIn, clock: Watch, checks: list[str]
) -> None:
    for _ in range(3):
        assert (await tokens.verify(seller.access)).subject == seller.subject
        assert "signature" in await reason(tokens, swapped(seller.access, 2))  # bad ones are not remembered
    assert checks.count(seller.access) == 1
    clock.wind(timedelta(minutes=62))
    for _ in range(2):
        assert await reason(tokens, seller.access) == "expired"


async def test_only_so_many_tokens_are_remembered_the_last_used_ones(
    seller: SignedIn, keys: KeySet, clock: Watch, checks: list[str]
) -> None:
    first, second, third = (resign(seller.access, jti=name) for name in "abc")
    tokens = CognitoTokens(keys, seller.issuer, seller.pool.client_id, clock, max_cached=2)
    for token in (first, second, first, third, first, second):  # the third takes the place of the second
        await tokens.verify(token)
    assert checks == [first, second, third, second]


async def test_a_remembered_token_ends_with_its_key(seller: SignedIn, clock: Watch) -> None:
    class Withdrawing(KeySet):
        """The pool's keys, until the test takes them back."""

        def withdraw(self) -> None:
            self._keys = {"new": self._keys[EMULATOR_KID]}

    async with Withdrawing(seller.jwks_url, clock) as keys:
        tokens = CognitoTokens(keys, seller.issuer, seller.pool.client_id, clock)
        await tokens.verify(seller.access)
        keys.withdraw()
        assert "unknown key" in await reason(tokens, seller.access)


async def test_no_part_of_a_token_is_logged(
    tokens: CognitoTokens, seller: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hostile = [made_from(seller.access) for _, made_from in HOSTILE.values()]
    for token in (seller.access, seller.id, *hostile):
        try:
            await tokens.verify(token)
        except InvalidToken:
            logging.getLogger("tests").exception("refused")  # with the traceback and every cause
    assert caplog.text.count("refused") >= len(hostile)
    assert not [part for part in parts_of(seller.access, seller.id, *hostile) if part in caplog.text]
    assert seller.subject not in caplog.text
