"""The keeper as a process: lock, back up, publish and verify, beside other programs."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.apply.lock import process
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.lock.orders import (
    KIND_OF,
    Done,
    Failed,
    FailureKind,
    Lock,
    Progress,
)
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.history.table import Applied, record
from pytest_bbmigrate.processes import launch
from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.sqlite_files import digest_of
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from pytest_bbmigrate.sqlite_files.openers import Opener, in_use_message
from tests.core.real_databases import (
    BIG,
    MODES,
    ask,
    fill_up,
    make,
    make_work,
    mode_of,
    names_in,
    note_in,
    other_program,
    same_file,
    small_disk,
)
from tests.depth import every
from tests.processes import wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_bbmigrate.apply.what_is_left import FileFound

READ = "SELECT count(*) FROM money"
WRITE = "UPDATE money SET note = 'written by another'"
QUICK = 0.2  # seconds: who has it open here keeps it


@pytest.fixture
def place_for_all() -> Iterator[Path]:
    """Return a folder that every user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def publish(real: Path, work: Path, digest: str) -> ContentState:
    folder = work.parent
    with LockClient(real, deadline=QUICK) as client:
        client.lock()
        client.back_up(folder / "backup")
        client.publish(work, digest)
        client.verify(work, folder / "backup", folder / "failed")
    return client.state


FAILED = Failed(ContentState.UNTOUCHED, "why", FailureKind.STEP)


def message(said: Lock | Progress | Failed) -> str:
    return encode_message(KIND_OF[type(said)], said).decode()


def interrupt(_: float) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def without_settled_journal(folder: Path) -> list[str]:
    """Return what lies in ``folder``, but for a journal in which there is nothing to settle."""
    return [
        name
        for name in names_in(folder)
        if not name.endswith("-journal") or any((folder / name).read_bytes()[:28])
    ]


def pid_of(client: LockClient) -> int:
    assert client._process is not None
    return client._process.child.pid


