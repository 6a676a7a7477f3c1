"""Make sure that what was written is on the disk itself, as far as the system can do that."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def flush(file: int) -> None:
    """Put what was written to the open ``file`` on its disk before this returns.

    On macOS fsync leaves it in the disk's own cache, which a power cut empties. F_FULLFSYNC does
    not, on file systems that support it (https://sqlite.org/pragma.html#pragma_fullfsync).

    Raises: OSError when it cannot be written.
    """
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(file, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined] # macOS alone has it
        return
    os.fsync(file)


def sync(path: Path) -> None:
    """Put the content of a file, or the names in a folder, on the disk before this returns.

    Raises: OSError when it cannot be written.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        flush(handle)
    finally:
        os.close(handle)
