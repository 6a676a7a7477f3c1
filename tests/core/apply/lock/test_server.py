"""What the keeper's process does with its orders; here without a process of its own."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from hashlib import sha256
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_bbmigrate.apply.lock import locked_file
from pytest_bbmigrate.apply.lock import protocol as channels
from pytest_bbmigrate.apply.lock import server as lock_server
from pytest_bbmigrate.apply.lock.orders import (
    ANSWERS,
    KIND_OF,
    NAMES,
    BackUp,
    Done,
    Failed,
    FailureKind,
    Lock,
    LockedFileState,
    Progress,
    Publish,
    ReadHistory,
    Recover,
    RestoreJournalMode,
    Verify,
)
from pytest_bbmigrate.apply.lock.protocol import Abandoned, Channel
from pytest_bbmigrate.apply.lock.server import LockServer, main, serve
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, DatabaseSeen
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.processes.messages import encode_message, read_message
from pytest_bbmigrate.sqlite_files import digest_of
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, state_of_file
from pytest_bbmigrate.sqlite_files.notes import describe_fault
from pytest_bbmigrate.sqlite_files.publishing import replace_content
from tests.core.real_databases import (
    BIG,
    MODES,
    ask,
    make,
    make_work,
    mode_of,
    names_in,
    note_in,
    other_program,
    spoil_index,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.lock.orders import Answer, Order
    from pytest_bbmigrate.sqlite_files.backup import Pace
    from pytest_bbmigrate.sqlite_files.notes import Note


class Line:
    """A channel and its other end."""

    def __init__(self) -> None:
        orders, self.speak = os.pipe()
        self.hear, answers = os.pipe()
        self.ends = [orders, self.hear, answers]
        self.channel = Channel(orders, answers, os.getppid())

    def say(self, order: Order) -> None:
        os.write(self.speak, encode_message(KIND_OF[type(order)], order) + b"\n")

    def answer(self) -> Answer:
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self.hear, 1)
        answer = read_message(said, ANSWERS, NAMES)
        return self.answer() if isinstance(answer, Progress) else answer

    def hang_up(self) -> None:
        if self.speak >= 0:
            os.close(self.speak)
            self.speak = -1

    def close(self) -> None:
        self.hang_up()
        self.channel.gone.wait(10)
        for end in self.ends:
            os.close(end)


@pytest.fixture
def line() -> Iterator[Line]:
    """Return a channel and its other end."""
    line = Line()
    yield line
    line.close()


class Bench:
    """A server of a locked database, with a working copy and a backup."""

    def __init__(self, folder: Path, line: Line, mode: str = "delete", rows: int = 1) -> None:
        self.folder = folder
        self.real = make(folder / "real.db", "old", mode=mode, rows=rows)
        self.work, self.digest = make_work(folder / "work.db", rows=rows)
        self.backup, self.failed = folder / "backup", folder / "failed"
        self.server = LockServer(line.channel)
        assert self.server.obey(Lock(self.real, 0.2)) == Done(ContentState.UNTOUCHED, mode)

    def back_up(self) -> None:
        assert isinstance(self.server.obey(BackUp(self.backup)), Done)

    def publish(self, mode: str = "") -> Done | Failed:
        return self.server.obey(Publish(self.work, self.digest, mode or self.server.mode))

    def verify(self) -> Done | Failed:
        return self.server.obey(Verify(self.work, self.backup, self.failed))


def why(answer: Done | Failed) -> str:
    """Return why an order was not obeyed."""
    assert isinstance(answer, Failed)
    return answer.why


@pytest.fixture(params=MODES)
def bench(tmp_path: Path, line: Line, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Return a locked database that is backed up, in either journal mode."""
    bench = Bench(tmp_path, line, request.param)
    bench.back_up()
    yield bench
    bench.server.release()
    assert mode_of(bench.real) == request.param


@pytest.mark.parametrize("asked", MODES)
@pytest.mark.parametrize("mode", MODES)
def test_a_database_is_left_in_the_journal_mode_that_was_asked_for(
    tmp_path: Path, line: Line, mode: str, asked: str
) -> None:
    bench = Bench(tmp_path, line, mode)
    bench.back_up()
    bench.publish(asked)

    assert bench.verify() == Done(ContentState.VERIFIED, "")
    bench.server.release()

    assert mode_of(bench.real) == asked
    assert note_in(bench.real) == "new"
    assert names_in(bench.folder) == ["backup", "real.db", "work.db"]


