"""Two databases of one file name that have one folder for their backups."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backup_condition import backup_problems, restore_obstacle
from pytest_bbmigrate.apply.backup_owners import (
    Ownership,
    id_for,
    note_on,
    owner_of,
    ownership_of,
)
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.change import ContentChange, PublishableCopy
from pytest_bbmigrate.apply.choose_backup import choose_backup
from pytest_bbmigrate.apply.model import Preflight
from pytest_bbmigrate.apply.record_version import record_version
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder, identity_after
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.apply.run import ApplyOrder, prune
from pytest_bbmigrate.apply.steps import run_change
from pytest_bbmigrate.apply.workspace import make_scratch
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.batches import record_backup
from pytest_bbmigrate.history.identity import read_identity
from pytest_bbmigrate.history.plan import MigrationStatuses
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.sqlite_files.backup import note_beside
from tests.core.publishing import Reporter
from tests.core.real_databases import make, names_in, note_in

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.history.identity import Identity

STAMP = "20260203_140506"
LEFT = ": copies of the data, left by a run that was killed; the next run removes them"


class Shared:
    """``one`` and ``other`` are of one file name; ``folder`` is for the backups of both."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "backups"
        for name in ("one", "other", "backups"):
            (root / name).mkdir()
        self.one = make(root / "one" / "real.db", "one's")
        self.other = make(root / "other" / "real.db", "other's")

    def adopt(self, database: Path) -> Path:
        """Give ``database`` a history and an id; return the backup of what was there before."""
        backup = record_version(database, self.folder, (), Reporter())
        assert backup is not None
        return backup

    def restore(self, database: Path, named: str = "", *, discard: bool = False) -> None:
        choice = choose_backup(database, self.folder, named, discard=discard)
        restore_backup(database, self.folder, choice, Reporter(), discard=True)

    def record(self, database: Path, *backups: Path) -> None:
        """Have the history of ``database`` know these backups."""
        with closing(sqlite3.connect(database)) as db, db:
            record(db, Applied("001", "c", "2026-01-05T10:00:00+00:00", 0.1, 1, 1))
            for backup in backups:
                record_backup(db, 1, backup.name)

    def prune(self, database: Path, keep: int, own: Path) -> tuple[Path, ...]:
        rehearsal = RehearsalOrder(self.folder, (), database, self.folder)
        found = Preflight(MigrationStatuses((), ()), (), 1)
        order = ApplyOrder(database, self.folder, found, rehearsal, str, keep_backups=keep)
        return prune(order, own, pytest.fail)


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


def identity_of(path: Path) -> Identity:
    with closing(sqlite3.connect(path)) as db:
        return read_identity(db)


@pytest.mark.parametrize("adopted", [True, False])
def test_each_gets_its_own_backup_back(shared: Shared, *, adopted: bool) -> None:
    if adopted:
        for database in (shared.one, shared.other):
            shared.adopt(database)
    theirs, _ = back_up_now(shared.other, shared.folder, lambda _: None)
    back_up_now(shared.one, shared.folder, lambda _: None)
    newest, _ = back_up_now(shared.other, shared.folder, lambda _: None)

    shared.restore(shared.one)
    assert note_in(shared.one) == "one's"
    shared.restore(shared.other)
    assert note_in(shared.other) == "other's"

    with pytest.raises(
        StepFailed, match=rf"{newest}: a backup of another database, {shared.other}"
    ):
        shared.restore(shared.one, newest.name)
    assert note_in(shared.one) == "one's"
    shared.restore(shared.one, theirs.name, discard=True)
    assert note_in(shared.one) == "other's"


def test_an_adoption_records_the_digest_of_its_backup(shared: Shared) -> None:
    backup = shared.adopt(shared.one)
    note = note_on(backup)

    assert note is not None
    assert identity_of(shared.one).digests == {backup.name: note.digest}
    assert identity_of(shared.one).id == note.database
    assert identity_of(backup).id == ""


def test_the_run_of_one_leaves_the_folder_of_the_other(shared: Shared) -> None:
    def run_the_other(backup: Path, folder: Path, _: object) -> PublishableCopy:
        there = names_in(shared.folder)
        shared.adopt(shared.other)
        assert set(there) <= set(names_in(shared.folder))
        assert backup.exists()
        assert folder.is_dir()
        raise StepFailed("enough")

    with pytest.raises(StepFailed, match="enough"):
        run_change(
            ContentChange(shared.one, shared.folder, lambda _: None, run_the_other), Reporter()
        )

    (left,) = names_in(shared.folder)
    assert ownership_of(shared.folder / left, None, owner_of(shared.other)) is Ownership.SAME


