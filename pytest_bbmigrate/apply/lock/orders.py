"""What the lock process is told, and what it answers: messages, one a line.

client → lock    {"version": 1, "kind": "lock", "value": {"database": "/…", …}}
server → progress                        any number of these
server → done or failed                  one; with what the content of the database is then
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias

from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.apply.what_is_left import DatabaseSeen
from pytest_bbmigrate.history.table import Applied
from pytest_bbmigrate.sqlite_files.held_file import FileState
from pytest_bbmigrate.sqlite_files.notes import Note


@dataclass(frozen=True)
class Lock:
    """Take the lock within ``deadline`` seconds; the result is the journal mode to leave it in.

    That is ``mode``, or the one it is in where that is ''.
    """

    database: Path
    deadline: float
    mode: str = ""


@dataclass(frozen=True)
class Describe:
    """Say which file is locked; the result is a LockedFileState."""


@dataclass(frozen=True)
class ReadHistory:
    """Read the history; the result is a tuple of Applied."""


@dataclass(frozen=True)
class BackUp:
    """Back the database up into the new file ``target``; the result is what is worth saying.

    It is complete in the folder ``staging`` first. ``note`` is written beside it; without one it is
    not to be kept.
    """

    target: Path
    note: Note | None = None
    staging: Path | None = None


@dataclass(frozen=True)
class Digest:
    """Say the hash of the backup, as it was made."""


@dataclass(frozen=True)
class CheckBackup:
    """Say in what the backup is not what it was when it was made, '' when it is that."""


@dataclass(frozen=True)
class Publish:
    """Put the file ``work``, whose hash is ``digest``, into the database.

    ``mode`` is the journal mode to leave it in.
    """

    work: Path
    digest: str
    mode: str


@dataclass(frozen=True)
class Verify:
    """Look at what was published; the result is '', or why it is in another journal mode."""

    work: Path
    backup: Path
    failed: Path


@dataclass(frozen=True)
class RestoreJournalMode:
    """Try once more to put the database into the journal mode it is to be left in."""


@dataclass(frozen=True)
class RestoreFile:
    """Give the file the owner and mode it had; the result is what was done, '' for nothing."""


@dataclass(frozen=True)
class Inspect:
    """Look what is under the database's name; the result is a DatabaseSeen.

    ``backup`` is how a file is backed up that has no name any more, ``work`` what was to be
    published, None for nothing.
    """

    backup: BackUp
    work: Path | None


@dataclass(frozen=True)
class LockedFileState:
    """Where the locked file is, links resolved, and what it was when it was locked."""

    real: Path
    file: FileState


@dataclass(frozen=True)
class Recover:
    """Look what a process has left that had the lock; the result is a DatabaseSeen, as for Inspect.

    ``locked`` is the file that it had, ``lock`` the order that it was given, with the journal mode
    that it found; ``new_mode`` is that of what was to be published. ``digest`` is the backup's.
    """

    lock: Lock
    locked: LockedFileState
    new_mode: str
    digest: str
    backup: Path | None
    work: Path | None


Order: TypeAlias = (
    Lock
    | Describe
    | ReadHistory
    | BackUp
    | Digest
    | CheckBackup
    | Publish
    | Verify
    | RestoreJournalMode
    | RestoreFile
    | Inspect
    | Recover
)
ORDERS: dict[str, type[Order]] = {
    "lock": Lock,
    "describe": Describe,
    "read history": ReadHistory,
    "back up": BackUp,
    "digest": Digest,
    "check backup": CheckBackup,
    "publish": Publish,
    "verify": Verify,
    "restore journal mode": RestoreJournalMode,
    "restore file": RestoreFile,
    "inspect": Inspect,
    "recover": Recover,
}


class FailureKind(Enum):
    """What kept an order from being obeyed."""

    LOCKED = "locked"  # another program has the database
    NO_DATABASE = "no database"
    STEP = "step"  # anything else


@dataclass(frozen=True)
class Progress:
    """``part`` of 1 is done."""

    part: float


@dataclass(frozen=True)
class Done:
    """The order was obeyed."""

    state: ContentState
    result: str | LockedFileState | DatabaseSeen | tuple[Applied, ...] | None


@dataclass(frozen=True)
class Failed:
    """The order could not be obeyed; ``why`` says what the database is like, where it matters."""

    state: ContentState
    why: str
    kind: FailureKind


Answer: TypeAlias = Progress | Done | Failed
ANSWERS: dict[str, type[Answer]] = {"progress": Progress, "done": Done, "failed": Failed}
KIND_OF: dict[type, str] = {kind: name for name, kind in (*ORDERS.items(), *ANSWERS.items())}
# What the annotations above name, of other modules.
NAMES: dict[str, Any] = {
    "Applied": Applied,
    "ContentState": ContentState,
    "DatabaseSeen": DatabaseSeen,
    "FileState": FileState,
    "Note": Note,
    "Path": Path,
}