def test_a_backup_is_read_once_more_before_something_is_published(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, line, "delete")
    bench.back_up()
    read: list[Path] = []
    whole = describe_fault

    def count(backup: Path, note: Note) -> str:
        read.append(backup)
        return whole(backup, note)

    monkeypatch.setattr(locked_file, "describe_fault", count)

    assert isinstance(bench.publish(), Done)
    assert read == [bench.backup]
    bench.server.release()


# ---- what was published does not verify


def test_what_is_put_back_is_in_the_journal_mode_it_was_in(bench: Bench) -> None:
    bench.publish("delete" if bench.server.mode == "wal" else "wal")
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")

    # The mode is looked at when the backup is put back.
    assert bench.verify().state is ContentState.RESTORED


def test_content_that_is_not_the_working_copys_is_kept_and_the_backup_put_back(
    bench: Bench,
) -> None:
    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")

    answer = bench.verify()
    locked = ask(bench.real, "SELECT 1 FROM money")
    bench.server.release()

    assert answer == Failed(
        ContentState.RESTORED,
        f"{bench.real}: what was published did not verify: its content is not the working "
        f"copy's; the backup {bench.backup} was restored, and the database is as it was; "
        f"what did not verify is kept in {bench.failed}",
        FailureKind.STEP,
    )
    assert locked == "database is locked"
    assert note_in(bench.real) == "old"
    assert note_in(bench.failed) == "spoilt"
    assert names_in(bench.folder) == ["backup", "failed", "real.db", "work.db"]


def test_a_working_copy_that_is_written_meanwhile_does_not_verify(bench: Bench) -> None:
    bench.publish()
    with closing(sqlite3.connect(bench.work)) as db, db:
        db.execute("UPDATE money SET note = 'later 0'")

    answer = bench.verify()
    bench.server.release()

    assert "the working copy was written while it was published; the backup" in why(answer)
    assert note_in(bench.real) == "old"
    assert note_in(bench.failed) == "new"


def test_content_that_integrity_check_complains_of_does_not_verify(bench: Bench) -> None:
    spoil_index(bench.work)
    bench.digest = digest_of(bench.work)
    assert bench.publish().state is ContentState.PUBLISHED

    answer = bench.verify()
    bench.server.release()

    assert "did not verify: integrity_check finds: row 1 missing from index" in why(answer)
    assert note_in(bench.real) == "old"