@pytest.mark.parametrize("mode", MODES)
def test_a_publish_replaces_the_content_and_nothing_else(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", rows=3, mode=mode)
    real.chmod(0o640)
    before = same_file(real)
    work, digest = make_work(tmp_path / "work.db", rows=5, page=8192)

    assert publish(real, work, digest) is ContentState.VERIFIED
    assert same_file(real) == before
    assert mode_of(real) == mode
    assert note_in(real) == "new"
    assert names_in(tmp_path) == ["backup", "real.db", "work.db"]


@pytest.mark.parametrize("mode", MODES)
def test_a_backup_is_the_database_with_its_owner_and_mode(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", rows=2, mode=mode)
    real.chmod(0o640)
    with LockClient(real) as client:
        assert client.lock() == mode
        client.back_up(tmp_path / "backup")

    assert same_file(tmp_path / "backup")[1:] == same_file(real)[1:]
    assert note_in(tmp_path / "backup") == "old"
    assert mode_of(tmp_path / "backup") == "delete"
    assert names_in(tmp_path) == ["backup", "real.db"]
    assert client.notes == ()


def test_rows_that_only_the_wal_has_are_backed_up(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    crash = "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); "
    crash += """db.execute("UPDATE money SET note = 'late 0'"); os._exit(0)"""
    subprocess.run([sys.executable, "-c", crash, str(real)], check=True)
    assert (tmp_path / "real.db-wal").stat().st_size > 0
    (tmp_path / "real.db-shm").unlink()  # which says nothing that the WAL does not
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")

    assert note_in(tmp_path / "backup") == "late"
    assert names_in(tmp_path) == ["backup", "real.db"]


def test_a_hot_journal_is_rolled_back_before_the_backup(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=5)
    crash = "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None); "
    crash += "db.execute('PRAGMA cache_size = 5'); db.execute('BEGIN'); "
    crash += (
        """db.execute("UPDATE money SET note = 'half ' || id, filling = zeroblob(1000000)"); """
    )
    crash += "os._exit(0)"
    subprocess.run([sys.executable, "-c", crash, str(real)], check=True)
    assert (tmp_path / "real.db-journal").stat().st_size > 0
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")

    assert note_in(tmp_path / "backup") == "old"
    assert note_in(real) == "old"


@pytest.mark.parametrize("mode", MODES)
def test_nobody_reads_or_writes_from_lock_to_release(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    work, digest = make_work(tmp_path / "work.db")
    seen: list[str] = []
    with LockClient(real) as client:
        steps: tuple[Callable[[], object], ...] = (
            client.lock,
            client.read_history,
            lambda: client.back_up(tmp_path / "backup"),
            lambda: client.publish(work, digest),
            lambda: client.verify(work, tmp_path / "backup", tmp_path / "failed"),
        )
        for step in steps:
            step()
            real.read_bytes()  # closing it drops this process's locks, and it has none
            seen += [ask(real, READ), ask(real, WRITE)]

    assert seen == ["database is locked"] * 10
    assert ask(real, READ) == "[(1,)]"
    assert note_in(real) == "new"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "statements",
    [("BEGIN", READ), ("BEGIN IMMEDIATE",), ("BEGIN", WRITE)],
    ids=["reading", "about to write", "writing"],
)
def test_a_program_at_work_keeps_the_lock_and_is_named(
    tmp_path: Path, mode: str, statements: tuple[str, ...]
) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    with other_program(real, *statements) as other, LockClient(real, deadline=QUICK) as client:
        with pytest.raises(StepFailed) as refused:
            client.lock()
        pid, name = other.pid, psutil.Process(other.pid).name()
        assert ask(real, "SELECT 1") == "[(1,)]"

    assert str(refused.value) == f"real.db is open in {name} (pid {pid}): stop it and run again"
    assert note_in(real) == "old"


def test_a_program_that_is_idle_keeps_the_lock_of_a_wal_database(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    with (
        other_program(real, READ) as other,
        LockClient(real, deadline=QUICK) as client,
        pytest.raises(StepFailed, match=rf"\(pid {other.pid}\): stop it and run again"),
    ):
        client.lock()


def test_a_program_that_is_idle_sees_the_new_content_in_rollback_mode(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    work, digest = make_work(tmp_path / "work.db")
    with closing(sqlite3.connect(real)) as idle:
        assert idle.execute("SELECT note FROM money").fetchall() == [("old 0",)]
        assert publish(real, work, digest) is ContentState.VERIFIED
        assert idle.execute("SELECT note FROM money").fetchall() == [("new 0",)]


@pytest.mark.parametrize("mode", MODES)
def test_of_two_keepers_one_is_refused(tmp_path: Path, mode: str) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    with LockClient(real) as first, LockClient(real, deadline=QUICK) as second:
        first.lock()
        with pytest.raises(StepFailed, match=rf"is open in python\S* \(pid {pid_of(first)}\)"):
            second.lock()
        first.release()
        assert second.lock() == mode


def test_who_cannot_be_seen_is_said_to_be_unseen() -> None:
    assert in_use_message(Path("/a/b.db"), ()) == (
        "b.db is locked by a program that cannot be seen from here: another user's, or one on "
        "another machine; stop it and run again"
    )


def test_a_connection_of_this_process_is_named_when_nobody_else_has_one() -> None:
    assert in_use_message(Path("/a/b.db"), (), here=True) == (
        "b.db is open in this very pytest, and locked by that: a conftest.py, a test, or a module "
        "that one of them imports, has opened it and left it open; have it opened on first use, "
        "and closed, or leave conftest.py out (--noconftest)"
    )
    assert "uvicorn" in in_use_message(
        Path("/a/b.db"), (Opener(4312, "uvicorn", "b.db"),), here=True
    )


def test_several_programs_are_all_named() -> None:
    openers = (Opener(4312, "uvicorn", "b.db"), Opener(77, "sqlite3", "b.db-wal"))

    assert in_use_message(Path("/a/b.db"), openers) == (
        "b.db is open in uvicorn (pid 4312) and sqlite3 (pid 77): stop them and run again"
    )


def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    target = make(tmp_path / "disk" / "target.db", "old")
    link = tmp_path / "link.db"
    link.symlink_to(target)
    work, digest = make_work(tmp_path / "work.db")

    assert publish(link, work, digest) is ContentState.VERIFIED
    assert link.is_symlink()
    assert note_in(target) == "new"
    assert names_in(tmp_path / "disk") == ["target.db"]


def test_every_name_of_a_file_with_hard_links_has_the_new_content(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    other_name = tmp_path / "other.db"
    other_name.hardlink_to(real)
    work, digest = make_work(tmp_path / "work.db")

    assert publish(real, work, digest) is ContentState.VERIFIED
    assert other_name.samefile(real)
    assert note_in(other_name) == "new"


@pytest.mark.parametrize("name", ["a#b", "a?mode=ro", "it's", "a b", "%41", "Haushaltskasse-ä-金"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    real = make(folder / f"{name}.db", "old", mode="wal")
    work, digest = make_work(folder / "work.db")

    assert publish(real, work, digest) is ContentState.VERIFIED
    assert note_in(real) == "new"
    assert names_in(tmp_path) == [name]


def test_a_name_that_is_not_utf_8_will_do(tmp_path: Path) -> None:
    real = make(tmp_path / "plain.db", "old").rename(tmp_path / os.fsdecode(b"caf\xe9.db"))
    work, digest = make_work(tmp_path / "work.db")

    assert publish(real, work, digest) is ContentState.VERIFIED
    assert note_in(real.rename(tmp_path / "plain.db")) == "new"


def test_a_relative_path_is_seen_from_the_parents_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "real.db", "old")
    _, digest = make_work(tmp_path / "work.db")
    monkeypatch.chdir(tmp_path)

    assert publish(Path("real.db"), Path("work.db"), digest) is ContentState.VERIFIED
    assert note_in(tmp_path / "real.db") == "new"


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    real.touch()
    work, digest = make_work(tmp_path / "work.db")

    assert publish(real, work, digest) is ContentState.VERIFIED
    assert note_in(real) == "new"


def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    real = tmp_path / "real.db"
    real.write_text("dear diary " * 100)

    with LockClient(real) as client, pytest.raises(DatabaseError) as refused:
        client.lock()

    assert str(refused.value) == (
        f"{real}: it is not an SQLite database, or it is encrypted "
        "(file is not a database [SQLITE_NOTADB])"
    )
    assert names_in(tmp_path) == ["real.db"]


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    with (
        LockClient(tmp_path / "typo.db") as client,
        pytest.raises(StepFailed, match="no such database"),
    ):
        client.lock()

    assert names_in(tmp_path) == []


def test_the_history_is_read_through_the_lock(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    applied = Applied("001_a", "c0ffee", "2026-01-01T00:00:00+00:00", 0.5, 1, 2)
    with closing(sqlite3.connect(real)) as db:
        record(db, applied)
        db.commit()

    with LockClient(real) as client:
        client.lock()
        assert client.read_history() == (applied,)


def test_nothing_is_done_without_the_lock(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    with LockClient(real) as client:
        with pytest.raises(StepFailed, match="the lock is not held; nothing was done"):
            client.back_up(tmp_path / "backup")
        client.lock()
        with pytest.raises(StepFailed, match="the lock is held already"):
            client.lock()
        client.release()
        client.release()
        with pytest.raises(StepFailed, match="the lock is not held; nothing was done"):
            client.read_history()


def test_another_content_than_was_verified_is_refused(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    before = real.read_bytes()
    work, digest = make_work(tmp_path / "work.db")
    with closing(sqlite3.connect(work)) as db, db:
        db.execute(WRITE)

    with LockClient(real) as client:
        client.lock()
        with pytest.raises(StepFailed, match=r"work\.db: not what was verified: something has"):
            client.publish(work, digest)

    assert client.state is ContentState.UNTOUCHED
    assert real.read_bytes() == before


def test_progress_is_told(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG)
    work, digest = make_work(tmp_path / "work.db", rows=BIG)
    backed_up: list[float] = []
    published: list[float] = []
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup", backed_up.append)
        client.publish(work, digest, published.append)

    for parts in (backed_up, published):
        assert parts == sorted(parts)
        assert 0 < parts[0] <= parts[-1] <= 1


# ---- ends that nobody planned


def test_a_keeper_that_is_killed_before_publish_has_touched_nothing(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    with LockClient(real) as client:
        client.lock()
        pid = pid_of(client)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(StepFailed) as killed:
            client.back_up(tmp_path / "backup")

    assert str(killed.value) == (
        f"{real}: the process that held the lock (pid {pid}) was killed by SIGKILL: "
        "nothing was published, and the database is as it was; run again"
    )
    assert note_in(real) == "old"
    assert names_in(tmp_path) == ["real.db"]


@pytest.mark.parametrize("mode", MODES)
def test_another_file_with_the_number_of_the_one_that_was_locked_is_told_by_its_content(
    tmp_path: Path, mode: str
) -> None:
    real = make(tmp_path / "real.db", "old", mode=mode)
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")
        locked = real.stat().st_ino
        os.kill(pid_of(client), signal.SIGKILL)
        assert client._process is not None
        client._process.child.wait()  # it keeps the number of the file until it is dead
        for path in tmp_path.glob("real.db*"):
            path.unlink()
        for count in range(200):
            other = make(tmp_path / f"other {count}", "another", mode=mode)
            if other.stat().st_ino == locked:
                other.rename(real)
                break
        else:
            pytest.skip("this disk does not give a number twice so soon")
        found = client.inspect(tmp_path / "backup")

    assert (found.name, found.content) == (NameTarget.SAME, Content.OTHER)
    assert found.backup == tmp_path / "backup"
    assert not found.is_as_it_was
    assert note_in(real) == "another"


def test_a_lock_that_was_lost_is_told_at_the_release(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    client = LockClient(real)
    client.lock()
    os.kill(pid_of(client), signal.SIGKILL)

    with pytest.raises(StepFailed, match="was killed by SIGKILL: nothing was published"):
        client.release()


@pytest.mark.parametrize("mode", every(2, MODES))
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_a_keeper_that_ends_while_it_publishes_leaves_one_content_or_the_other(
    tmp_path: Path, mode: str, number: signal.Signals
) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG, mode=mode)
    work, digest = make_work(tmp_path / "work.db", rows=BIG)
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")
        pid = pid_of(client)
        with pytest.raises(StepFailed, match=rf"\(pid {pid}\) was (killed|told)") as ended:
            client.publish(work, digest, lambda _: os.kill(pid, number))

    next_step = {
        ContentState.UNTOUCHED: "the database is as it was; run again",
        ContentState.PUBLISHED: (
            "see with --bb-status and in the app that it is what it should be; "
            f"what it held before is in {tmp_path / 'backup'}"
        ),
    }
    assert str(ended.value).endswith(next_step[client.state])
    # Another keeper has rolled back, looked, and put the journal mode right.
    assert {ContentState.UNTOUCHED: "old", ContentState.PUBLISHED: "new"}[client.state] == note_in(
        real
    )
    assert mode_of(real) == mode
    assert without_settled_journal(tmp_path) == ["backup", "real.db", "work.db"]


def test_what_a_killed_keeper_left_is_unknown_while_another_program_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG)
    work, digest = make_work(tmp_path / "work.db", rows=BIG)
    with LockClient(real, deadline=QUICK) as client:
        client.lock()
        pid = pid_of(client)

        def recover_late(*files: Path | None) -> FileFound:
            with other_program(real, "BEGIN", READ):
                return LockClient._recover(client, *files)

        monkeypatch.setattr(client, "_recover", recover_late)
        with pytest.raises(StepFailed, match="either as it was or what was to be published"):
            client.publish(work, digest, lambda _: os.kill(pid, signal.SIGKILL))

    assert client.state is ContentState.UNKNOWN
    assert note_in(real) in ("old", "new")


PARENT = """\
import os, signal, sys
from pathlib import Path
from pytest_bbmigrate.apply.lock.client import LockClient
folder, step, digest = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
die = lambda _: os.kill(os.getpid(), signal.SIGKILL)
keeper = LockClient(folder / "real.db")
keeper.lock()
print(keeper._process.child.pid, flush=True)
if step == "lock":
    die(0)
keeper.back_up(folder / "backup", die if step == "back_up" else None)
keeper.publish(folder / "work.db", digest, die if step == "publish" else None)
die(0)
"""


@pytest.mark.parametrize("mode", every(2, MODES))
@pytest.mark.parametrize(
    ("step", "left", "contents"),
    [
        ("lock", [], {"old"}),
        ("back_up", [], {"old"}),
        ("publish", ["backup"], {"old", "new"}),
        ("verify", ["backup"], {"new"}),
    ],
)
def test_a_keeper_whose_parent_was_killed_gives_the_lock_back(
    tmp_path: Path, mode: str, step: str, left: list[str], contents: set[str]
) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG, mode=mode)
    _, digest = make_work(tmp_path / "work.db", rows=BIG)
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path), step, digest],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": PACKAGES},
        check=False,
    )
    wait_for_end(int(parent.stdout))

    assert parent.returncode == -signal.SIGKILL
    assert note_in(real) in contents
    assert mode_of(real) == mode
    # A backup of which the last step was done when the parent died may be complete.
    assert set(names_in(tmp_path)) - {"backup"} == {"real.db", "work.db"}
    assert set(left) <= set(names_in(tmp_path))


def test_what_a_killed_keeper_left_is_unknown_when_the_next_is_killed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG)
    work, digest = make_work(tmp_path / "work.db", rows=BIG)
    with LockClient(real) as client:
        client.lock()
        pid = pid_of(client)
        monkeypatch.setattr(launch, "START_ISOLATED", "import os, signal; os.kill(os.getpid(), 9)")
        with pytest.raises(StepFailed, match="either as it was or what was to be published"):
            client.publish(work, digest, lambda _: os.kill(pid, signal.SIGKILL))

    assert client.state is ContentState.UNKNOWN


def test_a_keeper_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "START_ISOLATED", "raise SystemExit('no such module')")
    real = make(tmp_path / "real.db", "old")
    with LockClient(real) as client, pytest.raises(StepFailed, match="exit code 1, no such module"):
        client.lock()


def test_half_an_answer_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        launch, "START_ISOLATED", "import sys; sys.stdin.readline(); print('{', end='')"
    )
    real = make(tmp_path / "real.db", "old")
    with (
        LockClient(real) as client,
        pytest.raises(StepFailed, match="was told to end: nothing was"),
    ):
        client.lock()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("no message", "it is no JSON (JSONDecodeError)"),
        ("{}", "it is no message"),
        (message(Lock(Path("x"), 1.0)), "it is of another kind"),
        (message(Progress(0.5)).replace('"part"', '"share"'), "progress is not what it must be"),
        (message(FAILED).replace('"step"', '"other"'), "failed.kind is not what it must be"),
        (message(FAILED).replace('"untouched"', "1"), "failed.state is not what it must be"),
        (message(FAILED).replace('"version": 1', '"version": 2'), "it is of another version"),
    ],
)
def test_what_is_no_answer_is_told_and_nothing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, why: str
) -> None:
    talks = f"import sys; sys.stdin.readline(); print({answer!r}, flush=True); sys.stdin.read()"
    monkeypatch.setattr(launch, "START_ISOLATED", talks)
    real = make(tmp_path / "real.db", "old")
    told = f"gave no answer: {why}: nothing was published; run again"
    with LockClient(real) as client, pytest.raises(StepFailed, match=re.escape(told)):
        client.lock()

    assert client.pid is None


