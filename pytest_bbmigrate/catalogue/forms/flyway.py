"""Flyway: ``V1.2__name.sql``, and ``U1.2__any_name.sql`` for its down part; any letter case.

Refinery has ``U3__name.sql`` as well, for what runs like V, though lower numbers may follow it.

``NAME.sql.conf`` beside a file says whether it runs in a transaction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_migration import from_files
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.model import Migration
    from pytest_bbmigrate.catalogue.names import FlywayName

CALLBACK = re.compile(r"(?:before|after|create)[A-Z][A-Za-z]*(?:__.*)?", re.DOTALL)
REFUSED = {
    "r": (
        "Flyway's repeatable migrations, which run again whenever they change, are not supported",
        "pass it over with bb_ignore = R__*.sql, or write it as a versioned one",
    ),
    "b": (
        "Flyway's baseline migrations are not supported",
        "pass it over with bb_ignore = B*__*.sql; bb_base = FILE is what the first one starts from",
    ),
}


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is named in Flyway's way, or a callback beside such files."""
    return entry.flyway is not None or _is_callback(entry)


def is_undo(entry: FolderEntry) -> bool:
    """Return whether ``entry`` is the down part of another entry."""
    is_u = entry.flyway is not None and entry.flyway.kind == "u"
    return is_u and not entry.siblings.has_unversioned


def read(entry: FolderEntry) -> Migration | None:
    """Return the migration, None for an undo file, which is read with its own.

    Raises: CatalogueError.
    """
    name = entry.flyway
    if name is None:
        raise fault(
            entry.path,
            "Flyway's callbacks, which run around other migrations, are not supported",
            f"pass it over with bb_ignore = {entry.path.name}",
        )
    if name.kind in REFUSED:
        raise fault(entry.path, *REFUSED[name.kind])
    partners = _of_version(entry, name)
    if is_undo(entry):
        if not any(partner.kind == "v" for _, partner in partners):
            shown = ".".join(map(str, name.version))
            to_refinery = " (refinery, whose U is no undo, runs it likewise)"
            remedy = f"write V{shown}__NAME.sql{to_refinery * (len(name.version) == 1)}"
            raise fault(entry.path, "an undo file without its version file", remedy)
        return None
    undos = [path for path, partner in partners if partner.kind == "u"]
    undos += entry.beside(".down.sql", ".rollback.sql")
    if len(undos) > 1:
        raise fault(
            entry.path,
            f"two down files, {undos[0].name} and {undos[1].name}",
            "leave one of them",
        )
    undo = undos[0] if undos else None
    return from_files(
        entry,
        entry.path,
        undo,
        may_be_empty=False,
        in_transaction=entry.settings_of(entry.path).in_transaction,
        down_in_transaction=undo is None or entry.settings_of(undo).in_transaction,
    )


def _is_callback(entry: FolderEntry) -> bool:
    """Return whether Flyway takes ``entry`` for what runs before or after others."""
    named = entry.ending == ".sql" and CALLBACK.fullmatch(entry.stem)
    return bool(named) and entry.siblings.has_flyway


def _of_version(entry: FolderEntry, name: FlywayName) -> list[tuple[Path, FlywayName]]:
    """Return the files beside ``entry`` of the version in ``name``."""
    return [
        (entry.path.with_name(sibling), other)
        for sibling, other in entry.siblings.of_version(name)
        if sibling != entry.path.name
    ]
