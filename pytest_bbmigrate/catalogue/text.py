"""The text of a migration file, and the error for one thing wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from pathlib import Path


def fault(path: Path, message: str, remedy: str, line: int | None = None) -> CatalogueError:
    """Return the error for one thing wrong with a file."""
    return CatalogueError([Problem(path, line, message, remedy)])


def unreadable(path: Path, error: OSError) -> CatalogueError:
    """Return the error for what the operating system does not let us read."""
    return fault(
        path,
        f"it cannot be read ({error.strerror})",
        "make it readable to you, or move it out of the folder",
    )


def exact_text(path: Path) -> str:
    """Return the text of a file, which is its bytes again once it is encoded.

    Raises: CatalogueError when it cannot be read or is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    decoded(path, content)
    return content.decode()


def decoded(path: Path, content: bytes) -> str:
    """Return the text that is the ``content`` of a file, without a byte order mark.

    Raises: CatalogueError when it is not UTF-8.
    """
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise fault(
            path,
            f"byte {error.start} of the file (0x{content[error.start]:02x}) is not UTF-8",
            "save the file as UTF-8",
            content.count(b"\n", 0, error.start) + 1,
        ) from error
