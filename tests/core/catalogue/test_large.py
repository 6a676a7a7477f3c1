"""Large files and folders are read by work that grows as they do: counted in calls, not timed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

SOME = 16  # repetitions, then twice and four times as many
CALLS_FOR_A_ROW = {"inserts": 140, "rows": 45}  # of two and three values
HEAD = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b);\nCREATE TEMP TABLE l (x, y);\n"


def many(line: str, count: int, *, between: str = "\n") -> str:
    """Return ``line`` a number of times, with another number for each # in it."""
    return between.join(line.replace("#", str(number)) for number in range(count))


FILES: dict[str, Callable[[int], str]] = {
    "inserts": lambda n: HEAD + many("INSERT INTO t (id, a) VALUES (#, 'n#');", n),
    "updates": lambda n: HEAD + many("UPDATE t SET a = 'n#' WHERE id = # AND a <> 'o#';", n),
    "copies": lambda n: HEAD + many("UPDATE t SET a = 'n#'; INSERT INTO u SELECT a FROM t;", n),
    "made and dropped": lambda n: (
        HEAD + many("CREATE TABLE t# AS SELECT 'v#' AS a FROM t; DROP TABLE t#;", n)
    ),
    "rows": lambda n: HEAD + "INSERT INTO t VALUES " + many("(#, 'n#', 1)", n, between=","),
    "a compound": lambda n: (
        HEAD + "INSERT INTO t " + many("SELECT #, a, 1 FROM t WHERE id = #", n, between=" UNION ")
    ),
    "a case": lambda n: HEAD + "UPDATE t SET a = CASE id " + many("WHEN # THEN 'v#'", n) + " END",
    "a list": lambda n: HEAD + "DELETE FROM t WHERE id IN (" + many("#", n, between=",") + ")",
    "a list of names": lambda n: (
        HEAD
        + many("INSERT INTO l VALUES ('o#', 'n#');", n)
        + many("UPDATE t SET a = l.y FROM l WHERE t.a = l.x;", n)
    ),
    "arrows": lambda n: HEAD + "SELECT " + many("json(b) ->> '$.a#' = 'v#'", n, between=" AND "),
    "a trigger": lambda n: (
        HEAD
        + "CREATE TRIGGER r AFTER INSERT ON t BEGIN "
        + many("UPDATE t SET a = 'n#' WHERE id = #;", n)
        + " END;"
    ),
    "comments": lambda n: many("-- line # of it's comment\n/* # */", n) + f"\n{HEAD}",
    "a contract": lambda n: many("-- bb: changes t.c#", n) + f"\n{HEAD}",
    "columns": lambda n: "CREATE TABLE t (" + many("c# TEXT DEFAULT 'x#'", n, between=",") + ")",
    "goose": lambda n: (
        f"-- +goose Up\n{HEAD}"
        + many("-- +goose StatementBegin\nSELECT #;\n-- +goose StatementEnd", n)
        + "\n-- +goose Down\n"
        + many("DELETE FROM t WHERE id = #;", n)
    ),
    "drizzle": lambda n: HEAD + many("DELETE FROM t WHERE id = #;--> statement-breakpoint", n),
}

FOLDERS: dict[str, Callable[[int], dict[str, str]]] = {
    "plain": lambda n: {f"{at:05}_a.sql": "SELECT 1" for at in range(n)},
    "plain beside Python": lambda n: {
        name: text
        for at in range(n)
        for name, text in (
            (f"{at:05}_a.sql", "SELECT 1"),
            (f"{at + n:05}_b.py", "def up(db):\n    db.execute('x.sql')"),
        )
    },
    "pairs": lambda n: {
        f"{at:05}_{half}.{half}.sql": "SELECT 1" for at in range(n) for half in ("up", "down")
    },
    "Flyway": lambda n: {f"{kind}{at}__a.sql": "SELECT 1" for at in range(n) for kind in "VU"},
    "folders": lambda n: {
        f"{at:05}_a/{half}.sql": "" for at in range(n) for half in ("up", "down")
    },
    "down files": lambda n: {
        f"{at:05}_a{down}.sql": "SELECT 1" for at in range(n) for down in ("", ".down")
    },
}


def calls_of(folder: Path) -> int:
    """Return how many functions reading ``folder`` calls, those of Python and those in C."""
    count = 0

    def look(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        read_catalogue(folder)
    finally:
        sys.setprofile(before)
    return count


def growth(tmp_path: Path, files: Callable[[int], dict[str, str]]) -> float:
    """Return by how much the calls grow from twice to four times SOME repetitions.

    Linear is 2. Of what is done once, whatever there is, nothing is in it.
    """
    folders = [write(tmp_path / str(times), files(times * SOME)) for times in (1, 2, 4)]
    read_catalogue(folders[0])  # what is imported or compiled is not counted
    one, two, four = map(calls_of, folders)
    return (four - two) / (two - one)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_reading_a_file_takes_work_that_grows_as_the_file_does(
    tmp_path: Path, text: Callable[[int], str]
) -> None:
    assert growth(tmp_path, lambda count: {"001_a.sql": text(count)}) < 2.4


@pytest.mark.parametrize("files", FOLDERS.values(), ids=FOLDERS)
def test_reading_a_folder_takes_work_that_grows_as_the_folder_does(
    tmp_path: Path, files: Callable[[int], dict[str, str]]
) -> None:
    assert growth(tmp_path, files) < 2.4


@pytest.mark.parametrize("name", ["inserts", "rows"])
def test_what_is_read_of_rows_of_literals_is_their_values(tmp_path: Path, name: str) -> None:
    folders = [write(tmp_path / str(n), {"001_a.sql": FILES[name](n * SOME)}) for n in (1, 2, 4)]
    read_catalogue(folders[0])
    _, two, four = map(calls_of, folders)

    assert (four - two) / (2 * SOME) < CALLS_FOR_A_ROW[name]
