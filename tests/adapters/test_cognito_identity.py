"""Signing up, in and out, credentials and passkeys against the emulator, and what it lacks against botocore's service model.

How the emulator (moto 5.2.5) differs from Cognito, and what each difference does to these tests:
- it takes any code for a sign-up, and any for a reset but those it made itself: wrong codes come from the service model;
- it has no RevokeToken, ResendConfirmationCode and no WebAuthn: NOT_SUPPORTED, and the service model;
- a new address waits for a code, by infra/embedded/aws_cognito_addresses.py; any code is right;
- a client may write any attribute: which is why `custom:user_type` and `custom:seller_id` decide nothing here.
"""

import itertools
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber
from jose import jwt

from adapters.aws.clients import Aws
from adapters.cognito.credentials import CognitoCredentials
from adapters.cognito.directory import pool_user
from adapters.cognito.faults import PoolFault
from adapters.cognito.passkeys import CognitoPasskeys
from adapters.cognito.pool import Pool, ensure_pool, ensure_user
from adapters.cognito.roll import PAGE, CognitoRoll
from adapters.cognito.sign_ins import CognitoSignIns
from adapters.cognito.sign_ups import CognitoSignUps
from domain.accounts.model import Challenge, ChallengeAnswer, ChallengeKind, Passkey, TokenSet
from domain.accounts.refusals import (
    AddressTaken,
    CodeExpired,
    InvalidCode,
    InvalidCredentials,
    InvalidToken,
    NotSupported,
    PasskeyNotBegun,
    PasskeyNotFound,
    PasskeyOfAnotherSite,
    PasskeyRefused,
    RefreshRefused,
    TooManyAttempts,
    WeakPassword,
    WrongPassword,
)
from domain.shared.refusals import InvalidInput, Refusal, Unavailable
from settings import Settings

PASSWORD, ANOTHER = "hon-no-mushi-7", "tsundoku-no-8"
CODE, MAIL, TOKEN = "135790", "secret-address@example.com", "bearer-of-somebody"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def pool(aws: Aws, pool_name: str) -> Pool:
    return await ensure_pool(aws, pool_name)


class Ports:
    """All that the marketplace asks of the pool."""

    def __init__(self, aws: Aws, pool: Pool) -> None:
        self.sign_ups = CognitoSignUps(aws, pool.client_id)
        self.sign_ins = CognitoSignIns(aws, pool.client_id)
        self.credentials = CognitoCredentials(aws, pool.pool_id, pool.client_id)
        self.passkeys = CognitoPasskeys(aws)


@pytest.fixture
def ports(aws: Aws, pool: Pool) -> Ports:
    return Ports(aws, pool)


@contextmanager
def answering(aws: Aws) -> Iterator[Stubber]:
    """Cognito's answers as the test says; requests and answers are held to botocore's service model."""
    with Stubber(aws.cognito) as stub:
        yield stub
        stub.assert_no_pending_responses()


async def signed_up(ports: Ports, password: str = PASSWORD) -> str:
    address = f"pool-{next(_numbers)}@example.com"
    await ports.sign_ups.sign_up(address, password)
    await ports.sign_ups.confirm(address, CODE)
    return address


async def tokens_of(ports: Ports, address: str, password: str = PASSWORD) -> TokenSet:
    tokens = await ports.sign_ins.sign_in(address, password)
    assert isinstance(tokens, TokenSet)
    return tokens


