"""What is said of what a run leaves, and the command that restores a backup then."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.apply.what_is_left import Content, FileFound, read_file_found, unseen
from pytest_bbmigrate.sqlite_files.held_file import NameTarget

DATABASE = Path("/data/money.db")
BACKUP = Path("/data/money.db.backup.20260203_140506")


@pytest.mark.parametrize(
    ("name", "content", "detail", "said"),
    [
        (NameTarget.SAME, Content.AS_BEFORE, "", "is as it was"),
        (NameTarget.SAME, Content.PUBLISHED, "", "holds what was to be published, which was not*"),
        (NameTarget.SAME, Content.VERIFIED, "", "holds what was verified"),
        (NameTarget.SAME, Content.UNSEEN, "in use", "could not be looked at (in use)"),
        (NameTarget.ANOTHER, Content.EMPTY, "", "is another file now, which is empty: something*"),
        (
            NameTarget.LINK,
            Content.UNSEEN,
            "",
            "is another symbolic link now: something replaced it*",
        ),
        (NameTarget.HIDDEN, Content.UNSEEN, "", "may not be looked at (permission denied)"),
    ],
)
def test_what_is_there_is_said_in_a_clause(
    name: NameTarget, content: Content, detail: str, said: str
) -> None:
    left = FileFound(DATABASE, name, content, detail)

    beginning = f"money.db {said}"
    assert str(left).startswith(beginning.rstrip("*"))
    assert beginning.endswith("*") or str(left) == beginning
    assert left.is_as_it_was is (content is Content.AS_BEFORE)


@pytest.mark.parametrize(
    ("name", "content", "command"),
    [
        (NameTarget.GONE, Content.OTHER, "pytest --bb-restore={backup}"),
        (NameTarget.SAME, Content.EMPTY, "pytest --bb-restore={backup}"),
        (NameTarget.SAME, Content.OTHER, "pytest --bb-restore={backup} --bb-discard-changes"),
        (
            NameTarget.ANOTHER,
            Content.AS_BEFORE,
            "pytest --bb-restore={backup} --bb-discard-changes",
        ),
        (
            NameTarget.LINK,
            Content.OTHER,
            "mv /data/money.db /data/money.db.other && pytest --bb-restore={backup}",
        ),
        (NameTarget.NO_FOLDER, Content.OTHER, "mkdir -p /data && pytest --bb-restore={backup}"),
    ],
)
def test_the_command_is_the_one_that_works_there(
    name: NameTarget, content: Content, command: str
) -> None:
    assert FileFound(DATABASE, name, content, "", BACKUP).restore_command() == command.format(
        backup=BACKUP
    )


def test_paths_are_quoted_and_short_where_they_lie_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left = FileFound(
        tmp_path / "my money.db",
        NameTarget.GONE,
        Content.OTHER,
        "",
        tmp_path / "my money.db.backup.x",
    )

    assert left.restore_command("pytest --bb-db='my money.db'") == (
        "pytest --bb-db='my money.db' --bb-restore='my money.db.backup.x'"
    )


def test_without_a_backup_there_is_no_command() -> None:
    assert FileFound(DATABASE, NameTarget.GONE, Content.OTHER).restore_command() == ""


def test_what_could_not_be_found_out_is_unseen(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.touch()

    assert read_file_found(DATABASE, unseen("it ended"), backup) == FileFound(
        DATABASE, NameTarget.SAME, Content.UNSEEN, "it ended", backup
    )
