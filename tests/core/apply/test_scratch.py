"""What a run that was killed has left, and what the next one makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.scratch import note_mode, noted_mode, tidy
from tests.core.publishing import Reporter, publish
from tests.core.real_databases import (
    MODES,
    make,
    make_work,
    mode_of,
    names_in,
    note_in,
    other_program,
)

if TYPE_CHECKING:
    from pathlib import Path

PARTIAL = "real.db.backup.20260203_140506_2.partial"


def leave(real: Path, mode: str = "wal") -> None:
    """Leave what a run that was killed while it published leaves."""
    scratch = real.with_name(f".{real.name}.bbmigrate-x1y2")
    (scratch / "rehearsal").mkdir(parents=True)
    (scratch / "work.db").write_text("private")
    note_mode(scratch, mode)
    for name in (PARTIAL, f"{PARTIAL}.compared"):
        real.with_name(name).write_text("private")


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
    own = [".real.db.bbmigrate-file", "real.db.backup.mine.partial", "other.db.backup.x.partial"]
    for name in own:
        (tmp_path / name).touch()
    (tmp_path / ".other.db.bbmigrate-x").mkdir()

    assert tidy(real, tmp_path) == ""
    assert names_in(tmp_path) == sorted([*own, ".other.db.bbmigrate-x", "real.db"])


def test_a_note_of_another_mode_says_nothing(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "old")
    leave(real, "delete")

    assert noted_mode(real, tmp_path) == ""


def test_where_there_is_nothing_else_to_do_it_is_done_all_the_same(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "new")
    leave(real)

    assert tidy(real, tmp_path) == "copies of the data that a killed run had left were removed"
    assert mode_of(real) == "wal"
    assert names_in(tmp_path) == ["real.db"]
    assert note_in(real) == "new"


def test_where_the_database_is_in_use_it_is_left_and_told(tmp_path: Path) -> None:
    real = make(tmp_path / "real.db", "new")
    leave(real)
    there = names_in(tmp_path)
    with other_program(real, "BEGIN IMMEDIATE"):
        told = tidy(real, tmp_path)
        left = [name for name in names_in(tmp_path) if name != "real.db-journal"]

    assert told.startswith(
        f"a run that was killed has left copies of the data in {tmp_path}: real.db is open in "
    )
    assert left == there


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert tidy(make(tmp_path / "real.db", "new"), tmp_path / "backups") == ""
