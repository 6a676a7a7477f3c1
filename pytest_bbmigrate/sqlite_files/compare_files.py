"""Compare two closed database files, page for page."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.parent import end_with_parent
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES
from pytest_bbmigrate.sqlite_files.failures import describe_error
from pytest_bbmigrate.sqlite_files.images import HEADER_SIZE, page_size, size_in_header

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHUNK = 1024 * 1024
LOCK_BYTE = 0x40000000  # the page with this byte is never used: fileformat2.html, 1.5
# What SQLite writes differently in every copy: the journal mode, the change counter, the schema
# cookie, the version-valid-for number and the SQLite version
# (https://sqlite.org/fileformat2.html, 1.3).
REWRITTEN_RANGES = ((18, 20), (24, 28), (40, 44), (92, 100))


@dataclass(frozen=True)
class Compared:
    """What the other process says: whether two files are the same."""

    same: bool


@dataclass(frozen=True)
class NotCompared:
    """What it says where it could not compare them: why."""

    reason: str


KINDS: dict[str, type[Compared | NotCompared]] = {
    "compared": Compared,
    "not compared": NotCompared,
}


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


def same_pages_in_fork(locked: Path, other: Path) -> bool:
    """Return the result of ``same_pages``, found in a fork of this process, which holds the lock.

    A process that closes a file loses its locks on it, however it opened the file; what another
    process does has no such effect (https://sqlite.org/howtocorrupt.html, 2.2). Locks do not go
    over to a fork (https://man7.org/linux/man-pages/man2/fork.2.html), and this one leaves alone
    what it has of SQLite's: it ends without freeing anything.

    Raises: DatabaseError when they cannot be compared; OSError when no process can be started.
    """
    answer, its_answer = os.pipe()
    with open(answer, "rb") as said:  # noqa: PTH123 - a descriptor
        try:
            child = fork_compares(os.getpid(), its_answer, locked, other)
        finally:
            os.close(its_answer)
        try:
            message = said.read(MOST_BYTES)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        told = read_message(message, KINDS, {})
    except Unreadable:
        told = NotCompared(f"its process ended with {code}")
    if isinstance(told, NotCompared):
        reason = f"could not be compared with {locked.name}: {told.reason}"
        raise DatabaseError(other, reason)
    return told.same


def fork_compares(parent: int, answer: int, locked: Path, other: Path) -> int:
    """Fork this process, ``parent``, and return the id of the fork, which writes its ``answer``.

    Nothing is collected as garbage on the way: the end of a connection might write its file.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        # The other thread of a lock process waits for orders, with no lock that is wanted here.
        with warnings.catch_warnings(action="ignore"):
            child = os.fork()
        if not child:
            compare_and_end(parent, answer, locked, other)
    finally:
        if collects:
            gc.enable()
    return child


def compare_and_end(parent: int, answer: int, locked: Path, other: Path) -> NoReturn:
    """Compare two files for the process ``parent``, write the answer, and end."""
    code = 1
    try:
        end_with_parent(parent)
        os.write(answer, what_is_said_of(locked, other))
        code = 0
    finally:
        os._exit(code)


def what_is_said_of(locked: Path, other: Path) -> bytes:
    """Return the message on whether two files are the same."""
    try:
        return encode_message("compared", Compared(same_pages(locked, other)))
    except OSError as error:
        return encode_message("not compared", NotCompared(describe_error(error)))
