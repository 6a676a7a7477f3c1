"""A restore where SQLite cannot use what is there: the old file or the new one, at every moment."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_bbmigrate.apply import replace_file
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.choose_backup import ChosenBackup, choose_backup
from pytest_bbmigrate.apply.replace_file import file_in_place
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from tests.core.publishing import Reporter
from tests.core.real_databases import make, names_in, note_in
from tests.depth import every

NOW = datetime(2026, 2, 3, 14, 5, 6, tzinfo=UTC)
ASIDE = "real.db.failed.20260203_140506"
DIARY = b"dear diary " * 1000
WAL = b"frames"

# Restores in a process of its own each, which is killed before its first, second .. change of a
# name in the folder, until one comes to its end. Says how many there were.
KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from pytest_bbmigrate.apply.choose_backup import ChosenBackup
from pytest_bbmigrate.apply.restore import restore_backup
from tests.core.publishing import Reporter

start, moment = Path(sys.argv[1]), 0
CHANGES = {"os.link", "os.rename", "os.remove", "os.chmod", "os.truncate"}

def kill_at(folder, moment):
    left = [moment]
    def hook(event, args):
        names = [Path(os.fsdecode(name)) for name in args if isinstance(name, (str, bytes, Path))]
        makes = event == "open" and isinstance(args[2], int) and args[2] & os.O_CREAT
        if (makes or event in CHANGES) and any(name.parent == folder for name in names):
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
    sys.addaudithook(hook)

while True:
    folder = start.with_name(str(moment))
    shutil.copytree(start, folder)
    if not (child := os.fork()):
        kill_at(folder, moment)
        real = folder / "real.db"
        try:
            restore_backup(real, folder, ChosenBackup(*folder.glob("real.db.backup.*")), Reporter())
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if not status:
        break
    assert status == signal.SIGKILL, status
    moment += 1
print(moment)
"""


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Return a garbled database, a WAL beside it, and a backup."""
    real = make(tmp_path / "real.db", "old")
    real.chmod(0o640)
    back_up_now(real, tmp_path, lambda _: None)
    real.write_bytes(DIARY)
    real.with_name("real.db-wal").write_bytes(WAL)
    return real


def restore(real: Path) -> tuple[Path, ...]:
    return restore_backup(real, real.parent, choose_backup(real, real.parent), Reporter())


def killed_restores(start: Path) -> list[Path]:
    """Return copies of the folder ``start``, each as a restore left it that was killed."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(start)], check=True, capture_output=True, text=True
    )
    return [start.with_name(str(moment)) for moment in range(int(done.stdout))]


def test_a_kill_leaves_the_garbled_file_or_the_restored_one(tmp_path: Path, real: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    for path in list(tmp_path.iterdir()):
        if path != start:
            path.rename(start / path.name)

    killed = killed_restores(start)

    assert len(killed) > 5
    found = []
    for folder in killed:
        there, wal = folder / real.name, folder / "real.db-wal"
        found.append(there.read_bytes() == DIARY)
        kept = [path for path in folder.glob("real.db.failed.*") if path.read_bytes() == DIARY]
        kept_wal = [path for path in folder.glob("*-wal") if path.read_bytes() == WAL]
        assert kept_wal
        assert found[-1] or (note_in(there) == "old" and kept and not wal.exists())
    assert found == sorted(found, reverse=True)
    assert set(found) == {True, False}


@pytest.mark.parametrize("moment", every(2, [3, 5]))
@pytest.mark.usefixtures("real")
def test_a_restore_after_a_killed_one_works(tmp_path: Path, moment: int) -> None:
    start = tmp_path / "start"
    start.mkdir()
    for path in list(tmp_path.iterdir()):
        if path != start:
            path.rename(start / path.name)
    folder = killed_restores(start)[moment]

    there = folder / "real.db"
    (backup,) = folder.glob("real.db.backup.*")

    restore_backup(there, folder, ChosenBackup(backup), Reporter(), discard=True)

    assert note_in(folder / "real.db") == "old"
    assert any(path.read_bytes() == DIARY for path in folder.glob("real.db.failed.*"))


def test_a_kill_leaves_no_empty_file_where_there_was_none(tmp_path: Path) -> None:
    start = tmp_path / "start"
    start.mkdir()
    real = make(start / "real.db", "old")
    back_up_now(real, start, lambda _: None)
    real.unlink()

    killed = killed_restores(start)

    assert killed
    for folder in killed:
        there = folder / "real.db"
        assert not there.exists() or note_in(there) == "old"


def test_what_is_no_database_is_kept_for_its_owner_alone(real: Path) -> None:
    kept = restore(real)

    assert [path.read_bytes() for path in kept] == [DIARY, WAL]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600, 0o600]
    assert note_in(real) == "old"
    assert real.stat().st_mode & 0o777 == 0o640
    assert not list(real.parent.glob(".*bbmigrate-*"))


