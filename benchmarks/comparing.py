"""A process that reads two databases in one way, and prints what that took it."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.rehearsal.compare_rows import compare_tables
from pytest_bbmigrate.sqlite_files import open_contents

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ("id", "account_id", "date", "cents", "merchant", "category", "note")
AT_ONCE = 1000


def compare(before: Path, after: Path) -> None:
    """Find out exactly which rows differ, as an apply does before it publishes."""
    compare_tables(before, after, ())


def scan(before: Path, after: Path) -> None:
    """Have SQLite look at each value of both tables."""
    counts = ", ".join(f"count({column})" for column in COLUMNS)
    with closing(open_contents(before, after)) as db:
        for schema in ("before", "main"):
            db.execute(f"SELECT {counts} FROM {schema}.transactions NOT INDEXED").fetchall()


def fetch(before: Path, after: Path) -> None:
    """Fetch all rows of both tables."""
    for path in (before, after):
        with closing(sqlite3.connect(path)) as db:
            cursor = db.execute("SELECT * FROM transactions")
            while cursor.fetchmany(AT_ONCE):
                pass


WAYS: dict[str, Callable[[Path, Path], None]] = {"ours": compare, "scan": scan, "fetch": fetch}


def main() -> None:
    """Read as the arguments say; print the seconds on the clock and of the processor."""
    way, before, after = sys.argv[1:]
    wall, cpu = time.perf_counter(), time.process_time()
    WAYS[way](Path(before), Path(after))
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))


if __name__ == "__main__":
    main()
