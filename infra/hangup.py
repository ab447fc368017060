"""Noticing that the terminal we were started on is gone."""

import asyncio
import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TERMINAL = "/dev/tty"


@contextmanager
def told_of_hangup(then: Callable[[], None]) -> Iterator[None]:
    """Call `then` when the terminal that we are in the foreground of is closed. Needs a running event loop.

    The kernel's SIGHUP goes to the leader of the session, and to us only when the leader ends. make, as what a terminal
    window was opened for, takes it and then waits for us: nobody would tell us. Under nohup, without a terminal and in the
    background nothing is watched: that is how somebody says that we are to outlive the terminal.
    """
    terminal = _foreground_terminal()
    if terminal is None:
        yield
        return
    loop = asyncio.get_running_loop()
    with select.epoll() as hangups:

        def heard() -> None:
            loop.remove_reader(hangups)  # it stays true
            then()

        hangups.register(terminal, 0)  # a hang-up is told without asking; what is typed is not for us
        loop.add_reader(hangups, heard)
        try:
            yield
        finally:
            loop.remove_reader(hangups)
            os.close(terminal)


def _foreground_terminal() -> int | None:
    if not hasattr(select, "epoll") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return None
    try:
        terminal = os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:  # we have none
        return None
    try:
        if os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    except OSError:  # it is gone already, and SIGHUP with it
        pass
    os.close(terminal)
    return None
