"""Databases on disk for the tests of the keeper, and other programs that use them meanwhile."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.sqlite_files import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODES = ("delete", "wal")
BIG = 24  # rows of a megabyte: enough for several steps of a copy

OTHER = """\
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0.1)
try:
    for sql in sys.argv[2:]:
        answer = db.execute(sql).fetchall()
    print(answer, flush=True)
except sqlite3.Error as error:
    print(error, flush=True)
sys.stdin.read()
"""
STAYS = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2:]:
    db.execute(statement).fetchall()
print("ready", flush=True)
sys.stdin.read()
os._exit(0)  # as a program that crashes
"""


@contextmanager
def in_use(path: Path, *statements: str) -> Iterator[int]:
    """Have another process use the database until the block ends, when it crashes; give its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", STAYS, str(path), *statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process.pid
    finally:
        process.communicate("")


def make(path: Path, note: str, *, rows: int = 1, mode: str = "delete", page: int = 4096) -> Path:
    """Make a database with a table ``money`` of ``rows`` rows, a megabyte each, that say note."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {page}")
        db.execute("BEGIN")
        db.execute("CREATE TABLE money (id INTEGER PRIMARY KEY, note TEXT UNIQUE, filling BLOB)")
        size = 1_000_000 if rows > 1 else 10
        db.executemany(
            f"INSERT INTO money (note, filling) VALUES (?, randomblob({size}))",
            [(f"{note} {number}",) for number in range(rows)],
        )
        db.execute("COMMIT")
        db.execute(f"PRAGMA journal_mode = {mode}")
    return path


def make_work(
    path: Path, note: str = "new", *, rows: int = 1, page: int = 4096
) -> tuple[Path, str]:
    """Make a working copy and return it with its digest."""
    work = make(path, note, rows=rows, page=page)
    return work, digest_of(work)


def note_in(path: Path) -> str:
    """Return what the first row says, once the file is found sound and to be in use by nobody."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
        db.execute("BEGIN EXCLUSIVE")
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (note,) = db.execute("SELECT note FROM money ORDER BY id LIMIT 1").fetchone()
        db.execute("ROLLBACK")
    return str(note).split(maxsplit=1)[0]


def mode_of(path: Path) -> str:
    """Return 'wal' or 'delete', from the header of the resting file."""
    return {b"\x01\x01": "delete", b"\x02\x02": "wal"}[path.read_bytes()[18:20]]


@contextmanager
def other_program(path: Path, *statements: str) -> Iterator[subprocess.Popen[str]]:
    """Run another program that has executed ``statements`` on ``path``, and stays connected."""
    with started(path, *statements) as program:
        assert program.stdout is not None
        assert "locked" not in program.stdout.readline()
        yield program


def ask(path: Path, *statements: str) -> str:
    """Return what a program gets that executes ``statements`` on ``path``: rows, or why not."""
    with started(path, *statements) as program:
        return program.communicate("")[0].strip()


@contextmanager
def started(path: Path, *statements: str) -> Iterator[subprocess.Popen[str]]:
    """Start that program; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", OTHER, str(path), *statements],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        yield program


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Give a file system of its own, of so many megabytes, at ``place``; skip where none can be."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)]
    if subprocess.run(["mount", *options], check=False).returncode:
        pytest.skip("the kernel does not let this process mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill_up(disk: Path) -> None:
    """Leave no room on a small disk, in the file ``filling``."""
    with (disk / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass
    assert not shutil.disk_usage(disk).free


def names_in(folder: Path) -> list[str]:
    """Return what lies in ``folder``, but for the notes on the backups that are there."""
    names = {path.name for path in folder.iterdir()}
    return sorted(names - {f".{name}.json" for name in names})


def same_file(path: Path) -> tuple[int, ...]:
    """Return what stays of a file when its content is replaced in place."""
    status = path.stat()
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid


def spoil_index(path: Path) -> Path:
    """Have the index of the notes say something else than the table."""
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_money_1'"
        ).fetchone()
    content = bytearray(path.read_bytes())
    at = content.rindex(b" 0", 4096 * (root - 1), 4096 * root)
    content[at : at + 2] = b" 9"
    path.write_bytes(content)
    return path
