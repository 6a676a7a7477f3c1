"""The ordinary file that the path of a database leads to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_bbmigrate.errors import DatabaseError


def existing_file(path: Path) -> Path:
    """Return the absolute path of the database file ``path``, symbolic links resolved.

    Raises: DatabaseError when there is none, or it is something else than a file.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatabaseError(
            path, "no such database file; give the path of one that is there"
        ) from error
    except OSError as error:
        raise DatabaseError(
            path, f"cannot be looked at ({error.strerror}); see that you may read its folder"
        ) from error
    if not stat.S_ISREG(mode):
        raise DatabaseError(
            path, f"not a database file but {file_kind(mode)}; give the path of one"
        )
    return Path(os.path.realpath(path))


def file_kind(mode: int) -> str:
    """Return what a file with this mode is, if not an ordinary file."""
    kinds = {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")
