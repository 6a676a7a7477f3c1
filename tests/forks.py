"""Processes of ours that are forked from the one that tests, where a run would start new Pythons.

A new Python takes a third of a second to import what the judge and the rehearsal need; a fork has
it. What runs in it is the same, from ``main`` on. ``--started`` starts them as a run does.

The lock process and the witness are forked from one that is isolated as they are
(``fork_server.py``): SQLite remembers in a process which locks that has on a file, and would take
the test's own to be the fork's.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import logging
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

import pytest

from pytest_bbmigrate.judge import supervisor
from pytest_bbmigrate.processes import launch
from pytest_bbmigrate.processes.launch import START_ISOLATED
from pytest_bbmigrate.sandbox import fresh
from tests.fork_server import ForkServer
from tests.forked import DEVNULL, PIPE, STANDARD, Forked, TimeoutExpired, standard_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import IO

# Which modules start them. The second ones start what is isolated.
OF_PYTEST = (
    "pytest_bbmigrate.judge.process",
    "pytest_bbmigrate.apply.rehearsal.client",
    "pytest_bbmigrate.processes.watch",
)
MODULES = (
    *OF_PYTEST,
    "pytest_bbmigrate.apply.lock.process",
    "pytest_bbmigrate.apply.rehearsal.witness",
)
ISOLATED_MODULES = (
    "pytest_bbmigrate.apply.lock.server",
    "pytest_bbmigrate.apply.rehearsal.witness",
)

start_judge = supervisor.start
_kept: list[object] = []  # what must not be freed: it would close a descriptor that is another's


def may_fork(config: pytest.Config) -> bool:
    """Return whether tests fork what a run would start."""
    return sys.platform == "linux" and not config.getoption("started")


@pytest.fixture(autouse=True)
def fork_what_is_started(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a run would start forked, until the test ends.

    For every test below the conftest that imports it.
    """
    if not may_fork(request.config):
        return
    forking = SimpleNamespace(
        PIPE=PIPE, DEVNULL=DEVNULL, TimeoutExpired=TimeoutExpired, Popen=start, run=run
    )
    for module in MODULES:
        monkeypatch.setattr(f"{module}.subprocess", forking)


def start(  # as subprocess.Popen has them
    command: Sequence[str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | IO[bytes] | None = None,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Iterable[int] = (),
    start_new_session: bool = False,
) -> Forked | subprocess.Popen[bytes]:
    """Fork what ``command`` starts, if that is a module of ours, or else start it."""
    found = module_of(command)
    environment = os.environ if env is None else env
    if found is None or (
        found[0] in ISOLATED_MODULES and not isolated().can_fork(found[0], environment)
    ):
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            pass_fds=tuple(pass_fds),
            start_new_session=start_new_session,
        )
    module, arguments = found
    sys.stdout.flush()
    sys.stderr.flush()
    with ExitStack() as stack:
        standard, ours = standard_of(stack, stdin, stdout, stderr)
        if module in ISOLATED_MODULES:
            pid = isolated().fork(
                module,
                arguments,
                standard,
                cwd=cwd,
                environment=environment,
                new_session=start_new_session,
            )
        else:
            waits, forgets = os.pipe()
            if not (pid := fork()):
                kept = (*pass_fds, forgets)
                become(
                    module, arguments, standard, kept, env, forgets, new_session=start_new_session
                )
            os.close(forgets)
            os.read(waits, 1)  # until it has closed what this process has open, a database perhaps
            os.close(waits)
    return Forked(pid, *ours)


def run(  # as subprocess.run has them
    command: Sequence[str],
    *,
    input: bytes,  # noqa: A002
    stdout: int,
    stderr: int,
    cwd: str,
    check: bool,
) -> SimpleNamespace:
    """Fork what ``command`` starts, give it its input, and return what it has said at its end."""
    assert not check
    with start(command, stdin=PIPE, stdout=stdout, stderr=stderr, cwd=cwd) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(input)
            process.stdin.close()
        said = process.stdout.read()
    return SimpleNamespace(stdout=said, returncode=process.returncode)


