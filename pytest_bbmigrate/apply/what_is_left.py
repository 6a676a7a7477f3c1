"""What a run leaves under the database's name, in words, and the command that restores a backup."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from pytest_bbmigrate.apply.model import ContentState
from pytest_bbmigrate.sqlite_files.held_file import NameTarget
from pytest_bbmigrate.visible import typed


class Content(Enum):
    """What a file holds, as it was seen."""

    AS_BEFORE = "as before"  # equal to the backup
    PUBLISHED = "published"  # equal to the working copy, and not yet verified
    VERIFIED = "verified"  # equal to the working copy, and verified
    EMPTY = "empty"
    CUT_OFF = "cut off"
    OTHER = "other"
    UNSEEN = "unseen"


MEANWHILE = "while this run was at work"
BY_WHOM = {
    NameTarget.GONE: f"something removed it {MEANWHILE}",
    NameTarget.NO_FOLDER: f"something removed that {MEANWHILE}",
    NameTarget.ANOTHER: f"something replaced it {MEANWHILE}",
    NameTarget.LINK: f"something replaced it {MEANWHILE}",
    NameTarget.NO_FILE: f"something replaced it {MEANWHILE}",
}
IN_ANOTHER = {
    Content.AS_BEFORE: ", which holds what it held",
    Content.PUBLISHED: ", which holds what was to be published",
    Content.VERIFIED: ", which holds what was to be published",
    Content.EMPTY: ", which is empty",
}
OBSTACLE_SUFFIX = "other"  # what an obstacle under the database's name is called in the command


@dataclass(frozen=True)
class FileFound:
    """What was found under the name ``database`` when a run came to its end.

    ``name`` is what that leads to, ``content`` what the file there holds; ``detail`` is where the
    held file is now, where a link leads, how much is left, or why nothing could be seen.
    ``backup`` is the backup that stays, None when there is none; ``notes`` are worth telling.
    """

    database: Path
    name: NameTarget
    content: Content
    detail: str = ""
    backup: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_as_it_was(self) -> bool:
        """Whether it is the same file with the same content: the backup is not needed."""
        return self.name is NameTarget.SAME and self.content is Content.AS_BEFORE

    @property
    def is_ours(self) -> bool:
        """Whether it is the same file, with a content that this run answers for."""
        ours = {Content.AS_BEFORE, Content.PUBLISHED, Content.VERIFIED}
        return self.name is NameTarget.SAME and self.content in ours

    def __str__(self) -> str:
        """In words, a clause: 'budget_buddy.db is gone: something removed it'."""
        if self.name is NameTarget.SAME:
            return f"{self.database.name} {self._content()}"
        return f"{self.database.name} {self._name()}"

    def _content(self) -> str:
        return {
            Content.AS_BEFORE: "is as it was",
            Content.PUBLISHED: "holds what was to be published, which was not verified",
            Content.VERIFIED: "holds what was verified",
            Content.EMPTY: f"is empty: something truncated it {MEANWHILE}",
            Content.CUT_OFF: f"is cut short ({self.detail}): something wrote to it {MEANWHILE}",
            Content.OTHER: f"is not as it was: something else wrote to it {MEANWHILE}",
            Content.UNSEEN: f"could not be looked at ({self.detail})",
        }[self.content]

    def _name(self) -> str:
        if self.name is NameTarget.HIDDEN:
            return f"may not be looked at ({self.detail or 'permission denied'})"
        by_whom = BY_WHOM[self.name]
        if self.name in (NameTarget.GONE, NameTarget.NO_FOLDER) and self.detail:
            by_whom = f"something moved it to {self.detail} {MEANWHILE}"
        if self.name is NameTarget.LINK:
            where = f" to {self.detail}" if self.detail else ""
            return f"is another symbolic link now{where}: {by_whom}"
        what = {
            NameTarget.GONE: "is gone",
            NameTarget.NO_FOLDER: "is gone, and the folder that it was in",
            NameTarget.ANOTHER: f"is another file now{IN_ANOTHER.get(self.content, '')}",
            NameTarget.NO_FILE: "is no file any more",
        }[self.name]
        return f"{what}: {by_whom}"

    def restore_command(self, command: str = "pytest", *, in_full: bool = False) -> str:
        """Return the command that restores the backup as things are; '' without a backup.

        ``command`` is how another command on the same project begins; ``in_full`` is as for
        ``typed_path``.
        """
        if self.backup is None:
            return ""
        database = typed_path(self.database, in_full=in_full)
        first = ""
        if self.name is NameTarget.NO_FOLDER:
            folder = typed_path(self.database.parent, in_full=in_full)
            first = f"mkdir -p {folder} && "
        elif self.name in (NameTarget.LINK, NameTarget.NO_FILE):
            first = f"mv {database} {database}.{OBSTACLE_SUFFIX} && "
        is_in_the_way = self.name in (NameTarget.SAME, NameTarget.ANOTHER, NameTarget.HIDDEN)
        discards = is_in_the_way and self.content is not Content.EMPTY
        last = " --bb-discard-changes" if discards else ""
        backup = typed_path(self.backup, in_full=in_full)
        return f"{first}{command} --bb-restore={backup}{last}"


def typed_path(path: Path, *, in_full: bool = False) -> str:
    """Return ``path`` as it is typed in a shell, from the working directory where it is below.

    With ``in_full`` it is typed as in any folder.
    """
    if in_full:
        return typed(os.path.abspath(path))  # noqa: PTH100 - links stay: the names are the user's
    try:
        relative = os.path.relpath(path)
    except OSError:  # the working directory was removed, or may not be looked at
        relative = os.pardir
    return typed(str(path) if relative.startswith(os.pardir) else relative)


@dataclass(frozen=True)
class DatabaseSeen:
    """What another process has seen of a database: the fields are those of FileFound."""

    name: NameTarget
    content: Content
    detail: str = ""
    notes: tuple[str, ...] = ()


def as_seen(name: NameTarget, content: Content, detail: str, *notes: str) -> DatabaseSeen:
    """Return what was seen, with those ``notes`` that say something."""
    return DatabaseSeen(name, content, detail, tuple(note for note in notes if note))


def unseen(why: str) -> DatabaseSeen:
    """Return what is known of a database that no process could look at."""
    return DatabaseSeen(NameTarget.SAME, Content.UNSEEN, why)


def read_file_found(database: Path, seen: DatabaseSeen, backup: Path | None) -> FileFound:
    """Return what another process has seen of ``database``, and whether ``backup`` is there."""
    existing_backup = if_exists(backup)
    if seen.name is NameTarget.NO_FOLDER and backup and not existing_backup and seen.detail:
        # it went with the folder
        existing_backup = if_exists(Path(seen.detail).with_name(backup.name))
    return FileFound(database, seen.name, seen.content, seen.detail, existing_backup, seen.notes)


def if_exists(path: Path | None) -> Path | None:
    """Return ``path`` when a file of that name is there, or when that cannot be seen."""
    try:
        return path if path is not None and path.is_file() else None
    except OSError:
        return path


def is_gone(path: Path) -> bool:
    """Return whether nothing is called ``path``; where that cannot be seen, something may be."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


