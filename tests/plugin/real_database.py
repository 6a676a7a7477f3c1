"""A database that stands for a user's real one: what is done to it, asked of it, left beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

ACCOUNTS = """\
-- migrate:up
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT, cents INTEGER);
-- migrate:down
DROP TABLE accounts;
"""
NAMED_ACCOUNTS = """\
-- migrate:up
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
-- migrate:down
DROP TABLE accounts;
"""
SECRET = "Dr. Smith of 12 Harbour Road"


def write_steps(project: pytest.Pytester, *texts: str) -> None:
    """Write the migrations 001_step.sql, 002_step.sql and so on."""
    folder = project.path / "migrations"
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts, 1):
        (folder / f"00{number}_step.sql").write_text(text)


def run_sql(path: Path, *statements: str) -> None:
    """Execute each of ``statements``."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for sql in statements:
            db.execute(sql)


def change(path: Path, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Execute ``sql`` with the values of each of ``rows``."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(sql, rows)


def ask(path: Path, sql: str) -> list[Any]:
    """Return the rows that ``sql`` gives."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def names(path: Path) -> list[str]:
    """Return the migrations that the history of the database has."""
    return [name for (name,) in ask(path, "SELECT name FROM _bb_migrations ORDER BY id")]


def backups(project: pytest.Pytester) -> list[Path]:
    """Return the backups that lie beside the database."""
    return sorted(project.path.glob("budget_buddy.db.backup.*"))


def litter(project: pytest.Pytester) -> list[str]:
    """Return what lies beside the database that a user did not put there, backups aside.

    A note belongs to its backup, and is told where that is not there.
    """
    known = {"budget_buddy.db", "migrations", "tox.ini", "conftest.py", "tests"}
    return sorted(
        path.name
        for path in project.path.iterdir()
        if path.name not in known
        and not path.name.startswith((".pytest_cache", "__pycache__"))
        and (".backup." not in path.name or _is_lone_note(path))
        and path.suffix not in {".py", ".xml", ".ini"}
    )


def _is_lone_note(path: Path) -> bool:
    return path.name.startswith(".") and not path.with_name(path.stem.removeprefix(".")).exists()