def test_what_was_before_the_first_id_is_still_of_this_database(shared: Shared) -> None:
    before = shared.adopt(shared.one)
    given = identity_of(shared.one).id
    shared.restore(shared.one, before.name)
    without = identity_of(shared.one).id
    shared.adopt(shared.one)

    assert without == ""
    assert identity_of(shared.one).id == given
    assert backup_problems(shared.one, shared.folder) == ()


def test_another_file_at_the_path_is_another_database(shared: Shared) -> None:
    before = shared.adopt(shared.one)
    given = identity_of(shared.one).id
    kept = shared.one.rename(shared.one.with_name("kept.db"))  # its inode is not used again
    make(shared.one, "another")
    shared.adopt(shared.one)

    assert identity_of(shared.one).id != given
    with pytest.raises(StepFailed, match="a backup of another database"):
        choose_backup(shared.one, shared.folder, before.name)
    assert choose_backup(kept, shared.folder, before.name).backup == before


def test_a_project_that_was_moved_finds_its_backups(shared: Shared) -> None:
    backup = shared.adopt(shared.one)
    moved = shared.one.parent.rename(shared.one.parent.with_name("moved")) / "real.db"

    choice = choose_backup(moved, shared.folder)

    assert choice.backup == backup
    (said,) = choice.notes
    assert said.startswith(f"{backup.name} was made of {shared.one}: the database was moved since")


def test_a_database_without_an_id_has_no_other_path(shared: Shared) -> None:
    backup, _ = back_up_now(shared.one, shared.folder, lambda _: None)
    moved = shared.one.rename(shared.one.with_name("moved.db"))

    with pytest.raises(StepFailed, match=r"no backup of moved\.db is there"):
        choose_backup(moved, shared.folder)
    with pytest.raises(StepFailed, match=f"{backup}: a backup of another database, {shared.one}"):
        choose_backup(moved, shared.folder, backup.name)


# ---- what is removed


def test_only_what_is_recorded_of_this_database_and_what_it_was_is_pruned(shared: Shared) -> None:
    shared.adopt(shared.one).unlink()
    owner = owner_of(shared.one)
    mine = [back_up_now(shared.one, shared.folder, lambda _: None)[0] for _ in range(5)]
    theirs, _ = back_up_now(shared.other, shared.folder, lambda _: None)
    rotten, without_note, alike, oldest, newest = mine
    rotten.write_bytes(rotten.read_bytes() + b"mine")
    note_beside(without_note).unlink()
    note = note_on(alike)
    assert note is not None
    note_beside(alike).write_text(note_beside(theirs).read_text())
    shared.record(shared.one, *mine, theirs)
    there = names_in(shared.folder)

    assert shared.prune(shared.one, 1, newest) == (oldest,)
    assert names_in(shared.folder) == [name for name in there if name != oldest.name]
    assert not note_beside(oldest).exists()
    assert newest.exists()
    assert owner.id


def test_a_copy_prunes_nothing_of_the_original(shared: Shared) -> None:
    shared.adopt(shared.one)
    mine = [back_up_now(shared.one, shared.folder, lambda _: None)[0] for _ in range(2)]
    shared.record(shared.one, *mine)
    copy = shared.one.with_name("copy.db")
    shutil.copyfile(shared.one, copy)

    assert shared.prune(copy, 1, mine[1]) == ()
    assert len(shared.prune(shared.one, 1, mine[1])) == 2


# ---- --bb-status


