"""The embedded back ends: what they keep, who may do what, and what they refuse."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import psutil
import pytest

from infra.embedded.aws_server import Aws
from infra.embedded.credentials import Credentials
from infra.embedded.data_dir import DataDir, is_held
from infra.embedded.launch import NOBODY
from infra.embedded.postgres import Postgres
from infra.embedded.process import RunAs
from infra.embedded.refusals import DataDirBroken, DataDirUnusable
from infra.embedded.stack import Stack
from tests.infra.running import free_port, until

REGION = "ap-northeast-1"


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[Stack]:
    stack = Stack(data_dir, throwaway=True)
    stack.claim()
    await stack.start_servers()
    try:
        yield stack
    finally:
        await stack.stop_servers()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def aws(url: str, service: str) -> Any:
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)


async def test_a_restart_keeps_rows_items_objects_and_users(tmp_path: Path) -> None:
    async with running(tmp_path) as stack:
        before = stack.environment
        async with connected(before["TORII_DATABASE_OWNER_URL"]) as owner:
            await owner.execute("CREATE TABLE public.kept (name text); INSERT INTO public.kept VALUES ('茶碗')")
        client, pool, sub = _sign_up(before["TORII_AWS_ENDPOINT_URL"])
        _make_table(before["TORII_AWS_ENDPOINT_URL"])
        s3 = aws(before["TORII_AWS_ENDPOINT_URL"], "s3")
        s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket="models", Key="model", Body=b"weights")

    async with running(tmp_path) as stack:
        assert stack.environment == before
        async with connected(before["TORII_DATABASE_OWNER_URL"]) as owner:
            assert await owner.fetchval("SELECT name FROM public.kept") == "茶碗"
        url = before["TORII_AWS_ENDPOINT_URL"]
        assert _item(url) == {"pk": {"S": "buyer"}}
        assert aws(url, "s3").get_object(Bucket="models", Key="model")["Body"].read() == b"weights"
        assert _sub(url, pool) == sub
        assert _token(url, client)


async def test_roles_own_nothing_and_only_the_owner_may_silence_triggers(corner: dict[str, str]) -> None:
    async with connected(corner["TORII_DATABASE_OWNER_URL"]) as owner:
        await owner.execute("SET session_replication_role = replica")
    for role in ("TORII_DATABASE_URL", "TORII_DATABASE_WORKER_URL"):
        async with connected(corner[role]) as connection:
            for forbidden in (
                "CREATE TABLE public.mine ()",
                "CREATE SCHEMA mine",
                "SET session_replication_role = replica",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(forbidden)
            powers = "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
            assert await connection.fetchval(powers) is False


class TestEmulatorState:
    """The AWS emulator alone: starting it takes a second, its neighbours are not needed."""

    async def test_killed_outright_it_still_has_what_it_saved(self, tmp_path: Path, data_dir: DataDir) -> None:
        emulator = Aws(data_dir, free_port())
        part = emulator.spawn()
        await emulator.ready(part)
        _make_table(emulator.url)
        until((tmp_path / "aws" / "manifest.json").exists, "the state was saved")
        part.kill()

        part = emulator.spawn()
        await emulator.ready(part)
        assert _item(emulator.url) == {"pk": {"S": "buyer"}}
        await part.stop()

        torn = tear_a_file(tmp_path / "aws")
        part = emulator.spawn()
        await emulator.ready(part)
        assert aws(emulator.url, "dynamodb").list_tables()["TableNames"] == []
        (said,) = part.last_lines()
        assert "the saved AWS state cannot be read" in said
        assert set_aside(tmp_path, torn.name)
        await part.stop()


class TestRefusals:
    async def test_a_folder_that_is_not_whole(self, tmp_path: Path) -> None:
        (tmp_path / "postgres").mkdir()
        with pytest.raises(
            DataDirBroken, match="postgres is not a whole PostgreSQL folder: move it away to start anew"
        ):
            async with running(tmp_path):
                pass
        assert not is_held(tmp_path)

    async def test_an_interrupted_first_start_is_made_anew(self, tmp_path: Path, data_dir: DataDir) -> None:
        half = tmp_path / "postgres.new"
        half.mkdir()
        (half / "PG_VERSION").write_text("18")
        postgres = Postgres(data_dir, free_port(), Credentials.random(), throwaway=True)
        await postgres.prepare()
        assert not half.exists()
        assert (tmp_path / "postgres" / "postgresql.conf").exists()

    def test_lost_passwords(self, tmp_path: Path) -> None:
        (tmp_path / "secrets.json").write_text('{"valkey": ')
        with pytest.raises(DataDirBroken, match=r"secrets\.json cannot be read"):
            Stack(tmp_path).claim()
        assert not is_held(tmp_path)

    def test_a_read_only_folder(self, tmp_path: Path) -> None:
        # even root cannot make a folder there
        with pytest.raises(DataDirUnusable, match="cannot keep data in /sys/torii: "):
            Stack(Path("/sys/torii")).claim()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")
async def test_as_root_without_user_namespaces_postgres_is_nobody(tmp_path: Path, data_dir: DataDir) -> None:
    open_to_nobody(tmp_path)
    postgres = Postgres(data_dir, free_port(), Credentials.random(), throwaway=True)
    await postgres.prepare(RunAs.NOBODY)
    part = postgres.spawn()
    await postgres.ready(part)
    assert psutil.Process(part.pid).uids().real == NOBODY
    await part.stop()


def test_credentials_are_for_us_alone_and_stay(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = Credentials.load_or_make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Credentials.load_or_make(file) == made
    assert len(set(json.loads(file.read_text()).values())) == 10


def test_a_folder_of_an_earlier_release_gets_the_credentials_that_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    made = Credentials.load_or_make(file)
    of_before = {name: value for name, value in json.loads(file.read_text()).items() if not name.startswith("stripe")}
    file.write_text(json.dumps(of_before))
    found = Credentials.load_or_make(file)
    assert found.postgres_app == made.postgres_app
    assert found.stripe_secret_key.startswith("sk_test_")
    assert Credentials.load_or_make(file) == found


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[DataDir]:
    """A folder that this test has taken."""
    taken = DataDir(tmp_path)
    taken.acquire()
    yield taken
    taken.release()


def tear_a_file(folder: Path) -> Path:
    torn = next(folder.glob("*.pickle"))
    torn.write_bytes(torn.read_bytes()[:40])
    return torn


def set_aside(data_dir: Path, name: str) -> bool:
    return any(data_dir.glob(f"aws-unreadable-*/{name}"))


def open_to_nobody(folder: Path) -> None:
    """pytest keeps its folders to the user who runs it."""
    for step in (folder, *folder.parents):
        if step.stat().st_mode & 0o001 == 0:
            step.chmod(step.stat().st_mode | 0o011)


def _make_table(url: str) -> None:
    dynamodb = aws(url, "dynamodb")
    dynamodb.create_table(
        TableName="carts",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName="carts", Item={"pk": {"S": "buyer"}})


def _item(url: str) -> Any:
    return aws(url, "dynamodb").get_item(TableName="carts", Key={"pk": {"S": "buyer"}})["Item"]


def _sign_up(url: str) -> tuple[str, str, str]:
    cognito = aws(url, "cognito-idp")
    pool = cognito.create_user_pool(PoolName="torii")["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
    cognito.admin_create_user(UserPoolId=pool, Username="buyer@example.com")
    cognito.admin_set_user_password(UserPoolId=pool, Username="buyer@example.com", Password="Passw0rd!", Permanent=True)
    return client["UserPoolClient"]["ClientId"], pool, _sub(url, pool)


def _sub(url: str, pool: str) -> str:
    user = aws(url, "cognito-idp").admin_get_user(UserPoolId=pool, Username="buyer@example.com")
    return next(attribute["Value"] for attribute in user["UserAttributes"] if attribute["Name"] == "sub")


def _token(url: str, client: str) -> str:
    parameters = {"USERNAME": "buyer@example.com", "PASSWORD": "Passw0rd!"}
    signed_in = aws(url, "cognito-idp").initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
    )
    token: str = signed_in["AuthenticationResult"]["AccessToken"]
    return token
