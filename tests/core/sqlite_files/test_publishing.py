"""What may be published, and what integrity_check holds against it afterwards."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.sqlite_files.publishing import (
    integrity_faults,
    new_faults,
    reading_closed,
    refuse_damaged,
)
from tests.core.real_databases import make, names_in, spoil_index

if TYPE_CHECKING:
    from pathlib import Path

FORBID = """\
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'filling BLOB', 'filling BLOB {rule}')
WHERE name = 'money';
"""
RULES = {
    "NOT NULL": "NULL value in money.filling",
    "CHECK (length(filling) > 10)": "CHECK constraint failed in money",
}


def refusal(path: Path) -> str:
    with pytest.raises(DatabaseError) as refused, reading_closed(path, 0.1):
        pass
    return str(refused.value).removeprefix(f"{path}: ")


def test_a_closed_database_is_opened_and_nothing_is_made_beside_it(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new")
    with reading_closed(work, 0.1) as db:
        assert db.execute("SELECT note FROM money").fetchall() == [("new 0",)]
        assert names_in(tmp_path) == ["work.db"]
        with closing(sqlite3.connect(work, timeout=0)) as other, pytest.raises(sqlite3.Error):
            other.execute("PRAGMA user_version = 1")


@pytest.mark.parametrize("content", [b"", b"hello" * 100, b"SQLite format 3\x00"])
def test_what_is_no_database_is_not_published(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "work.db").write_bytes(content)

    assert refusal(tmp_path / "work.db") == "not an SQLite database; nothing was published"


def test_what_is_not_there_is_not_published(tmp_path: Path) -> None:
    assert refusal(tmp_path / "work.db") == "No such file or directory"


def test_a_database_in_wal_mode_is_not_published(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new", mode="wal")

    assert refusal(work).startswith("in WAL mode; put it into journal_mode = delete")


def test_a_database_that_is_cut_short_is_not_published(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new", page=65536)
    content = work.read_bytes()
    with reading_closed(work, 0.1):
        pass
    work.write_bytes(content[:-1])

    assert refusal(work) == "not as long as its header says; nothing was published"


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_a_database_with_something_beside_it_is_not_published(tmp_path: Path, suffix: str) -> None:
    work = make(tmp_path / "work.db", "new")
    (tmp_path / f"work.db{suffix}").touch()

    assert refusal(work) == (f"work.db{suffix} is beside it: another program has it open, or had")


def test_a_database_that_another_program_writes_is_not_published(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new")
    with closing(sqlite3.connect(work, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        assert refusal(work) == "database is locked [SQLITE_BUSY]"


def test_a_damaged_database_is_not_published(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new")
    content = bytearray(work.read_bytes())
    content[4096:4100] = b"\xff" * 4  # the head of the table's page
    work.write_bytes(content)

    with (
        reading_closed(work, 0.1) as db,
        pytest.raises(DatabaseError, match=r"damaged: .*nothing was"),
    ):
        refuse_damaged(db, work)


@pytest.mark.parametrize(("rule", "fault"), RULES.items())
def test_rows_that_break_a_rule_are_no_damage(tmp_path: Path, rule: str, fault: str) -> None:
    work = break_rule(make(tmp_path / "work.db", "new"), rule)
    with reading_closed(work, 0.1) as db:
        refuse_damaged(db, work)
        assert integrity_faults(db) == (fault,)


def test_what_calls_the_apps_functions_is_passed_over_and_the_rest_is_not(tmp_path: Path) -> None:
    work = make(tmp_path / "work.db", "new")
    with closing(sqlite3.connect(work)) as db:
        db.create_function("is_iban", 1, lambda _: True, deterministic=True)
        db.execute("CREATE TABLE banks (iban TEXT CHECK (is_iban(iban)))")
        db.execute("INSERT INTO banks VALUES ('x')")
        db.commit()
    spoil_index(work)
    with reading_closed(work, 0.1) as db:
        refuse_damaged(db, work)
        faults = integrity_faults(db)

    assert faults[0] == "row 1 missing from index sqlite_autoindex_money_1"
    assert faults[-1].startswith("cannot be looked at here, table banks: ")
    assert "is_iban" in faults[-1]


@pytest.mark.parametrize("words", RULES)
def test_old_faults_are_not_held_against_what_was_published(tmp_path: Path, words: str) -> None:
    sound = make(tmp_path / "sound.db", "x")
    rule = break_rule(make(tmp_path / "rule.db", "x"), words)
    index = spoil_index(make(tmp_path / "index.db", "x"))
    missing = "row 1 missing from index sqlite_autoindex_money_1"
    found = {
        (published.stem, backup.stem): new_faults_of(published, backup)
        for published in (sound, rule, index)
        for backup in (sound, rule, index)
    }

    assert {pair for pair, faults in found.items() if faults} == {
        ("index", "sound"),
        ("index", "rule"),
    }
    assert missing in found["index", "sound"]


@pytest.mark.parametrize(("words", "fault"), RULES.items())
def test_rows_that_break_a_rule_unlike_the_working_copys_are_new(
    tmp_path: Path, words: str, fault: str
) -> None:
    sound = make(tmp_path / "sound.db", "x")
    rule = break_rule(make(tmp_path / "rule.db", "x"), words)
    with reading_closed(rule, 0.1) as db:
        assert new_faults(db, sound, sound, 0.1) == (fault,)


def new_faults_of(published: Path, backup: Path) -> tuple[str, ...]:
    with reading_closed(published, 0.1) as db:
        return new_faults(db, backup, published, 0.1)


def break_rule(path: Path, rule: str) -> Path:
    """Put into the table a value that ``rule`` forbids, and the rule afterwards."""
    value = "NULL" if rule == "NOT NULL" else "x'00'"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE money SET filling = {value}")
        db.commit()
        db.executescript(FORBID.format(rule=rule))
        db.commit()
    return path