class TestOnTheEmulator:
    async def test_signing_up_twice_is_told_like_once_and_changes_nothing(self, ports: Ports) -> None:
        address = await signed_up(ports)
        await ports.sign_ups.sign_up(address, ANOTHER)
        assert await tokens_of(ports, address)
        with pytest.raises(InvalidCredentials):
            await ports.sign_ins.sign_in(address, ANOTHER)

    async def test_nobody_signs_in_unconfirmed_unknown_disabled_or_with_another_password(
        self, ports: Ports, aws: Aws, pool: Pool
    ) -> None:
        await ports.sign_ups.sign_up("waiting@example.com", PASSWORD)
        disabled = await signed_up(ports)
        await aws.cognito.admin_disable_user(UserPoolId=pool.pool_id, Username=disabled)
        said = set()
        for address in ("waiting@example.com", "nobody@example.com", disabled):
            with pytest.raises(InvalidCredentials) as refused:
                await ports.sign_ins.sign_in(address, PASSWORD)
            said.add(str(refused.value))
        assert len(said) == 1

    async def test_a_confirmation_verifies_the_address(self, ports: Ports, aws: Aws, pool: Pool) -> None:
        address = await signed_up(ports)
        user = await aws.cognito.admin_get_user(UserPoolId=pool.pool_id, Username=address)
        known = pool_user(user["UserAttributes"])
        assert known is not None
        assert (known.email, known.email_verified) == (address, True)

    async def test_confirming_an_unknown_address_is_a_wrong_code(self, ports: Ports) -> None:
        with pytest.raises(InvalidCode):
            await ports.sign_ups.confirm("nobody@example.com", CODE)

    async def test_a_refresh_token_renews_the_same_session(self, ports: Ports) -> None:
        tokens = await tokens_of(ports, await signed_up(ports))
        renewed = await ports.sign_ins.refresh(tokens.refresh_token)
        assert renewed.refresh_token == tokens.refresh_token
        sessions = {jwt.get_unverified_claims(each.access_token)["origin_jti"] for each in (tokens, renewed)}
        assert len(sessions) == 1
        with pytest.raises(RefreshRefused):
            await ports.sign_ins.refresh("never-was-one")

    async def test_signing_out_everywhere_ends_the_refresh_token(self, ports: Ports) -> None:
        tokens = await tokens_of(ports, await signed_up(ports))
        await ports.sign_ins.revoke_all(tokens.access_token)
        with pytest.raises(RefreshRefused):
            await ports.sign_ins.refresh(tokens.refresh_token)

    async def test_a_temporary_password_leads_to_a_challenge_and_on_to_tokens(
        self, ports: Ports, aws: Aws, pool: Pool
    ) -> None:
        await aws.cognito.admin_create_user(
            UserPoolId=pool.pool_id,
            Username="invited@example.com",
            TemporaryPassword=PASSWORD,
            MessageAction="SUPPRESS",
        )
        asked = await ports.sign_ins.sign_in("invited@example.com", PASSWORD)
        assert isinstance(asked, Challenge)
        assert asked.kind is ChallengeKind.NEW_PASSWORD_REQUIRED
        answer = ChallengeAnswer(asked.kind, asked.session, asked.username, "weak")
        with pytest.raises(WeakPassword):
            await ports.sign_ins.answer(answer)
        done = await ports.sign_ins.answer(ChallengeAnswer(asked.kind, asked.session, asked.username, ANOTHER))
        assert isinstance(done, TokenSet)
        with pytest.raises(InvalidCredentials):  # a session is good once
            await ports.sign_ins.answer(ChallengeAnswer(asked.kind, asked.session, asked.username, ANOTHER))
        assert await tokens_of(ports, "invited@example.com", ANOTHER)

    async def test_the_password_is_changed_by_who_knows_it(self, ports: Ports) -> None:
        address = await signed_up(ports)
        token = (await tokens_of(ports, address)).access_token
        with pytest.raises(WrongPassword):
            await ports.credentials.change_password(token, ANOTHER, ANOTHER)
        with pytest.raises(WeakPassword):
            await ports.credentials.change_password(token, PASSWORD, "weak")
        await ports.credentials.change_password(token, PASSWORD, ANOTHER)
        assert await tokens_of(ports, address, ANOTHER)

    async def test_a_forgotten_password_is_replaced_by_a_code(self, ports: Ports) -> None:
        address = await signed_up(ports)
        await ports.credentials.request_reset(address)
        await ports.credentials.request_reset("nobody@example.com")
        with pytest.raises(InvalidCode):
            await ports.credentials.confirm_reset(address, "moto-confirmation-code:0", ANOTHER)
        with pytest.raises(InvalidCode):
            await ports.credentials.confirm_reset("nobody@example.com", CODE, ANOTHER)
        await ports.credentials.confirm_reset(address, CODE, ANOTHER)
        assert await tokens_of(ports, address, ANOTHER)

    async def test_an_address_is_changed_but_never_to_somebody_elses(self, ports: Ports, aws: Aws, pool: Pool) -> None:
        address, of_another = await signed_up(ports), await signed_up(ports)
        token = (await tokens_of(ports, address)).access_token
        assert await ports.credentials.change_address(token, of_another)  # as if a code was on its way
        assert await tokens_of(ports, address)
        moved = f"moved-{address}"
        with pytest.raises(AddressTaken):
            await ports.credentials.confirm_address(token, CODE)
        assert await ports.credentials.change_address(token, moved)
        assert await tokens_of(ports, address)
        await ports.credentials.confirm_address(token, CODE)
        assert await tokens_of(ports, moved)
        with pytest.raises(InvalidCode):
            await ports.credentials.confirm_address(token, CODE)

    async def test_what_it_does_not_offer_is_said_plainly(self, ports: Ports) -> None:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: ports.sign_ups.resend("a@example.com"),
            lambda: ports.sign_ins.revoke("refresh"),
            lambda: ports.sign_ins.sign_in_with_passkey("a@example.com"),
            lambda: ports.passkeys.begin(TOKEN),
            lambda: ports.passkeys.complete(TOKEN, "{}"),
            lambda: ports.passkeys.all(TOKEN),
            lambda: ports.passkeys.delete(TOKEN, "key"),
        ]
        for call in calls:
            with pytest.raises(NotSupported):
                await call()

    async def test_a_token_that_is_not_the_pools_is_refused(self, ports: Ports) -> None:
        with pytest.raises(InvalidToken):
            await ports.sign_ins.revoke_all(TOKEN)
        with pytest.raises(InvalidToken):
            await ports.credentials.change_address(TOKEN, "a@example.com")
        with pytest.raises(InvalidToken):
            await ports.credentials.confirm_address(TOKEN, CODE)

    async def test_the_roll_has_every_user_who_confirmed_page_by_page(
        self, ports: Ports, aws: Aws, settings: Settings
    ) -> None:
        pool = await ensure_pool(aws, f"{settings.dynamodb_table_prefix}roll-tests")
        of_roll = Ports(aws, pool)
        await of_roll.sign_ups.sign_up("never-confirmed@example.com", PASSWORD)
        confirmed = {await signed_up(of_roll) for _ in range(PAGE + 5)}
        pages = [page async for page in CognitoRoll(aws, pool.pool_id).pages()]
        assert len(pages) == 2
        assert {user.email for page in pages for user in page} == confirmed
        assert all(user.email_verified for page in pages for user in page)

    async def test_a_client_can_write_attributes_here_so_none_of_them_is_looked_at(
        self, ports: Ports, aws: Aws, pool: Pool
    ) -> None:
        """Cognito refuses it (WriteAttributes of the app client); whoever trusts the attribute trusts the emulator's clients."""
        await ensure_user(aws, pool, "climber@example.com", PASSWORD, "buyer")
        token = (await tokens_of(ports, "climber@example.com")).access_token
        wanted = [{"Name": "custom:user_type", "Value": "admin"}, {"Name": "custom:seller_id", "Value": "1"}]
        await aws.cognito.update_user_attributes(AccessToken=token, UserAttributes=wanted)
        claims = jwt.get_unverified_claims((await tokens_of(ports, "climber@example.com")).access_token)
        assert claims["cognito:groups"] == ["buyer"]
        assert not [name for name in claims if name.startswith("custom:")]


