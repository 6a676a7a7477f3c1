"""Which values a column accepts, found by inserting them into a column just like it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import exact_key, storable
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.sql.values import Cell

REFUSALS = (sqlite3.IntegrityError, sqlite3.OperationalError)
COLLATIONS = ("BINARY", "NOCASE", "RTRIM")


@dataclass(frozen=True)
class ColumnProbe:
    """All that decides which values a column accepts whatever its row holds.

    The ``checks`` are those that name no other column.
    """

    name: str
    type: str
    affinity: str
    collation: str
    strict: bool
    checks: tuple[str, ...] = ()


def accepted_values(probe: ColumnProbe, groups: Sequence[Iterable[Cell]]) -> list[tuple[Cell, ...]]:
    """Return those of each group that the column accepts, as it stores them, without repetition.

    A CHECK that calls a function of the app's own is left out: the table itself enforces it.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        _create_column(scratch, probe)
        return [tuple(_accepted(scratch, group)) for group in groups]


def evaluate(expressions: Iterable[str]) -> tuple[Cell, ...]:
    """Return the values of SQL expressions that name no column.

    Raises: sqlite3.OperationalError when they cannot be evaluated.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        values: tuple[Cell, ...] = scratch.execute(f"SELECT {', '.join(expressions)}").fetchone()
        return values


def _create_column(scratch: sqlite3.Connection, probe: ColumnProbe) -> None:
    """Create a scratch table with one column of the same name, type and checks."""
    collation = probe.collation.upper()
    collated = f" COLLATE {collation}" if collation in COLLATIONS else ""
    declared = quote_name(probe.type) if probe.type and not probe.strict else probe.type
    column = f"{quote_name(probe.name)} {declared}{collated}"
    strict = " STRICT" if probe.strict else ""
    checks = [check for check in probe.checks if _compiles(scratch, probe.name, check)]
    constraints = "".join(f", CHECK ({check}\n)" for check in checks)
    scratch.execute(f"CREATE TABLE probe ({column}{constraints}){strict}")


def _compiles(scratch: sqlite3.Connection, name: str, check: str) -> bool:
    try:
        scratch.execute(f"CREATE TABLE trial ({quote_name(name)}, CHECK ({check}\n))")
    except sqlite3.OperationalError:
        return False
    scratch.execute("DROP TABLE trial")
    return True


def _accepted(scratch: sqlite3.Connection, values: Iterable[Cell]) -> list[Cell]:
    """Return as they are stored those of ``values`` that the scratch table accepts."""
    pending = ((value,) for value in values if storable(value))
    refused = True
    while refused:  # a refusal ends executemany; the next call goes on after the refused value
        try:
            scratch.executemany("INSERT INTO probe VALUES (?)", pending)
            refused = False
        except REFUSALS:
            refused = True
    stored = scratch.execute("SELECT * FROM probe ORDER BY rowid").fetchall()
    scratch.execute("DELETE FROM probe")
    return list({exact_key(value): value for (value,) in stored}.values())
