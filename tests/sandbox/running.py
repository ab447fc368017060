"""A Stripe sandbox of a test's own, as the process that `torii up` starts."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.infra.running import ROOT, free_port

KEY = "sk_test_0123456789abcdef"
PATIENCE_S = 90.0


@dataclass
class Sandbox:
    """One that runs. `post` and `get` speak to it as its account; a nested form is written `metadata[order_id]`."""

    url: str
    process: subprocess.Popen[bytes]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {KEY}"}, timeout=20, trust_env=False)

    def post(self, path: str, key: str | None = None, /, **form: Any) -> httpx.Response:
        headers = {"idempotency-key": key} if key else {}
        with self.client() as client:
            return client.post(path, data=form, headers=headers)

    def get(self, path: str, /, **query: Any) -> httpx.Response:
        with self.client() as client:
            return client.get(path, params=query)

    def delete(self, path: str) -> httpx.Response:
        with self.client() as client:
            return client.delete(path)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder: Path, port: int | None = None) -> Iterator[Sandbox]:
    """Started and answering; killed at the end."""
    port = port or free_port()
    command = [sys.executable, "-m", "infra.sandbox.stripe.server", str(port), str(folder)]
    with (folder.parent / f"{folder.name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "TORII_STRIPE_SECRET_KEY": KEY}, stdout=log, stderr=log
        )
    sandbox = Sandbox(f"http://127.0.0.1:{port}", process)
    try:
        wait_until_it_answers(sandbox)
        yield sandbox
    finally:
        sandbox.kill()


def wait_until_it_answers(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert sandbox.process.poll() is None, "the sandbox ended by itself"
        try:
            if sandbox.get("/v1/balance").status_code == 200:
                return
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the sandbox does not answer"
            time.sleep(0.01)
