"""A file's name as its folder has it.

Used before the judge is started: what is seldom needed is imported where it is used.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def as_spelled(path: Path) -> Path:
    """Return ``path`` with the file's name as its folder has it.

    A volume may ignore the case of letters and how accents are composed, as those of macOS do. Then
    one database has many names, but its backups are to be named after one.
    """
    try:
        names = os.listdir(path.parent)  # noqa: PTH208 - names alone
        if path.name in names:
            return path
        status = os.lstat(path)
    except OSError:
        return path
    for name in names:
        spelled = path.with_name(name)
        if _folded(name) == _folded(path.name) and os.path.samestat(status, os.lstat(spelled)):
            return spelled
    return path


def _folded(name: str) -> str:
    from pytest_bbmigrate.sql.names import fold_name  # seldom needed, and it brings all of sql

    return fold_name(unicodedata.normalize("NFC", name))
