"""What a run that was killed has left, and what the next one makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.backup_owners import Owner, owner_of
from pytest_bbmigrate.apply.workspace import (
    clean_up,
    folders_left,
    make_scratch,
    note_mode,
    noted_mode,
    remove_leftovers,
)
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.sqlite_files.backup import note_beside
from pytest_bbmigrate.sqlite_files.notes import note_for, write_note
from tests.core.publishing import Reporter, publish
from tests.core.real_databases import (
    MODES,
    fill_up,
    make,
    make_work,
    mode_of,
    names_in,
    note_in,
    other_program,
    small_disk,
)

if TYPE_CHECKING:
    from pathlib import Path

BACKUP = "real.db.backup.20260203_140506"


def leave(real: Path, mode: str = "wal", name: str = "", identity: str = "") -> Path:
    """Leave what a run on ``real`` that was killed while it published leaves; return its folder."""
    folder = real.parent
    note = note_for(real, identity)
    made = make_scratch(folder / (name or real.name), folder, note)
    made.release()
    scratch = made.folder
    (scratch / "rehearsal").mkdir(parents=True)
    (scratch / "work.db").write_text("private")
    (scratch / f"{BACKUP}.partial").write_text("private")
    note_mode(scratch, mode)
    return scratch


@pytest.mark.parametrize("mode", MODES)
def test_the_next_run_removes_it_and_puts_the_journal_mode_back(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old")
    work, _ = make_work(tmp_path / "new.db")
    leave(real, mode)
    reporter = Reporter()

    backup = publish(real, work, reporter)

    assert backup is not None
    assert reporter.steps[0] == f"lock: held to the end; journal mode {mode}"
    assert note_in(real) == "new"
    assert mode_of(real) == mode
    assert names_in(tmp_path) == ["new.db", "real.db", backup.name]


def test_what_others_have_named_alike_is_left_alone(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    alike = tmp_path / ".real.db.bbmigrate-x1y2"
    alike.mkdir()
    (alike / "work.db").write_text("mine")
    (tmp_path / ".real.db.bbmigrate-x1y3").mkdir()
    (tmp_path / ".real.db.bbmigrate-x1y3" / ".bbmigrate.json").write_text("{}")
    (tmp_path / f".{BACKUP}.json").write_text("[1, 2]")
    for name in (".real.db.bbmigrate-file", f"{BACKUP}.partial", f"{BACKUP}.partial.compared"):
        (tmp_path / name).touch()
    there = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))

    assert clean_up(real, tmp_path) == ""
    remove_leftovers(owner_of(real), tmp_path)
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == there


def test_a_note_of_another_mode_says_nothing(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    leave(real, "delete")

    assert noted_mode(owner_of(real), tmp_path) == ""


def test_a_database_of_the_same_name_elsewhere_keeps_its_folder_and_its_mode(
    tmp_path: Path,
) -> None:
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        make(tmp_path / folder / "real.db", "old")
    one, other = (owner_of(tmp_path / name / "real.db") for name in ("one", "other"))
    made = make_scratch(tmp_path / "real.db", tmp_path, other.note)
    made.release()
    scratch = made.folder
    note_mode(scratch, "wal")

    remove_leftovers(one, tmp_path)

    assert noted_mode(one, tmp_path) == ""
    assert noted_mode(other, tmp_path) == "wal"
    assert scratch.is_dir()


def test_a_folder_of_a_run_that_waits_for_the_lock_is_left_alone(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    alive = make_scratch(real, tmp_path, owner_of(real).note)

    assert clean_up(real, tmp_path) == ""
    remove_leftovers(owner_of(real), tmp_path)
    assert alive.folder.is_dir()

    alive.release()
    remove_leftovers(owner_of(real), tmp_path)
    assert names_in(tmp_path) == ["real.db"]


def test_what_a_killed_restore_has_left_beside_the_database_is_removed(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    leave(real)
    backups = tmp_path / "backups"
    backups.mkdir()

    assert clean_up(real, backups) == "copies of the data that a killed run had left were removed"
    assert names_in(tmp_path) == ["backups", "real.db"]


def test_a_full_disk_leaves_no_folder_that_nobody_knows(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with small_disk(tmp_path / "disk", 1) as disk:
        fill_up(disk)
        with pytest.raises(StepFailed, match="nothing can be written there"):
            make_scratch(real, disk, owner_of(real).note)

        assert names_in(disk) == ["filling"]


def test_leftovers_under_the_name_of_a_link_are_found(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    (tmp_path / "link.db").symlink_to(real)
    leave(real, name="link.db")

    assert clean_up(real, tmp_path) == "copies of the data that a killed run had left were removed"
    assert mode_of(real) == "wal"
    assert names_in(tmp_path) == ["link.db", "real.db"]


@pytest.mark.parametrize(
    ("changes", "is_ours"),
    [
        ({}, True),
        ({"database": "another"}, False),
        ({"path": "/elsewhere/real.db"}, True),  # nothing is there: the project was moved
        ({"path": "OTHER"}, False),  # a copy, whose run may be at work
        ({"database": ""}, True),  # of the run that gave it its id
        ({"database": "", "inode": 1}, False),
        ({"database": "", "path": "/elsewhere/real.db"}, False),
    ],
)
def test_a_folder_is_of_this_database_where_its_note_says_so(
    tmp_path: Path,
    changes: dict[str, Any],
    is_ours: bool,  # noqa: FBT001 - of the table
) -> None:
    real = make(tmp_path / "real.db", "old")
    other = make(tmp_path / "other.db", "old")
    owner = Owner(note_for(real, "mine"))
    changes = {name: str(other) if said == "OTHER" else said for name, said in changes.items()}
    make_scratch(real, tmp_path, replace(owner.note, **changes)).release()

    assert len(folders_left(owner, tmp_path)) == is_ours


def test_a_note_without_its_backup_is_removed_unless_the_history_knows_the_backup(
    tmp_path: Path,
) -> None:
    real = make(tmp_path / "real.db", "old")
    owner = Owner(note_for(real, "mine"), (f"{BACKUP}_2",))
    other = note_for(tmp_path / "other.db", "another")
    for name, note in ((BACKUP, owner.note), (f"{BACKUP}_2", owner.note), (f"{BACKUP}_3", other)):
        write_note(note, note_beside(tmp_path / name), tmp_path)

    remove_leftovers(owner, tmp_path)

    assert names_in(tmp_path) == [f".{BACKUP}_2.json", f".{BACKUP}_3.json", "real.db"]


def test_where_there_is_nothing_else_to_do_it_is_done_all_the_same(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "new")
    leave(real)

    assert clean_up(real, tmp_path) == "copies of the data that a killed run had left were removed"
    assert mode_of(real) == "wal"
    assert names_in(tmp_path) == ["real.db"]
    assert note_in(real) == "new"


def test_where_the_database_is_in_use_it_is_left_and_told(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "new")
    leave(real)
    there = names_in(tmp_path)
    with other_program(real, "BEGIN IMMEDIATE"):
        told = clean_up(real, tmp_path)
        left = [name for name in names_in(tmp_path) if name != "real.db-journal"]

    assert told.startswith(
        f"a run that was killed has left copies of the data in {tmp_path}: real.db is open in "
    )
    assert left == there


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert clean_up(make(tmp_path / "real.db", "new"), tmp_path / "backups") == ""
