"""Run the tests marked bb_smoke on copies of a migrated database, in a pytest of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.plugin.options import (
    SMOKE_VARIABLE,
    argument_path,
    migrations_folder,
    settings_of,
)
from pytest_bbmigrate.plugin.ordering import modules_without_smoke_tests, smoke_tests_set_aside
from pytest_bbmigrate.plugin.selection import SMOKE_MARKER, holds_marked
from pytest_bbmigrate.plugin.smoke import child_plugin
from pytest_bbmigrate.processes.orphans import end_orphans, kill_group
from pytest_bbmigrate.sqlite_files import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NONE_MARKED = f"no test is marked {SMOKE_MARKER}"
PASSED, SKIPPED, NOT_RUN = "passed", "skipped", "did not run"
WAY_OUT = "--bb-show-values shows what they printed; pytest -m bb_smoke runs them on generated data"
# The read returns when this process is gone, which has the other end of the pipe.
WATCH = "import os, sys; os.read(0, 1); os.killpg(int(sys.argv[1]), 9)"
LOCKED = "database is locked"  # as SQLite says it
LOCKED_OUT = (
    f"'{LOCKED}' is in what they printed: the real database is kept locked while it is migrated. "
    "A test is to start the app on bb_head_path (through an environment variable, say, that the "
    "app reads its path from), and neither conftest.py nor the app may open the database when "
    "imported: open it on first use"
)
UNREADABLE = "what became of the smoke tests was written over by something else, and does not read"
BEFORE_ALL = "no test had begun, and had the database; pytest printed:"
LINES_TOLD = 60
NOT_BEGUN = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
OUTPUT_BYTES = 1_000_000  # the end of what the tests have printed; there is no need for more


@dataclass(frozen=True)
class SmokeTest:
    """One smoke test, by its node id, and what became of it: 'passed', 'skipped' or else."""

    name: str
    outcome: str


@dataclass(frozen=True)
class SmokeResult:
    """What the smoke tests came to.

    ``fault`` says why the migrated database is not to be published, '' when it may be; it names
    tests and nothing that they printed. ``output`` is what pytest and the tests printed: values of
    a real database may be in it. Where no test had begun, none can be, and ``fault`` has it.
    """

    tests: tuple[SmokeTest, ...]
    fault: str = ""
    output: str = ""

    @property
    def passed(self) -> tuple[str, ...]:
        """The tests that passed, by node id."""
        return self._with(PASSED)

    @property
    def skipped(self) -> tuple[str, ...]:
        """The tests that skipped themselves."""
        return self._with(SKIPPED)

    @property
    def failed(self) -> tuple[str, ...]:
        """The tests that did anything else."""
        return tuple(t.name for t in self.tests if t.outcome not in (PASSED, SKIPPED))

    @property
    def summary(self) -> str:
        """One line on what there was, and what became of it."""
        if not self.tests and not self.fault:
            return NONE_MARKED
        counts = ((self.passed, PASSED), (self.failed, "failed"), (self.skipped, SKIPPED))
        return ", ".join(f"{len(names)} {word}" for names, word in counts if names) or self.fault

    def _with(self, outcome: str) -> tuple[str, ...]:
        return tuple(test.name for test in self.tests if test.outcome == outcome)


def run_smoke_tests(config: pytest.Config, work: Path) -> SmokeResult:
    """Run the tests marked bb_smoke, each with ``bb_head_path`` a copy of its own of ``work``.

    ``work`` is a database file at rest. The tests run in a pytest of their own, with the same root
    folder, configuration and plugins as this one; its files and the copies lie in a folder beside
    ``work``, which is gone afterwards, as is every process that the tests have left running. Where
    no test can be marked nothing is started: a conftest.py may open the real database, which is
    locked. Nor is a module imported again that this session has collected and found without one.
    """
    if not smoke_tests_set_aside(config) and not may_be_marked(config):
        return SmokeResult(())
    before = digest_of(work)
    with tempfile.TemporaryDirectory(
        prefix="smoke-", dir=work.parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        code = run_session(config, work, folder)
        result = read_result(folder, code, settings_of(config).smoke_seconds)
    if digest_of(work) != before:
        fault = f"the working copy {work} was changed while the smoke tests ran"
        return SmokeResult(result.tests, fault, result.output)
    if not result.fault and (missing := not_found(smoke_tests_set_aside(config), result.tests)):
        return SmokeResult(result.tests, describe_missing(missing), result.output)
    return result


def may_be_marked(config: pytest.Config) -> bool:
    """Return whether there may be a smoke test, as the text of the test modules tells."""
    paths = [config.rootpath, *paths_outside(config)]
    return any(holds_marked(config, path, (SMOKE_MARKER,)) for path in paths)


def run_session(config: pytest.Config, work: Path, folder: Path) -> int | None:
    """Run the pytest of the smoke tests; return its exit code, None when it took too long."""
    settings = settings_of(config)
    order = {
        "working_copy": str(work),
        "name": settings.database.name,
        "without": modules_without_smoke_tests(config),
    }
    (folder / child_plugin.ORDER).write_text(json.dumps(order), encoding="utf-8")
    (folder / child_plugin.REPORT).touch()
    with (folder / "output").open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            [*interpreter(config), "-m", "pytest", *arguments(config, folder)],
            cwd=config.invocation_params.dir,
            env={**os.environ, SMOKE_VARIABLE: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        with ended_afterwards(child, folder), suppress(subprocess.TimeoutExpired):
            return child.wait(settings.smoke_seconds)
    return None


def interpreter(config: pytest.Config) -> list[str]:
    """Return how to start Python: with the working directory on sys.path if it is on ours."""
    is_on_path = not {"", str(config.invocation_params.dir)}.isdisjoint(sys.path)
    return [sys.executable] if is_on_path else [sys.executable, "-P"]


def arguments(config: pytest.Config, folder: Path) -> list[str]:
    """Return the arguments of the smoke tests' pytest: ours, but for what says which tests run.

    addopts and PYTEST_ADDOPTS have their say again, before these.
    """
    option = config.option
    given = [f"--rootdir={config.rootpath}"]
    given += [f"--config-file={config.inipath}"] if config.inipath else []
    given += ["--noconftest"] if option.noconftest else []
    given += [f"--confcutdir={option.confcutdir}"] if option.confcutdir else []
    given += [f"--import-mode={option.importmode}"]
    repeated = {"-p": option.plugins, "-o": option.override_ini, "-W": option.pythonwarnings}
    repeated |= {"--ignore": option.ignore, "--ignore-glob": option.ignore_glob}
    given += [part for flag, values in repeated.items() for v in values or () for part in (flag, v)]
    typed = {flag: config.getoption(name) for name, flag in child_plugin.SETTINGS.items()}
    given += [f"{flag}={value}" for flag, value in typed.items() if value is not None]
    # One process: the copies are as large as the database, and the tests share its ports.
    given += ["-n0"] if hasattr(option, "numprocesses") else []
    given += ["--no-cov"] if hasattr(option, "no_cov") else []
    given += ["-p", child_plugin.__name__, "-m", SMOKE_MARKER, "-k", ""]
    if config.pluginmanager.has_plugin("cacheprovider"):  # else it knows no such setting
        given += ["-o", f"cache_dir={folder / 'cache'}"]
    given += [f"--basetemp={folder / 'tmp'}"] if hasattr(option, "basetemp") else []
    return [*given, str(config.rootpath), *map(str, paths_outside(config))]


def paths_outside(config: pytest.Config) -> list[Path]:
    """Return the paths that this session was given outside its root folder, if tests are there."""
    paths = (argument_path(config, argument) for argument in config.args)
    folder = migrations_folder(config)
    return [
        path
        for path in paths
        if not path.is_relative_to(config.rootpath)
        and not path.is_relative_to(folder)
        and holds_marked(config, path)
    ]


@contextmanager
def ended_afterwards(child: subprocess.Popen[bytes], folder: Path) -> Iterator[None]:
    """Kill the child, and whatever it or its tests have started, when the block is left.

    A process of its own watches for the end of this one, so that a killed pytest leaves nothing
    running. What has left the child's process group is known by its environment, which names
    ``folder``.
    """
    watch = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-I", "-S", "-c", WATCH, str(child.pid)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    with watch:
        try:
            yield
        finally:
            watch.kill()
            kill_group(child.pid)
            child.wait()
            end_orphans(folder, variable=SMOKE_VARIABLE, group=child.pid)


def read_result(folder: Path, code: int | None, seconds: int) -> SmokeResult:
    """Return what the session that ended with ``code`` has said of itself in ``folder``.

    ``code`` is None when it had not ended after ``seconds``.
    """
    try:
        said = read_events(folder / child_plugin.REPORT)
    except ValueError:
        return SmokeResult((), f"{UNREADABLE}: {ending(code, seconds)}")
    outcomes = {event["there"]: NOT_RUN for event in said if "there" in event}
    for event in said:
        if "test" in event and outcomes.get(event["test"], NOT_RUN) in (NOT_RUN, PASSED, SKIPPED):
            outcomes[event["test"]] = event["outcome"]
    tests = tuple(SmokeTest(name, outcome) for name, outcome in outcomes.items())
    output = read_end(folder / "output")
    manner = ending(code, seconds)
    fault = find_fault(tests, code, manner)
    last = [f" in {event['started']}" for event in said if "started" in event][-1:]
    if not any("finished" in event for event in said) or (code in NOT_BEGUN and not last):
        where = "".join(last) or " before the first of them"
        fault = f"the smoke tests came to no end: {manner}{where}"
    if not fault:
        return SmokeResult(tests, "", output)
    locked = [LOCKED_OUT] if LOCKED in output else []
    if last or code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return SmokeResult(tests, "\n".join([fault, *locked, WAY_OUT]), output)
    return SmokeResult(tests, "\n".join([fault, *locked, *printed(output)]))


def read_events(report: Path) -> list[dict[str, Any]]:
    """Return what the session wrote down, an event a line.

    Raises: ValueError when something else has written there, or a line was cut short.
    """
    said = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    if not all(isinstance(event, dict) for event in said):
        raise ValueError(report)
    return said


def printed(output: str) -> list[str]:
    """Return the last lines of ``output``, to be told where no test had begun.

    None of them is of the real database: it is locked, and a test is given its copy when it begins.
    """
    lines = output.rstrip().splitlines()
    return [BEFORE_ALL, *lines[-LINES_TOLD:]] if lines else []


def find_fault(tests: tuple[SmokeTest, ...], code: int | None, manner: str) -> str:
    """Return what keeps a session that came to its end from having passed, '' when it has."""
    failed = [f"{t.name} {t.outcome}" for t in tests if t.outcome not in (PASSED, SKIPPED)]
    if failed:
        return "\n".join([f"{len(failed)} of {len(tests)} smoke tests failed", *failed])
    none_passed = not any(t.outcome == PASSED for t in tests)
    if code == pytest.ExitCode.OK or (code == pytest.ExitCode.NO_TESTS_COLLECTED and none_passed):
        return ""
    at_end = "; the last one was over: does a test leave a thread running?" if code is None else ""
    return f"the smoke tests did not pass: {manner}{at_end}"


def not_found(wanted: Iterable[str], tests: Iterable[SmokeTest]) -> list[str]:
    """Return those of ``wanted`` that are none of ``tests``, nor in a module that is one."""
    found = {test.name.partition("[")[0] for test in tests}
    functions = dict.fromkeys(name.partition("[")[0] for name in wanted)
    return [name for name in functions if found.isdisjoint({name, name.partition("::")[0]})]


def describe_missing(names: list[str]) -> str:
    """Return the fault that the smoke tests ``names`` were collected before, and not now."""
    count = len(names)
    first = (
        f"{count} test{' was' if count == 1 else 's were'} marked bb_smoke and left to this step, "
        "which does not find them: is bb_smoke written in their own module, and that in none of "
        "the folders of norecursedirs?"
    )
    return "\n".join([first, *names])


def ending(code: int | None, seconds: int) -> str:
    """Return in words how a process ended."""
    if code is None:
        return f"they took longer than {seconds} seconds (bb_smoke_seconds), and were killed"
    if code < 0:
        return f"pytest was killed by signal {-code}"
    return f"pytest ended with exit code {code}"


def read_end(path: Path) -> str:
    """Return the end of what was printed into ``path``."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - OUTPUT_BYTES))
        text = file.read().decode("utf-8", "replace")
    return f"[...]{text}" if size > OUTPUT_BYTES else text
