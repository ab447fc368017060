"""Starting our Stripe sandbox and waiting until it answers."""

import asyncio
import http.client
from pathlib import Path
from urllib.parse import urlencode

from infra.embedded.data_dir import DataDir
from infra.embedded.ports import LOOPBACK
from infra.embedded.process import Part, Program, python, spawn
from infra.embedded.readiness import until_ready

ROOT = Path(__file__).parents[2]
CALL_TIMEOUT_S = 5.0


class Stripe:
    """`secret_key` is let in, as a `sk_test_…`; `webhook_secret` signs what the gateway is told."""

    name = "stripe"

    def __init__(self, data_dir: DataDir, port: int, secret_key: str, webhook_secret: str) -> None:
        self._data_dir = data_dir
        self._folder = data_dir.path / "stripe"
        self._port = port
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def spawn(self) -> Part:
        command = python("-m", "infra.sandbox.stripe.server", str(self._port), str(self._folder))
        environment = {"TORII_STRIPE_SECRET_KEY": self._secret_key}
        program = Program(self.name, command, environment=environment, folder=ROOT)
        return spawn(program, self._data_dir.log, self._data_dir.run)

    async def ready(self, part: Part) -> None:
        """Wait until it gives the balance. Raises PartDied or PartNotReady."""

        async def answers() -> bool:
            return await asyncio.to_thread(self._call, "GET", "/v1/balance") == 200

        await until_ready(part, answers, not_yet=(OSError, http.client.HTTPException), within_s=60)

    async def send_events_to(self, part: Part, url: str) -> None:
        """From now on the gateway hears of what happens, there. Raises PartDied or PartNotReady."""
        form = {"url": url, "secret": self._webhook_secret}

        async def takes_it() -> bool:
            return await asyncio.to_thread(self._call, "POST", "/_sandbox/gateway", form) == 200

        await until_ready(part, takes_it, not_yet=(OSError, http.client.HTTPException), within_s=10)

    def _call(self, method: str, path: str, form: dict[str, str] | None = None) -> int:
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=CALL_TIMEOUT_S)
        headers = {
            "Authorization": f"Bearer {self._secret_key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            connection.request(method, path, urlencode(form) if form else None, headers)
            return connection.getresponse().status
        finally:
            connection.close()
