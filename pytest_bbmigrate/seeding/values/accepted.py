"""Which values a column takes, found out by giving them to a column just like it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.model import exact, storable
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.seeding.model import Cell

REFUSALS = (sqlite3.IntegrityError, sqlite3.OperationalError)
COLLATIONS = ("BINARY", "NOCASE", "RTRIM")


@dataclass(frozen=True)
class Gate:
    """What decides alone which values a column takes; ``checks`` name no other column."""

    name: str
    type: str
    affinity: str
    collation: str
    strict: bool
    checks: tuple[str, ...] = ()


def admit(gate: Gate, groups: Sequence[Iterable[Cell]]) -> list[tuple[Cell, ...]]:
    """Return each group's values that ``gate`` lets through, as they are stored, each once.

    A CHECK that needs the app's own functions is left to the table itself to enforce.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        _create(scratch, gate)
        return [tuple(_passing(scratch, group)) for group in groups]


def evaluate(expression: str) -> Cell:
    """Return the value of a constant SQL ``expression``.

    Raises: sqlite3.OperationalError when it is none.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        value: Cell = scratch.execute(f"SELECT {expression}").fetchone()[0]
        return value


def _create(scratch: sqlite3.Connection, gate: Gate) -> None:
    """Create the scratch table ``gate``: a column of the same name, type and checks."""
    collation = gate.collation.upper()
    collated = f" COLLATE {collation}" if collation in COLLATIONS else ""
    declared = quote_name(gate.type) if gate.type and not gate.strict else gate.type
    column = f"{quote_name(gate.name)} {declared}{collated}"
    strict = " STRICT" if gate.strict else ""
    checks = [check for check in gate.checks if _compiles(scratch, gate.name, check)]
    constraints = "".join(f", CHECK ({check}\n)" for check in checks)
    scratch.execute(f"CREATE TABLE gate ({column}{constraints}){strict}")


def _compiles(scratch: sqlite3.Connection, name: str, check: str) -> bool:
    try:
        scratch.execute(f"CREATE TABLE trial ({quote_name(name)}, CHECK ({check}\n))")
    except sqlite3.OperationalError:
        return False
    scratch.execute("DROP TABLE trial")
    return True


def _passing(scratch: sqlite3.Connection, values: Iterable[Cell]) -> list[Cell]:
    """Return what the scratch table made of those of ``values`` that it took."""
    pending = ((value,) for value in values if storable(value))
    refused = True
    while refused:  # a refusal ends executemany, the next one goes on after the refused value
        try:
            scratch.executemany("INSERT INTO gate VALUES (?)", pending)
            refused = False
        except REFUSALS:
            refused = True
    stored = scratch.execute("SELECT * FROM gate ORDER BY rowid").fetchall()
    scratch.execute("DELETE FROM gate")
    return list({exact(value): value for (value,) in stored}.values())
