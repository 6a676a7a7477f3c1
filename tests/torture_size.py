"""Apply to databases that are large in another way than by their rows, and see that all is exact.

    python -m tests.torture_size [--tables 1000] [--columns 2000] [--megabytes 100] [--folder DIR]

Four databases: one of so many tables, two with a table of so many columns, with a key and without,
and one with a value of so many megabytes. Each gets two migrations by a whole ``pytest --bb-apply``
with every check, the way back included. What it holds afterwards must be, byte for byte, what
SQLite makes of the old content by the same statements. The time is printed, and the most memory
that one process of the run had and that all of them had at once.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from pytest_bbmigrate.processes.launch import PACKAGES
from tests.telling import tell
from tests.torture_apply import NOT_FOR_RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_SECONDS = 0.1
ROWS = 3  # in each table
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    """A database: the migration that makes it, the rows it gets, and the migrations to apply.

    ``rows`` are statements with their values.
    """

    name: str
    first: str
    rows: tuple[tuple[str, tuple[object, ...]], ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """An apply that has ended: how long it took, and the most memory it had, in megabytes.

    ``alone`` is that of one process, ``together`` of all of them at once.
    """

    code: int
    text: str
    seconds: float
    alone: float
    together: float


def many_tables(count: int) -> Case:
    """Return a database of so many tables, each with a reference to the one before it."""
    tables = [
        f"CREATE TABLE t{n:04} (id INTEGER PRIMARY KEY, note TEXT NOT NULL,"
        f" before INTEGER{f' REFERENCES t{n - 1:04}(id)' if n else ''});"
        for n in range(count)
    ]
    rows = [
        (f"INSERT INTO t{n:04} VALUES (?, ?, ?)", (row, f"note {n} {row}", row if n else None))
        for n in range(count)
        for row in range(1, ROWS + 1)
    ]
    last = f"t{count - 1:04}"
    added = f"ALTER TABLE {last} ADD COLUMN trip TEXT;\nCREATE INDEX by_note ON {last} (note);\n"
    changed = f"-- bb: changes {last}.note\nUPDATE {last} SET note = note || '!';\n"
    return Case(f"{count} tables", "\n".join(tables), tuple(rows), (added, changed))


def many_columns(count: int, *, has_key: bool = True) -> Case:
    """Return a database with a table of so many columns, the last of which is added."""
    names = [f"c{n:04}" for n in range(count - 1 - has_key)]
    key = ["id INTEGER PRIMARY KEY"] if has_key else []
    columns = ", ".join([*key, *(f"{name} TEXT" for name in names)])
    rows = [
        (
            f"INSERT INTO wide ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            tuple(f"value {row} {name}" for name in names),
        )
        for row in range(1, ROWS + 1)
    ]
    last = names[-1]
    changed = f"UPDATE wide SET {last} = {last} || '!' WHERE {last} LIKE '% 2 %'"
    return Case(
        f"{count} columns{'' if has_key else ' without a key'}",
        f"CREATE TABLE wide ({columns});",
        tuple(rows),
        (
            "ALTER TABLE wide ADD COLUMN trip TEXT;\n",
            f"-- bb: changes wide.{last} where {last} LIKE '% 2 %'\n{changed};\n",
        ),
    )


def large_value(megabytes: int) -> Case:
    """Return a database with a value of so many megabytes."""
    rows = [
        ("INSERT INTO receipts VALUES (?, ?, ?)", (1, "small", b"\0")),
        ("INSERT INTO receipts VALUES (?, ?, ?)", (2, "large", os.urandom(megabytes * MEGABYTE))),
    ]
    return Case(
        f"{megabytes} MB in a value",
        "CREATE TABLE receipts (id INTEGER PRIMARY KEY, note TEXT, scan BLOB);",
        tuple(rows),
        (
            "ALTER TABLE receipts ADD COLUMN trip TEXT;\n",
            "-- bb: changes receipts.note\nUPDATE receipts SET note = note || '!';\n",
        ),
    )


def torture_size(case: Case, folder: Path) -> Run:
    """Apply to the database of ``case`` and return how that went.

    Raises: AssertionError when it did not, or the content is not exact.
    """
    migrations, real = folder / "migrations", folder / "real.db"
    migrations.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\nbb_database = real.db\nbb_rows = 5\n")
    (migrations / "001_first.sql").write_text(f"{case.first}\n")
    made = apply(folder, "--bb-create")
    assert made.code == 0, made.text
    with closing(sqlite3.connect(real)) as db, db:
        for statement, values in case.rows:
            db.execute(statement, values)
    for number, text in enumerate(case.others, start=2):
        (migrations / f"{number:03}_other.sql").write_text(text)
    expected = expect(real, case, folder / "expected.db")
    run = apply(folder)
    assert run.code == 0, run.text
    assert content_of(real) == expected, f"{case.name}: not what the migrations give"
    return run


def expect(real: Path, case: Case, copy: Path) -> str:
    """Return what the content of ``real`` has to be, as SQLite makes it of a copy."""
    shutil.copyfile(real, copy)
    with closing(sqlite3.connect(copy)) as db, db:
        for text in case.others:
            db.executescript(text)
    expected = content_of(copy)
    copy.unlink()
    return expected


def content_of(path: Path) -> str:
    """Return a hash of the schema and of every value, our own tables aside."""
    digest = blake2b()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        schema = db.execute(
            "SELECT type, name, sql FROM sqlite_schema"
            " WHERE tbl_name NOT GLOB '_bb_*' ORDER BY name"
        ).fetchall()
        digest.update(repr(schema).encode())
        for name in (name for kind, name, _ in schema if kind == "table"):
            for row in db.execute(f"SELECT * FROM {name} ORDER BY rowid"):
                for value in row:
                    is_blob = isinstance(value, bytes)
                    digest.update(b"blob " + value if is_blob else repr(value).encode())
    return digest.hexdigest()


def apply(folder: Path, *more: str) -> Run:
    """Apply, with an eye on the memory."""
    kept = {name: of for name, of in os.environ.items() if not name.startswith(NOT_FOR_RUNS)}
    plugins = ["-p", "pytest_bbmigrate.plugin.hooks", "-p", "no:cacheprovider"]
    began, alone, together = time.monotonic(), 0, 0
    with (folder / "log").open("w+") as log:
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", *plugins, "--bb-apply", *more],
            cwd=folder,
            env={**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": PACKAGES},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as run:
            while run.poll() is None:
                sizes = list(memory_of(run.pid)) or [0]
                alone, together = max(alone, *sizes), max(together, sum(sizes))
                time.sleep(LOOK_SECONDS)
        log.seek(0)
        text = log.read()
    seconds = time.monotonic() - began
    return Run(run.returncode, text, seconds, alone / MEGABYTE, together / MEGABYTE)


def memory_of(pid: int) -> Iterator[int]:
    """Yield how much memory a process and each of its descendants has, in bytes."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                yield each.memory_info().rss


def main() -> None:
    """Apply as the command line says, and print time and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=2000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="Where to put the databases")
    options = parser.parse_args()
    for case in (
        many_tables(options.tables),
        many_columns(options.columns),
        many_columns(options.columns, has_key=False),
        large_value(options.megabytes),
    ):
        with tempfile.TemporaryDirectory(prefix="bbmigrate-size-", dir=options.folder) as folder:
            run = torture_size(case, Path(folder))
        memory = f"{run.alone:,.0f} MB in one process at most, {run.together:,.0f} MB in all"
        tell(f"{case.name}: exact, {run.seconds:.1f} s, {memory}")


if __name__ == "__main__":
    main()
