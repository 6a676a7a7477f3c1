"""Run a session in a child process, and take its exit code only if it ran to its end.

Any code in pytest's process can end it with exit code 0 (the C library's ``_exit(0)``, say), and
pytest cannot prevent that. So the process that the user started only watches: a child, which is
forked from it or starts the same command anew, sends its exit code through a pipe when its session
is over.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.processes.measured import measurement
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.parent import is_gone, killed_by_system
from pytest_bbmigrate.processes.relay import RELAYED, Forked, in_foreground, relayed_signals
from pytest_bbmigrate.sandbox.fresh import end_process, flush_output

if TYPE_CHECKING:
    from collections.abc import Generator

VARIABLE = "PYTEST_BBMIGRATE_WATCHED"  # in the child: the id of its parent, and its end of the pipe
PROGRAMS = frozenset({"pytest", "py.test"})
PYTHON_OPTIONS_WITH_VALUE = frozenset(
    {"-W", "-X", "--check-hash-based-pycs"}
)  # followed by a value of their own
REPORTED_BY_PYTEST = frozenset({pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR})
EARLY_END = (
    "{manner} before this session was over, and its result is not known: a test, a migration, "
    "conftest.py or what they call has ended the process that it runs in, or what it says could be "
    "written nowhere any more; that is no success, and "
    "--bb-status shows what the database is at"
)


def watch(config: pytest.Config) -> None:
    """In the process that the user started, run the session in a child; in the child, report.

    Nothing is done where pytest runs within another program, which has its own exit code.

    Raises: SystemExit with the exit code of the child's session; in a child, when its parent is
        gone already.
    """
    if (pipe := _pipe_to_parent()) is not None:
        config.pluginmanager.register(ExitCodeReporter(pipe), "bbmigrate_session_end")
    elif _is_program(config):
        if not forking.can_fork() or measurement() is not None:  # coverage.py measures no fork
            raise SystemExit(run_watched([sys.executable, *sys.orig_argv[1:]]))
        config.pluginmanager.register(ExitCodeReporter(fork_session()), "bbmigrate_session_end")


@dataclass(frozen=True)
class SessionEnd:
    """What a session has ended with that ran to its end."""

    exit_code: int


class ExitCodeReporter:
    """Sends the session's exit code to the process that watches."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._process, self._parent = os.getpid(), os.getppid()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self) -> Generator[None, object, object]:
        """Send the exit code when everything else is over."""
        code = yield
        if os.getpid() == self._process and isinstance(code, int):
            with suppress(BrokenPipeError):
                os.write(self._pipe, encode_message("exit code", SessionEnd(int(code))))
        return code

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self) -> None:
        """End the session when its parent is gone, where the system does not kill it then.

        No thread looks: of a process with threads Python says at each fork that it may hang.
        """
        if os.getpid() == self._process and is_gone(self._parent):
            pytest.exit("the process that was started as this pytest is gone")


def _pipe_to_parent() -> int | None:
    """Return the pipe to write the exit code to; None in a process that no parent watches.

    The variable is removed, so that nothing that the session starts inherits it.

    Raises: SystemExit when the parent that waits is gone.
    """
    parent, _, pipe = os.environ.pop(VARIABLE, "").partition(":")
    if not pipe:
        return None
    killed_by_system(int(parent))
    os.set_inheritable(int(pipe), False)  # noqa: FBT003 - it takes no name
    return int(pipe)


def _is_program(config: pytest.Config) -> bool:
    """Return whether this process was started as this pytest: ``pytest ..``, ``python -m pytest``.

    It was not where a program or a test calls ``pytest.main``, nor under a debugger or coverage,
    which would be started a second time.
    """
    command, arguments = sys.orig_argv, sys.argv[1:]
    invocation = config.invocation_params
    if invocation.plugins or list(map(str, invocation.args)) != arguments or not sys.executable:
        return False
    program = command[1 : len(command) - len(arguments)]
    if command[len(command) - len(arguments) :] != arguments:
        return False
    # What is left once Python's own options are dropped says what Python was to run.
    while program and program[0].startswith("-") and not program[0].startswith("-m"):
        del program[: 1 + (program[0] in PYTHON_OPTIONS_WITH_VALUE)]
    return program in (["-m", "pytest"], ["-mpytest"]) or (
        len(program) == 1 and Path(program[0]).name in PROGRAMS
    )


def fork_session() -> int:
    """Fork this process. Return in the fork the pipe to say its exit code through.

    It has all that was imported and read so far. This process waits for it, and ends with the
    exit code of its session: what it has begun itself is the fork's to end.

    Raises: SystemExit in the fork, when the process that waits is gone.
    """
    watching, pipe = os.getpid(), os.pipe()
    has_terminal = in_foreground()
    flush_output()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, RELAYED)  # the one that waits passes them on
    pid = os.fork()
    if pid:
        wait_for_fork(Forked(pid), pipe, mask, has_terminal=has_terminal)
    os.close(pipe[0])
    if not has_terminal:
        os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    killed_by_system(watching)
    return pipe[1]


def wait_for_fork(
    fork: Forked, pipe: tuple[int, int], mask: set[int], *, has_terminal: bool
) -> NoReturn:
    """End this process with the exit code of the session in ``fork``, which says it in ``pipe``.

    ``mask`` are the signals that are to be blocked when those that come are passed on.
    """
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        with relayed_signals(has_terminal=has_terminal) as relay:
            relay.start(fork)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            ended = fork.wait()
        code = exit_code_of(ended, read_message_in(pipe))
    except BaseException:  # noqa: BLE001 - it must not come to what the session does
        traceback.print_exc()
    finally:
        end_process(code)


def run_watched(command: list[str]) -> int:
    """Run ``command``, a pytest, and return the exit code of its session.

    A process that ended before its session was over has failed, whatever code it ended with.
    """
    read_end, write_end = os.pipe()
    with relayed_signals(has_terminal=in_foreground()) as relay:
        child = subprocess.Popen(  # noqa: S603 - this very program
            command,
            env={**os.environ, VARIABLE: f"{os.getpid()}:{write_end}"},
            pass_fds=[write_end],
            process_group=None if relay.has_terminal else 0,
        )
        relay.start(child)
        code = child.wait()
    return exit_code_of(code, read_message_in((read_end, write_end)))


def read_message_in(ends: tuple[int, int]) -> bytes:
    """Return what was written to a pipe, which nobody is waited for to close; close it here."""
    read_end, write_end = ends
    os.close(write_end)
    os.set_blocking(read_end, False)
    with suppress(BlockingIOError), os.fdopen(read_end, "rb") as pipe:
        return pipe.read() or b""
    return b""


def exit_code_of(code: int, message: bytes) -> int:
    """Return the exit code for a pytest that ended with ``code`` and sent ``message``.

    ``message`` says what its session came to; what does not read is no message.
    """
    with suppress(Unreadable):
        end = read_message(message, {"exit code": SessionEnd}, {})
        return code or end.exit_code
    if code in REPORTED_BY_PYTEST:  # pytest has said why before there was a session
        return code
    manner = f"pytest ended with exit code {code}"
    if code < 0:
        manner = f"pytest was ended by {signal.Signals(-code).name}"
    sys.stderr.write(f"ERROR: {EARLY_END.format(manner=manner)}\n")
    sys.stderr.flush()
    if code < 0:
        return 128 - code  # as a shell reports a signal
    return code or int(pytest.ExitCode.TESTS_FAILED)
