"""``NAME.sql.conf``, in which Flyway keeps the settings of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pytest_bbmigrate.catalogue.sources import Sources

IN_TRANSACTION, REPLACES = "executeInTransaction", "placeholderReplacement"
BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class FileSettings:
    """Whether a file runs in a transaction, and whether ``${name}`` in it is a placeholder."""

    in_transaction: bool = True
    replaces_placeholders: bool = True


def file_settings(path: Path, siblings: Collection[str], sources: Sources) -> FileSettings:
    """Return the settings of the file ``path``, which has ``siblings`` in its folder.

    Raises: CatalogueError with each line that is not understood.
    """
    settings = path.with_name(f"{path.name}.conf")
    if settings.name not in siblings:
        return FileSettings()
    problems: list[Problem] = []
    found = dict(_lines(settings, sources.text(settings), problems))
    if problems:
        raise CatalogueError(problems)
    return FileSettings(found.get(IN_TRANSACTION, True), found.get(REPLACES, True))


def _lines(path: Path, text: str, problems: list[Problem]) -> Iterator[tuple[str, bool]]:
    for number, line in enumerate(text.splitlines(), 1):
        name, _, value = (part.strip() for part in line.partition("="))
        if not line.strip() or name.startswith(("#", "!")):
            continue
        if name in (IN_TRANSACTION, REPLACES) and value.lower() in BOOLEANS:
            yield name, BOOLEANS[value.lower()]
            continue
        remedy = f"write {IN_TRANSACTION} or {REPLACES} = true or false"
        problems.append(Problem(path, number, "a setting that is not understood", remedy))
