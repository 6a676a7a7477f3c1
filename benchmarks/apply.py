"""What an apply costs beside doing it by hand: copy, run the SQL, check.

A database of accounts and transactions has three pending migrations: a column, an index, a backfill
of one row in a hundred.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.household import SCHEMA, fill_database, rows_for
from benchmarks.rivals import QUIETLY
from benchmarks.timing import Cost, cost_of, shown, table, times

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.timing import Bench, Taken

MEGABYTES, QUICK_MEGABYTES = 1000, 10
TURNS = 3
PENDING = {
    "002_trip_tag": "ALTER TABLE transactions ADD COLUMN trip_tag TEXT;\n",
    "003_by_date": "CREATE INDEX transactions_date ON transactions (date);\n",
    "004_going_out": (
        "-- bb: changes transactions.category where category = 'Dining Out'\n"
        "UPDATE transactions SET category = 'Going Out' WHERE category = 'Dining Out';\n"
    ),
}
DATABASE, PRISTINE = "budget_buddy.db", "pristine"
BY_HAND = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for pragma in sys.argv[2].split():
    db.execute(f"PRAGMA {pragma}").fetchall()
for path in sys.argv[3:]:
    db.executescript("BEGIN;" + open(path).read() + "COMMIT;")
assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
assert db.execute("PRAGMA foreign_key_check").fetchall() == []
"""
# What no apply can do without, if SQLite does it alone and nothing is looked at twice.
STEPS = """
import os, shutil, sqlite3, sys
real, backup, work = sys.argv[1], sys.argv[1] + ".backup", sys.argv[1] + ".work"
def opened(path):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA cache_size = -65536")
    return db
def sound(db, check):
    assert db.execute(f"PRAGMA {check}").fetchall() == [("ok",)]
db = opened(real)
sound(db, "quick_check")
assert db.execute("PRAGMA foreign_key_check").fetchall() == []
with sqlite3.connect(backup) as copy:
    copy.execute("PRAGMA synchronous = OFF")
    db.backup(copy)
copy.close()
with open(backup, "rb+") as file:
    os.fsync(file.fileno())
shutil.copyfile(backup, work)
changed = opened(work)
changed.execute("PRAGMA synchronous = OFF")
for path in sys.argv[2:]:
    changed.executescript("BEGIN;" + open(path).read() + "COMMIT;")
sound(changed, "integrity_check")
assert changed.execute("PRAGMA foreign_key_check").fetchall() == []
changed.execute("ATTACH ? AS old", [backup])
columns = ("account_id", "date", "cents", "merchant", "category", "note")
differ = ", ".join(
    f"count(*) FILTER (WHERE a.{name} IS NOT b.{name} COLLATE BINARY)" for name in columns
)
changed.execute(
    f"SELECT {differ} FROM old.transactions b CROSS JOIN main.transactions a ON a.id = b.id"
).fetchall()
changed.execute("DETACH old")
changed.backup(db)
sound(db, "integrity_check")
"""
HAND = "by hand: `cp`, then `sqlite3` with its defaults"
ITS_STEPS = "the steps of an apply in `sqlite3` alone, none of them proved"
APPLY = "`pytest --bb-apply`"
SKIPPING = "`pytest --bb-apply --bb-skip-way-back`"
PRAGMAS = {
    "cache_size = -65536 (64 MB)": "cache_size=-65536",
    "cache_size and mmap_size = 1 GB": "cache_size=-65536 mmap_size=1073741824",
    "cache_size, synchronous = OFF": "cache_size=-65536 synchronous=OFF",
    "cache_size, journal_mode = WAL": "cache_size=-65536 journal_mode=WAL",
    "cache_size, journal_mode = OFF, synchronous = OFF": (
        "cache_size=-65536 journal_mode=OFF synchronous=OFF"
    ),
}


