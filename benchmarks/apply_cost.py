"""What an apply costs beside doing it by hand: copy, run the SQL, check.

Builds a database of the given size (megabytes, 1000 by default) with accounts and transactions, and
three pending migrations: a column, an index, a backfill of one row in a hundred. Then, in turns,
does it by hand (``cp``, the three files through SQLite, ``PRAGMA integrity_check`` and
``foreign_key_check``) and by ``pytest --bb-apply --bb-skip-way-back``, each on a fresh copy, and
prints the seconds, their ratio and the largest memory that any process of the apply had.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import sqlite3
import statistics
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from benchmarks.timing import cost_of

TURNS = 3
FIRST = """\
CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    date TEXT NOT NULL,
    cents INTEGER NOT NULL,
    merchant TEXT NOT NULL,
    category TEXT,
    note TEXT
);
CREATE INDEX transactions_account ON transactions (account_id);
"""
PENDING = {
    "002_trip_tag": "ALTER TABLE transactions ADD COLUMN trip_tag TEXT;\n",
    "003_by_date": "CREATE INDEX transactions_date ON transactions (date);\n",
    "004_going_out": (
        "-- bb: changes transactions.category where category = 'Dining Out'\n"
        "UPDATE transactions SET category = 'Going Out' WHERE category = 'Dining Out';\n"
    ),
}
BY_HAND = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for path in sys.argv[2:]:
    db.executescript("BEGIN;" + open(path).read() + "COMMIT;")
assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
assert db.execute("PRAGMA foreign_key_check").fetchall() == []
"""


def write_project(folder: Path, *, pending: bool) -> None:
    """Write the migrations, with or without those that are to be pending."""
    migrations = folder / "migrations"
    migrations.mkdir(exist_ok=True)
    (migrations / "001_start.sql").write_text(FIRST)
    for name, text in PENDING.items():
        path = migrations / f"{name}.sql"
        if pending:
            path.write_text(text)


def fill(database: Path, megabytes: int) -> None:
    """Add rows until the file has the size."""
    dice = random.Random(1)  # noqa: S311 - money of nobody
    merchants = [f"Merchant {number:04}" for number in range(500)]
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.executemany(
            "INSERT INTO accounts VALUES (?, ?)", [(n, f"Account {n}") for n in range(50)]
        )
        while database.stat().st_size < megabytes * 1_000_000:
            db.executemany(
                "INSERT INTO transactions (account_id, date, cents, merchant, category, note)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        dice.randrange(50),
                        f"20{dice.randrange(10, 27)}-{dice.randrange(1, 13):02}-01",
                        dice.randrange(-100000, 100000),
                        dice.choice(merchants),
                        "Dining Out" if dice.random() < 0.01 else "Groceries",
                        "paid by card " * 3,
                    )
                    for _ in range(100_000)
                ],
            )
            db.commit()


def by_hand(folder: Path, database: Path) -> float:
    """Copy, migrate and check as people do."""
    files = [str(folder / "migrations" / f"{name}.sql") for name in PENDING]
    copied = cost_of(["cp", database, f"{database}.backup"], folder).wall
    done = cost_of([sys.executable, "-c", BY_HAND, database, *files], folder).wall
    Path(f"{database}.backup").unlink()
    return copied + done


def by_apply(folder: Path) -> float:
    """Apply as this project does."""
    command = [sys.executable, "-m", "pytest", "--bb-apply", "--bb-skip-way-back", "-q"]
    taken = cost_of([*command, "-p", "no:cacheprovider"], folder).wall
    for backup in folder.glob("*.backup.*"):
        backup.unlink()
    return taken


def main() -> None:
    """Time both ways in turns and print what they cost."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as scratch:
        folder = Path(scratch)
        (folder / "pytest.ini").write_text("[pytest]\n")
        write_project(folder, pending=False)
        database = folder / "budget_buddy.db"
        made = [sys.executable, "-m", "pytest", "--bb-apply", "--bb-create", "-q"]
        cost_of(made, folder)
        fill(database, megabytes)
        write_project(folder, pending=True)
        pristine = folder / "pristine"
        shutil.copyfile(database, pristine)
        hand, apply = [], []
        for _ in range(TURNS):
            shutil.copyfile(pristine, database)
            hand.append(by_hand(folder, database))
            shutil.copyfile(pristine, database)
            apply.append(by_apply(folder))
        one, other = statistics.median(hand), statistics.median(apply)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"{pristine.stat().st_size / 1e6:,.0f} MB, median of {TURNS}")
        print(f"by hand     {one:6.1f} s")
        print(f"--bb-apply  {other:6.1f} s, {other / one:.1f} times as long")
        print(f"largest process {largest} MB")


if __name__ == "__main__":
    main()
