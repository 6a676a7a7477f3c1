"""What may give something else the next time, with the same files, is not kept, or for a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.kept.certainty import (
    certainty_of_part,
    certainty_of_texts,
    what_is_not_kept,
)
from pytest_bbmigrate.kept.python_reads import texts_used, what_it_reaches
from pytest_bbmigrate.project import read_project
from tests.core.keeping import write_project

HEADER = b"from __future__ import annotations\n"


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (CURRENT_TIMESTAMP)",
        "UPDATE t SET a = date('now')",
        "UPDATE t SET a = strftime ('%Y', b)",
        'UPDATE t SET a = "datetime" /* so */ (b)',
        "UPDATE t SET a = julianday -- now\n (b)",
        "UPDATE t SET a = [unixepoch]()",
        "CREATE TABLE t (a TEXT DEFAULT CURRENT_DATE)",
    ],
)
def test_what_calls_the_clock_is_certain_for_a_day(sql: str) -> None:
    found = certainty_of_texts([sql])

    assert found.by_day
    assert not found.why


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = random()",
        "UPDATE t SET a = hex(RANDOMBLOB (16))",
        'UPDATE t SET a = "random"()',
        "CREATE TABLE t (a TEXT DEFAULT (hex(randomblob(16))))",
        "SELECT load_extension('x')",
    ],
)
def test_what_draws_or_reads_beyond_the_database_is_not_kept(sql: str) -> None:
    assert certainty_of_texts([sql]).why


@pytest.mark.parametrize(
    "sql", ["INSERT INTO t (date, time) VALUES (1, 2)", "UPDATE t SET random = 1", "SELECT date"]
)
def test_names_that_are_like_those_of_functions_are_certain(sql: str) -> None:
    found = certainty_of_texts([sql])

    assert not found.by_day
    assert not found.why


@pytest.mark.parametrize(
    "source",
    [
        b"import os",
        b"import uuid",
        b"from random import choice",
        b"import app.models",
        b"def up(db):\n    open('x')",
        b"def up(db):\n    import subprocess",
        b"import sqlite3\ndef up(db):\n    sqlite3.connect('x')",
        b"from sqlite3 import connect as c",
        b"from sqlite_utils import Database as D",
        b"from sqlite_utils import Database\ndef up(db):\n    Database('x')",
        b"def up(db):\n    db.attach('x', 'y')",
        b"def up(db):\n    eval('1')",
        b"def up(db):\n    getattr(db, 'x')",
        b"def up(db):\n    db.__class__.__mro__",
        b"PATH = __file__",
        b"def up(db):\n    id(db)",
        b"def (",
    ],
)
def test_python_that_may_reach_beyond_its_files_is_not_kept(source: bytes) -> None:
    assert what_it_reaches(HEADER + source, own=())


@pytest.mark.parametrize(
    "source",
    [
        b"import json, re\nfrom datetime import date\nfrom decimal import Decimal",
        b"from sqlite_utils import Database\ndef up(db: Database) -> None:\n    db.execute('')",
        b"import sqlite3\ndef up(db: sqlite3.Connection) -> sqlite3.Row: ...",
        b"from _words import FUNDS",
        b"from yoyo import step",
    ],
)
def test_python_that_uses_what_is_known_is_kept(source: bytes) -> None:
    assert what_it_reaches(HEADER + source, own=("_words",)) == ""


def test_a_module_of_the_project_in_the_place_of_a_known_one_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_bbmigrate.kept.python_reads import is_itself

    (tmp_path / "statistics.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    is_itself.cache_clear()
    try:
        assert what_it_reaches(b"import statistics", own=()) == "the module statistics"
    finally:
        is_itself.cache_clear()


def test_the_modules_that_a_file_uses_are_followed(tmp_path: Path) -> None:
    texts = {
        "1_a.py": b"import pkg.b\nfrom c import d",
        "pkg/__init__.py": b"",
        "pkg/b.py": b"from . import e",
        "pkg/e.py": b"",
        "c.py": b"import os",
        "2_f.sql": b"",
        "g.py": b"",
    }
    real = {str(tmp_path / name): text for name, text in texts.items()}

    used = texts_used(tmp_path / "1_a.py", real, tmp_path)

    assert {Path(path).relative_to(tmp_path).as_posix() for path in used} == {
        "1_a.py",
        "pkg/__init__.py",
        "pkg/b.py",
        "pkg/e.py",
        "c.py",
    }


def test_a_script_is_not_kept() -> None:
    assert certainty_of_part(ScriptPart(Path("1_a.py")), Path()).why


def test_what_is_not_kept_is_said_with_its_reason(tmp_path: Path) -> None:
    settings = write_project(tmp_path)
    (settings.migrations / "_words.py").write_text("import os\nFUNDS = os.name\n")

    assert what_is_not_kept(read_project(settings)) == (
        "not kept for the next run, nor what comes after it: 040_funds uses the module os"
    )