def test_what_is_wrong_with_a_backup_is_told_and_nothing_of_the_others(shared: Shared) -> None:
    sound = shared.adopt(shared.one)
    rotten, gone = (back_up_now(shared.one, shared.folder, lambda _: None)[0] for _ in range(2))
    theirs, _ = back_up_now(shared.other, shared.folder, lambda _: None)
    unknown = shared.folder / f"real.db.backup.{STAMP}"
    shutil.copyfile(theirs, unknown)
    shutil.copyfile(theirs, shared.folder / f"other.db.backup.{STAMP}")
    rotten.write_bytes(rotten.read_bytes()[:-1])
    theirs.write_bytes(b"rotten, too")
    gone.unlink()
    there = names_in(shared.folder)

    problems = backup_problems(shared.one, shared.folder)

    assert [problem.split(":")[0] for problem in problems] == [
        str(path) for path in (rotten, unknown, gone)
    ]
    assert "bytes then, " in problems[0]
    assert problems[1].endswith(
        "nothing tells of which database it is, nor what it was when it was made"
    )
    assert problems[2].endswith(
        f"it is gone; if that was meant, remove its note, {note_beside(gone).name}"
    )
    assert names_in(shared.folder) == there
    assert sound.exists()
    assert backup_problems(shared.one, shared.folder / "nowhere") == ()


def test_what_the_history_alone_knows_of_a_backup_is_held_against_it(shared: Shared) -> None:
    backup = shared.adopt(shared.one)
    note_beside(backup).unlink()
    assert backup_problems(shared.one, shared.folder) == ()

    backup.write_bytes(backup.read_bytes()[:-1])

    (problem,) = backup_problems(shared.one, shared.folder)
    assert problem.startswith(f"{backup}: it is not what the history says that it was: its SHA-256")


def test_a_note_that_does_not_read_is_told(shared: Shared) -> None:
    backup, _ = back_up_now(shared.one, shared.folder, lambda _: None)
    note_beside(backup).write_text("{")

    (problem,) = backup_problems(shared.one, shared.folder)
    assert problem.startswith(f"{note_beside(backup)}: the note does not say what a note says")


def test_an_id_is_not_taken_from_the_note_of_another_file(shared: Shared) -> None:
    backup = shared.adopt(shared.one)
    owner = owner_of(shared.other)
    note = note_on(backup)

    assert note is not None
    assert id_for(owner, shared.folder) not in ("", note.database)
    moved = replace(owner, note=replace(note, database="", inode=note.inode + 1))
    assert id_for(moved, shared.folder) != note.database
    assert id_for(replace(owner, note=replace(note, database="")), shared.folder) == (note.database)


def test_an_id_that_another_run_has_given_meanwhile_is_not_written_over(shared: Shared) -> None:
    shared.adopt(shared.one)
    given = identity_of(shared.one).id
    order = RehearsalOrder(
        shared.folder, (), shared.one, shared.folder, before=shared.one, identity=given
    )

    assert identity_after(order).id == given
    with pytest.raises(StepFailed, match="it is not the database that it was a moment ago"):
        identity_after(replace(order, identity="chosen before"))


def test_a_recorded_backup_of_which_no_digest_is_known_is_told(shared: Shared) -> None:
    backup, _ = back_up_now(shared.one, shared.folder, lambda _: None)
    note_beside(backup).unlink()
    shared.record(shared.one, backup)

    assert backup_problems(shared.one, shared.folder) == (
        f"{backup}: nothing tells what it was when it was made",
    )


def test_what_nothing_is_known_of_is_not_named_as_the_way_back(shared: Shared) -> None:
    backup, _ = back_up_now(shared.one, shared.folder, lambda _: None)

    assert restore_obstacle(backup) == ""
    note_beside(backup).write_text("{")
    assert "the note does not say what a note says" in restore_obstacle(backup)
    note_beside(backup).unlink()
    assert restore_obstacle(backup).endswith(
        "its note is gone, and nothing tells whether it is what it was"
    )


def test_a_folder_of_a_killed_run_is_told(shared: Shared) -> None:
    left = make_scratch(shared.one, shared.folder, owner_of(shared.one).note)
    left.release()
    make_scratch(shared.other, shared.folder, owner_of(shared.other).note).release()

    assert backup_problems(shared.one, shared.folder) == (f"{left.folder}{LEFT}",)


def test_a_folder_that_a_killed_restore_has_left_beside_the_database_is_told(
    shared: Shared,
) -> None:
    left = make_scratch(shared.one, shared.one.parent, owner_of(shared.one).note)
    left.release()

    assert backup_problems(shared.one, shared.folder) == (f"{left.folder}{LEFT}",)


def test_a_folder_of_a_run_that_is_alive_is_no_problem(shared: Shared) -> None:
    alive = make_scratch(shared.one, shared.folder, owner_of(shared.one).note)

    assert backup_problems(shared.one, shared.folder) == ()
    assert alive.remove()
