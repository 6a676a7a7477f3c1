"""A change of the content of a real database, and one run of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_bbmigrate.apply.backup_owners import Owner
    from pytest_bbmigrate.apply.lock.client import LockClient
    from pytest_bbmigrate.apply.replace_file import FileInPlace
    from pytest_bbmigrate.apply.reporter import Reporter
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.sqlite_files.notes import Note


@dataclass(frozen=True)
class PublishableCopy:
    """The content to publish: a file in our folder, and the digest it had when it was verified.

    ``journal_mode`` is the one to leave the database in, '' for the one it is in.
    """

    work: Path
    digest: str
    journal_mode: str = ""


@dataclass(frozen=True)
class ContentChange:
    """A change of the content of ``database``.

    ``check_history`` gets the history, read under the lock; ``check_backup`` gets the backup, and
    returns what is worth saying of it, or ''; ``prepare`` gets the backup and an
    empty folder of ours on the same disk, and makes the new content, reporting steps of its own.
    All raise StepFailed to end the run. With ``publishes`` false nothing but the database's copy
    is changed; ``keeps_backup`` is false where there was nothing to back up; ``identity`` is the id
    that the database is to have from now on, '' for the one that it has. ``spares`` are files to
    keep, though they lie in a folder that a killed run has left. With ``new_file`` there is no file
    yet: it is made in our own folder, and gets the name in one step when it is verified.
    """

    database: Path
    backup_folder: Path
    check_history: Callable[[tuple[Applied, ...]], None]
    prepare: Callable[[Path, Path, Reporter], PublishableCopy]
    publishes: bool = True
    keeps_backup: bool = True
    identity: str = ""
    spares: tuple[Path, ...] = ()
    new_file: FileInPlace | None = None
    check_backup: Callable[[Path], str] = lambda _: ""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class ChangeRun:
    """One run of a change: its lock, its folder, and the names of what it makes.

    ``note`` is the one on the backup; content that does not verify is kept in ``failed``.
    ``files_found`` is what was found on the disk at the end; the last one counts.
    """

    change: ContentChange
    client: LockClient
    owner: Owner
    reporter: Reporter
    folder: Path
    backup: Path
    failed: Path
    note: Note
    files_found: list[FileFound]

    def conclude(self, file_found: FileFound) -> None:
        """Say what is on the disk at the end."""
        self.files_found.append(file_found)
        self.reporter.conclude(file_found)
