"""Whole pytests that are forked, where a test would start ``python -m pytest``.

Each would import pytest, the plugin and what its processes import. A fork has that; it reads its
command line, plugins and conftest.py from the start. Its judge and its rehearsal are forked from
it, as ``forks.py`` has it, and so are the pytest that it watches and the workers that its xdist
starts; its lock process is started.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING, Any, NoReturn

import pytest
from execnet.gateway_base import ThreadExecModel

from tests import forks
from tests.fork_server import PYTHONPATH, ForkServer
from tests.forked import DEVNULL, PIPE, STANDARD, Forked, TimeoutExpired, standard_of
from tests.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PROGRAMS = (["-mpytest"], ["-m", "pytest"], ["-P", "-m", "pytest"])
WORKER = ["-u", "-c", "import sys;exec(eval(sys.stdin.readline()))"]  # as execnet starts Python
IMPORTED = (
    "execnet.gateway_base",
    "faker",
    "pytest_bbmigrate.apply.rehearsal.server",
    "pytest_bbmigrate.judge.answering",
    "pytest_bbmigrate.judge.apart",
    "pytest_bbmigrate.judge.server",
    "pytest_bbmigrate.judge.turns",
    "pytest_bbmigrate.plugin.apply_session",
    "pytest_bbmigrate.plugin.commands",
    "pytest_bbmigrate.plugin.items",
    "pytest_bbmigrate.plugin.terminal",
    "pytest_bbmigrate.plugin.testing",
    "pytest_bbmigrate.report.groups",
    "pytest_bbmigrate.report.preserved",
    "pytest_bbmigrate.runner.python",
    "pytest_bbmigrate.runner.renames",
    "pytest_bbmigrate.sandbox.kept",
    "pytest_bbmigrate.sandbox.part",
    "pytest_bbmigrate.sandbox.script",
    "pytest_bbmigrate.seeding.values.household",
)
PLUGIN = "pytest_bbmigrate.plugin.smoke.child_plugin"  # pytest is to import it by itself
WATCHER = "pytest_bbmigrate.plugin.watcher"

_path: list[str] = []  # sys.path without what a pytest adds
_modules: set[str] = set()  # those that a fork has at its start


@cache
def server() -> ForkServer:
    """Return what forks whole pytests for this process, which starts it when it is wanted."""
    return ForkServer((), str(ROOT), __name__)


def start(
    command: Sequence[str],
    *,
    stdin: int | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    env: Mapping[str, str],
    start_new_session: bool = False,
    close_fds: bool = True,
) -> Forked | subprocess.Popen[bytes]:
    """Fork the whole pytest that ``command`` starts, or else start what it does."""
    assert close_fds
    is_pytest = any([*command[1 : 1 + len(program)]] == program for program in PROGRAMS)
    is_plain = (
        is_pytest and command[0] == sys.executable and "PYTEST_DISABLE_PLUGIN_AUTOLOAD" in env
    )
    if not is_plain or not server().can_fork(__name__, env):
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=cwd,
            env=env,
            start_new_session=start_new_session,
        )
    with ExitStack() as stack:
        standard, ours = standard_of(stack, stdin, stdout, stderr)
        pid = server().fork(
            __name__,
            [*command[1:]],
            standard,
            cwd=cwd,
            environment=env,
            new_session=start_new_session,
        )
    return Forked(pid, *ours)


def prepare() -> None:
    """Have this process import what its forks are to have."""
    for module in (*IMPORTED, *forks.MODULES):
        import_module(module)
    _path[:] = [entry for entry in sys.path if entry not in added_by(os.environ)]
    _modules.update({*sys.modules} - {PLUGIN})


def added_by(environment: Mapping[str, str]) -> list[str]:
    """Return what of sys.path is from ``environment``."""
    return [entry for entry in environment.get(PYTHONPATH, "").split(os.pathsep) if entry]


def main(*arguments: str) -> NoReturn:
    """Be Python with ``arguments``, which run pytest or a worker."""
    forks.end_as_python(partial(run, *arguments))


def run(*arguments: str) -> int:
    """Run what Python does with ``arguments``; return its exit code."""
    programs = (*PROGRAMS, WORKER)
    (program,) = [program for program in programs if [*arguments[: len(program)]] == program]
    sys.orig_argv = [sys.executable, *arguments]
    sys.argv = [f"{pytest.__path__[0]}/__main__.py", *arguments[len(program) :]]
    folder = [] if "-P" in program else [str(Path.cwd())]
    sys.path[:] = [*folder, *added_by(os.environ), *_path]
    for name in {*sys.modules} - _modules:
        del sys.modules[name]
    sys.meta_path[:] = [each for each in sys.meta_path if "pytest" not in type(each).__module__]
    forking = SimpleNamespace(
        PIPE=PIPE, DEVNULL=DEVNULL, TimeoutExpired=TimeoutExpired, Popen=forks.start
    )
    for module in forks.OF_PYTEST:
        vars(sys.modules[module])["subprocess"] = forking
    vars(import_module(WATCHER))["subprocess"] = SimpleNamespace(Popen=start_again)
    workers = SimpleNamespace(PIPE=PIPE, Popen=start_worker)
    type.__setattr__(ThreadExecModel, "subprocess", workers)
    if program is WORKER:
        sys.argv = ["-c"]
        exec(eval(sys.stdin.readline()), {"__name__": "__main__"})
        return 0
    return int(pytest.console_main())


def start_again(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    pass_fds: Iterable[int],
    process_group: int | None,
) -> Forked:
    """Fork this pytest, which begins again in the fork."""
    pid = forks.fork()
    if not pid:
        if process_group is not None:
            os.setpgid(0, process_group)
        forks.become(__name__, [*command[1:]], STANDARD, pass_fds, env, new_session=False)
    return Forked(pid, None, None)


def start_worker(
    command: Sequence[str], *, stdin: int, stdout: int
) -> Forked | subprocess.Popen[bytes]:
    """Fork this pytest, which becomes a new Python in the fork, and a worker as it is told."""
    if [*command] != [sys.executable, *WORKER]:
        return subprocess.Popen(command, stdin=stdin, stdout=stdout)
    with ExitStack() as stack:
        standard, ours = standard_of(stack, stdin, stdout, None)
        pid = forks.fork()
        if not pid:
            forks.become(__name__, [*command[1:]], standard, (), None, new_session=False)
    return Forked(pid, *ours)
