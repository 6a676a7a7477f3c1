"""The result of the smoke tests, read from the files that their session has left."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.selection import SMOKE_MARKER
from pytest_bbmigrate.plugin.smoke.events import (
    Collected,
    Finished,
    Reported,
    Started,
    read_events,
)
from pytest_bbmigrate.processes.messages import Unreadable
from pytest_bbmigrate.processes.untrusted_files import open_untrusted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_bbmigrate.plugin.smoke.events import Event

NONE_MARKED = f"no test is marked {SMOKE_MARKER}"
PASSED, SKIPPED, NOT_RUN = "passed", "skipped", "did not run"
HOW_TO_LOOK = (
    "--bb-show-values shows what they printed; pytest -m bb_smoke runs them on generated data"
)
LOCKED = "database is locked"  # as SQLite says it
LOCKED_OUT = (
    f"'{LOCKED}' is in what they printed: the real database is kept locked while it is migrated. "
    "A test is to start the app on bb_head_path (through an environment variable, say, that the "
    "app reads its path from), and neither conftest.py nor the app may open the database when "
    "imported: open it on first use"
)
UNREADABLE = "what became of the smoke tests was written over by something else, and does not read"
BEFORE_ALL = "no test had begun, and had the database; pytest printed:"
LINES_SHOWN = 60
CODES_BEFORE_TESTS = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)
OUTPUT = "output"
OUTPUT_BYTES = 1_000_000  # of what the tests have printed, the end


@dataclass(frozen=True)
class SmokeTest:
    """One smoke test, by its node id, and its outcome: 'passed', 'skipped', or what went wrong."""

    name: str
    outcome: str


@dataclass(frozen=True)
class SmokeResult:
    """The result of the smoke tests.

    ``fault`` says why the migrated database is not to be published, '' when it may be. ``output``
    is what pytest and the tests printed: it may hold values of the real database, so ``fault``
    names tests only, unless no test had begun: nothing had read the database by then.
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
        """How many tests passed, failed and were skipped, in one line."""
        if not self.tests and not self.fault:
            return NONE_MARKED
        counts = ((self.passed, PASSED), (self.failed, "failed"), (self.skipped, SKIPPED))
        return ", ".join(f"{len(names)} {word}" for names, word in counts if names) or self.fault

    def _with(self, outcome: str) -> tuple[str, ...]:
        return tuple(test.name for test in self.tests if test.outcome == outcome)


def read_result(folder: Path, code: int | None, seconds: int) -> SmokeResult:
    """Return the result of the session that ended with ``code``, from its files in ``folder``.

    ``code`` is None when it had not ended after ``seconds``.
    """
    try:
        events = read_events(folder)
        output = read_end(folder / OUTPUT)
    except (Unreadable, OSError):
        return SmokeResult((), f"{UNREADABLE}: {ending(code, seconds)}")
    tests = tuple(SmokeTest(name, outcome) for name, outcome in outcomes_of(events).items())
    manner = ending(code, seconds)
    fault = find_fault(tests, code, manner)
    last = [f" in {event.test}" for event in events if isinstance(event, Started)][-1:]
    is_whole = any(isinstance(event, Finished) for event in events)
    if not is_whole or (code in CODES_BEFORE_TESTS and not last):
        where = "".join(last) or " before the first of them"
        fault = f"the smoke tests did not finish: {manner}{where}"
    if not fault:
        return SmokeResult(tests, "", output)
    locked = [LOCKED_OUT] if LOCKED in output else []
    if last or code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return SmokeResult(tests, "\n".join([fault, *locked, HOW_TO_LOOK]), output)
    return SmokeResult(tests, "\n".join([fault, *locked, *lines_printed(output)]))


def outcomes_of(events: list[Event]) -> dict[str, str]:
    """Return the outcome of each test, 'did not run' where none was recorded."""
    outcomes = {event.test: NOT_RUN for event in events if isinstance(event, Collected)}
    for event in events:
        if not isinstance(event, Reported):
            continue
        # What went wrong in a teardown counts, after the test itself has passed.
        if outcomes.get(event.test, NOT_RUN) in (NOT_RUN, PASSED, SKIPPED):
            outcomes[event.test] = event.outcome
    return outcomes


def lines_printed(output: str) -> list[str]:
    """Return the last lines of ``output``, for a fault where no test had begun.

    They hold nothing of the real database: it is locked, and a test gets its copy when it begins.
    """
    lines = output.rstrip().splitlines()
    return [BEFORE_ALL, *lines[-LINES_SHOWN:]] if lines else []


def find_fault(tests: tuple[SmokeTest, ...], code: int | None, manner: str) -> str:
    """Return why a session that ran to its end has not passed, '' when it has."""
    failed = [f"{t.name} {t.outcome}" for t in tests if t.outcome not in (PASSED, SKIPPED)]
    if failed:
        return "\n".join([f"{len(failed)} of {len(tests)} smoke tests failed", *failed])
    none_passed = not any(t.outcome == PASSED for t in tests)
    if code == pytest.ExitCode.OK or (code == pytest.ExitCode.NO_TESTS_COLLECTED and none_passed):
        return ""
    at_end = "; the last one was over: does a test leave a thread running?" if code is None else ""
    return f"the smoke tests did not pass: {manner}{at_end}"


def not_found(wanted: Iterable[str], tests: Iterable[SmokeTest]) -> list[str]:
    """Return those of ``wanted`` that neither were run, nor are in a module that skipped itself."""
    reported = {test.name.partition("[")[0] for test in tests}
    functions = dict.fromkeys(name.partition("[")[0] for name in wanted)
    return [name for name in functions if reported.isdisjoint({name, name.partition("::")[0]})]


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
    """Return the end of the text in ``path``. Raises: OSError when it is no file any more."""
    with open_untrusted(path) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - OUTPUT_BYTES))
        text = file.read(OUTPUT_BYTES).decode("utf-8", "replace")
    return f"[...]{text}" if size > OUTPUT_BYTES else text
