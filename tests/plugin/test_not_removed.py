"""A backup that cannot be removed: what was done is done, and is told."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask, backups, names

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
NOTE = "ALTER TABLE tx ADD COLUMN note TEXT;"


@pytest.fixture
def tx(project: pytest.Pytester) -> Path:
    """Return a database of one migration, with another pending."""
    write(project, m001_tx=TX, m002_note=NOTE)
    project.makeini("[pytest]\nbb_keep_backups = 1\n")
    return database(project, f"{TX} INSERT INTO tx VALUES (1, 10);", "001_tx")


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no backup be removed any more, as where it is mounted or immutable."""
    unlink = Path.unlink

    def refuse(self: Path, *, missing_ok: bool = False) -> None:
        if ".backup." in self.name:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self))
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)


def test_a_backup_that_cannot_be_pruned_is_a_note(
    project: pytest.Pytester, tx: Path, request: pytest.FixtureRequest
) -> None:
    project.runpytest("--bb-apply")
    (first,) = backups(project)
    write(project, m003_memo="ALTER TABLE tx ADD COLUMN memo TEXT;")
    request.getfixturevalue("busy")

    result = project.runpytest("--bb-apply")

    (_, second) = backups(project)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "applied 003_memo",
            f"backup    {second.name}",
            f"note      {first.name} could not be pruned (Device or resource busy): *",
        ]
    )
    assert names(tx) == ["001_tx", "002_note", "003_memo"]
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.usefixtures("busy")
def test_the_backup_of_a_rehearsal_that_cannot_be_removed_is_a_note(
    project: pytest.Pytester, tx: Path
) -> None:
    before = tx.read_bytes()

    result = project.runpytest("--bb-rehearse")

    (left,) = backups(project)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        [
            "rehearsed 002_note; budget_buddy.db is as it was",
            f"note *its backup {left.name} is not needed, and cannot be removed (Device or *",
        ]
    )
    assert tx.read_bytes() == before
    assert ask(tx, "SELECT amount FROM tx") == [(10,)]


def test_a_folder_that_cannot_be_looked_through_is_a_note(
    project: pytest.Pytester, tx: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> object:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("pytest_bbmigrate.apply.run.backups_in", refuse)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["applied 002_note", "note *older backups cannot be looked for *"])
    assert names(tx) == ["001_tx", "002_note"]