def test_an_answer_to_another_question_is_refused(tmp_path: Path) -> None:
    with LockClient(make(tmp_path / "real.db", "old")) as client:
        client.lock()
        client._process = SimpleNamespace(  # type: ignore[assignment] # one that mixes things up
            ask=lambda *_: Done(ContentState.UNTOUCHED, "a text"),
            child=SimpleNamespace(poll=lambda: None),
            end=client._process.end if client._process else str,
        )
        with pytest.raises(TypeError, match="ReadHistory"):
            client.read_history()


@pytest.mark.parametrize(
    "line", [b"no message", message(FAILED).encode(), message(Lock(Path("x"), 1.0)).encode()[:-9]]
)
def test_a_keeper_that_is_told_what_is_no_order_gives_the_lock_back(
    tmp_path: Path, line: bytes
) -> None:
    real = make(tmp_path / "real.db", "old")
    client = LockClient(real)
    client.lock()
    held = ask(real, READ)
    child = client._process.child if client._process else None
    assert child
    assert child.stdin
    child.stdin.write(line + b"\n")
    child.stdin.flush()
    child.wait(30)

    with pytest.raises(StepFailed, match=r"ended with exit code 1.*: nothing was published"):
        client.release()
    assert (held, ask(real, READ)) == ("database is locked", "[(1,)]")


