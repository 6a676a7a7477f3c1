"""What is tried together, and the table of what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tests.matrix.environments import NEWER, OLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.matrix.environments import Sqlite
    from tests.matrix.pythons import Python

PYTESTS = ("8.4", "9")


@dataclass(frozen=True)
class Row:
    """What is tried together; ``sqlite`` is None for Python's own."""

    python: Python
    pytest: str
    sqlite: Sqlite | None = None


@dataclass(frozen=True)
class Result:
    """A row's line; ``note`` says why it was not tried or has failed, '' for neither."""

    row: Row
    sqlite: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    tried: bool = True
    note: str = ""

    @property
    def is_good(self) -> bool:
        return not self.tried or (not self.note and not self.failed and self.passed > 0)


def rows(pythons: Sequence[Python], *, quick: bool) -> list[Row]:
    """Return what to try: each Python with each pytest, and the other SQLites on some.

    In a quick run the older pytest is tried on the newest Python alone.
    """
    if not pythons:
        return []
    oldest, newest = pythons[0], pythons[-1]
    pairs = [
        Row(python, pytest)
        for python in pythons
        for pytest in PYTESTS
        if not quick or pytest == PYTESTS[-1] or python == newest
    ]
    newer_on = (newest,) if quick else dict.fromkeys((oldest, newest))
    others = [Row(python, PYTESTS[-1], NEWER) for python in newer_on]
    return [*pairs, *others, Row(oldest, PYTESTS[-1], OLDER)]


def counts(told: Path) -> tuple[int, int, int]:
    """Return how many tests passed, failed and were skipped by a JUnit file; 0 for none."""
    if not told.is_file():
        return 0, 0, 0
    suites = ElementTree.parse(told).getroot().iter("testsuite")
    number = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for suite in suites:
        for key in number:
            number[key] += int(suite.get(key, "0"))
    failed = number["failures"] + number["errors"]
    return number["tests"] - failed - number["skipped"], failed, number["skipped"]


def table(results: Iterable[Result]) -> list[str]:
    """Return the lines of the table."""
    lines = [("python", "pytest", "sqlite", "passed", "failed", "skipped", "seconds", "")]
    for it in results:
        ran = (f"{it.passed}", f"{it.failed}", f"{it.skipped}", f"{it.seconds:.0f}")
        lines.append(
            (
                *(it.row.python.version, it.row.pytest, it.sqlite),
                *(ran if it.tried else ("-",) * 4),
                it.note if it.tried else f"not tried: {it.note}",
            )
        )
    return ["  ".join(f"{cell:<8}" for cell in line).rstrip() for line in lines]