def test_it_is_kept_where_no_links_can_be_made(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    kept = restore(real)

    assert [path.read_bytes() for path in kept] == [DIARY, WAL]
    assert [path.stat().st_mode & 0o777 for path in kept] == [0o600, 0o600]
    assert note_in(real) == "old"


@pytest.mark.parametrize("at", ["rename", "unlink"])
def test_everything_has_its_name_again_when_it_cannot_be_replaced(
    real: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    work = make(real.parent / "work.db", "new")
    there, before = file_in_place(real), names_in(real.parent)
    original = getattr(Path, at)

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path in (work, real.with_name("real.db-wal")):
            raise PermissionError(1, "Operation not permitted")
        return original(path, *args, **kwargs)

    monkeypatch.setattr(Path, at, refuse)

    with pytest.raises(StepFailed, match=r"it cannot be replaced \(Operation not permitted"):
        there.replace(work, NOW)

    assert names_in(real.parent) == before
    assert real.read_bytes() == DIARY
    assert real.with_name("real.db-wal").read_bytes() == WAL
    assert real.stat().st_mode & 0o777 == 0o640


def test_what_another_program_writes_meanwhile_is_not_replaced(real: Path) -> None:
    work = make(real.parent / "work.db", "new")
    there, before = file_in_place(real), names_in(real.parent)
    real.write_bytes(b"repaired by hand")

    with pytest.raises(StepFailed, match="another program has written to it just now"):
        there.replace(work, NOW)

    assert set(names_in(real.parent)) >= set(before)
    assert real.read_bytes() == b"repaired by hand"


def test_where_it_is_is_told_when_its_name_is_taken_meanwhile(
    real: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real.unlink()
    work = make(real.parent / "work.db", "new")
    there, told = file_in_place(real), list[str]()

    def take(_: Path) -> None:
        if not real.exists() and not real.with_name("real.db-wal").exists():
            make(real, "another's")

    monkeypatch.setattr(replace_file, "sync", take)

    with pytest.raises(StepFailed, match=r"it cannot be replaced \(File exists\)"):
        there.replace(work, NOW, told.append)

    assert told == [f"what was under the name real.db is in {real.with_name(ASIDE)}-wal"]
    assert real.with_name(f"{ASIDE}-wal").read_bytes() == WAL
    assert note_in(real) == "another's"


def test_what_is_a_database_or_empty_is_not_to_be_replaced(tmp_path: Path) -> None:
    make(tmp_path / "real.db", "old")
    (tmp_path / "empty.db").touch()

    assert not file_in_place(tmp_path / "real.db").is_to_be_replaced
    assert not file_in_place(tmp_path / "empty.db").is_to_be_replaced
    assert file_in_place(tmp_path / "nothing.db").is_to_be_replaced


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.db").mkdir()

    with pytest.raises(DatabaseError, match="not a database file but a folder"):
        file_in_place(tmp_path / "real.db")


def test_the_target_of_a_link_is_replaced(tmp_path: Path, real: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("real.db", "real.db-wal"):
        (tmp_path / name).rename(tmp_path / "data" / name)
    real.symlink_to(Path("data", "real.db"))

    kept = restore(real)

    assert real.is_symlink()
    assert [path.parent for path in kept] == [tmp_path / "data"] * 2
    assert note_in(tmp_path / "data" / "real.db") == "old"