def test_a_history_that_does_not_read_as_the_working_copys_does_not_verify(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish()
    histories = iter([("001_a",), ("001_a", "002_b")])
    monkeypatch.setattr(lock_server, "read_history", lambda _: next(histories))

    assert "its history is not the working copy's; the backup" in why(bench.verify())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (sqlite3.OperationalError("disk I/O error"), "could not be looked at: disk I/O error"),
        (BBMigrateError("history: strange"), "did not verify: history: strange"),
    ],
)
def test_what_cannot_be_looked_at_does_not_verify(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: Exception, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise fault

    bench.publish()
    monkeypatch.setattr(lock_server, "new_faults", fail)
    answer = bench.verify()
    bench.server.release()

    assert reason in why(answer)
    assert answer.state is ContentState.RESTORED
    assert note_in(bench.real) == "old"


def test_content_that_cannot_be_kept_is_put_right_all_the_same(bench: Bench) -> None:
    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")
    bench.failed = bench.folder / "no folder" / "failed"

    answer = bench.verify()
    bench.server.release()

    assert why(answer).endswith(
        "; what did not verify could not be kept: No such file or directory"
    )
    assert note_in(bench.real) == "old"


def test_content_is_not_kept_over_another_file(bench: Bench) -> None:
    bench.failed.write_text("mine")
    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")

    assert f"could not be kept: {bench.failed}: is there already" in why(bench.verify())
    assert bench.failed.read_text() == "mine"


def test_a_backup_that_is_gone_is_not_named_as_the_way_back(bench: Bench) -> None:
    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")
    bench.backup.unlink()

    answer = bench.verify()

    assert (
        "the backup was not restored, and the database is not to be relied on: "
        f"{bench.backup}: it is not what it was when it was made "
    ) in why(answer)
    assert "--bb-restore" not in why(answer)
    assert answer.state is ContentState.UNKNOWN


def test_a_backup_that_is_put_back_badly_is_said_to_be_needed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish()
    monkeypatch.setattr(lock_server, "matches_file_in_place", lambda *_: False)

    answer = bench.verify()

    assert "the backup could not be restored: it differs afterwards" in why(answer)
    assert answer.state is ContentState.UNKNOWN


def test_a_disk_error_while_the_backup_is_put_back_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")
    monkeypatch.setattr(lock_server, "replace_content", fail)

    assert "could not be restored: Input/output error" in why(bench.verify())


def test_there_is_nothing_to_verify_before_a_publish(bench: Bench) -> None:
    answer = bench.verify()

    assert why(answer) == (f"{bench.real}: nothing was published, so there is nothing to verify")
    assert answer.state is ContentState.UNTOUCHED


# ---- nothing can be published


def test_a_disk_that_is_full_is_told_and_the_database_looked_at(bench: Bench) -> None:
    big, bench.digest = make_work(bench.folder / "big.db", rows=3)
    bench.work = big.replace(bench.work)
    bench.server.db.execute("PRAGMA max_page_count = 100")

    answer = bench.publish()
    bench.server.release()

    assert why(answer) == (
        f"{bench.real}: could not be written: the disk is full (database or disk is full "
        "[SQLITE_FULL]); nothing was published: the database is as it was, compared with backup"
    )
    assert answer.state is ContentState.UNTOUCHED
    assert note_in(bench.real) == "old"
    assert names_in(bench.folder) == ["backup", "real.db", "work.db"]


@pytest.mark.parametrize("compared", ["no backup", "backup gone"])
def test_what_could_not_be_compared_is_said_to_be_uncompared(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, compared: str
) -> None:
    def lose_backup(*_: object) -> None:
        bench.backup.unlink()
        fail_to_write()

    monkeypatch.setattr(lock_server, "replace_content", lose_backup)
    if compared == "no backup":
        bench.server.backup = None
    answer = bench.publish()
    bench.server.release()

    untouched = compared == "no backup"
    assert answer.state is (ContentState.UNTOUCHED if untouched else ContentState.UNKNOWN)
    assert (
        why(answer).split("nothing was published: ")[1]
        == {
            "no backup": "SQLite has rolled it back",
            "backup gone": (
                f"SQLite has rolled it back, which could not be seen: {bench.backup}: could not be "
                "compared with real.db: No such file or directory"
            ),
        }[compared]
    )
    assert note_in(bench.real) == "old"


def test_a_rollback_that_left_something_else_has_the_backup_put_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace_content

    def spoil(db: sqlite3.Connection, *_: object) -> None:
        monkeypatch.setattr(lock_server, "replace_content", whole)
        db.execute("UPDATE money SET note = 'spoilt 0'")
        fail_to_write()

    monkeypatch.setattr(lock_server, "replace_content", spoil)
    answer = bench.publish()
    bench.server.release()

    assert f"it was not as it was, and the backup {bench.backup} was restored" in why(answer)
    assert answer.state is ContentState.RESTORED
    assert note_in(bench.real) == "old"


def test_a_sound_database_is_not_made_that_of_a_rotten_backup(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        bench.backup.write_bytes(bench.backup.read_bytes().replace(b"old 0", b"odd 0"))
        fail_to_write()

    monkeypatch.setattr(lock_server, "replace_content", fail)
    answer = bench.publish()
    bench.server.release()

    assert f"which cannot be seen: {bench.backup}: it is not what it was when it was made (" in why(
        answer
    )
    assert answer.state is ContentState.UNKNOWN
    assert note_in(bench.real) == "old"


def test_a_backup_that_rots_while_it_is_put_back_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(db: sqlite3.Connection, source: sqlite3.Connection, pace: Pace) -> None:
        bench.backup.write_bytes(bench.backup.read_bytes().replace(b"old 0", b"odd 0"))
        replace_content(db, source, pace)

    bench.publish()
    bench.server.db.execute("UPDATE money SET note = 'spoilt 0'")
    monkeypatch.setattr(lock_server, "replace_content", spoil)
    answer = bench.verify()

    assert (
        f"the backup could not be restored: {bench.backup}: it is not what it was when it was made"
    ) in why(answer)
    assert answer.state is ContentState.UNKNOWN


def fail_to_write(*_: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_a_working_copy_that_is_damaged_is_refused_before_anything_is_written(
    bench: Bench,
) -> None:
    content = bytearray(bench.work.read_bytes())
    content[4096:4100] = b"\xff" * 4
    bench.work.write_bytes(content)
    bench.digest = digest_of(bench.work)
    before = bench.real.read_bytes()

    answer = bench.publish()

    assert why(answer).startswith(f"{bench.work}: damaged: ")
    assert answer.state is ContentState.UNTOUCHED
    assert bench.real.read_bytes() == before


def test_a_working_copy_with_another_digest_is_refused_before_anything_is_written(
    bench: Bench,
) -> None:
    bench.digest = digest_of(bench.backup)
    before = bench.real.read_bytes()

    answer = bench.publish()

    assert why(answer) == (
        f"{bench.work}: not what was verified: something has written the working copy since; "
        "nothing was published"
    )
    assert bench.real.read_bytes() == before


def test_an_error_of_the_disk_is_told_in_words(bench: Bench) -> None:
    answer = bench.server.obey(Publish(bench.folder / "typo.db", "", ""))

    assert why(answer) == f"{bench.real}: No such file or directory"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("step", ["back_up", "publish"])
def test_a_copy_that_nobody_waits_for_any_more_is_given_up(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch, mode: str, step: str
) -> None:
    bench = Bench(tmp_path, line, mode, rows=BIG)
    tell = line.channel.tell

    def hang_up_and_tell(part: float) -> None:
        line.channel.hang_up()
        tell(part)

    monkeypatch.setattr(line.channel, "tell", hang_up_and_tell)
    with pytest.raises(Abandoned):
        getattr(bench, step)()
    bench.server.release()

    assert note_in(bench.real) == "old"
    assert mode_of(bench.real) == mode
    assert names_in(tmp_path) == ["real.db", "work.db"]


# ---- the journal mode


def test_a_journal_mode_that_cannot_be_put_back_is_told(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, line, "wal")
    bench.back_up()
    bench.publish()
    monkeypatch.setattr(locked_file, "set_journal_mode", fail_to_write)
    verified = bench.verify()
    again = bench.server.obey(RestoreJournalMode())
    bench.server.release()

    trouble = (
        "it is in journal_mode delete now and could not be set to wal again (disk I/O error): "
        "mend that, and run PRAGMA journal_mode = wal on it"
    )
    assert verified == Done(ContentState.VERIFIED, trouble)
    assert again == Failed(ContentState.VERIFIED, f"{bench.real}: {trouble}", FailureKind.STEP)
    assert note_in(bench.real) == "new"
    assert mode_of(bench.real) == "delete"


# ---- what a killed keeper left


@pytest.mark.parametrize(
    ("content", "state", "mode", "seen"),
    [
        ("old", ContentState.UNTOUCHED, "delete", Content.AS_BEFORE),
        ("new", ContentState.PUBLISHED, "wal", Content.PUBLISHED),
        ("x", ContentState.UNKNOWN, "delete", Content.OTHER),
    ],
)
@pytest.mark.parametrize("stays", [False, True])
def test_what_was_left_is_told_by_its_content(
    tmp_path: Path,
    line: Line,
    content: str,
    state: ContentState,
    mode: str,
    seen: Content,
    stays: bool,  # noqa: FBT001 - a case
) -> None:
    for name in ("old", "new", "x"):
        make(tmp_path / name, name)
    real = tmp_path / "real.db"
    real.write_bytes((tmp_path / content).read_bytes())
    server = LockServer(line.channel)
    found = "wal" if stays else "delete"
    digest = sha256((tmp_path / "old").read_bytes()).hexdigest()
    files = {"work": tmp_path / "new", "backup": tmp_path / "old"}
    answer = server.obey(recovering(real, found, digest=digest, **files))
    server.release()

    assert answer == Done(state, DatabaseSeen(NameTarget.SAME, seen))
    assert mode_of(real) == ("wal" if stays else mode)
    assert note_in(real) == content


def recovering(
    real: Path, mode: str, *, work: Path, digest: str = "", backup: Path | None = None
) -> Recover:
    """Return the order to recover what was left of ``real``, to be in WAL once published."""
    locked = LockedFileState(real, state_of_file(real.stat()))
    return Recover(Lock(real, 1.0, mode), locked, "wal", digest, backup, work)


def test_a_journal_mode_that_cannot_be_recovered_is_told(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    monkeypatch.setattr(locked_file, "set_journal_mode", fail_to_write)
    server = LockServer(line.channel)
    answer = server.obey(recovering(real, "wal", work=make(tmp_path / "work.db", "new")))
    server.release()

    assert isinstance(answer, Done)
    assert isinstance(answer.result, DatabaseSeen)
    (note,) = answer.result.notes
    assert note.startswith("it is in journal_mode delete now and could not be set to wal again")


# ---- orders and answers


def test_orders_are_obeyed_until_there_are_no_more(tmp_path: Path, line: Line) -> None:
    real = make(tmp_path / "real.db", "old")
    answers = []
    orders: tuple[Order, ...] = (
        Lock(real, 1.0),
        ReadHistory(),
        BackUp(tmp_path / "backup"),
        BackUp(tmp_path / "no folder" / "backup"),
    )

    def talk() -> None:
        for order in orders:
            line.say(order)
            answers.append(line.answer())
        line.hang_up()

    talking = threading.Thread(target=talk)
    talking.start()
    serve(line.channel)
    talking.join()

    untouched = ContentState.UNTOUCHED
    results: tuple[Any, ...] = ("delete", (), "")
    assert answers[:3] == [Done(untouched, result) for result in results]
    assert isinstance(answers[3], Failed)
    assert answers[3].why == (
        f"{tmp_path}/no folder/backup: the backup could not be written: No such file or directory; "
        f"make room in {tmp_path}/no folder or have backups go elsewhere (--bb-backup-dir), "
        "and run again"
    )
    assert note_in(real) == "old"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"dear diary" * 100, FailureKind.NO_DATABASE),
        (None, FailureKind.STEP),
        (b"", FailureKind.LOCKED),
    ],
)
def test_a_refusal_says_of_which_kind_it_is(
    tmp_path: Path, line: Line, content: bytes | None, kind: FailureKind
) -> None:
    real = tmp_path / "real.db"
    if content is not None:
        real.write_bytes(content)
    order = Lock(real, 0.1)
    if kind is FailureKind.LOCKED:
        with other_program(real, "BEGIN EXCLUSIVE"):
            answer = LockServer(line.channel).obey(order)
    else:
        answer = LockServer(line.channel).obey(order)

    assert isinstance(answer, Failed)
    assert (answer.kind, answer.state) == (kind, ContentState.UNTOUCHED)


def test_a_lock_on_what_cannot_be_looked_at_is_released(
    tmp_path: Path, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    monkeypatch.setattr(lock_server, "journal_mode", fail_to_write)
    server = LockServer(line.channel)
    answer = server.obey(Lock(real, 0.1))

    assert isinstance(answer, Failed)
    assert answer.kind is FailureKind.STEP
    assert note_in(real) == "old"
    server.release()


def test_the_process_ends_at_a_signal(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(fileno=lambda: line.ends[0]))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(fileno=lambda: line.ends[2]))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    try:
        assert main(str(os.getppid())) == 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_a_parent_that_has_changed_is_gone(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "LOOK_SECONDS", 0.01)
    threading.Timer(0.05, setattr, (line.channel, "parent", -1)).start()

    with pytest.raises(Abandoned):
        line.channel.next_order()


def test_nobody_hears_an_answer_when_the_other_end_is_closed(line: Line) -> None:
    os.close(line.hear)
    line.ends.remove(line.hear)

    with pytest.raises(Abandoned):
        line.channel.say(Progress(0.5))


def test_progress_is_not_told_more_often_than_anybody_looks(line: Line) -> None:
    for part in (0.1, 0.2, 0.3):
        line.channel.tell(part)
    told = os.read(line.hear, 1000)

    assert read_message(told, ANSWERS, NAMES) == Progress(0.1)
