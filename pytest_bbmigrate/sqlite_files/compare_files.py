"""Whether two resting database files are equal, page for page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.launch import isolated_command
from pytest_bbmigrate.sqlite_files.failures import in_words
from pytest_bbmigrate.sqlite_files.images import page_size, said_size

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1024 * 1024
HEADER_BYTES = 100
LOCK_BYTE = 0x40000000  # the page with this byte is never used: fileformat2.html, 1.5
# What SQLite writes anew in every copy: the journal mode, the change counter, the schema cookie,
# the version-valid-for number and the SQLite version (https://sqlite.org/fileformat2.html, 1.3).
REWRITTEN = ((18, 20), (24, 28), (40, 44), (92, 100))
ANSWERS = {True: "the same", False: "another"}


def same_pages(one: Path, other: Path, look: Callable[[], None] = lambda: None) -> bool:
    """Return whether two resting database files are equal but for what SQLite rewrites.

    ``look`` is called again and again, and may raise to end it.
    """
    with one.open("rb") as first, other.open("rb") as second:
        size = content_length(first)
        if size != content_length(second):
            return False
        unused = (LOCK_BYTE, LOCK_BYTE + page_size(first.read(18)))
        first.seek(0)
        start = 0
        while mine := first.read(min(CHUNK, size - start)):
            look()
            its = second.read(len(mine))
            ignored = [(a - start, b - start) for a, b in (*REWRITTEN, unused)]
            if mine != its and blank(mine, ignored) != blank(its, ignored):
                return False
            start += len(mine)
    return True


def content_length(file: BinaryIO) -> int:
    """Return how many bytes of a database file are its content; SQLite passes over the rest.

    The header knows, where the program that wrote last has kept that up to date
    (https://sqlite.org/fileformat2.html, 1.3.8). Some programs let their files grow in large steps.
    """
    size = os.fstat(file.fileno()).st_size
    header = file.read(HEADER_BYTES)
    file.seek(0)
    is_kept = len(header) == HEADER_BYTES and header[24:28] == header[92:96]
    return min(size, said_size(header) or size) if is_kept else size


def blank(chunk: bytes, ranges: list[tuple[int, int]]) -> bytes:
    """Return ``chunk`` with zeros in ``ranges``, which may lie outside it."""
    blanked = bytearray(chunk)
    for start, end in ranges:
        inside = slice(max(start, 0), max(min(end, len(chunk)), 0))
        blanked[inside] = bytes(len(blanked[inside]))
    return bytes(blanked)


def same_pages_apart(locked: Path, other: Path) -> bool:
    """Return what ``same_pages`` finds in a process of its own, for the one that has the lock.

    A process loses the lock when it closes the file, however it opened it; what another process
    does is no matter to it (https://sqlite.org/howtocorrupt.html, 2.2).

    Raises: DatabaseError when they cannot be compared; OSError when no process can be started.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        isolated_command(__name__, str(os.getpid()), str(locked), str(other)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    found = {words.encode(): same for same, words in ANSWERS.items()}
    if done.returncode == 0 and done.stdout in found:
        return found[done.stdout]
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    reason = "".join(said) or f"its process ended with {done.returncode}"
    raise DatabaseError(other, f"could not be compared with {locked.name}: {reason}")


def main(parent: str, one: str, other: str) -> None:
    """Compare two files for the process ``parent``, and write what was found."""

    def look() -> None:
        if os.getppid() != int(parent):
            sys.exit("nobody wants to know any more")

    try:
        sys.stdout.write(ANSWERS[same_pages(Path(one), Path(other), look)])
    except OSError as error:
        sys.exit(in_words(error))