def test_a_keeper_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "END_SECONDS", 0.1)
    client = LockClient(make(tmp_path / "real.db", "old"))
    client.lock()
    os.kill(pid_of(client), signal.SIGSTOP)

    with pytest.raises(StepFailed, match="was killed by SIGKILL: nothing was published"):
        client.release()
    assert note_in(tmp_path / "real.db") == "old"


def test_a_keeper_serves_any_thread(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    work, digest = make_work(tmp_path / "work.db")
    with ThreadPoolExecutor() as threads:
        assert threads.submit(publish, real, work, digest).result() is ContentState.VERIFIED


def test_a_backup_that_another_user_cannot_be_given_is_noted(
    place_for_all: Path, tmp_path: Path
) -> None:
    real = make(tmp_path / "real.db", "old")
    with LockClient(real) as client:
        client.lock()
        client._process = SimpleNamespace(  # type: ignore[assignment] # a keeper that may not
            ask=lambda *_: Done(ContentState.UNTOUCHED, "belongs to this user"),
            end=client._process.end if client._process else str,
        )
        client.back_up(place_for_all / "backup")

    assert client.notes == ("belongs to this user",)


def test_an_interrupt_of_a_backup_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG)
    with LockClient(real) as client:
        client.lock()
        with pytest.raises(KeyboardInterrupt):
            client.back_up(tmp_path / "backup", interrupt)
        with pytest.raises(StepFailed, match="the lock is not held"):
            client.read_history()

    assert note_in(real) == "old"
    assert set(names_in(tmp_path)) <= {"backup", "real.db"}  # whole, or not there


