"""The files of a session, each read once: the same text is checked, rehearsed and applied.

It is kept by the file's real path, and so found under any name the file is imported by.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import decoded, unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.processes.app_python import AppPython


class Sources:
    """The contents read so far; a file that is asked for again is not read again.

    ``python`` is the app's, for syntax that this one does not know; None where there is none.
    ``opened`` are the names of the files that the Python files in a folder open, by folder.
    """

    def __init__(self, python: AppPython | None = None) -> None:
        self.python = python
        self.texts: dict[str, bytes] = {}
        self.opened: dict[Path, frozenset[str]] = {}
        self._folders: dict[str, str] = {}  # the real paths of those that files were read from

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file.

        Raises: CatalogueError when it cannot be read.
        """
        key = self._real_path(path)
        if key not in self.texts:
            try:
                self.texts[key] = path.read_bytes()
            except OSError as error:
                raise unreadable(path, error) from error
        return self.texts[key]

    def keep(self, path: Path, content: bytes) -> None:
        """Keep the bytes of a file that was read before."""
        self.texts[self._real_path(path)] = content

    def _real_path(self, path: Path) -> str:
        """Return the real path of a file; that of a folder is looked up once."""
        folder, name = os.path.split(path)
        if not name.strip(".") or path.is_symlink():
            return os.path.realpath(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118 - of four hundred

    def text(self, path: Path) -> str:
        """Return the text of a file, without a byte order mark; its line ends are left as they are.

        Raises: CatalogueError when it cannot be read or is not UTF-8.
        """
        return decoded(path, self.content(path))