def measure(bench: Bench) -> str:
    """Return the section on applying."""
    size = QUICK_MEGABYTES if bench.quick else MEGABYTES
    folder = write_project(bench.scratch / "project", size)
    copied = "`cp` alone"
    costs = bench.in_turns(
        {
            copied: partial(copy_alone, folder),
            HAND: partial(by_hand, folder),
            ITS_STEPS: partial(by_steps, folder),
            SKIPPING: partial(by_apply, folder, "--bb-skip-way-back"),
        },
        TURNS,
    )
    once = {
        APPLY: partial(by_apply, folder),
        **{f"by hand, {name}": partial(by_hand, folder, of) for name, of in PRAGMAS.items()},
    }
    costs |= bench.in_turns(once, 1)
    lines = [
        [
            name,
            shown(cost),
            times(cost, costs[HAND]),
            times(cost, costs[ITS_STEPS]),
            peak_of(cost),
        ]
        for name, cost in costs.items()
    ]
    return (
        f"A database of {(folder / PRISTINE).stat().st_size / 1e6:,.0f} MB, and three pending"
        " migrations: a column, an index, a backfill of one row in a hundred. By hand is `cp`, the"
        " three files through `sqlite3`, `integrity_check` and `foreign_key_check`. The floor of an"
        " apply is what its steps cost in `sqlite3` alone: the database checked, a backup on the"
        " disk, the files run on a copy, that checked and its rows joined with those before, put"
        " into the database in one transaction, and that checked. An apply also proves the backup"
        " and what it publishes equal, byte for byte, records what each table holds, and starts"
        " its processes. The first four take turns; the others are one turn.\n\n"
        + table(
            ("way", "seconds", "times by hand", "times its steps", "largest process, MB"), lines
        )
    )


def peak_of(taken: Taken) -> str:
    """Return the most memory that any process had, as it stands in a table."""
    return f"{taken.peak:.0f}" if isinstance(taken, Cost) else "-"


def write_project(folder: Path, megabytes: int) -> Path:
    """Write a project whose database has that size, with the migrations that are pending."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (migrations / "001_start.sql").write_text(SCHEMA)
    command = [sys.executable, "-m", "pytest", "--bb-apply", "--bb-create", *QUIETLY]
    cost_of(command, folder)
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as db:
        fill_database(db, rows_for(megabytes))
    for name, text in PENDING.items():
        (migrations / f"{name}.sql").write_text(text)
    (folder / DATABASE).rename(folder / PRISTINE)
    return folder


def copy_alone(folder: Path) -> Cost:
    """Return what a copy costs."""
    target = folder / "copy"
    try:
        return cost_of(["cp", folder / PRISTINE, target], folder)
    finally:
        target.unlink(missing_ok=True)


def by_hand(folder: Path, pragmas: str = "") -> Cost:
    """Return what it costs to copy, migrate and check as people do."""
    files = [folder / "migrations" / f"{name}.sql" for name in PENDING]
    database, backup = folder / DATABASE, folder / f"{DATABASE}.copy"
    shutil.copyfile(folder / PRISTINE, database)
    try:
        copied = cost_of(["cp", database, backup], folder)
        done = cost_of([sys.executable, "-c", BY_HAND, database, pragmas, *files], folder)
    finally:
        remove_databases(folder)
    return Cost(copied.wall + done.wall, copied.cpu + done.cpu, max(copied.peak, done.peak))


def by_steps(folder: Path) -> Cost:
    """Return what the steps of an apply cost where SQLite does them alone."""
    files = [folder / "migrations" / f"{name}.sql" for name in PENDING]
    shutil.copyfile(folder / PRISTINE, folder / DATABASE)
    try:
        return cost_of([sys.executable, "-c", STEPS, folder / DATABASE, *files], folder)
    finally:
        remove_databases(folder)


def by_apply(folder: Path, *options: str) -> Cost:
    """Return what an apply costs."""
    shutil.copyfile(folder / PRISTINE, folder / DATABASE)
    try:
        command = [sys.executable, "-m", "pytest", "--bb-apply", *options, *QUIETLY]
        return cost_of(command, folder)
    finally:
        remove_databases(folder)


def remove_databases(folder: Path) -> None:
    """Remove the database, its backups and their notes."""
    for pattern in (f"{DATABASE}*", f".{DATABASE}*"):
        for path in folder.glob(pattern):
            if path.is_file():
                path.unlink()