def test_an_interrupt_of_a_publish_takes_effect_when_it_is_complete(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG, mode="wal")
    work, digest = make_work(tmp_path / "work.db", rows=BIG)
    with LockClient(real) as client:
        client.lock()
        with pytest.raises(KeyboardInterrupt):
            client.publish(work, digest, interrupt)

    assert client.state is ContentState.PUBLISHED
    assert note_in(real) == "new"
    assert mode_of(real) == "wal"


def test_a_reporter_that_fails_ends_the_publish_by_rolling_it_back(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=2 * BIG)
    work, digest = make_work(tmp_path / "work.db", rows=2 * BIG)

    def fail(_: float) -> None:
        raise ZeroDivisionError

    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")
        with pytest.raises(ZeroDivisionError):
            client.publish(work, digest, fail)
        (tmp_path / "backup").unlink()

    assert {ContentState.UNTOUCHED: "old", ContentState.PUBLISHED: "new"}[client.state] == note_in(
        real
    )
    assert names_in(tmp_path) == ["real.db", "work.db"]


# ---- disks that are full


@pytest.mark.parametrize("mode", MODES)
def test_a_file_size_limit_stops_a_publish_and_the_database_is_as_it_was(
    tmp_path: Path, mode: str
) -> None:
    real = make(tmp_path / "real.db", "old", rows=3, mode=mode)
    work, digest = make_work(tmp_path / "work.db", rows=9)
    with LockClient(real) as client:
        client.lock()
        client.back_up(tmp_path / "backup")
        resource.prlimit(pid_of(client), resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))
        with pytest.raises(StepFailed) as full:
            client.publish(work, digest)
        locked = ask(real, READ)

    assert str(full.value) == (
        f"{real}: could not be written: the system could not read or write it; is the disk full, "
        "or damaged? (disk I/O error [SQLITE_IOERR_WRITE]); nothing was published: "
        "the database is as it was, compared with backup"
    )
    assert client.state is ContentState.UNTOUCHED
    assert locked == "database is locked"
    assert note_in(real) == "old"
    assert mode_of(real) == mode
    assert names_in(tmp_path) == ["backup", "real.db", "work.db"]


