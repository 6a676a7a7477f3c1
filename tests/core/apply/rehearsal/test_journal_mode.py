"""Which journal mode a migration asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.apply.rehearsal.journal_mode import requested_journal_mode
from pytest_bbmigrate.catalogue import PythonPart, ScriptPart, SqlPart

FILE = Path("003_wal.sql")
OUTSIDE = SqlPart(FILE, (), in_transaction=False)


@pytest.mark.parametrize(
    ("executed", "mode"),
    [
        ([], ""),
        (["PRAGMA journal_mode"], ""),
        (["PRAGMA journal_mode = WAL"], "wal"),
        (["pragma main.journal_mode('wal')"], "wal"),
        (["PRAGMA journal_mode=WAL;\nPRAGMA synchronous=NORMAL;"], "wal"),
        (["PRAGMA journal_mode = truncate"], "delete"),
        (["PRAGMA journal_mode = WAL", "PRAGMA journal_mode = DELETE", "VACUUM"], "delete"),
        (["INSERT INTO notes VALUES ('PRAGMA journal_mode = WAL')"], ""),
        (["-- PRAGMA journal_mode = WAL\nVACUUM"], ""),
        (["PRAGMA journal_mode = WAL; SELECT 'never closed"], ""),
    ],
)
def test_it_is_the_one_set_last(executed: list[str], mode: str) -> None:
    assert requested_journal_mode(OUTSIDE, executed) == mode


def test_in_a_transaction_none_can_be_set() -> None:
    executed = ["PRAGMA journal_mode = DELETE"]

    assert requested_journal_mode(SqlPart(FILE, ()), executed) == ""
    assert requested_journal_mode(PythonPart(FILE, "up", 1), executed) == ""
    assert requested_journal_mode(ScriptPart(FILE), executed) == "delete"
