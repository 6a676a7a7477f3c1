"""How long large files of SQL take to read and to check, and folders of many files to list."""

from __future__ import annotations

import random
import sys
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from benchmarks import apply
from benchmarks.chain import check_migrations
from benchmarks.folders import write_project
from benchmarks.rivals import QUIETLY
from benchmarks.timing import Bench, Cost, NoCost, cost_of, shown, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.timing import Taken

SIZES, QUICK_SIZES = (1, 10), (1,)  # MB
FOLDERS, QUICK_FOLDERS = (500, 5000), (500,)
TURNS = 3
SLOW = 5  # MB of CREATE TABLE: SQLite itself takes minutes, for the square of their number
EXECUTE = (
    "import sqlite3, pathlib;"
    " db = sqlite3.connect(':memory:', isolation_level=None);"
    " db.executescript(pathlib.Path('migrations/001_first.sql').read_text())"
)
TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL, n REAL, note TEXT);\n"


def row(number: int, dice: random.Random) -> str:
    """Return the values of one row."""
    return (
        f"({number}, 'name {dice.randrange(10**6)}', {dice.randrange(10**6)}.5,"
        f" 'it''s a note; of {number} words')"
    )


def inserts(number: int, dice: random.Random) -> str:
    """Return an INSERT of one row."""
    return f"INSERT INTO t (id, name, n, note) VALUES {row(number, dice)};\n"


def rows(number: int, dice: random.Random) -> str:
    """Return one more row of the one INSERT that there is."""
    before = f"{TABLE}INSERT INTO t VALUES\n" if number == 1 else ",\n"
    return f"{before}{row(number, dice)}"


def tables(number: int, _: random.Random) -> str:
    """Return a CREATE TABLE."""
    return (
        f"CREATE TABLE t{number} (\n    id INTEGER PRIMARY KEY,\n"
        "    name TEXT NOT NULL DEFAULT '',\n    n INTEGER CHECK (n > 0),\n"
        f"    parent INTEGER REFERENCES t{number} (id)\n);\n"
    )


def comments(number: int, _: random.Random) -> str:
    """Return lines of comments, with a statement among the first."""
    line = '-- a comment that goes on; with \'quotes and "all" /* that may stand in it\n'
    return line * 20 + (f"CREATE TABLE c{number} (id INTEGER PRIMARY KEY);\n" * (number <= 50))


# What a file holds: what it begins with, what is repeated, and what it ends with.
FILES: dict[str, tuple[str, Callable[[int, random.Random], str], str]] = {
    "INSERTs": (TABLE, inserts, ""),
    "a dump": (f"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n{TABLE}", inserts, "COMMIT;\n"),
    "one INSERT": ("", rows, ";\n"),
    "comments": ("", comments, ""),
    "CREATE TABLEs": ("", tables, ""),
}
FILE_HEADINGS = (
    "a file of",
    "MB",
    "SQLite alone",
    "`--bb-status`",
    "MB of memory",
    "`--bb-check-migrations`",
    "MB of memory",
)
FOLDER_HEADINGS = ("migrations, each a pair", "`--bb-status`", "collected for the checks")


def measure(bench: Bench) -> str:
    """Return the section on large files and folders."""
    lines = [
        file_line(bench, kind, size)
        for kind in FILES
        for size in (QUICK_SIZES if bench.quick else SIZES)
    ]
    folders = [folder_line(bench, n) for n in (QUICK_FOLDERS if bench.quick else FOLDERS)]
    return (
        "One migration, of which SQLite executes the statements one after another, in one process;"
        " a check reads it in two, and runs it twice. 6,400 tables at once, which is 1 MB of them,"
        " are filled with 200 generated rows each to be checked; that takes minutes, and is left"
        " out here.\n\n" + table(FILE_HEADINGS, lines) + "\n" + table(FOLDER_HEADINGS, folders)
    )


def file_line(bench: Bench, kind: str, megabytes: int) -> list[str]:
    """Return the line of a file of that kind and size."""
    folder = bench.scratch / f"{kind.replace(' ', '_')}_{megabytes}"
    write_file(folder, kind, megabytes * 10**6)
    is_of_tables = kind == "CREATE TABLEs"
    is_slow = is_of_tables and megabytes > SLOW
    costs = bench.in_turns(
        {
            "SQLite": skipped if is_slow else partial(by_sqlite, folder),
            "status": partial(by_plugin, folder, "--bb-status"),
            "checks": skipped if is_of_tables else partial(check_migrations, folder),
        },
        TURNS,
    )
    alone, status, checks = costs.values()
    return [
        kind,
        str(megabytes),
        shown(alone),
        shown(status),
        apply.peak_of(status),
        shown(checks),
        apply.peak_of(checks),
    ]


def folder_line(bench: Bench, size: int) -> list[str]:
    """Return the line of a folder of that many migrations."""
    folder = write_project(bench.scratch / f"files_{size}", size, 0)
    costs = bench.in_turns(
        {
            "status": partial(by_plugin, folder, "--bb-status"),
            "collected": partial(check_migrations, folder, "--collect-only"),
        },
        TURNS,
    )
    return [f"{size:,}", *map(shown, costs.values())]


def write_file(folder: Path, kind: str, size: int) -> None:
    """Write a project of one migration of about ``size`` characters."""
    (folder / "migrations").mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\nbb_runs_as = bbmigrate\n")
    first, repeated, last = FILES[kind]
    text = "".join((first, *pieces(repeated, size), last))
    (folder / "migrations" / "001_first.sql").write_text(text)


def pieces(repeated: Callable[[int, random.Random], str], size: int) -> Iterator[str]:
    """Yield pieces until they have ``size`` characters together."""
    dice = random.Random(1)  # noqa: S311 -- rows of nobody
    written = 0
    for number in count(1):
        yield (piece := repeated(number, dice))
        written += len(piece)
        if written >= size:
            return


def by_sqlite(folder: Path) -> Cost:
    """Return what executing the file costs, Python's start included."""
    return cost_of([sys.executable, "-c", EXECUTE], folder)


def by_plugin(folder: Path, option: str) -> Cost:
    """Return what a command of this plugin costs."""
    return cost_of([sys.executable, "-m", "pytest", option, *QUIETLY], folder)


def skipped() -> Taken:
    """Return that it was not run."""
    return NoCost("not run")
