"""Files that are kept between runs, each under the key of what it was made from.

A file is written beside its place and then put there, and begins with a digest of its kind, its key
and its content: one that is torn, cut off, changed or under another's name is no entry. Several
runs may read and write at once, and each may be killed at any moment.
"""

from __future__ import annotations

import hmac
import os
import stat
import tempfile
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.processes.untrusted_files import open_untrusted

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = "state"  # the kind of an entry that is a state
DIGEST = 32  # bytes
LARGEST = 24 << 20  # bytes of one file
MOST_BYTES = 128 << 20  # of all files together
MOST_FILES = 20_000
UNFINISHED = ".unfinished-"
UNFINISHED_SECONDS = 3600.0  # after which a file that is not in its place was left by a killed run
USED_SECONDS = 3600.0  # how exactly the time of the last use is noted


class Entries:
    """The entries in ``folder``, which nobody but its owner can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, kind: str, key: str) -> Path:
        """Return where the entry of that ``kind`` is, if there is one; ``key`` is hexadecimal."""
        return self.folder / f"{key}.{kind}"

    def __contains__(self, named: tuple[str, str]) -> bool:
        return self.place(*named).is_file()

    def are_none(self) -> bool:
        """Return whether nothing is kept."""
        with os.scandir(self.folder) as found:
            return next(found, None) is None

    def read(self, kind: str, key: str) -> bytes | None:
        """Return what was kept, None where nothing was, or not all of it is there unchanged."""
        path = self.place(kind, key)
        content = read_entry(path, kind, key)
        if content is not None:
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > USED_SECONDS:
                    os.utime(path)
        return content

    def write(self, kind: str, key: str, content: bytes) -> None:
        """Keep ``content``, unless it is too large, or nothing can be written."""
        if DIGEST + len(content) > LARGEST:
            return
        with suppress(OSError):
            # mkstemp makes files that nobody else can read
            descriptor, name = tempfile.mkstemp(prefix=UNFINISHED, dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(digest_of(kind, key, content))
                    file.write(content)
                Path(name).replace(self.place(kind, key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def prune(self) -> None:
        """Remove what killed runs have left, and what was not used for longest if there is much."""
        with suppress(OSError):
            now, files = time.time(), []
            for path, state in self._files():
                if not path.name.startswith(UNFINISHED):
                    files.append((state.st_mtime, state.st_size, path))
                elif now - state.st_mtime > UNFINISHED_SECONDS:
                    path.unlink(missing_ok=True)
            size = sum(each for _, each, _ in files)
            files.sort(reverse=True)
            while files and (size > MOST_BYTES or len(files) > MOST_FILES):
                _, each, path = files.pop()
                path.unlink(missing_ok=True)
                size -= each

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        with os.scandir(self.folder) as found:
            for each in found:
                with suppress(FileNotFoundError):  # another run prunes as well
                    yield Path(each.path), each.stat(follow_symlinks=False)


def open_entries(folder: Path) -> Entries | None:
    """Return the entries in ``folder``, a folder that is there; None where it is not our own."""
    try:
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid():
            return None
        if stat.S_IMODE(state.st_mode) != stat.S_IRWXU:
            folder.chmod(stat.S_IRWXU)
    except OSError:
        return None
    return Entries(folder)


def read_entry(path: Path, kind: str, key: str) -> bytes | None:
    """Return what the file at ``path`` holds; None where it is not the entry of that name."""
    try:
        with open_untrusted(path) as file:
            size = os.fstat(file.fileno()).st_size  # room for the largest takes longer to have
            content = file.read(min(size, LARGEST) + 1)
    except OSError:
        return None
    kept = content[DIGEST:]
    if len(content) > LARGEST or not hmac.compare_digest(
        content[:DIGEST], digest_of(kind, key, kept)
    ):
        return None
    return kept


def digest_of(kind: str, key: str, content: bytes) -> bytes:
    """Return the digest that a file begins with."""
    digest = blake2b(f"{kind}\0{key}\0".encode(), digest_size=DIGEST)
    digest.update(content)
    return digest.digest()