Call = Callable[[Ports], Awaitable[object]]
ANSWER = ChallengeAnswer(ChallengeKind.SOFTWARE_TOKEN_MFA, "session-of-20-characters", "name", "123456")
CALLS: dict[str, tuple[str, Call]] = {
    "sign_up": ("sign_up", lambda ports: ports.sign_ups.sign_up(MAIL, PASSWORD)),
    "confirm": ("confirm_sign_up", lambda ports: ports.sign_ups.confirm(MAIL, CODE)),
    "resend": ("resend_confirmation_code", lambda ports: ports.sign_ups.resend(MAIL)),
    "sign_in": ("initiate_auth", lambda ports: ports.sign_ins.sign_in(MAIL, PASSWORD)),
    "passkey sign_in": ("initiate_auth", lambda ports: ports.sign_ins.sign_in_with_passkey(MAIL)),
    "answer": ("respond_to_auth_challenge", lambda ports: ports.sign_ins.answer(ANSWER)),
    "refresh": ("initiate_auth", lambda ports: ports.sign_ins.refresh(TOKEN)),
    "revoke": ("revoke_token", lambda ports: ports.sign_ins.revoke(TOKEN)),
    "revoke_all": ("global_sign_out", lambda ports: ports.sign_ins.revoke_all(TOKEN)),
    "change_password": ("change_password", lambda ports: ports.credentials.change_password(TOKEN, PASSWORD, ANOTHER)),
    "request_reset": ("forgot_password", lambda ports: ports.credentials.request_reset(MAIL)),
    "confirm_reset": ("confirm_forgot_password", lambda ports: ports.credentials.confirm_reset(MAIL, CODE, PASSWORD)),
    "change_address": ("update_user_attributes", lambda ports: ports.credentials.change_address(TOKEN, MAIL)),
    "confirm_address": ("verify_user_attribute", lambda ports: ports.credentials.confirm_address(TOKEN, CODE)),
    "begin passkey": ("start_web_authn_registration", lambda ports: ports.passkeys.begin(TOKEN)),
    "complete passkey": ("complete_web_authn_registration", lambda ports: ports.passkeys.complete(TOKEN, "{}")),
    "passkeys": ("list_web_authn_credentials", lambda ports: ports.passkeys.all(TOKEN)),
    "delete passkey": ("delete_web_authn_credential", lambda ports: ports.passkeys.delete(TOKEN, "key")),
}
"""Each of our calls, and Cognito's operation behind it."""