def test_a_backup_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", rows=9)
    with LockClient(real) as client:
        client.lock()
        resource.prlimit(pid_of(client), resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))
        with pytest.raises(
            StepFailed, match=r"backup: the backup could not be written: .*make room"
        ):
            client.back_up(tmp_path / "backup")

    assert note_in(real) == "old"
    assert names_in(tmp_path) == ["real.db"]


@pytest.mark.parametrize("mode", every(2, MODES))
@pytest.mark.parametrize("megabytes", [14, 19, 30])
def test_a_full_disk_stops_a_publish_and_the_database_is_as_it_was(
    tmp_path: Path, mode: str, megabytes: int
) -> None:
    with small_disk(tmp_path / "disk", megabytes) as disk:
        real = make(disk / "real.db", "old", rows=9, mode=mode)
        work, digest = make_work(tmp_path / "work.db", rows=12)
        with LockClient(real) as client:
            client.lock()
            client.back_up(tmp_path / "backup")
            if megabytes == 30:
                client.publish(work, digest)
            else:
                with pytest.raises(
                    StepFailed, match=r"the disk is full .*the database is as it was"
                ):
                    client.publish(work, digest)
        assert note_in(real) == ("new" if megabytes == 30 else "old")
        assert mode_of(real) == mode
        assert names_in(disk) == ["real.db"]


