"""Which tool runs a folder's files, as far as the folder and what lies around it say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.listing import JOURNAL
from pytest_bbmigrate.catalogue.markers import find_markers
from pytest_bbmigrate.catalogue.model import Call, ScriptPart, SqlPart
from pytest_bbmigrate.catalogue.names import flyway_name
from pytest_bbmigrate.catalogue.sql_text import BREAKPOINT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pytest_bbmigrate.catalogue.model import Migration

WRANGLER = ("wrangler.toml", "wrangler.jsonc", "wrangler.json")
LOCK = "migration_lock.toml"


def runner_of_place(folder: Path, root: Path) -> str:
    """Return the tool that has left a file of its own in ``folder`` or around it; '' for none.

    Of wrangler such a file may lie beside the folder or above it, up to ``root``.
    """
    if any((above / name).is_file() for above in above_of(folder, root) for name in WRANGLER):
        return "d1"
    if (folder / JOURNAL).is_file():
        return "drizzle"
    return "prisma" if (folder / LOCK).is_file() else ""


def above_of(folder: Path, root: Path) -> Iterator[Path]:
    """Yield ``folder``, the one that it is in, and those above that, up to ``root``."""
    yield folder
    for above in folder.parents:
        yield above
        if above == root or not above.is_relative_to(root):
            return


def runner_of_marks(migrations: Iterable[Migration], texts: Mapping[str, bytes]) -> str:
    """Return the tool whose marks, or way of naming, all files have; '' where they do not agree.

    ``texts`` are by real path.
    """
    dialects = {dialect_of(migration, texts) for migration in migrations}
    return dialects.pop() if len(dialects) == 1 else ""


def dialect_of(migration: Migration, texts: Mapping[str, bytes]) -> str:
    """Return whose marks the file of ``migration`` has, or else its name; '' for nobody's."""
    part = migration.up
    if migration.function:
        return "sqlite-utils"
    if part.path.suffix.lower() == ".py" and not isinstance(part, ScriptPart):
        steps = isinstance(part, SqlPart) or part.call is Call.STEPS
        return "yoyo" if steps else ""
    if not isinstance(part, SqlPart):
        return ""
    path = migration.up.path
    text = texts[os.path.realpath(path)].decode("utf-8-sig")
    markers = find_markers(path, text)
    if markers:
        return markers[0].dialect
    if BREAKPOINT in text:
        return "drizzle"
    read = flyway_name(path.name)
    return "flyway" if read and read.kind == "v" else ""
