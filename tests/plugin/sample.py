"""A small migration folder, sound and with faults, for pytest to run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = """\
-- Migration: Accounts and their transactions
-- migrate:up
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount INTEGER NOT NULL,
    note TEXT
);
-- migrate:down
DROP TABLE transactions;
DROP TABLE accounts;
"""
TRIP_TAGS = """\
-- Migration: A tag for the trip that a transaction belongs to
ALTER TABLE transactions ADD COLUMN trip_tag TEXT;
"""
FUNDS = '''\
"""Sinking funds."""


def up(db):
    db.execute("CREATE TABLE funds (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")


def down(db):
    db.execute("DROP TABLE funds")
'''
SOUND = {"001_accounts.sql": ACCOUNTS, "002_trip_tags.sql": TRIP_TAGS, "003_funds.py": FUNDS}

FORGETS = "-- Migration: Start afresh\nUPDATE transactions SET note = 'x' || id;\n"
DOES_NOT_APPLY = "INSERT INTO nowhere VALUES (1);\n"
UNFINISHED = "INSERT INTO accounts (name) VALUES ('Old Mill Bank);\n"

CHECKS = (
    "up_applies",
    "data_survives",
    "schema_survives",
    "foreign_keys_hold",
    "down_restores",
    "up_repeats",
)
FILES = ("001_accounts.sql", "002_trip_tags.sql", "003_funds.py")
ALL = [
    "migrations::catalogue_reads",
    *(f"migrations/{file}::{check}" for file in FILES for check in CHECKS),
]
MARKED = """
import pytest

@pytest.mark.bb_smoke
def test_smoke(): pass

@pytest.mark.bb_migration("002_trip_tags")
def test_tags(): pass

def test_neither(): pass
"""


def write_migrations(project: pytest.Pytester, *, folder: str = "migrations", **more: str) -> Path:
    """Write the sound migrations and ``more`` (``name__sql`` for name.sql) into ``folder``."""
    path = project.path / folder
    path.mkdir(parents=True, exist_ok=True)
    named = {name.replace("__", ".").lstrip("_"): text for name, text in more.items()}
    for name, text in (SOUND | named).items():
        (path / name).write_text(text)
    return path


def collected(project: pytest.Pytester, *args: str) -> list[str]:
    """Return the node ids that pytest collects."""
    result = project.runpytest("--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def in_short_summary(node_id: str, sentence: str) -> str:
    """Return the line for a failure, which says the sentence from pytest 9 on."""
    return f"FAILED {node_id} - {sentence}" if pytest.version_tuple >= (9,) else f"FAILED {node_id}"