MEANINGS: list[tuple[str, str, type[Exception] | None]] = [
    ("sign_up", "UsernameExistsException", None),
    ("sign_up", "InvalidPasswordException", WeakPassword),
    ("sign_up", "InvalidParameterException", InvalidInput),
    ("sign_up", "UserLambdaValidationException", Refusal),
    ("sign_up", "CodeDeliveryFailureException", Unavailable),
    ("confirm", "CodeMismatchException", InvalidCode),
    ("confirm", "ExpiredCodeException", InvalidCode),
    ("confirm", "UserNotFoundException", InvalidCode),
    ("confirm", "NotAuthorizedException", InvalidCode),
    ("confirm", "AliasExistsException", InvalidCode),
    ("confirm", "TooManyFailedAttemptsException", TooManyAttempts),
    ("resend", "UserNotFoundException", None),
    ("resend", "InvalidParameterException", None),
    ("resend", "LimitExceededException", TooManyAttempts),
    ("sign_in", "NotAuthorizedException", InvalidCredentials),
    ("sign_in", "UserNotFoundException", InvalidCredentials),
    ("sign_in", "UserNotConfirmedException", InvalidCredentials),
    ("sign_in", "PasswordResetRequiredException", InvalidCredentials),
    ("passkey sign_in", "InvalidParameterException", NotSupported),
    ("answer", "CodeMismatchException", InvalidCode),
    ("answer", "NotAuthorizedException", InvalidCredentials),
    ("refresh", "NotAuthorizedException", RefreshRefused),
    ("refresh", "InvalidParameterException", RefreshRefused),
    ("revoke", "UnsupportedOperationException", NotSupported),
    ("revoke", "UnauthorizedException", InvalidToken),
    ("change_password", "NotAuthorizedException", WrongPassword),
    ("change_password", "PasswordHistoryPolicyViolationException", WeakPassword),
    ("change_password", "LimitExceededException", TooManyAttempts),
    ("request_reset", "UserNotFoundException", None),
    ("request_reset", "InvalidParameterException", None),
    ("request_reset", "LimitExceededException", TooManyAttempts),
    ("confirm_reset", "CodeMismatchException", InvalidCode),
    ("confirm_reset", "ExpiredCodeException", InvalidCode),
    ("confirm_reset", "UserNotFoundException", InvalidCode),
    ("confirm_address", "CodeMismatchException", InvalidCode),
    ("confirm_address", "ExpiredCodeException", CodeExpired),
    ("confirm_address", "AliasExistsException", AddressTaken),
    ("begin passkey", "WebAuthnNotEnabledException", NotSupported),
    ("begin passkey", "WebAuthnConfigurationMissingException", NotSupported),
    ("complete passkey", "WebAuthnChallengeNotFoundException", PasskeyNotBegun),
    ("complete passkey", "WebAuthnOriginNotAllowedException", PasskeyOfAnotherSite),
    ("complete passkey", "WebAuthnRelyingPartyMismatchException", PasskeyOfAnotherSite),
    ("complete passkey", "WebAuthnClientMismatchException", PasskeyOfAnotherSite),
    ("complete passkey", "WebAuthnCredentialNotSupportedException", PasskeyRefused),
    ("delete passkey", "ResourceNotFoundException", PasskeyNotFound),
]


