"""What it costs to compare all rows of two databases, beside reading them and ``sqldiff``."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.environments import PINNED, python_of
from benchmarks.household import SCHEMA, write_database
from benchmarks.timing import ROOT, Cost, NoCost, run_timed, shown, table, times

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.timing import Bench, Taken

COUNTS, QUICK_COUNTS = (1_000_000, 10_000_000), (20_000,)
TURNS, MANY = 3, 10_000_000  # that many rows are compared once
SQLDIFF = """
import json, sys, time
import sqldiff
wall, cpu = time.perf_counter(), time.process_time()
sqldiff.diff(*sys.argv[1:])
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))
"""


def measure(bench: Bench) -> str:
    """Return the section on comparing rows."""
    python_of("sqldiff")
    lines = [
        line
        for rows in (QUICK_COUNTS if bench.quick else COUNTS)
        for line in measure_size(bench, rows)
    ]
    headings = (
        "rows",
        "what differs",
        "this project",
        "scan of both in SQLite",
        "both fetched in Python",
        "sqldiff",
        "times the scan",
        "times sqldiff",
    )
    return (
        f"Beside {', '.join(PINNED['sqldiff'])} in an environment of its own, which takes 1 and"
        " 1.0, or two spellings of a NOCASE value, to be the same. Tables of seven columns with an"
        " index; the start of a process is left out. The scan counts the values of each column of"
        " both tables in SQLite; fetched is `SELECT *` of both. Ten million rows: one turn.\n\n"
        + table(headings, lines)
    )


def measure_size(bench: Bench, rows: int) -> list[list[str]]:
    """Return the lines on databases of that many rows, which are gone afterwards."""
    before = bench.scratch / f"before_{rows}.db"
    write_database(before, rows)
    lines = []
    for name, change in CHANGES.items():
        after = bench.scratch / f"after_{rows}.db"
        if rows >= MANY and name not in OF_MANY:
            continue
        change(before, after)
        costs = bench.in_turns(
            {
                "ours": partial(in_process, "ours", before, after),
                "scan": partial(in_process, "scan", before, after),
                "fetch": partial(by_fetching, rows, before, after),
                "sqldiff": partial(by_sqldiff, before, after),
            },
            1 if rows >= MANY else TURNS,
        )
        after.unlink()
        ours = costs["ours"]
        lines.append(
            [
                f"{rows:,}",
                name,
                *map(shown, costs.values()),
                times(ours, costs["scan"]),
                times(ours, costs["sqldiff"]),
            ]
        )
    before.unlink()
    return lines


def change_none(before: Path, after: Path) -> None:
    """Copy, and add a table: no page of the rows is another."""
    shutil.copyfile(before, after)
    write(after, "CREATE TABLE trips (id INTEGER PRIMARY KEY)")


def change_few(before: Path, after: Path) -> None:
    """Copy, and change ten rows."""
    shutil.copyfile(before, after)
    write(
        after,
        "UPDATE transactions SET category = 'Going Out' WHERE id IN"
        " (SELECT 1 + value * (SELECT max(id) FROM transactions) / 11 FROM"
        " json_each('[1,2,3,4,5,6,7,8,9,10]'))",
    )


def change_pages(before: Path, after: Path, note: str = "note") -> None:
    """Write the rows anew with one more column before the others: every page is another."""
    with closing(sqlite3.connect(after, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -65536")
        db.execute("ATTACH ? AS old", [str(before)])
        db.execute("BEGIN")
        for statement in SCHEMA.replace("note TEXT", "note TEXT, trip TEXT DEFAULT 'no'").split(
            ";"
        ):
            db.execute(statement)
        columns = "id, account_id, date, cents, merchant, category, note"
        values = columns.replace("note", note)
        db.execute("INSERT INTO accounts SELECT * FROM old.accounts")
        db.execute(f"INSERT INTO transactions ({columns}) SELECT {values} FROM old.transactions")
        db.execute("COMMIT")


CHANGES: dict[str, Callable[[Path, Path], None]] = {
    "no page": change_none,
    "ten rows": change_few,
    "every page, no value (a rebuild)": change_pages,
    "every page, a value in each row": partial(change_pages, note="note || '.'"),
}
OF_MANY = tuple(CHANGES)[:3]


def write(path: Path, statement: str) -> None:
    """Run one statement on a database."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(statement)
        db.commit()


def in_process(way: str, before: Path, after: Path) -> Cost:
    """Return what one way of reading two databases costs, without the start of its process."""
    return told_by([sys.executable, "-m", "benchmarks.comparing", way, before, after])


def by_fetching(rows: int, before: Path, after: Path) -> Taken:
    """Return what fetching all rows costs, if there are not too many to wait for that."""
    return NoCost("not run") if rows >= MANY else in_process("fetch", before, after)


def by_sqldiff(before: Path, after: Path) -> Taken:
    """Return what ``sqldiff`` costs, if it is to be had."""
    python = python_of("sqldiff")
    if python is None:
        return NoCost("not to be had")
    return told_by([python, "-c", SQLDIFF, before, after])


def told_by(command: list[str | Path]) -> Cost:
    """Return what a command says that its work cost: its last line, seconds on both clocks."""
    taken, printed = run_timed(command, ROOT)
    wall, cpu = json.loads(printed.splitlines()[-1])
    return Cost(wall, cpu, taken.peak)
