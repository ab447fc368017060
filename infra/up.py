"""`torii up`: the embedded back ends, what prepares them, the gateway and a worker, kept running together until told to stop."""

import asyncio
import http.client
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from infra.backends import left_empty
from infra.embedded import ports, run_env
from infra.embedded.process import Part, Program, python, run, spawn, watch, while_running
from infra.embedded.readiness import until_ready
from infra.embedded.refusals import StartRefused
from infra.embedded.stack import PARTS as SERVERS
from infra.embedded.stack import Progress, Stack
from infra.hangup import told_of_hangup
from infra.standby import GO
from settings import STRIPE_WEBHOOKS, Settings

GATEWAY, WORKER = "gateway", "worker"
PARTS = (*SERVERS, GATEWAY, WORKER)
"""What `torii up` keeps running, by the names of its pid files."""

HURRIED_S = 2.0
SLOWEST_START_S = 60.0
NOT_FOR_GATEWAY = ("TORII_DATABASE_OWNER_URL", "TORII_DATABASE_WORKER_URL")
"""With these row-level security would protect nothing."""
NOT_FOR_WORKER = ("TORII_DATABASE_OWNER_URL",)
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Where we ask an address that means `all of them`."""


@dataclass(frozen=True, slots=True)
class Step:
    """A command that runs when the back ends answer, before the gateway serves.

    `once`: only until it has succeeded one time on this data folder. `does`: other such steps that it does along with its
    own. `is_needed`: asked before each start. `shows_progress`: it draws on the terminal itself.
    """

    name: str
    command: tuple[str, ...]
    once: bool = False
    does: tuple[str, ...] = ()
    is_needed: Callable[[], bool] = lambda: True
    shows_progress: bool = False


class Supervisor:
    """Starts everything, watches it, stops it. `ready` is called when the gateway answers."""

    def __init__(
        self,
        settings: Settings,
        steps: Sequence[Step],
        *,
        reload: bool = False,
        progress: Progress,
        ready: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._steps = steps
        self._reload = reload
        self._progress = progress
        self._ready = ready
        self._stack = Stack(settings.data_dir, progress=progress)
        self._gateway: Part | None = None
        self._worker: Part | None = None

    async def run(self) -> None:
        """Return after SIGINT or SIGTERM, or when the terminal closes. Everything is stopped then, on an error too.

        Raises what infra.embedded.refusals names.
        """
        self._claim()
        stop, hurry = asyncio.Event(), asyncio.Event()
        _listen(stop, hurry)
        with told_of_hangup(stop.set):
            work = asyncio.create_task(self._start_and_watch())
            asked = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                work.cancel()
                asked.cancel()
                await asyncio.wait({work})
                self._progress("stopping")
                await self._stop(hurry)
        if not work.cancelled():
            work.result()

    def _claim(self) -> None:
        # the folder before the port: claiming it ends an old gateway that may still be there
        self._stack.claim()
        try:
            ports.require_free(self._settings.host, self._settings.port)
        except StartRefused:
            self._stack.data_dir.release()
            raise

    async def _start_and_watch(self) -> None:
        environment = left_empty(self._settings, self._stack.environment)
        if not self._reload:  # its imports take longest, so they begin first
            self._gateway = self._spawn_gateway(environment, "infra.standby")
            # one that cannot even be imported is told at once
            await while_running([self._gateway], self._stack.start_servers())
        else:
            await self._stack.start_servers()
        await self._stack.send_events_to(self._webhook_url)
        run_env.write(self._stack.data_dir, environment)
        for step in self._steps:
            await while_running(self._stack.parts, self._take(step, environment))
        if self._gateway is None:
            self._gateway = self._spawn_gateway(environment, "cli", "serve", "--reload")
        self._gateway.tell(f"{GO}\n")
        await until_ready(self._gateway, self._is_healthy, (OSError, http.client.HTTPException), SLOWEST_START_S)
        self._ready()
        # only now: nobody waits for its jobs, and its imports would take their time from the gateway's
        self._worker = self._spawn_worker(environment)
        await watch([self._gateway, self._worker, *self._stack.parts])

    async def _take(self, step: Step, environment: dict[str, str]) -> None:
        folder = self._stack.data_dir
        if (step.once and (folder.done / step.name).exists()) or not await asyncio.to_thread(step.is_needed):
            return
        self._progress(step.name)
        program = Program(step.name, step.command, environment=environment, to_terminal=step.shows_progress)
        await run(program, folder.log, folder.run)
        if step.once:
            for name in (step.name, *step.does):
                (folder.done / name).touch()

    def _spawn_gateway(self, environment: dict[str, str], *module: str) -> Part:
        program = Program(
            GATEWAY,
            python("-m", *module),
            stop_timeout_s=self._settings.drain_s + self._settings.shutdown_grace_s + 5,
            environment=without(environment, NOT_FOR_GATEWAY),
            to_terminal=self._reload,  # someone is working on it and wants to see what it says
            wants_input=not self._reload,
        )
        return spawn(program, self._stack.data_dir.log, self._stack.data_dir.run)

    def _spawn_worker(self, environment: dict[str, str]) -> Part:
        program = Program(
            WORKER,
            python("-m", "cli", "worker"),
            stop_timeout_s=self._settings.shutdown_grace_s + 5,
            environment=without(environment, NOT_FOR_WORKER),
        )
        return spawn(program, self._stack.data_dir.log, self._stack.data_dir.run)

    @property
    def _webhook_url(self) -> str:
        host = REACHED_AT.get(self._settings.host, self._settings.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._settings.port}{STRIPE_WEBHOOKS}"

    async def _is_healthy(self) -> bool:
        host = REACHED_AT.get(self._settings.host, self._settings.host)
        return await asyncio.to_thread(answers_ok, host, self._settings.port, "/health")

    async def _stop(self, hurry: asyncio.Event) -> None:
        """The gateway and the worker first, with their grace, then what they used. Hurried, what is not done by then is killed."""
        ours = [part for part in (self._gateway, self._worker) if part is not None]
        await _stop_or_kill(_stop_all(ours), ours, hurry, hurried_s=0)
        self._stack.data_dir.run_env.unlink(missing_ok=True)
        await _stop_or_kill(self._stack.stop_servers(), list(self._stack.parts), hurry, HURRIED_S)


def without(environment: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The environment of a child that is not to have some of ours, nor of what we were given ourselves.

    Empty rather than left out: then they win over `run.env` and `.env`, which a child reads too.
    """
    return {**environment, **dict.fromkeys(names, "")}


async def _stop_all(parts: Sequence[Part]) -> None:
    await asyncio.gather(*(part.stop() for part in parts))


async def _stop_or_kill(
    stopping: Coroutine[None, None, None], parts: Sequence[Part], hurry: asyncio.Event, hurried_s: float
) -> None:
    stop, hurried = asyncio.create_task(stopping), asyncio.create_task(hurry.wait())
    await asyncio.wait({stop, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    await asyncio.wait({stop}, timeout=hurried_s)
    if not stop.done():
        for part in parts:
            part.kill()
    await stop


def _listen(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first signal asks to stop, the next one to hurry."""

    def asked() -> None:
        (hurry if stop.is_set() else stop).set()

    # a hang-up comes in several ways at once, none of which asks to hurry
    for name, heard in ((signal.SIGINT, asked), (signal.SIGTERM, asked), (signal.SIGHUP, stop.set)):
        if signal.getsignal(name) is not signal.SIG_IGN:  # under nohup the hang-up stays ignored
            asyncio.get_running_loop().add_signal_handler(name, heard)


def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether GET `path` gives 200. Raises OSError or HTTPException while nobody answers."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
