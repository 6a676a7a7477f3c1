"""What every file that counts said when a session began, to be held against what it says later.

These are all files of the migration folder (data and helpers, too, by whatever name a migration
finds them), the modules of the project that its Python imports, and others that are named.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.names import NEVER_ENDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NOT_SOURCES = frozenset({"__pycache__", "node_modules"})
NO_TEXTS: Mapping[str, bytes] = {}


@dataclass(frozen=True)
class Fingerprint:
    """The digest of each file by its real path; '' for one that could not be read.

    ``folder`` is the migration folder. What lies in it and is called like the ``database``, or
    begins so, is no source: it is that, or a backup of it.
    """

    folder: Path
    database: Path
    digests: Mapping[str, str] = field(repr=False)

    @property
    def key(self) -> str:
        """What tells the text of the migration folder from any other."""
        digest = hashlib.blake2b(digest_size=16)
        within = f"{os.path.realpath(self.folder)}{os.sep}"
        for path, content in sorted(self.digests.items()):
            if path.startswith(within):
                digest.update(f"{path}\0{content}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def read_again(self, texts: Mapping[str, bytes] = NO_TEXTS) -> Fingerprint:
        """Return what the files say now; what of them is in ``texts`` was read there before."""
        others = (Path(path) for path in self.digests)
        return fingerprint(self.folder, texts, others, database=self.database)

    def changes_to(self, now: Fingerprint) -> Iterator[str]:
        """Yield what became of each file that is not what it was, with its path."""
        for path in sorted({*self.digests, *now.digests}):
            was, new = self.digests.get(path, ""), now.digests.get(path, "")
            if was != new:
                how = "was changed" if was and new else "is gone" if was else "was not there before"
                yield f"{path} {how}"


def fingerprint(
    folder: Path, texts: Mapping[str, bytes], others: Iterable[Path], *, database: Path
) -> Fingerprint:
    """Return the fingerprint of ``folder``, of ``texts`` read before, and of ``others``."""
    digests = {path: digest_of(content) for path, content in texts.items()}
    for path in (*files_in(folder, database), *others):
        key = os.path.realpath(path)
        if key not in digests:
            digests[key] = digest_at(path)
    return Fingerprint(folder, database, digests)


def files_in(folder: Path, database: Path) -> Iterator[Path]:
    """Yield every file below ``folder`` that a migration may be, import or read.

    Hidden ones, compiled ones, descriptions (README, .md) and environments are none.
    """
    own = (database.name, os.path.basename(os.path.realpath(database)))  # noqa: PTH119
    for name, inside, files in os.walk(folder):
        at = Path(name)
        inside[:] = [each for each in inside if _counts(each) and not _is_environment(at / each)]
        for each in files:
            if _counts(each) and not each.startswith(own) and (at / each).is_file():
                yield at / each


def digest_of(content: bytes) -> str:
    """Return the hash of a file's bytes."""
    return hashlib.blake2b(content, digest_size=32).hexdigest()


def digest_at(path: Path) -> str:
    """Return the hash of a file's bytes, '' when it cannot be read."""
    digest = hashlib.blake2b(digest_size=32)
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError:
        return ""
    return digest.hexdigest()


def _counts(name: str) -> bool:
    lower = name.lower()
    hidden = lower.startswith((".", "readme"))
    return not hidden and lower not in NOT_SOURCES and not lower.endswith((*NEVER_ENDINGS, "~"))


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()
