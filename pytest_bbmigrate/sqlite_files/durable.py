"""Have what was written on the disk itself, as far as the system can see to that."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def flush(file: int) -> None:
    """Have what was written to the open ``file`` on its disk when this returns.

    On macOS fsync leaves it in the disk's own cache, which a power cut empties; F_FULLFSYNC does
    not, where the file system has it (https://sqlite.org/pragma.html#pragma_fullfsync).

    Raises: OSError when it cannot be written.
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined] # macOS alone has it
        return
    os.fsync(file)


def sync(path: Path) -> None:
    """Have what a file holds, or the names in a folder, on the disk when this returns.

    Raises: OSError when it cannot be written.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        flush(handle)
    finally:
        os.close(handle)