CONTENT = {
    ContentState.UNTOUCHED: "nothing was published; run again",
    ContentState.PUBLISHED: (
        "the working copy was published, and not yet verified; see with --bb-status and in "
        "the app that it is what it should be"
    ),
    ContentState.VERIFIED: "the working copy was published and verified",
    ContentState.RESTORED: "the backup was restored, and the database is as it was",
    ContentState.UNKNOWN: (
        "the database is either as it was or what was to be published, for SQLite writes it in one "
        "transaction; see which with --bb-status, and run again"
    ),
}
DATABASE_AS_IT_WAS = "nothing was published, and the database is as it was; run again"


def describe_state(state: ContentState, file_found: FileFound | None) -> str:
    """Return what the database holds after a run, by ``file_found``, or else by the ``state``."""
    if file_found is None:
        return CONTENT[state]
    if file_found.is_as_it_was and state is ContentState.UNTOUCHED:
        return DATABASE_AS_IT_WAS
    is_half_seen = state is ContentState.UNKNOWN and file_found.content is Content.UNSEEN
    text = CONTENT[state] if file_found.is_ours or is_half_seen else str(file_found)
    is_untouched = state is ContentState.UNTOUCHED and not file_found.is_ours
    return f"nothing was published, and {text}" if is_untouched else text
