"""The user pool of the embedded default, made on demand. Production's pool comes from its cloud stack."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from adapters.aws.clients import COGNITO, Aws, error_code
from domain.shared.refusals import Refusal, Unavailable

CLIENT_NAME = "torii"
GROUPS = ("buyer", "seller", "admin")
DEMO_PASSWORD = "Torii-demo-1"
"""Of the embedded pool's demo accounts only, and no secret: README shows it. Production's pool has none of them."""
DEMO_ACCOUNTS = {"buyer@example.com": "buyer", "seller@example.com": "seller", "admin@example.com": "admin"}
"""Address -> group."""

POOL_SETTINGS: dict[str, Any] = {
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 8,
            "RequireUppercase": False,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
        }
    },
    "UsernameAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "AutoVerifiedAttributes": ["email"],
    # A new address counts only once its owner confirmed it: else one could take another person's.
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["email"]},
    "Schema": [
        {"Name": "email", "AttributeDataType": "String", "Required": True, "Mutable": True},
        {"Name": "user_type", "AttributeDataType": "String", "Mutable": True},
        {"Name": "seller_id", "AttributeDataType": "String", "Mutable": True},
    ],
}
CLIENT_SETTINGS: dict[str, Any] = {
    "GenerateSecret": False,
    "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    "AccessTokenValidity": 1,
    "IdTokenValidity": 1,
    "RefreshTokenValidity": 30,
    "TokenValidityUnits": {"AccessToken": "hours", "IdToken": "hours", "RefreshToken": "days"},
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": True,
    "ReadAttributes": ["email", "email_verified", "custom:user_type", "custom:seller_id"],
    # Without the custom ones, so that no client writes them. moto lets it all the same: they are never trusted.
    "WriteAttributes": ["email"],
}


@dataclass(frozen=True, slots=True)
class Pool:
    """A user pool and the app client whose tokens the gateway accepts."""

    pool_id: str
    client_id: str


class SignInRefused(Refusal):
    """The pool gives no token for this address and password."""

    code = "UNAUTHENTICATED"

    def __init__(self, why: str) -> None:
        super().__init__(f"the user pool refuses to sign this account in: {why}")


async def find_pool(aws: Aws, name: str) -> Pool | None:
    """The pool of this name, if it is there with its app client and all groups. Raises Unavailable."""
    pools = await _listed(aws, "list_user_pools", "UserPools", MaxResults=60)
    pool_id = _named(pools, "Name", name, "Id")
    if pool_id is None:
        return None
    clients = await _listed(aws, "list_user_pool_clients", "UserPoolClients", UserPoolId=pool_id, MaxResults=60)
    client_id = _named(clients, "ClientName", CLIENT_NAME, "ClientId")
    groups = {each["GroupName"] for each in await _listed(aws, "list_groups", "Groups", UserPoolId=pool_id)}
    return Pool(pool_id, client_id) if client_id is not None and groups >= set(GROUPS) else None


async def ensure_pool(aws: Aws, name: str) -> Pool:
    """The pool of this name with its app client and groups; what is missing is made, what is there stays as it is.

    One process at a time (composition/wiring.py sees to that): Cognito would make two pools of one name. Raises Unavailable.
    """
    pools = await _listed(aws, "list_user_pools", "UserPools", MaxResults=60)
    pool_id = _named(pools, "Name", name, "Id") or await _create_pool(aws, name)
    clients = await _listed(aws, "list_user_pool_clients", "UserPoolClients", UserPoolId=pool_id, MaxResults=60)
    client_id = _named(clients, "ClientName", CLIENT_NAME, "ClientId") or await _create_client(aws, pool_id)
    groups = {each["GroupName"] for each in await _listed(aws, "list_groups", "Groups", UserPoolId=pool_id)}
    for group in GROUPS:
        if group not in groups:
            async with aws.calling(COGNITO):
                await aws.cognito.create_group(UserPoolId=pool_id, GroupName=group)
    return Pool(pool_id, client_id)


async def ensure_user(aws: Aws, pool: Pool, email: str, password: str, group: str) -> str:
    """The `sub` of a confirmed user in a group. One who is there already keeps the password. Raises Unavailable."""
    user = await _user(aws, pool, email)
    if user is None:
        attributes = {"email": email, "email_verified": "true", "custom:user_type": group}
        async with aws.calling(COGNITO):
            await aws.cognito.admin_create_user(
                UserPoolId=pool.pool_id,
                Username=email,
                UserAttributes=[{"Name": each, "Value": value} for each, value in attributes.items()],
                MessageAction="SUPPRESS",
            )
        user = await _existing_user(aws, pool, email)
    if user["UserStatus"] != "CONFIRMED":  # new, or left half made by a start that was interrupted
        async with aws.calling(COGNITO):
            await aws.cognito.admin_set_user_password(
                UserPoolId=pool.pool_id, Username=email, Password=password, Permanent=True
            )
    async with aws.calling(COGNITO):
        await aws.cognito.admin_add_user_to_group(UserPoolId=pool.pool_id, Username=email, GroupName=group)
    return next(str(each["Value"]) for each in user["UserAttributes"] if each["Name"] == "sub")


async def access_token(aws: Aws, pool: Pool, email: str, password: str) -> str:
    """Sign a user in with the rights of an operator, for `torii token`. Raises SignInRefused, Unavailable."""
    try:
        async with aws.calling(COGNITO):
            answer = await aws.cognito.admin_initiate_auth(
                UserPoolId=pool.pool_id,
                ClientId=pool.client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
    except ClientError as error:
        if error_code(error) in ("NotAuthorizedException", "UserNotFoundException"):
            raise SignInRefused("wrong address or password") from error
        if error_code(error) in ("UserNotConfirmedException", "PasswordResetRequiredException"):
            raise SignInRefused(error_code(error)) from error
        raise
    if "AuthenticationResult" not in answer:
        raise SignInRefused(f"it asks for {answer.get('ChallengeName')} first")
    return str(answer["AuthenticationResult"]["AccessToken"])


async def _create_pool(aws: Aws, name: str) -> str:
    async with aws.calling(COGNITO):
        made = await aws.cognito.create_user_pool(PoolName=name, **POOL_SETTINGS)
    return str(made["UserPool"]["Id"])


async def _create_client(aws: Aws, pool_id: str) -> str:
    async with aws.calling(COGNITO):
        made = await aws.cognito.create_user_pool_client(UserPoolId=pool_id, ClientName=CLIENT_NAME, **CLIENT_SETTINGS)
    return str(made["UserPoolClient"]["ClientId"])


async def _user(aws: Aws, pool: Pool, email: str) -> dict[str, Any] | None:
    try:
        return await _existing_user(aws, pool, email)
    except ClientError as error:
        if error_code(error) == "UserNotFoundException":
            return None
        raise


async def _existing_user(aws: Aws, pool: Pool, email: str) -> dict[str, Any]:
    async with aws.calling(COGNITO):
        user: dict[str, Any] = await aws.cognito.admin_get_user(UserPoolId=pool.pool_id, Username=email)
    return user


async def _listed(aws: Aws, operation: str, member: str, **arguments: Any) -> list[dict[str, Any]]:
    """All pages of a list operation."""
    entries: list[dict[str, Any]] = []
    pages = aws.cognito.get_paginator(operation).paginate(**arguments)
    async with aws.calling(COGNITO):
        async for page in pages:
            entries += page[member]
    return entries


def _named(entries: list[dict[str, Any]], member: str, name: str, wanted: str) -> str | None:
    return next((str(each[wanted]) for each in entries if each[member] == name), None)


async def check_pool(aws: Aws, pool_id: str) -> str:
    """The pool's name, which proves that it is there. Raises Unavailable, also for a pool that is not."""
    try:
        async with aws.calling(COGNITO):
            pool = await aws.cognito.describe_user_pool(UserPoolId=pool_id)
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            raise Unavailable(f"user pool {pool_id}") from error
        raise
    return f"pool {pool['UserPool']['Name']}"
