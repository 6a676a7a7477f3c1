"""What a worker of a session and the one that has the judge say to each other, and how.

Both are processes of one user on one Linux: their socket has a name that is no file, so nothing is
left of it whatever ends them. The worker greets with a token that it was told, and with all that
its own judge would depend on; it is shared with none that would judge otherwise.

→ a Greeting, then a question at a time; after a GivenRun as many bytes as it says
← a Welcome, then the reply to each question; after an Image or a RanOn likewise
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sqlite3
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.judge.model import (
    NAMES,
    AskFolder,
    AskKept,
    AskState,
    AskVerdicts,
    Judged,
    Opening,
    Ran,
    Refused,
    Unreachable,
)
from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.processes.lines import Lines
from pytest_bbmigrate.processes.messages import encode_message, read_message, to_plain
from pytest_bbmigrate.processes.untrusted_files import LARGEST_IMAGE, MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from pytest_bbmigrate.processes.app_python import AppPython

    T = TypeVar("T")

# Variables by which pytest, its workers and what measures them name themselves, and those that
# readline sets in a process, so that its children have them.
OWN_VARIABLES = ("PYTEST_", "COV_CORE_", "COVERAGE_", "COLUMNS", "LINES")
CREDENTIALS = struct.Struct("3i")  # https://man7.org/linux/man-pages/man7/unix.7.html
SECONDS = struct.Struct("2l")


class VisitEnded(Exception):
    """Raised when the other one is gone, or has said what nobody says."""


@dataclass(frozen=True)
class Greeting:
    """The first message of a worker: what it would have judged itself, where, and which checks."""

    token: str
    place: str
    opening: Opening
    expected: tuple[AskVerdicts, ...]


@dataclass(frozen=True)
class Welcome:
    """Whether the judge is shared with the worker, for it would judge as the worker's own."""

    is_shared: bool


@dataclass(frozen=True)
class GivenRun:
    """Asks to run a side of the migration at ``position`` on the database that follows."""

    position: int
    side: str
    size: int


@dataclass(frozen=True)
class Image:
    """The database or the kept state that was asked for, which follows."""

    size: int


@dataclass(frozen=True)
class RanOn:
    """What running a side has given, and the database afterwards, which follows."""

    ran: Ran
    size: int


VisitQuestion = AskVerdicts | AskFolder | AskState | AskKept | GivenRun
VisitReply = Judged | Unreachable | Refused | Image | RanOn

ASKED: dict[str, type[Greeting | VisitQuestion]] = {
    "greeting": Greeting,
    "verdicts": AskVerdicts,
    "folder": AskFolder,
    "state": AskState,
    "kept": AskKept,
    "given": GivenRun,
}
TOLD: dict[str, type[Welcome | VisitReply]] = {
    "welcome": Welcome,
    "judged": Judged,
    "unreachable": Unreachable,
    "refused": Refused,
    "image": Image,
    "ran on": RanOn,
}
KIND_OF = {type_: kind for kind, type_ in (*ASKED.items(), *TOLD.items())}


class Visit:
    """One end of the connection between a worker and the one that has the judge."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = Lines(connection.fileno(), MOST_BYTES)

    def fileno(self) -> int:
        """Return the descriptor, for ``select``."""
        return self._connection.fileno()

    def say(self, value: object, content: bytes = b"") -> None:
        """Say ``value``, and the ``content`` that follows it. Raises: VisitEnded."""
        message = encode_message(KIND_OF[type(value)], value)  # type: ignore[index]
        try:
            self._connection.sendall(message + b"\n")
            if content:  # to send nothing fails as well, once the other end has answered and gone
                self._connection.sendall(content)
        except OSError as error:
            raise VisitEnded from error

    def hear(self, kinds: Mapping[str, type[T]], *, waits: bool = True) -> tuple[T, bytes] | None:
        """Return what comes next and the content that follows it; None where there is none yet.

        Raises: VisitEnded; Unreadable, for what is no message of ``kinds``.
        """
        try:
            line = self._lines.take(waits=waits)
            if line is None:
                return None
            if not line:
                raise VisitEnded
            value = read_message(line, kinds, NAMES)
            size = getattr(value, "size", 0)
            if not 0 <= size <= LARGEST_IMAGE or (content := self._lines.take_bytes(size)) is None:
                raise VisitEnded
        except OSError as error:
            raise VisitEnded from error
        return value, content

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def address_of(name: str) -> str:
    """Return the address of a socket that is no file, but a name alone."""
    return f"\0bbmigrate-{name}"


def is_own_user(connection: socket.socket) -> bool:
    """Return whether the process at the other end of a socket is one of this user's."""
    size = CREDENTIALS.size
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, user, _ = CREDENTIALS.unpack(credentials)
    return bool(user == os.geteuid())


def bound(connection: socket.socket, seconds: int) -> None:
    """Have reading from a socket, and writing to it, fail after some ``seconds``."""
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, option, SECONDS.pack(seconds, 0))


def place_of(shared: Sequence[str], python: AppPython | None) -> str:
    """Return a digest of what a judge started by this process takes from it.

    ``shared`` are the folders that it may write to besides its own, and ``python`` is the app's.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)
    }
    taken = (
        (sys.executable, sys.prefix, sys.version, sqlite3.sqlite_version, PACKAGES),
        str(Path.cwd()),
        environment,
        tuple(shared),
        python,
    )
    return hashlib.sha256(json.dumps(to_plain(taken), sort_keys=True).encode()).hexdigest()