@cache
def isolated() -> ForkServer:
    """Return what forks isolated processes for this one, which starts it when it is wanted."""
    return ForkServer(("-I", "-S"), launch.PACKAGES, *ISOLATED_MODULES)


def fork() -> int:
    """Fork this process, though xdist has a thread in it, which waits for messages."""
    with warnings.catch_warnings(action="ignore"):
        return os.fork()


def module_of(command: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the module of ours that ``command`` runs, and its arguments; None for another.

    A test may have other code begin it: that is to do in this process what it does in a new one.
    What is isolated is not forked from this process: other code is always a new one's.
    """
    for code in (launch.START, START_ISOLATED):
        if code in command:
            _, module, *arguments = command[command.index(code) + 1 :]
            return module, arguments
    return None


def become(  # as subprocess.Popen has them
    module: str,
    arguments: list[str],
    given: Sequence[int],
    kept: Iterable[int],
    env: Mapping[str, str] | None,
    forgets: int | None = None,
    *,
    new_session: bool,
) -> NoReturn:
    """Be a new process that runs ``main`` of ``module``; end as Python would.

    ``forgets`` is closed when nothing is open any more but what is ``given`` and ``kept``.
    """

    def run() -> int:
        if new_session:
            os.setsid()
        forget(given, {*kept})
        if forgets is not None:
            os.close(forgets)
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
            tempfile.tempdir = None  # it is looked up again
        if module == supervisor.__name__:
            supervisor.start = fork_judge
        return int(import_module(module).main(*arguments))

    end_as_python(run)


def end_as_python(run: Callable[[], int]) -> NoReturn:
    """End this process as Python ends one whose program is ``run``, but free nothing.

    A fork would have a copy of all that it frees.
    """
    code = 1
    try:
        code = run()
        end_threads()
    except SystemExit as end:
        code = said_at_exit(end)
    except BaseException:  # noqa: BLE001 - as Python has it at the end of a program
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            atexit._run_exitfuncs()  # of a fork: they were cleared, and these are its own
        fresh.end_process(code)


def fork_judge(command: Sequence[str], errors: Path) -> int:
    """Fork the judge in a process group of its own, as a supervisor starts it; return its id."""
    found = module_of(command)
    if found is None:  # by another Python
        return start_judge(tuple(command), errors)
    pid = fork()
    if not pid:
        os.setpgid(0, 0)
        output = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        become(*found, (0, 1, output), (), None, new_session=False)
    return pid


def forget(given: Sequence[int], kept: set[int]) -> None:
    """Have this fork share nothing with the process that tests but what that has imported."""
    gc.freeze()  # what is garbage must not be freed: its end might close descriptors
    atexit._clear()  # as multiprocessing has it for the processes that it forks
    logging.root.handlers.clear()
    fresh.forget_handlers()
    faulthandler.disable()
    sys.unraisablehook, threading.excepthook = sys.__unraisablehook__, threading.__excepthook__
    for standard, descriptor in enumerate(given):
        os.dup2(descriptor, standard)
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor not in STANDARD and descriptor not in kept:
            with suppress(OSError):  # the one by which the folder was listed
                os.close(descriptor)
    _kept.extend((sys.stdin, sys.stdout, sys.stderr, sys.__stdin__, sys.__stdout__, sys.__stderr__))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = open(  # noqa: SIM115 - as long as the process lives
            number, "w" if number else "r", encoding="utf-8", errors="replace", closefd=False
        )
        vars(sys).update({name: stream, f"__{name}__": stream})
    warnings.resetwarnings()
    warnings.simplefilter("ignore")


def end_threads() -> None:
    """Wait for the threads that Python waits for at its end."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()


def said_at_exit(end: SystemExit) -> int:
    """Return the exit code of a process that ends so, having said why."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1
