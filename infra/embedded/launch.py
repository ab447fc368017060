"""Become another program that dies with its parent. Run as a script by `process.spawn`; standard library only.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM ARGUMENT…

IDENTITY is `itself`, `namespace` (looks like nobody from inside a user namespace: files stay ours) or `nobody`.
A script of its own and not a function run after fork: forking a threaded Python to run Python is unsafe.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
NOBODY = 65534
CANNOT_LAUNCH = 125


def main(arguments: list[str]) -> None:
    parent, death_signal, identity, *command = arguments
    try:
        if identity == "namespace":
            enter_user_namespace()
        if identity != "itself":
            become_nobody()
        die_with_parent(int(parent), int(death_signal))
        os.execv(command[0], command)
    except OSError as error:
        print(f"cannot start {command[0]} ({identity}): {error}", file=sys.stderr)
        sys.exit(CANNOT_LAUNCH)


def enter_user_namespace() -> None:
    """Map our one user to nobody: PostgreSQL then sees neither root nor a user that has no name."""
    user, group = os.getuid(), os.getgid()
    # os.unshare came with Python 3.12
    call_libc("unshare", CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {user} 1"), ("gid_map", f"{NOBODY} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 -- pathlib would double this script's start time
            file.write(text)


def become_nobody() -> None:
    if os.getgroups() and os.getuid() == 0:
        os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def die_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the parent dies. Comes last: changing the user clears it."""
    if not sys.platform.startswith("linux"):
        return
    call_libc("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def call_libc(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


if __name__ == "__main__":
    main(sys.argv[1:])
