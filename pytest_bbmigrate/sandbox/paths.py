"""Find out which file a script means by a name: the working copy, the real database or another."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMORY = ":memory:"


@dataclass(frozen=True)
class SandboxPaths:
    """The files that a script may mean, as absolute paths without symbolic links.

    ``real`` is the database that it must not reach (it need not exist). ``copy`` is opened instead;
    it is in the folder ``work``, in which the script runs. ``root`` is the folder that relative
    names of the real database start from, ``temporary`` the one for temporary files.
    """

    real: Path
    copy: Path
    work: Path
    root: Path
    temporary: Path

    def is_real(self, path: str) -> bool:
        """Return whether ``path`` means the real database by any name, also seen from ``root``."""
        absolute = resolved(path)
        if self.is_copy(absolute):
            return False
        # An absolute name in the working folder may have been a relative one that was completed.
        in_work = absolute.is_relative_to(self.work)
        relative = absolute.relative_to(self.work) if in_work else Path(path)
        return self._is_real(absolute) or self._is_real(resolved(self.root / relative))

    def _is_real(self, path: Path) -> bool:
        return is_same(path, self.real)

    def is_copy(self, path: Path) -> bool:
        """Return whether ``path`` is the working copy, by any name."""
        return is_same(path, self.copy)

    def path_to_open(self, path: str) -> str:
        """Return the path to open where a script opens the database file ``path``.

        Raises: sqlite3.OperationalError for a database that is neither the real one nor its own.
        """
        absolute = resolved(path)
        if self.is_copy(absolute) or absolute.is_relative_to(self.temporary):
            return path
        if self.is_real(path):
            return str(self.copy)
        raise sqlite3.OperationalError(
            f"opening the database {absolute} is refused: a migration script may open "
            f"{self.copy.name} and no other"
        )

    def database_to_open(self, database: str, *, uri: bool) -> str:
        """Return the name or URI for SQLite to open where a script connects to ``database``.

        Raises: sqlite3.OperationalError, as ``path_to_open`` does.
        """
        path = path_in_name(database, uri=uri)
        if path is None or (replacement := self.path_to_open(path)) == path:
            return database
        if not uri:
            return replacement
        query = urlsplit(database).query
        return f"file:{quote(replacement)}?{query}"

    def may_open(self, database: str) -> bool:
        """Return whether SQLite may open ``database``, a name or a URI, as it is."""
        path = path_in_name(database, uri=True)
        return path is None or self.path_to_open(path) == path

    def find_real(self, texts: Iterable[str]) -> str:
        """Return the first path to the real database in ``texts``, words or commands; '' for none.

        Within a command, a path ends at the characters that a shell or SQL puts between words.
        """
        for text in texts:
            if str(self.real) in text:
                return str(self.real)
            for name in {self.real.name, self.copy.name}:
                # A volume may ignore the case of letters, as those of macOS do.
                words = rf"(?i)[^\s'\"=;:,()<>|&]*{re.escape(name)}"
                for match in re.finditer(words, text):
                    if self.is_real(match[0]):
                        return match[0]
        return ""

    def may_write(self, path: str) -> bool:
        """Return whether ``path`` lies where a script may write."""
        return resolved(path).is_relative_to(self.work.parent)


def path_in_name(database: str, *, uri: bool) -> str | None:
    """Return the path in the name or URI of a database; None for a database without a file.

    See https://sqlite.org/uri.html.
    """
    if not (uri and database.startswith("file:")):
        return None if database in ("", MEMORY) else database
    parts = urlsplit(database)
    path = unquote(parts.path)
    if path in ("", MEMORY) or parse_qs(parts.query).get("mode") == ["memory"]:
        return None
    return path


def resolved(path: str | Path) -> Path:
    """Return ``path`` as an absolute path without symbolic links; it need not exist."""
    return Path(os.path.realpath(path))


def is_same(one: Path, other: Path) -> bool:
    """Return whether two paths are equal, or names of the same file."""
    file = identity(one)
    return one == other or (file is not None and file == identity(other))


def identity(path: Path) -> tuple[int, int] | None:
    """Return what is the same for all names of a file, and for no other; None if it is missing."""
    try:
        status = os.lstat(path)  # path.lstat() goes through os.stat, which a script sees replaced
    except OSError:
        return None
    return status.st_dev, status.st_ino
