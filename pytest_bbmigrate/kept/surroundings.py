"""What a verdict rests on beside the project: this tool, Python, SQLite, packages, the system."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
import sys
import zoneinfo
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).resolve().parents[1]
USED = ("faker", "psutil", "python-dateutil", "sqlite-fts4", "sqlite-utils", "tzdata")
# What changes no verdict; all others that Python or the C library reads may.
UNREAD = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONWARNINGS")
READ = ("PYTHON", "LANG", "LC_")


@dataclass(frozen=True)
class Surroundings:
    """The digest of this package's ``source``, and all else, as values."""

    source: str
    others: tuple[object, ...]


def surroundings() -> Surroundings:
    """Return it all."""
    others = (
        sys.version,
        sys.implementation.cache_tag,
        os.path.realpath(sys.executable),
        tuple(sys.flags),
        sys.byteorder,
        platform.system(),
        platform.release(),
        platform.machine(),
        sqlite_build(),
        tuple((name, metadata_of(name)) for name in USED),
        tuple(sorted(variables())),
    )
    return Surroundings(source_of_ours(), others)


def zone_files(zone: str) -> tuple[bytes, ...]:
    """Return what the system's files say of a time zone; none for one that says it itself."""
    paths = (Path(folder, zone) for folder in zoneinfo.TZPATH)
    return tuple(path.read_bytes() for path in paths if path.is_file())


def source_of_ours() -> str:
    """Return the digest of every file of this package: whoever works on it changes them."""
    digest = sha256()
    beginning = len(str(PACKAGE)) + 1
    for path in sorted(python_files()):  # hundreds: a Path of each would take as long as to read it
        with open(path, "rb") as file:  # noqa: PTH123
            content = file.read()
        digest.update(f"{path[beginning:]}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def python_files() -> Iterator[str]:
    """Yield the path of every Python file of this package."""
    for folder, _, names in os.walk(PACKAGE):
        yield from (f"{folder}{os.sep}{name}" for name in names if name.endswith(".py"))


def sqlite_build() -> tuple[str, ...]:
    """Return what tells one build of SQLite from another."""
    with closing(sqlite3.connect(":memory:")) as db:
        options = sorted(each for (each,) in db.execute("PRAGMA compile_options"))
        (source,) = db.execute("SELECT sqlite_source_id()").fetchone()
    return (sqlite3.sqlite_version, source, *options)


def metadata_of(name: str) -> str:
    """Return what an installed distribution says of itself, its version too; '' for none.

    Unread: what is made for e-mail takes as long to find the version in it as all else here.
    """
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return found.read_text("METADATA") or found.read_text("PKG-INFO") or found.version


def variables() -> list[tuple[str, str]]:
    """Return the variables of the environment that Python and the C library read."""
    return [
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(READ) and name not in UNREAD
    ]
