"""What runs is what the catalogue read, whatever the files say by then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from tests.core.cataloguing import write
from tests.core.running import rows

if TYPE_CHECKING:
    from pathlib import Path

MANAGED = "from _word import word\ndef up(db):\n    db.execute(f'CREATE TABLE {word} (id)')\n"
SCRIPT = """\
from _word import word
import sqlite3
def migrate():
    with sqlite3.connect("app.db") as db:
        db.execute(f"CREATE TABLE {word} (id)")
    db.close()
"""
MAIN = "# bb: script\n" + SCRIPT + "if __name__ == '__main__':\n    migrate()\n"
TABLES = "SELECT name FROM sqlite_schema"


@pytest.mark.parametrize("source", [MANAGED, SCRIPT, MAIN])
def test_a_file_and_its_helper_run_as_they_were_read(tmp_path: Path, source: str) -> None:
    folder = write(tmp_path / "m", {"001_a.py": source, "_word/__init__.py": "word = 'first'\n"})
    (migration,) = read_catalogue(folder).migrations
    write(folder, {"001_a.py": "raise ValueError", "_word/__init__.py": "word = 'second'\n"})

    run, image = run_part(
        migration, migration.up, b"", RunEnvironment(tmp_path / "app.db", tmp_path)
    )

    assert run.failure is None
    assert rows(image, TABLES) == ["first"]


LATE = "import importlib\nword = importlib.import_module('_' + 'late').word\n"


@pytest.mark.parametrize(("age", "failed"), [(-1, False), (1, True)])
def test_a_script_imports_no_module_that_was_written_too_late(
    tmp_path: Path, *, age: int, failed: bool
) -> None:
    source = SCRIPT.replace("from _word import word\n", LATE)
    folder = write(tmp_path / "m", {"001_a.py": source, "_late/__init__.py": "word = 'late'\n"})
    (migration,) = read_catalogue(folder).migrations
    written = (folder / "_late" / "__init__.py").stat().st_ctime_ns
    environment = RunEnvironment(tmp_path / "app.db", tmp_path, since=written - age)

    run, image = run_part(migration, migration.up, b"", environment)

    assert (run.failure is not None) is failed
    assert (
        "_late/__init__.py was changed after the session had begun" in str(run.failure)
    ) is failed
    assert rows(image, TABLES) == ([] if failed else ["late"])


def test_what_is_installed_elsewhere_may_be_younger(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere", {"bb_installed.py": "word = 'there'\n"})
    source = f"import sys\nsys.path.append({str(elsewhere)!r})\n"
    source += SCRIPT.replace("_word", "bb_installed")
    folder = write(tmp_path / "project" / "m", {"001_a.py": source})
    (migration,) = read_catalogue(folder).migrations
    environment = RunEnvironment(
        folder.parent / "app.db", folder.parent, since=time.time_ns() - 3_600_000_000_000
    )

    run, image = run_part(migration, migration.up, b"", environment)

    assert run.failure is None
    assert rows(image, TABLES) == ["there"]
