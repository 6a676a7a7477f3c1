"""The files of a session, each read once: what is checked, rehearsed and applied is what they said.

A text is kept by its real path, so that it is found by whatever name a file is imported.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.text import decoded, unreadable

if TYPE_CHECKING:
    from pathlib import Path


class Sources:
    """What was read so far; a file that is asked for again says what it said the first time."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def content(self, path: Path) -> bytes:
        """Return the bytes of a file.

        Raises: CatalogueError when it cannot be read.
        """
        key = os.path.realpath(path)
        if key not in self.texts:
            try:
                self.texts[key] = path.read_bytes()
            except OSError as error:
                raise unreadable(path, error) from error
        return self.texts[key]

    def text(self, path: Path) -> str:
        """Return the text of a file, without a byte order mark; its line ends are left as they are.

        Raises: CatalogueError when it cannot be read or is not UTF-8.
        """
        return decoded(path, self.content(path))
