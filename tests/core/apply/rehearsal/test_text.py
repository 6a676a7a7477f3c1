"""A rehearsal runs the text that was checked, or says which file is another by now."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder, rehearse
from pytest_bbmigrate.catalogue import fingerprint, importing_of, read_catalogue
from pytest_bbmigrate.errors import StepFailed
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY); INSERT INTO tx VALUES (1), (2), (3);"
STEP = """\
import importlib
from app.money import column

def up(db):
    getattr(importlib, "import_module")("app.rates")
    db["tx"].add_column(column, str)
"""


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RehearsalOrder:
    monkeypatch.syspath_prepend(tmp_path)
    folder = write(
        tmp_path,
        {
            "m/001_a.sql": "DELETE FROM tx WHERE id > 90;",
            "m/002_b.py": STEP,
            "app/__init__.py": "",
            "app/money.py": "column = 'note'\n",
            "app/rates.py": "",
            "scratch/.keep": "",
        },
    )
    with closing(sqlite3.connect(folder / "backup.db")) as db:
        db.executescript(TX)
    importing = importing_of(folder / "m", folder, [])
    texts = read_catalogue(folder / "m", importing).texts
    young = max(path.stat().st_ctime_ns for path in (folder / "app").iterdir())
    return RehearsalOrder(
        folder / "m",
        ("001_a", "002_b"),
        folder / "app.db",
        folder,
        before=folder / "backup.db",
        folder=folder / "scratch",
        work=folder / "work.db",
        fixed=fingerprint(folder / "m", texts, [], database=folder / "app.db"),
        importing=importing,
        since=young,
    )


def test_what_is_as_it_was_is_rehearsed(order: RehearsalOrder) -> None:
    rehearsal = rehearse(order, lambda _: None)

    assert rehearsal.digest
    with closing(sqlite3.connect(order.work)) as db:
        assert db.execute("SELECT count(note) FROM tx").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m/001_a.sql", "-- bb: deletes tx\nDELETE FROM tx WHERE id > 90;"),
        ("m/002_b.py", STEP + "# a comment\n"),
        ("app/money.py", "column = 'memo'\n"),
    ],
)
def test_another_text_is_not_rehearsed(order: RehearsalOrder, name: str, content: str) -> None:
    write(order.root, {name: content})

    with pytest.raises(StepFailed, match=rf"{name} was changed\n.*run again"):
        rehearse(order, lambda _: None)

    assert not order.work.exists()


def test_a_module_that_no_text_names_must_be_older_than_the_session(order: RehearsalOrder) -> None:
    os.utime(order.root / "app" / "rates.py")

    with pytest.raises(StepFailed, match=r"app/rates.py was changed"):
        rehearse(replace(order, since=(order.since or 0) - 1), lambda _: None)

    assert not order.work.exists()
