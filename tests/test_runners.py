"""The comparing of profiles with tools leaves none out, and takes nothing for a success."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.runner.profiles import PROFILES
from pytest_bbmigrate.sqlite_files import open_image, take_image
from tests.matrix.environments import Broken, output_of
from tests.runners import forms
from tests.runners.comparing import (
    DIFFERS,
    LEFT,
    MISSING,
    REFUSED,
    SAME,
    Cell,
    is_good,
    judge,
    notes,
    table,
)
from tests.runners.contents import lines_of
from tests.runners.environments import Environment, provide
from tests.runners.folders import make_seed, read_folders
from tests.runners.ours import Result, run_ours
from tests.runners.tools import NOT_HELD, TOOLS, Ending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FOLDERS = {folder.name: folder for folder in read_folders()}
BY_NAME = {tool.name: tool for tool in TOOLS}
DONE, REFUSAL = Ending(0, "done"), Ending(1, "no such table")


def content(*statements: str) -> bytes:
    with closing(open_image(b"")) as db:
        db.executescript(";".join(statements))
        return take_image(db)


NOTES = content("CREATE TABLE notes (id INTEGER PRIMARY KEY)", "INSERT INTO notes VALUES (1)")


def test_each_profile_is_held_against_its_tool_or_said_to_be_not() -> None:
    assert set(PROFILES) == {tool.profile for tool in TOOLS} | set(NOT_HELD)
    assert not {tool.profile for tool in TOOLS} & set(NOT_HELD)


def test_there_are_thirty_folders_and_what_they_say_of_tools_is_of_tools_there_are() -> None:
    assert len(FOLDERS) >= 30
    for folder in FOLDERS.values():
        assert {*folder.only, *folder.not_held, *folder.not_imitated} <= {*BY_NAME}


def test_tools_are_installed_once_for_each_choice_of_versions_and_a_lack_is_told(
    tmp_path: Path,
) -> None:
    made: list[str] = []
    for pins in ("a==1", "a==1", "a==2"):
        provide(Environment(tmp_path / "tools", pins, lambda: made.append("once")))

    def lacking() -> None:
        output_of([tmp_path / "no-such-npm"])

    assert made == ["once", "once"]
    with pytest.raises(Broken, match="no-such-npm"):
        provide(Environment(tmp_path / "tools", "a==3", lacking))


@pytest.mark.parametrize(
    ("ending", "real", "ours", "outcome"),
    [
        (DONE, NOTES, Result(NOTES), SAME),
        (DONE, content("CREATE TABLE notes (id INTEGER PRIMARY KEY)"), Result(NOTES), DIFFERS),
        (DONE, content("CREATE TABLE notes (id INTEGER)"), Result(NOTES), DIFFERS),
        (REFUSAL, NOTES, Result(NOTES), DIFFERS),
        (DONE, NOTES, Result(NOTES, "no such table"), DIFFERS),
        (REFUSAL, NOTES, Result(NOTES, "no such table"), REFUSED),
        (REFUSAL, b"", Result(NOTES, "no such table"), DIFFERS),
        (REFUSAL, NOTES, Result(None, "two have one number"), REFUSED),
    ],
)
def test_what_differs_is_told(ending: Ending, real: bytes, ours: Result, outcome: str) -> None:
    folder = replace(FOLDERS["second_statement_fails"], not_imitated={"sqlx": "for a reason"})
    cell = judge(folder, "dbmate", ending, lines_of(real), ours)
    left = judge(folder, "sqlx", ending, lines_of(real), ours)

    assert (cell.outcome, left.outcome) == (outcome, LEFT if outcome == DIFFERS else DIFFERS)


def test_a_row_counts_by_its_place_and_a_type_by_itself() -> None:
    one = content("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")
    gap = content("CREATE TABLE t (a)", "INSERT INTO t (rowid, a) VALUES (1, 1), (3, 1)")
    real = content("CREATE TABLE t (a)", "INSERT INTO t VALUES (1.0)", "INSERT INTO t VALUES (1)")

    assert len({lines_of(one), lines_of(gap), lines_of(real)}) == 3


@pytest.mark.parametrize(
    ("cells", "allowed", "good"),
    [
        ([Cell("f", "a", SAME)], False, True),
        ([Cell("f", "a", REFUSED)], False, True),
        ([], False, False),
        ([Cell("f", "a", SAME), Cell("g", "a", DIFFERS)], True, False),
        ([Cell("f", "a", SAME), Cell("f", "b", MISSING)], False, False),
        ([Cell("f", "a", SAME), Cell("f", "b", MISSING)], True, True),
        ([Cell("f", "a", MISSING)], True, False),
        ([Cell("f", "a", SAME), Cell("f", "b", "-")], False, False),
        ([Cell("f", "a", SAME), Cell("g", "a", "-")], False, False),
        ([Cell("f", "a", SAME), Cell("g", "a", LEFT)], False, False),
    ],
)
def test_a_table_is_good_in_which_each_row_and_column_has_something_that_agrees(
    cells: Sequence[Cell],
    allowed: bool,  # noqa: FBT001 - a case of a table
    good: bool,  # noqa: FBT001 - a case of a table
) -> None:
    assert is_good(cells, allow_missing=allowed) is good


def test_the_table_has_a_row_a_folder_and_the_notes_say_what_differs() -> None:
    cells = [Cell("f", "a", SAME), Cell("f", "b", DIFFERS, "- row t 1: 1")]

    assert [line.split() for line in table(cells, ["f"], ["a", "b"])] == [
        ["folder", "a", "b"],
        ["f", "same", "DIFFERS"],
    ]
    assert notes(cells) == ["f x b: DIFFERS: - row t 1: 1"]


@pytest.mark.parametrize(
    ("tool", "left"),
    [
        ("sqlite3", ["costs", "notes", "trips"]),  # each statement by itself
        ("sqlx", ["costs", "trips"]),
        ("drizzle", ["costs", "trips"]),
    ],
)
def test_what_is_left_of_a_file_that_fails_is_as_the_profile_says(
    tmp_path: Path, tool: str, left: list[str]
) -> None:
    folder, seed = FOLDERS["second_statement_fails"], tmp_path / "seed.db"
    lay = {"sqlite3": forms.as_plain, "sqlx": forms.as_sqlx, "drizzle": forms.as_drizzle}[tool]
    lay(folder, tmp_path)
    make_seed(seed, folder.seed)

    found = run_ours(BY_NAME[tool], tmp_path, seed, goes_down=False)

    assert found.refusal == "UNIQUE constraint failed: trips.id"
    assert found.content is not None
    lines = lines_of(found.content)
    assert sorted(line.split()[1][:-1] for line in lines if line.startswith("table")) == left
