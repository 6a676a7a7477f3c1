"""Run a session of ours in a process that another one waits for: its exit code is what it came to.

Whatever runs in pytest's own process can end it, by the C library's ``_exit(0)`` say, and no code
in there is asked. So the process that was started runs nothing but this: it starts itself anew, and
that one says through a pipe when its session has come to its end. Imported where that is wanted.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.parent import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

VARIABLE = "PYTEST_BBMIGRATE_WATCHED"  # whose child it is, and its end of the pipe
PROGRAMS = frozenset({"pytest", "py.test"})
WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})  # options of Python's
SAID_ITSELF = frozenset({pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR})
TERMINAL = "/dev/tty"
EARLY_END = (
    "{manner} before this session was over, and what it came to is not known: a test, a migration, "
    "conftest.py or what they call has ended the process that it runs in, or what it says could be "
    "written nowhere any more; that is no success, and "
    "--bb-status shows what the database is at"
)


def watch(config: pytest.Config) -> None:
    """Have this process watched, or be the one that watches: that one does not come back.

    Where pytest is not the program of its process, that process has an exit code of its own, and
    nothing is done.

    Raises: SystemExit with the exit code, where this process is the one that watches; where it is
        to be watched, and the other one is gone already.
    """
    if (pipe := _pipe_to_parent()) is not None:
        config.pluginmanager.register(ExitCodeReporter(pipe), "bbmigrate_session_end")
    elif _is_program(config):
        raise SystemExit(run([sys.executable, *sys.orig_argv[1:]]))


class ExitCodeReporter:
    """Says to the process that watches which exit code the session has come to."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._process, self._parent = os.getpid(), os.getppid()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, object, object]:
        """Say it when everything else is over."""
        code = yield
        if os.getpid() == self._process and isinstance(code, int):
            with suppress(BrokenPipeError):
                os.write(self._pipe, b"%d\n" % code)
        return code

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """End the session where nobody waits for it any more; Linux kills it by itself."""
        if os.getpid() == self._process and os.getppid() != self._parent:
            pytest.exit("the process that was started as this pytest is gone")


def _pipe_to_parent() -> int | None:
    """Return where to say that the session is over; None where no parent waits for that.

    The variable is taken away, so that nothing the session starts inherits it.

    Raises: SystemExit when the parent that waits is gone.
    """
    parent, _, pipe = os.environ.pop(VARIABLE, "").partition(":")
    if not pipe:
        return None
    end_with_parent(int(parent))
    os.set_inheritable(int(pipe), False)  # noqa: FBT003 - it takes no name
    return int(pipe)


def _is_program(config: pytest.Config) -> bool:
    """Return whether this process was started to be this pytest, and nothing else.

    ``pytest.main`` in another program is not, nor is one within a test, nor what a debugger or
    coverage starts, which would be started twice.
    """
    started, arguments = sys.orig_argv, sys.argv[1:]
    asked = config.invocation_params
    if asked.plugins or list(map(str, asked.args)) != arguments or not sys.executable:
        return False
    head = started[1 : len(started) - len(arguments)]
    if started[len(started) - len(arguments) :] != arguments:
        return False
    while head and head[0].startswith("-") and not head[0].startswith("-m"):
        del head[: 1 + (head[0] in WITH_VALUE)]
    return head in (["-m", "pytest"], ["-mpytest"]) or (
        len(head) == 1 and Path(head[0]).name in PROGRAMS
    )


def run(command: list[str]) -> int:
    """Run ``command``, a pytest, and return the exit code that its session came to.

    What ended before its end has failed, whatever code the process ended with, and is told.
    """
    reads, writes = os.pipe()
    with passed_on() as relay:
        child = subprocess.Popen(  # noqa: S603 - this very program
            command,
            env={**os.environ, VARIABLE: f"{os.getpid()}:{writes}"},
            pass_fds=[writes],
            process_group=None if relay.has_terminal else 0,
        )
        relay.begin(child)
        code = child.wait()
    os.close(writes)
    os.set_blocking(reads, False)
    with suppress(BlockingIOError), os.fdopen(reads, "rb") as pipe:
        said = pipe.read() or b""
    return verdict(code, said)


def verdict(code: int, said: bytes) -> int:
    """Return the exit code for a pytest that ended with ``code`` and has ``said`` which it is."""
    if said.endswith(b"\n"):
        return code or int(said)
    if code in SAID_ITSELF:  # before there was a session
        return code
    manner = f"pytest ended with exit code {code}"
    if code < 0:
        manner = f"pytest was ended by {signal.Signals(-code).name}"
    sys.stderr.write(f"ERROR: {EARLY_END.format(manner=manner)}\n")
    sys.stderr.flush()
    if code < 0:
        return 128 - code  # as a shell has it
    return code or int(pytest.ExitCode.TESTS_FAILED)


class Relay:
    """Passes on to the child what is sent to this process alone."""

    def __init__(self) -> None:
        self.has_terminal = in_foreground()
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def begin(self, child: subprocess.Popen[bytes]) -> None:
        """Pass on to ``child`` what has come, and what comes."""
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def take(self, number: int, _: object) -> None:
        """Take a signal; a terminal sends its Ctrl-C to every process itself."""
        if self.has_terminal and number == signal.SIGINT:
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)


@contextmanager
def passed_on() -> Iterator[Relay]:
    """Give a relay that has the signals by which a program is ended, while the block runs.

    At a terminal the child stays in this process group, to read from it and to be stopped with it.
    Elsewhere it has one of its own, so that a signal to the group reaches it once, not twice.
    """
    relay = Relay()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # by nohup, which the child inherits
            signal.signal(number, relay.take)
    try:
        yield relay
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_foreground() -> bool:
    """Return whether this process is one of those that a terminal sends its signals to."""
    try:
        terminal = os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
