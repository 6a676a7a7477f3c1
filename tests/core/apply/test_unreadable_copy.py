"""A working copy that only the SQLite of the app's Python reads is not published."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply import run
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.processes.app_python import AppPython

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], str]:
    """Return what has the copy looked at, and gives what is said of it."""
    before, work = tmp_path / "before.db", tmp_path / "work.db"
    for path in (before, work):
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE t (a)")
    with closing(sqlite3.connect(work)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_schema VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS NEW')")
        db.commit()
    newer = AppPython("python", "3.99.0", "3.99.1", (), "")
    monkeypatch.setattr(run, "app_python", lambda _: newer)

    def look(python: Path | None) -> str:
        sent: Any = SimpleNamespace(before=before, work=work, python=python)
        rehearsal: Any = SimpleNamespace(changes=())
        nothing: Any = None
        with pytest.raises(StepFailed) as caught:
            run.check_copy(nothing, sent, rehearsal, nothing)
        return str(caught.value)

    return look


def test_both_versions_are_named(check: Callable[[Path | None], str]) -> None:
    said = check(Path("app/bin/python"))

    assert said.startswith("work.db: what the rehearsal has left cannot be looked at (malformed")
    assert "SQLite 3.99.1 of the app's Python (bb_python)" in said
    assert f"SQLite {sqlite3.sqlite_version} of pytest's" in said


def test_without_another_python_its_message_is_as_it_was(
    check: Callable[[Path | None], str],
) -> None:
    assert "bb_python" not in check(None)
