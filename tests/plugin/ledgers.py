"""Real databases whose history was written by hand: an apply is not made to test another one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.history.table import Applied, make_history, record

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def write(project: pytest.Pytester, **files: str) -> Path:
    """Write migrations: ``m001_a`` is 001_a.sql, ``m001_a__py`` is 001_a.py; return the folder."""
    folder = project.path / "migrations"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, suffix = name.removeprefix("m").partition("__")
        (folder / f"{stem}.{suffix or 'sql'}").write_text(text)
    return folder


def database(project: pytest.Pytester, sql: str, *applied: str) -> Path:
    """Return the project's database after ``sql``, with ``applied`` migrations in its history."""
    path = project.path / "budget_buddy.db"
    checksums = {m.name: m.checksum for m in read_catalogue(project.path / "migrations").migrations}
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(sql)
        make_history(db)
        for name in applied:
            record(db, Applied(name, checksums[name], "2026-01-01T00:00:00+00:00", 0.1, 1, 1))
    return path
