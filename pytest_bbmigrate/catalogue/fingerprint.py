"""The digests of every file that a verdict rests on, to see later whether one has changed.

These are all files of the migration folder (data and helpers too, for a migration may read them),
the modules of the project that its Python imports, and others that are named.
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

    ``folder`` is the migration folder. A file in it whose name begins like that of the ``database``
    is left out: it is the database, or a backup of it.
    """

    folder: Path
    database: Path
    digests: Mapping[str, str] = field(repr=False)

    @property
    def key(self) -> str:
        """A digest of the whole migration folder."""
        digest = hashlib.blake2b(digest_size=16)
        within = f"{os.path.realpath(self.folder)}{os.sep}"
        for path, content in sorted(self.digests.items()):
            if path.startswith(within):
                digest.update(f"{path}\0{content}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def read_again(self, texts: Mapping[str, bytes] = NO_TEXTS) -> Fingerprint:
        """Return the fingerprint of the same files now; those in ``texts`` are not read again."""
        others = (Path(path) for path in self.digests)
        return fingerprint(self.folder, texts, others, database=self.database)

    def changes_to(self, later: Fingerprint) -> Iterator[str]:
        """Yield the path of each file that is different ``later``, and how, in words."""
        for path in sorted({*self.digests, *later.digests}):
            before, after = self.digests.get(path, ""), later.digests.get(path, "")
            if before and after and before != after:
                yield f"{path} was changed"
            elif before and not after:
                yield f"{path} is gone"
            elif after and not before:
                yield f"{path} was not there before"


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

    Hidden and compiled files, descriptions (README, .md) and virtual environments are left out.
    """
    own = (database.name, os.path.basename(os.path.realpath(database)))  # noqa: PTH119
    for root, folders, files in os.walk(folder):
        parent = Path(root)
        # os.walk enters only those that are left in its list.
        folders[:] = [f for f in folders if _is_source(f) and not _is_environment(parent / f)]
        for name in files:
            if _is_source(name) and not name.startswith(own) and (parent / name).is_file():
                yield parent / name


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


def _is_source(name: str) -> bool:
    lower = name.lower()
    hidden = lower.startswith((".", "readme"))
    return not hidden and lower not in NOT_SOURCES and not lower.endswith((*NEVER_ENDINGS, "~"))


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file()