def test_a_publish_that_a_full_disk_stops_is_looked_at_without_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 40) as disk:
        real = make(disk / "real.db", "old", rows=9)
        work, digest = make_work(tmp_path / "work.db", rows=12)
        with LockClient(real) as client:
            client.lock()
            client.back_up(disk / "backup")
            fill_up(disk)
            with pytest.raises(StepFailed, match=r"database is as it was, compared with backup$"):
                client.publish(work, digest)
        (disk / "filling").unlink()
        assert note_in(real) == "old"
        assert names_in(disk) == ["backup", "real.db"]


@pytest.mark.parametrize("mode", MODES)
def test_a_disk_that_fills_up_after_the_publish_is_no_reason_to_doubt_the_content(
    tmp_path: Path, mode: str
) -> None:
    with small_disk(tmp_path / "disk", 60) as disk:
        real = make(disk / "real.db", "old", rows=9, mode=mode)
        work, digest = make_work(disk / "work.db", rows=9)
        with LockClient(real) as client:
            client.lock()
            client.back_up(disk / "backup")
            client.publish(work, digest)
            fill_up(disk)
            trouble = client.verify(work, disk / "backup", disk / "failed")
            verified, locked = client.state, ask(real, READ)
            (disk / "filling").unlink()
            client.restore_mode()
        assert verified is ContentState.VERIFIED
        assert ("set to wal again (the disk is full " in trouble) is (mode == "wal")
        assert locked == "database is locked"
        assert note_in(real) == "new"
        assert mode_of(real) == mode
        assert names_in(disk) == ["backup", "real.db", "work.db"]


# ---- places that cannot be written


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "reason"),
    [
        (0o444, 0o777, "this user may not write it, or its disk is mounted read-only"),
        (0o666, 0o555, "this user may not write the folder "),
        (0o000, 0o777, "it, or its journal beside it, cannot be opened by this user"),
    ],
    ids=["file", "folder", "unreadable"],
)
def test_what_this_user_may_not_write_is_refused_at_the_lock(
    place_for_all: Path, file_mode: int, folder_mode: int, reason: str
) -> None:
    real = make(place_for_all / "real.db", "old")
    before = real.read_bytes()
    real.chmod(file_mode)
    place_for_all.chmod(folder_mode)
    program = "import sys, urllib.parse; from pathlib import Path; "  # it cannot import afterwards
    program += "from pytest_bbmigrate.sqlite_files.locking import take_lock; "
    program += "from pytest_bbmigrate.errors import DatabaseError\n"
    program += "import os\nif os.geteuid() == 0: os.setuid(65534)  # root may write anywhere\n"
    program += "try: take_lock(Path(sys.argv[1]), 0.1)\nexcept DatabaseError as error: print(error)"
    said = subprocess.run(
        [sys.executable, "-c", program, str(real)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PACKAGES},
        check=True,
    )
    place_for_all.chmod(0o777)
    real.chmod(0o666)

    assert said.stdout.startswith(f"{real}: {reason}")
    assert real.read_bytes() == before
    assert names_in(place_for_all) == ["real.db"]


# ---- what runs in the keeper


def test_the_keeper_loads_nothing_but_this_package_and_the_standard_library() -> None:
    program = (
        "import sys; before = set(sys.modules); sys.path.append(sys.argv[1])\n"
        "import pytest_bbmigrate.apply.lock.server\n"
        "loaded = [sys.modules[name] for name in set(sys.modules) - before]\n"
        "print(*sorted({m.__name__.split('.')[0] for m in loaded} - sys.stdlib_module_names))\n"
        "print(*sorted(m.__name__ for m in loaded if 'pytest_bbmigrate.' in m.__name__), sep='\\n')"
    )
    first, *modules = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, PACKAGES],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.splitlines()

    assert first == "pytest_bbmigrate"
    assert not [name for name in modules if name.split(".")[1] in ("runner", "checks", "seeding")]


def test_the_keeper_is_out_of_reach_of_the_terminal(tmp_path: Path) -> None:
    with LockClient(make(tmp_path / "real.db", "old")) as client:
        client.lock()
        assert os.getsid(pid_of(client)) == pid_of(client)
        assert psutil.Process(pid_of(client)).cwd() == "/"


def test_a_backups_digest_can_be_published_again(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old", mode="wal")
    work, digest = make_work(tmp_path / "work.db")
    publish(real, work, digest)
    backup = (tmp_path / "backup").rename(tmp_path / "kept")

    assert publish(real, backup, digest_of(backup)) is ContentState.VERIFIED
    assert note_in(real) == "old"
