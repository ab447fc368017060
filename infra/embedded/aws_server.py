"""Starting the AWS emulator's process and waiting until it answers."""

import asyncio
import http.client
from collections.abc import Mapping
from pathlib import Path

from infra.embedded.data_dir import DataDir
from infra.embedded.ports import LOOPBACK
from infra.embedded.process import Part, Program, python, spawn
from infra.embedded.readiness import until_ready

MANIFEST = "manifest.json"
"""Of aws_state, which is slow to import."""
ROOT = Path(__file__).parents[2]
LIST_TABLES: Mapping[str, str] = {
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    "Content-Type": "application/x-amz-json-1.0",
    "Authorization": "AWS4-HMAC-SHA256 Credential=ready/20260101/ap-northeast-1/dynamodb/aws4_request",
}


class Aws:
    name = "aws"

    def __init__(self, data_dir: DataDir, port: int) -> None:
        self._data_dir = data_dir
        self._folder = data_dir.path / "aws"
        self._port = port

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def is_empty(self) -> bool:
        """Whether it has started from nothing: the first time, or because what it had saved could not be read."""
        return not (self._folder / MANIFEST).exists()

    def spawn(self) -> Part:
        command = python("-m", "infra.embedded.aws", str(self._port), str(self._folder))
        # a profile or region of the developer's own must not reach the emulator
        environment = {"AWS_PROFILE": None, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
        program = Program(self.name, command, stop_timeout_s=30, environment=environment, folder=ROOT)
        return spawn(program, self._data_dir.log, self._data_dir.run)

    async def ready(self, part: Part) -> None:
        """Wait until it answers a DynamoDB call. Raises PartDied or PartNotReady."""

        async def answers() -> bool:
            return await asyncio.to_thread(lists_tables, self._port)

        await until_ready(part, answers, not_yet=(OSError, http.client.HTTPException), within_s=60)


def lists_tables(port: int) -> bool:
    """Whether a DynamoDB on that port answers a call. Raises OSError, HTTPException."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("POST", "/", "{}", dict(LIST_TABLES))
        return connection.getresponse().status == 200
    finally:
        connection.close()
