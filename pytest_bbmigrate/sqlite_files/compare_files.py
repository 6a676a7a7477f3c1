"""Compare two closed database files, page for page."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.launch import isolated_command
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.sqlite_files.failures import describe_error
from pytest_bbmigrate.sqlite_files.images import HEADER_SIZE, page_size, size_in_header

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1024 * 1024
LOCK_BYTE = 0x40000000  # the page with this byte is never used: fileformat2.html, 1.5
# What SQLite writes differently in every copy: the journal mode, the change counter, the schema
# cookie, the version-valid-for number and the SQLite version
# (https://sqlite.org/fileformat2.html, 1.3).
REWRITTEN_RANGES = ((18, 20), (24, 28), (40, 44), (92, 100))


@dataclass(frozen=True)
class Compared:
    """What the child process says: whether two files are the same."""

    same: bool


def same_pages(one: Path, other: Path, go_on: Callable[[], None] = lambda: None) -> bool:
    """Return whether two closed database files are equal, except for what SQLite rewrites.

    ``go_on`` is called before each chunk, and may raise to end the comparison.
    """
    with one.open("rb") as first, other.open("rb") as second:
        size = content_length(first)
        if size != content_length(second):
            return False
        unused = (LOCK_BYTE, LOCK_BYTE + page_size(first.read(18)))
        first.seek(0)
        start = 0
        while chunk := first.read(min(CHUNK, size - start)):
            go_on()
            other_chunk = second.read(len(chunk))
            ignored = [
                (first_byte - start, end - start) for first_byte, end in (*REWRITTEN_RANGES, unused)
            ]
            if chunk != other_chunk and zeroed(chunk, ignored) != zeroed(other_chunk, ignored):
                return False
            start += len(chunk)
    return True


def content_length(file: BinaryIO) -> int:
    """Return how many bytes of a database file are its content; SQLite ignores the rest.

    Some programs let their files grow in large steps. The header says how long the content is, if
    the program that wrote last has kept that up to date (https://sqlite.org/fileformat2.html,
    1.3.8).
    """
    size = os.fstat(file.fileno()).st_size
    header = file.read(HEADER_SIZE)
    file.seek(0)
    is_up_to_date = len(header) == HEADER_SIZE and header[24:28] == header[92:96]
    return min(size, size_in_header(header) or size) if is_up_to_date else size


def zeroed(chunk: bytes, ranges: list[tuple[int, int]]) -> bytes:
    """Return ``chunk`` with zeros in ``ranges``, which may lie outside it."""
    blanked = bytearray(chunk)
    for start, end in ranges:
        part = slice(max(start, 0), max(min(end, len(chunk)), 0))
        blanked[part] = bytes(len(blanked[part]))
    return bytes(blanked)


def same_pages_in_subprocess(locked: Path, other: Path) -> bool:
    """Return the result of ``same_pages``, found in a child process; this one holds the lock.

    A process that closes a file loses its locks on it, however it opened the file; what another
    process does has no such effect (https://sqlite.org/howtocorrupt.html, 2.2).

    Raises: DatabaseError when they cannot be compared; OSError when no process can be started.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        isolated_command(__name__, str(os.getpid()), str(locked), str(other)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        with suppress(Unreadable):
            return read_message(done.stdout, {"compared": Compared}, {}).same
    last_line = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    reason = "".join(last_line) or f"its process ended with {done.returncode}"
    raise DatabaseError(other, f"could not be compared with {locked.name}: {reason}")


def main(parent: str, one: str, other: str) -> None:
    """Compare two files for the process ``parent``, and send the answer."""
    end_with_parent(int(parent))
    try:
        compared = Compared(same_pages(Path(one), Path(other)))
    except OSError as error:
        sys.exit(describe_error(error))
    sys.stdout.buffer.write(encode_message("compared", compared))
