"""Another run that has come between, or something that moves the folder of the backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.run import run_apply
from pytest_bbmigrate.plugin import apply_session
from tests.plugin.ledgers import database, write
from tests.plugin.real_database import names, run_sql

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
COLUMNS = "checksum, applied_at, seconds, batch, statements"
MEANWHILE = f"INSERT INTO _bb_migrations (name, {COLUMNS}) SELECT '002_memo', {COLUMNS} "
MEANWHILE += "FROM _bb_migrations"
MOVES = """\
import pathlib, pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    pathlib.Path({!r}).rename({!r})
    assert False
"""


@pytest.fixture
def tx(project: pytest.Pytester) -> Path:
    """Return a database with one migration applied and one pending."""
    write(project, m001_tx=TX, m002_memo="CREATE TABLE memo (id INTEGER);")
    return database(project, TX, "001_tx")


def test_what_another_run_has_published_is_not_called_as_it_was(
    project: pytest.Pytester, tx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object) -> object:
        run_sql(tx, MEANWHILE)
        return run_apply(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(apply_session, "run_apply", late)
    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["not applied: lock failed; budget_buddy.db is as another run has left it"]
    )
    assert "as it was" not in result.stdout.str()
    assert names(tx) == ["001_tx", "002_memo"]


def test_a_folder_of_backups_that_is_moved_is_told(project: pytest.Pytester, tx: Path) -> None:
    folder = project.mkdir("backups")
    moved = folder.with_name("moved")
    project.makepyfile(test_app=MOVES.format(str(folder), str(moved)))
    before = tx.read_bytes()

    result = project.runpytest("--bb-apply", "--bb-backup-dir=backups")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [f"note * {folder} was moved or removed while *: copies of the data are where it is now"]
    )
    assert tx.read_bytes() == before
    assert [path.name for path in moved.glob("*.backup.*")]
