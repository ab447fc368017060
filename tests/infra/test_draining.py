"""Who is asked to stop tells the load balancer first, and serves until the drain is over."""

import signal

import uvicorn

from infra.draining import Draining
from infra.serve import DrainingServer


async def app(scope: object, receive: object, send: object) -> None:
    """Never called: these tests are about the server's own clock."""


def server(drain_s: float) -> tuple[DrainingServer, Draining]:
    draining = Draining()
    return DrainingServer(uvicorn.Config(app, lifespan="off"), draining, drain_s), draining


def test_the_first_signal_drains_and_the_second_stops() -> None:
    asked, draining = server(30)
    asked.handle_exit(signal.SIGTERM, None)
    assert draining.has_begun
    assert not asked.should_exit
    asked.handle_exit(signal.SIGTERM, None)
    assert asked.should_exit


def test_without_a_drain_the_first_signal_stops() -> None:
    asked, _ = server(0)
    asked.handle_exit(signal.SIGTERM, None)
    assert asked.should_exit


async def test_the_drain_ends_by_itself() -> None:
    asked, _ = server(0.001)
    asked.handle_exit(signal.SIGTERM, None)
    while not asked.should_exit:
        await asked.on_tick(1)
    assert asked.should_exit
