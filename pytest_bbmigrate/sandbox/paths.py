"""Which file a script means by a name: the working copy, the real database, or another one."""

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
    """The files a script may mean; every path is absolute and free of symbolic links.

    ``real`` is the database it must not reach (it need not exist) and ``copy`` what it works on
    instead, in the folder ``work`` that it runs in; ``root`` is the folder that relative names of
    the real one count from, ``temporary`` the one for temporary files.
    """

    real: Path
    copy: Path
    work: Path
    root: Path
    temporary: Path

    def is_real(self, path: str) -> bool:
        """Return whether ``path`` is the real database by any name, also as seen from root."""
        here = resolved(path)
        if self.is_copy(here):
            return False
        # an absolute name in the working folder was a relative one before somebody completed it
        relative = here.relative_to(self.work) if here.is_relative_to(self.work) else Path(path)
        there = resolved(self.root / relative)
        return self._is_real(here) or self._is_real(there)

    def _is_real(self, path: Path) -> bool:
        return is_same(path, self.real)

    def is_copy(self, path: Path) -> bool:
        """Return whether ``path`` is the working copy, which may have been given more names."""
        return is_same(path, self.copy)

    def path_to_open(self, path: str) -> str:
        """Return the path to open where a script opens the database file ``path``.

        Raises: sqlite3.OperationalError for a database that is neither the real one nor its own.
        """
        here = resolved(path)
        if self.is_copy(here) or here.is_relative_to(self.temporary):
            return path
        if self.is_real(path):
            return str(self.copy)
        raise sqlite3.OperationalError(
            f"opening the database {here} is refused: a migration script may open "
            f"{self.copy.name} and no other"
        )

    def database_to_open(self, database: str, *, uri: bool) -> str:
        """Return what to hand to SQLite where a script connects to ``database``.

        Raises: sqlite3.OperationalError, as ``path_to_open`` does.
        """
        path = path_in_name(database, uri=uri)
        if path is None or (opened := self.path_to_open(path)) == path:
            return database
        if not uri:
            return opened
        query = urlsplit(database).query
        return f"file:{quote(opened)}?{query}"

    def may_open(self, database: str) -> bool:
        """Return whether SQLite may be given ``database`` (a name or a URI) as it is."""
        path = path_in_name(database, uri=True)
        return path is None or self.path_to_open(path) == path

    def find_real(self, texts: Iterable[str]) -> str:
        """Return the first path to the real database in ``texts``, words or commands; '' for none.

        A path is told from the command around it by what a shell or SQL puts between words.
        """
        for text in texts:
            if str(self.real) in text:
                return str(self.real)
            for name in {self.real.name, self.copy.name}:
                # A volume may pass over the case of letters, as macOS's do.
                words = rf"(?i)[^\s'\"=;:,()<>|&]*{re.escape(name)}"
                for match in re.finditer(words, text):
                    if self.is_real(match[0]):
                        return match[0]
        return ""

    def may_write(self, path: str) -> bool:
        """Return whether ``path`` lies where a script may write."""
        return resolved(path).is_relative_to(self.work.parent)


def path_in_name(database: str, *, uri: bool) -> str | None:
    """Return the path in the name or URI of a database; None for one without a file.

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
    """Return ``path`` as an absolute one without symbolic links, whether it exists or not."""
    return Path(os.path.realpath(path))


def is_same(one: Path, other: Path) -> bool:
    """Return whether two paths are the same file, whatever they are called, or the same name."""
    there = identity(one)
    return one == other or (there is not None and there == identity(other))


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from every other, whatever its name; None when there is none."""
    try:
        found = os.lstat(path)  # path.lstat() goes through os.stat, which a script sees replaced
    except OSError:
        return None
    return found.st_dev, found.st_ino
