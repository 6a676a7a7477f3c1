"""Rows that up deletes are told of up, where down could not bring them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.verdict import Finding, Verdict

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, cents INTEGER);"
DONE = "CREATE TABLE done AS SELECT * FROM notes WHERE id < 6;"
TRIGGER = (
    "CREATE TABLE gone (id INTEGER, text TEXT, cents INTEGER);\n"
    "CREATE TRIGGER keep AFTER DELETE ON notes BEGIN\n"
    "INSERT INTO gone VALUES (OLD.id, OLD.text, OLD.cents); END;"
)


def migration(up: str, down: str = "SELECT 1;", line: str = "-- bb: deletes notes") -> str:
    return f"{line}\n-- migrate:up\n{up}\n-- migrate:down\n{down}\n"


def verdict_of(folder: Path, base: str, step: str) -> Verdict:
    return judge_last("down_restores", chain_of(folder, base, step))


def lost_in(verdict: Verdict) -> Finding:
    return next(found for found in verdict.findings if found.kind == "rows lost")


@pytest.mark.parametrize(
    ("up", "down", "line"),
    [
        (f"DROP TABLE notes;\n{NOTES}", f"DROP TABLE notes;\n{NOTES}", 3),
        (f"\nDELETE FROM notes;\n{DONE}", "DROP TABLE done;", 4),
        ("DELETE FROM notes WHERE id < 6;", "", 3),
        ("SELECT 1;\nDELETE FROM notes WHERE id < 6;", "DELETE FROM notes WHERE id < 3;", 4),
        (f"ALTER TABLE notes RENAME TO old;\n{NOTES}\nDROP TABLE old;", "SELECT 1;", 5),
    ],
)
def test_rows_that_up_deletes_are_told_at_the_statement_of_up(
    tmp_path: Path, up: str, down: str, line: int
) -> None:
    found = lost_in(verdict_of(tmp_path, NOTES, migration(up, down)))

    assert (found.line, found.lies_in, found.cause) == (line, "up", "deleted by up")
    assert found.allow == ""


@pytest.mark.parametrize(
    ("base", "up", "down"),
    [
        (NOTES, f"{DONE}\nDELETE FROM notes WHERE id < 6;", "DROP TABLE done;"),
        (
            NOTES,
            f"{DONE}\nALTER TABLE done RENAME TO kept;\nDELETE FROM notes WHERE id < 6;",
            "DROP TABLE kept;",
        ),
        (NOTES, "DELETE FROM notes WHERE id = 6;", "DELETE FROM notes WHERE id < 6;"),
        (f"{NOTES}\n{TRIGGER}", "DELETE FROM notes WHERE id < 6;", "SELECT 1;"),
        (NOTES, "UPDATE notes SET id = id + 100 WHERE id < 6;", "SELECT 1;"),
    ],
)
def test_what_up_may_have_kept_or_has_not_deleted_is_told_of_down(
    tmp_path: Path, base: str, up: str, down: str
) -> None:
    verdict = verdict_of(tmp_path, base, migration(up, down))

    assert verdict.outcome is Outcome.FAILED
    assert [found.lies_in for found in verdict.findings if found.lies_in] == []


def test_a_copy_that_up_drops_again_is_none(tmp_path: Path) -> None:
    up = f"{DONE}\nDELETE FROM notes WHERE id < 6;\nDROP TABLE done;"

    assert lost_in(verdict_of(tmp_path, NOTES, migration(up))).lies_in == "up"


def test_rows_of_a_python_part_that_writes_elsewhere_may_be_kept_there(tmp_path: Path) -> None:
    kept = "    db.conn.executemany('INSERT INTO kept VALUES (?)', [(1,), (2,)])\n"
    step = (
        "# bb: deletes notes\n"
        "def up(db):\n"
        "    db.conn.execute('CREATE TABLE kept (id INTEGER)')\n"
        "{}"
        "    db.conn.execute('DELETE FROM notes WHERE id < 6')\n"
        "def down(db):\n"
        "    db.conn.execute('DROP TABLE kept')\n"
    )
    found = []
    for text in (kept, ""):
        folder = tmp_path / f"with_{bool(text)}"
        folder.mkdir()
        (folder / "002_step.py").write_text(step.format(text))
        found.append(lost_in(judge_last("down_restores", chain_of(folder, NOTES))).lies_in)

    assert found == ["", "up"]


def test_a_table_that_comes_back_empty_is_allowed_by_its_drop(tmp_path: Path) -> None:
    step = "-- migrate:up\nDROP TABLE notes;\n-- migrate:down\n" + NOTES
    found = lost_in(verdict_of(tmp_path, NOTES, step))

    assert (found.line, found.lies_in, found.allow) == (2, "up", "-- bb: drops notes")
    assert verdict_of(tmp_path, NOTES, f"{found.allow}\n{step}").outcome is Outcome.PASSED


def test_a_dropped_table_whose_copy_has_a_part_of_it_is_lost_by_up_in_the_rest(
    tmp_path: Path,
) -> None:
    up = "CREATE TABLE kept AS SELECT * FROM notes WHERE id > 5;\nDROP TABLE notes;"
    down = f"{NOTES}\nINSERT INTO notes SELECT * FROM kept;\nDROP TABLE kept;"
    found = lost_in(verdict_of(tmp_path, NOTES, migration(up, down, "-- bb: drops notes")))

    assert (found.line, found.lies_in, found.allow) == (4, "up", "")


def test_a_reader_is_told_that_up_deletes_them_and_how_to_say_so(tmp_path: Path) -> None:
    up = f"DROP TABLE notes;\n{NOTES}"
    verdict = verdict_of(tmp_path, NOTES, migration(up, f"DROP TABLE notes;\n{NOTES}"))

    lines = describe_failure(verdict, "pytest").splitlines()

    assert lines[0].startswith("up deletes 20 of 20 rows of notes, which no down can bring back")
    assert lines[1].endswith("002_step.sql:3 (up)")
    said = "-- bb: irreversible because the rows that it takes from notes are kept nowhere"
    assert any(said in line for line in lines)


COUNTED = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT);"
REBUILD = (
    f"{COUNTED.replace('notes', 'new')}\nINSERT INTO new SELECT * FROM notes;{{}}\n"
    "DROP TABLE notes;\nALTER TABLE new RENAME TO notes;"
)
CARRIED = REBUILD.format(
    "\nUPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'notes')"
    " WHERE name = 'new';"
)
PLAIN = REBUILD.format("")


def sequences_in(folder: Path, up: str, down: str) -> list[Finding]:
    verdict = verdict_of(folder, COUNTED, migration(up, down, ""))
    return [found for found in verdict.findings if found.kind == "sequence lowered"]


@pytest.mark.parametrize("down", [PLAIN, CARRIED, "SELECT 1;"])
def test_a_sequence_that_up_lost_is_to_be_carried_over_in_up_first(
    tmp_path: Path, down: str
) -> None:
    (found,) = sequences_in(tmp_path, PLAIN, down)

    assert (found.line, found.lies_in) == (3, "up")
    assert "carry the number over in up first, and then in down" in found.cause


def test_a_sequence_that_down_alone_loses_is_told_at_down(tmp_path: Path) -> None:
    (found,) = sequences_in(tmp_path, CARRIED, PLAIN)

    assert (found.lies_in, found.cause) == ("", "sequence dropped")


def test_carried_over_in_both_a_sequence_is_as_it_was(tmp_path: Path) -> None:
    assert sequences_in(tmp_path, CARRIED, CARRIED) == []


RENAMED = COUNTED.replace("notes", "told")
TO_TOLD = f"{RENAMED}\nINSERT INTO told SELECT * FROM notes;{{}}\nDROP TABLE notes;"
FROM_TOLD = f"{COUNTED}\nINSERT INTO notes SELECT * FROM told;{{}}\nDROP TABLE told;"
CARRY = (
    "\nUPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = '{}')"
    " WHERE name = '{}';"
)


def test_a_sequence_of_a_table_that_up_copies_under_another_name_is_lost_by_up(
    tmp_path: Path,
) -> None:
    (found,) = sequences_in(tmp_path, TO_TOLD.format(""), FROM_TOLD.format(""))

    assert (found.line, found.lies_in) == (5, "up")
    assert "carry the number over in up first" in found.cause


def test_a_sequence_that_up_carries_to_another_name_is_lost_by_down(tmp_path: Path) -> None:
    carried = TO_TOLD.format(CARRY.format("notes", "told"))
    (found,) = sequences_in(tmp_path, carried, FROM_TOLD.format(""))

    assert found.lies_in == ""