class TestByTheServiceModel:
    @pytest.mark.parametrize(
        ("name", "code", "meaning"), MEANINGS, ids=lambda value: str(getattr(value, "__name__", value))
    )
    async def test_an_error_of_the_pool_means(
        self, aws: Aws, ports: Ports, name: str, code: str, meaning: type[Exception] | None
    ) -> None:
        operation, call = CALLS[name]
        declared = {each.name for each in self.model(aws, operation).error_shapes}
        assert code in declared, f"{operation} of the service model has no {code}"
        with answering(aws) as stub:
            stub.add_client_error(operation, code, f"{MAIL} {TOKEN} {PASSWORD}", http_status_code=400)
            if meaning is None:
                await call(ports)
            else:
                with pytest.raises(meaning):
                    await call(ports)

    @pytest.mark.parametrize("name", CALLS)
    @pytest.mark.parametrize(
        "code", ["TooManyRequestsException", "InternalErrorException", "NobodyHasHeardOfException"]
    )
    async def test_nothing_of_what_the_pool_says_is_repeated(
        self, aws: Aws, ports: Ports, name: str, code: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        operation, call = CALLS[name]
        meaning = {
            "TooManyRequestsException": TooManyAttempts,
            "InternalErrorException": Unavailable,
            "NobodyHasHeardOfException": PoolFault,
        }[code]
        with caplog.at_level(logging.DEBUG, "torii"), answering(aws) as stub:
            stub.add_client_error(operation, code, f"{MAIL} {TOKEN} {PASSWORD} {CODE}", http_status_code=400)
            with pytest.raises(meaning) as raised:
                await call(ports)
        told = "".join(traceback.format_exception(raised.value)) + caplog.text
        assert [each for each in (MAIL, TOKEN, PASSWORD, CODE) if each in told] == []
        assert not isinstance(raised.value, TooManyAttempts) or raised.value.retryable

    async def test_a_passkey_is_registered_listed_and_deleted(self, aws: Aws, ports: Ports) -> None:
        options = {"challenge": "b64", "rp": {"id": "shop.example.com"}, "pubKeyCredParams": [{"alg": -7}]}
        made = {"id": "key-1", "type": "public-key", "response": {"attestationObject": "b64", "clientDataJSON": "b64"}}
        at = datetime(2026, 11, 21, tzinfo=UTC)
        entry = {
            "CredentialId": "key-1",
            "FriendlyCredentialName": "iCloud キーチェーン",
            "RelyingPartyId": "shop.example.com",
            "AuthenticatorTransports": ["internal"],
            "CreatedAt": at,
        }
        of_token = {"AccessToken": TOKEN}
        with answering(aws) as stub:
            stub.add_response("start_web_authn_registration", {"CredentialCreationOptions": options}, of_token)
            stub.add_response("complete_web_authn_registration", {}, of_token | {"Credential": made})
            stub.add_response("list_web_authn_credentials", {"Credentials": [entry]}, of_token | {"MaxResults": 20})
            stub.add_response("delete_web_authn_credential", {}, of_token | {"CredentialId": "key-1"})
            assert json.loads(await ports.passkeys.begin(TOKEN)) == options
            await ports.passkeys.complete(TOKEN, json.dumps(made))
            assert await ports.passkeys.all(TOKEN) == [Passkey("key-1", "iCloud キーチェーン", "shop.example.com", at)]
            await ports.passkeys.delete(TOKEN, "key-1")

    async def test_a_sign_in_by_passkey_asks_the_browser_and_takes_its_answer(
        self, aws: Aws, ports: Ports, pool: Pool
    ) -> None:
        session = "a-session-of-the-pool"
        begun = {
            "ChallengeName": "WEB_AUTHN",
            "Session": session,
            "ChallengeParameters": {"CREDENTIAL_REQUEST_OPTIONS": '{"challenge":"b64"}', "USERNAME": "sub-1"},
        }
        done = {"AuthenticationResult": {"AccessToken": "access", "RefreshToken": "refresh", "ExpiresIn": 3600}}
        with answering(aws) as stub:
            stub.add_response(
                "initiate_auth",
                begun,
                {
                    "ClientId": pool.client_id,
                    "AuthFlow": "USER_AUTH",
                    "AuthParameters": {"USERNAME": MAIL, "PREFERRED_CHALLENGE": "WEB_AUTHN"},
                },
            )
            stub.add_response(
                "respond_to_auth_challenge",
                done,
                {
                    "ClientId": pool.client_id,
                    "ChallengeName": "WEB_AUTHN",
                    "Session": session,
                    "ChallengeResponses": {"USERNAME": "sub-1", "CREDENTIAL": '{"id":"key-1"}'},
                },
            )
            asked = await ports.sign_ins.sign_in_with_passkey(MAIL)
            assert asked == Challenge(ChallengeKind.WEB_AUTHN, session, "sub-1", '{"challenge":"b64"}')
            answer = ChallengeAnswer(asked.kind, asked.session, asked.username, '{"id":"key-1"}')
            assert await ports.sign_ins.answer(answer) == TokenSet("access", "refresh", 3600)

    async def test_who_has_no_passkey_is_refused_like_who_is_not_known(self, aws: Aws, ports: Ports) -> None:
        offered = {
            "ChallengeName": "SELECT_CHALLENGE",
            "Session": "a-session-of-the-pool",
            "AvailableChallenges": ["PASSWORD"],
        }
        with answering(aws) as stub:
            stub.add_response("initiate_auth", offered)
            with pytest.raises(InvalidCredentials):
                await ports.sign_ins.sign_in_with_passkey(MAIL)

    async def test_a_step_that_we_have_no_answer_to_is_not_supported(self, aws: Aws, ports: Ports) -> None:
        asked = {"ChallengeName": "DEVICE_SRP_AUTH", "Session": "a-session-of-the-pool", "ChallengeParameters": {}}
        with answering(aws) as stub:
            stub.add_response("initiate_auth", asked)
            with pytest.raises(NotSupported):
                await ports.sign_ins.sign_in(MAIL, PASSWORD)

    async def test_a_rotated_refresh_token_replaces_the_one_that_was_sent(self, aws: Aws, ports: Ports) -> None:
        renewed = {"AuthenticationResult": {"AccessToken": "access", "RefreshToken": "next", "ExpiresIn": 3600}}
        with answering(aws) as stub:
            stub.add_response("initiate_auth", renewed)
            assert (await ports.sign_ins.refresh(TOKEN)).refresh_token == "next"

    async def test_a_code_for_the_next_address_is_waited_for(self, aws: Aws, ports: Ports) -> None:
        sent = {"Destination": "s***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
        with answering(aws) as stub:
            stub.add_response("update_user_attributes", {"CodeDeliveryDetailsList": [sent]})
            stub.add_response(
                "verify_user_attribute", {}, {"AccessToken": TOKEN, "AttributeName": "email", "Code": CODE}
            )
            assert await ports.credentials.change_address(TOKEN, MAIL)
            await ports.credentials.confirm_address(TOKEN, CODE)

    async def test_signing_out_takes_the_refresh_token_back(self, aws: Aws, ports: Ports, pool: Pool) -> None:
        with answering(aws) as stub:
            stub.add_response("revoke_token", {}, {"ClientId": pool.client_id, "Token": "refresh"})
            await ports.sign_ins.revoke("refresh")

    @staticmethod
    def model(aws: Aws, operation: str) -> Any:
        service = aws.cognito.meta.service_model
        return service.operation_model(aws.cognito.meta.method_to_api_mapping[operation])
