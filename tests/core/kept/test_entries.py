"""A file is an entry only as it was written, under its own name; nobody else can read it."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.kept import entries as module
from pytest_bbmigrate.kept.entries import UNFINISHED, UNFINISHED_SECONDS, Entries, open_entries
from tests.core.keeping import entries_in

if TYPE_CHECKING:
    from pathlib import Path

KEY, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def entries(tmp_path: Path) -> Entries:
    return entries_in(tmp_path / "kept")


def test_what_was_written_is_read_again(entries: Entries) -> None:
    entries.write("state", KEY, b"content")

    assert entries.read("state", KEY) == b"content"
    assert ("state", KEY) in entries
    assert entries.read("state", OTHER) is None
    assert entries.read("verdicts", KEY) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content[:0],
        lambda content: content + b"\0",
        lambda content: content.replace(b"passed", b"PASSED"),
        lambda content: b"\0" * len(content),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_no_entry(entries: Entries, spoil: object) -> None:
    entries.write("verdicts", KEY, b'{"passed": 1}')
    place = entries.place("verdicts", KEY)
    place.write_bytes(spoil(place.read_bytes()))  # type: ignore[operator]

    assert entries.read("verdicts", KEY) is None


def test_a_file_under_the_name_of_another_is_no_entry(entries: Entries) -> None:
    entries.write("verdicts", KEY, b"content")
    entries.place("verdicts", KEY).rename(entries.place("verdicts", OTHER))

    assert entries.read("verdicts", OTHER) is None


def test_neither_a_link_nor_a_pipe_is_an_entry(entries: Entries, tmp_path: Path) -> None:
    entries.write("state", KEY, b"content")
    entries.place("state", KEY).rename(tmp_path / "elsewhere")
    entries.place("state", KEY).symlink_to(tmp_path / "elsewhere")
    os.mkfifo(entries.place("state", OTHER))

    assert entries.read("state", KEY) is None
    assert entries.read("state", OTHER) is None


def test_nobody_else_can_read_what_is_kept(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o755)
    entries = entries_in(tmp_path / "kept")
    entries.write("state", KEY, b"content")

    assert stat.S_IMODE(entries.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entries.place("state", KEY).stat().st_mode) == 0o600


def test_a_folder_that_is_a_link_or_not_our_own_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = entries_in(tmp_path / "kept").folder
    (tmp_path / "link").symlink_to(folder)

    assert open_entries(tmp_path / "link") is None
    assert open_entries(tmp_path / "missing") is None
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert open_entries(folder) is None


def test_where_nothing_can_be_written_nothing_is_kept(entries: Entries) -> None:
    entries.folder.rmdir()

    entries.write("state", KEY, b"content")
    entries.prune()

    assert entries.read("state", KEY) is None


def test_what_is_too_large_is_not_kept(entries: Entries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100)

    entries.write("state", KEY, b"x" * 100)

    assert entries.are_none()


@pytest.mark.parametrize(("limit", "most"), [("MOST_BYTES", 1000), ("MOST_FILES", 3)])
def test_what_was_not_used_for_longest_goes_first(
    entries: Entries, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    keys = [f"{number:064x}" for number in range(5)]
    for age, key in enumerate(keys):
        entries.write("state", key, b"x" * 250)
        os.utime(entries.place("state", key), (time.time() - 10_000 * age,) * 2)
    assert entries.read("state", keys[-1])  # which is a use
    monkeypatch.setattr(module, limit, most)

    entries.prune()

    assert [key for key in keys if ("state", key) in entries] == [keys[0], keys[1], keys[4]]


def test_what_a_killed_run_has_left_is_removed_when_it_is_old(entries: Entries) -> None:
    old, new = (entries.folder / f"{UNFINISHED}{name}" for name in "ab")
    for path in (old, new):
        path.write_bytes(b"half")
    long_ago = time.time() - UNFINISHED_SECONDS - 1
    os.utime(old, (long_ago, long_ago))

    entries.prune()

    assert not old.exists()
    assert new.exists()


def test_runs_that_write_the_same_at_once_leave_one_whole_entry(entries: Entries) -> None:
    content = b"x" * 300_000
    children = []
    for number in range(4):
        pid = os.fork()
        if not pid:
            while True:  # until it is killed, in the middle of what it does
                entries.write("state", KEY, content)
                entries.prune()
        children.append(pid)
        time.sleep(0.01 * number)
    try:
        seen = {entries.read("state", KEY) for _ in range(50)}
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    entries.write("state", KEY, content)

    assert seen <= {content, None}
    assert entries.read("state", KEY) == content
