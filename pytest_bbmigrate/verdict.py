"""The checks' names, and what one answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.sql.values import Cell


CATALOGUE_CHECK = "catalogue_reads"
CHECKS = (
    "up_applies",
    "data_survives",
    "schema_survives",
    "foreign_keys_hold",
    "down_restores",
    "up_repeats",
)
DOWN_CHECKS = ("down_restores", "up_repeats")  # which want a down part


class Outcome(Enum):
    """Whether the claim holds, does not, or could not be asked."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


Cells = tuple[tuple[str, "Cell"], ...]


@dataclass(frozen=True)
class Example:
    """One row: its key as (column, cell) pairs, and its cells before and after."""

    key: Cells
    before: Cells = ()
    after: Cells = ()


@dataclass(frozen=True)
class Finding:
    """One observed fault, as data; ``report`` puts it into words.

    ``step`` is the part of the experiment ('up', 'up on an empty database', 'down', 'up again',
    'down after writing', 'contract'); ``count`` of ``total`` rows are concerned; ``expected`` and
    ``observed`` are short values; ``cause`` names a known reason in SQLite, '' when none is known;
    ``allow`` is the contract line that would allow it, '' when none would; ``prove`` the one that
    has what is lost proved where it went, ''  when none would; ``printed`` is what a Python part
    wrote before it failed; ``error`` is SQLite's name for the kind of what it raised; ``lies_in``
    is the part that ``path`` and ``line`` are of, '' for that of ``step``;
    ``unrestored`` names what keeps down from giving back what was there, '' where that is not
    known, and ``may_require`` is whether it would on rows as a ``requires`` line might say;
    ``found_by`` are the columns by which alone rows of a table that is gone were found elsewhere;
    ``only_fewer`` is whether all rows that a view shows are among those that it showed before.
    """

    kind: str
    step: str
    path: Path
    line: int | None = None
    table: str = ""
    column: str = ""
    name: str = ""
    count: int = 0
    total: int = 0
    expected: str = ""
    observed: str = ""
    examples: tuple[Example, ...] = ()
    cause: str = ""
    allow: str = ""
    printed: str = ""
    error: str = ""
    prove: str = ""
    lies_in: str = ""
    unrestored: str = ""
    may_require: bool = False
    found_by: str = ""
    only_fewer: bool = False


@dataclass(frozen=True)
class Answer:
    """What a question found: faults, what is worth noting, or the reason it cannot be asked.

    ``unneeded`` are the declarations in the file that bb_contracts names which nothing needed, as
    a contract has them; None where that was not asked.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    rows: int = 0
    values: int = 0
    unneeded: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer of one check on one migration (or, for the catalogue, on a folder).

    ``reason`` says why a skipped check could not be asked; ``notes`` are worth saying, not faults;
    ``rows`` and ``values`` are how many rows and cells were compared for the answer. ``unneeded``
    as an Answer has it. ``narrowed`` says which rows the migration was judged on, where up does not
    run on all: '' for all.
    """

    check: str
    subject: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    rows: int = 0
    values: int = 0
    unneeded: tuple[str, ...] | None = None
    narrowed: str = ""
