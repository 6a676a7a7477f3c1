"""The same migrations for all that are compared: tables, columns, indexes and references.

All of them are about one table, ``big``, which the base holds with as many rows as are wanted.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

BASE = "base.db"
BIG = "CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT NOT NULL, n INTEGER)"


class Step(NamedTuple):
    """One migration: a statement up and a statement down."""

    up: str
    down: str


def step(number: int) -> Step:
    """Return the migration of that number, from 1."""
    kinds = (
        Step(
            f"CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT,"
            " big_id INTEGER REFERENCES big (id))",
            f"DROP TABLE t{number}",
        ),
        Step(
            f"ALTER TABLE big ADD COLUMN c{number} TEXT", f"ALTER TABLE big DROP COLUMN c{number}"
        ),
        Step(f"CREATE INDEX i{number} ON big (a, n)", f"DROP INDEX i{number}"),
        Step(
            f"ALTER TABLE big ADD COLUMN d{number} INTEGER NOT NULL DEFAULT 0",
            f"ALTER TABLE big DROP COLUMN d{number}",
        ),
    )
    return kinds[number % len(kinds)]


def write_base(folder: Path, rows: int) -> Path:
    """Write the database that the first migration starts from, with ``rows`` in ``big``."""
    dice = random.Random(1)  # noqa: S311 -- rows of nobody
    path = folder / BASE
    with closing(sqlite3.connect(path)) as db:
        db.execute(BIG)
        db.executemany(
            "INSERT INTO big VALUES (?, ?, ?)",
            [
                (number, f"name {dice.randrange(5000)}", dice.randrange(10**6))
                for number in range(1, rows + 1)
            ],
        )
        db.commit()
    return path


def write_project(folder: Path, size: int, rows: int) -> Path:
    """Write a project of ``size`` migrations for this plugin."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    write_base(folder, rows)
    (folder / "pytest.ini").write_text(f"[pytest]\nbb_base = {BASE}\nbb_runs_as = bbmigrate\n")
    for number in range(1, size + 1):
        one = step(number)
        (migrations / f"{number:03}_step.up.sql").write_text(f"{one.up};\n")
        (migrations / f"{number:03}_step.down.sql").write_text(f"{one.down};\n")
    return folder
