"""What a process sees of the database that it has locked, or that another one had."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import pytest

from pytest_bbmigrate.apply.lock import locked_file as lockeds
from pytest_bbmigrate.apply.lock.orders import (
    BackUp,
    Done,
    Inspect,
    Lock,
    LockedFileState,
    Recover,
)
from pytest_bbmigrate.apply.lock.server import LockServer
from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import Content, DatabaseSeen
from pytest_bbmigrate.errors import DatabaseError, StepFailed
from pytest_bbmigrate.sqlite_files import held_file as helds
from pytest_bbmigrate.sqlite_files.held_file import NameTarget, state_of_file
from tests.core.damages import (
    DAMAGES,
    cut_off,
    garble,
    move_away,
    overwrite,
    remove,
    replace_by_another,
    replace_by_its_own_copy,
    truncate,
)
from tests.core.real_databases import MODES, make, note_in, other_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.apply.lock.inspection import KnownContents
    from pytest_bbmigrate.apply.lock.protocol import Channel
    from tests.core.damages import Damage


class Bench:
    """A server of the lock on a database, and what there is beside it."""

    def __init__(self, tmp_path: Path, mode: str = "delete") -> None:
        (tmp_path / "data").mkdir()
        self.real = make(tmp_path / "data" / "real.db", "old", mode=mode)
        self.work = make(tmp_path / "work.db", "new")
        self.backup = tmp_path / "backup"
        self.before = state_of_file(self.real.stat())
        self.server = new_holder()
        self.server.lock(Lock(self.real, 0.2))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.release()

    def back_up(self) -> Self:
        self.server.back_up(BackUp(self.backup))
        return self

    def inspect(self) -> DatabaseSeen:
        return self.server.inspect(Inspect(BackUp(self.backup), self.work))

    def settle(self, *, backup: bool = True) -> DatabaseSeen:
        """Have the server end, and another one look."""
        digest = self.server.note.digest
        self.server.release()
        self.server = new_holder()
        locked = LockedFileState(self.real, self.before)
        kept = self.backup if backup else None
        lock = Lock(self.real, 0.2, "delete")
        answer = self.server.obey(Recover(lock, locked, "delete", digest, kept, self.work))
        assert isinstance(answer, Done)
        assert isinstance(answer.result, DatabaseSeen)
        return answer.result


def new_holder() -> LockServer:
    channel = SimpleNamespace(still_wanted=lambda: None, tell=lambda _: None)
    return LockServer(cast("Channel", channel))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as bench:
        yield bench.back_up()


CONTENTS: dict[Damage, Content] = {
    truncate: Content.EMPTY,
    cut_off: Content.CUT_OFF,
    replace_by_its_own_copy: Content.AS_BEFORE,
}
SEEN = [
    (damage, name, CONTENTS.get(damage, Content.OTHER))
    for damage, (name, _) in DAMAGES.items()
    if damage.__name__ not in {"replace_by_a_link", "replace_by_a_folder", "move_the_folder"}
]


@pytest.mark.parametrize(("damage", "name", "content"), SEEN)
def test_what_was_done_is_seen_while_the_lock_is_held(
    bench: Bench, damage: Damage, name: NameTarget, content: Content
) -> None:
    damage(bench.real)

    found = bench.inspect()
    with pytest.raises(StepFailed, match=r"real\.db is .*; nothing was published"):
        bench.server.refuse_changed()

    assert (found.name, found.content) == (name, content)


@pytest.mark.parametrize(("damage", "name", "content"), SEEN)
def test_what_was_done_is_seen_by_another_process_afterwards(
    bench: Bench, damage: Damage, name: NameTarget, content: Content
) -> None:
    damage(bench.real)

    answer = bench.settle()

    assert (answer.name, answer.content) == (name, content)
    assert bench.server.state is ContentState.UNKNOWN


def test_a_file_that_nobody_has_touched_is_as_it_was_by_its_stat_alone(bench: Bench) -> None:
    bench.work.unlink()

    assert bench.settle(backup=False).content is Content.AS_BEFORE


def test_a_file_that_is_in_use_afterwards_is_not_seen(bench: Bench) -> None:
    bench.server.release()
    with other_program(bench.real, "BEGIN IMMEDIATE"):
        answer = bench.settle()

    assert answer.content is Content.UNSEEN
    assert "in use by another program" in answer.detail


@pytest.mark.parametrize("damage", [remove, move_away, replace_by_another])
def test_a_file_without_its_name_is_backed_up_if_that_was_not_done(
    bench: Bench, damage: Damage
) -> None:
    bench.backup.unlink()
    damage(bench.real)

    bench.inspect()

    assert note_in(bench.backup) == "old"


def test_a_backup_that_was_written_to_says_nothing_of_the_database(bench: Bench) -> None:
    bench.backup.write_bytes(bench.work.read_bytes())

    assert bench.inspect().content is Content.AS_BEFORE
    overwrite(bench.real)
    assert bench.inspect().content is Content.OTHER


def test_a_backup_that_does_not_read_leaves_the_content_unseen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError(bench.backup, "the disk is damaged")

    monkeypatch.setattr("pytest_bbmigrate.apply.lock.inspection.matches_file_in_place", fail)
    found = bench.inspect()

    assert found.content is Content.UNSEEN
    assert found.detail == f"{bench.backup}: the disk is damaged"


@pytest.mark.parametrize("damage", [remove, overwrite])
def test_what_happens_while_it_is_backed_up_is_no_backup_to_rely_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    whole = lockeds.LockedFile.refuse_written

    def damage_first(self: lockeds.LockedFile) -> None:
        damage(self.path)
        whole(self)

    monkeypatch.setattr(lockeds.LockedFile, "refuse_written", damage_first)
    with Bench(tmp_path) as bench, pytest.raises(StepFailed, match=r"real\.db is "):
        bench.back_up()


@pytest.mark.parametrize("mode", MODES)
def test_pages_that_were_read_once_are_not_believed(tmp_path: Path, mode: str) -> None:
    with Bench(tmp_path, mode) as bench:
        bench.back_up()
        read = bench.server.db.execute("SELECT note FROM money")
        assert read.fetchall() == [("old 0",)]
        overwrite(bench.real)

        assert bench.inspect().content is Content.OTHER


def test_what_was_published_is_known_as_that(bench: Bench) -> None:
    bench.real.write_bytes(bench.work.read_bytes())
    found = []
    for state in (ContentState.UNTOUCHED, ContentState.PUBLISHED, ContentState.VERIFIED):
        bench.server.state = state
        found.append(bench.inspect().content)

    assert found == [Content.OTHER, Content.PUBLISHED, Content.VERIFIED]


def test_a_publish_without_its_name_or_its_journal_is_not_gone_on_with(bench: Bench) -> None:
    bench.server.refuse_nameless()
    journal = bench.real.with_name("real.db-journal")
    journal.unlink()
    with pytest.raises(StepFailed, match="something removed its journal"):
        bench.server.refuse_nameless()
    bench.real.unlink()
    with pytest.raises(StepFailed, match=r"real\.db is gone"):
        bench.server.on_publish_progress(0.5)


def test_a_publish_whose_file_goes_at_its_end_is_lost(bench: Bench) -> None:
    bench.server.state = ContentState.PUBLISHED
    remove(bench.real)

    with pytest.raises(StepFailed, match="what was published is not to be found there"):
        bench.server.refuse_lost()

    assert bench.server.state is ContentState.UNKNOWN
    assert "nothing was published: real.db is gone" in bench.server.describe_failed_publish(
        StepFailed("it is gone")
    )


def test_a_file_that_takes_the_name_as_it_is_locked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make(tmp_path / "real.db", "old")
    whole = helds.empty_wal

    def replace_first(db: Any) -> None:
        replace_by_another(real)
        whole(db)

    monkeypatch.setattr(lockeds, "empty_wal", replace_first)
    with pytest.raises(DatabaseError, match="another file took its name while it was locked"):
        new_holder().lock(Lock(real, 0.2))

    assert note_in(real) == "another"


def test_a_file_that_goes_while_it_is_compared_is_told_to_be_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LockServer.inspect_content

    def remove_then(self: LockServer, known: KnownContents) -> object:
        found = whole(self, known)
        remove(bench.real)
        return found

    monkeypatch.setattr(LockServer, "inspect_content", remove_then)

    assert bench.inspect().name is NameTarget.GONE


def test_garbage_under_another_files_name_is_something_else(bench: Bench) -> None:
    remove(bench.real)
    bench.real.write_bytes(b"")
    empty = bench.inspect().content
    garble(bench.real)

    assert [empty, bench.inspect().content] == [Content.EMPTY, Content.OTHER]
