"""A list of all migrations in their order: the file that bb_order names, or drizzle's journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sources import Sources
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

JOURNAL = "meta/_journal.json"


@dataclass(frozen=True)
class Listing:
    """The names, or files, of all migrations in their order, as (line, name), from ``path``.

    The line counts from 1; None where it is not known.
    """

    path: Path
    names: tuple[tuple[int | None, str], ...]


def read_order(path: Path) -> tuple[str, ...]:
    """Return the lines of a file that lists migrations. Raises: CatalogueError."""
    return tuple(Sources().text(path).splitlines())


def listing_of(path: Path, lines: Iterable[str]) -> Listing:
    """Return the list that is a name a line; empty lines and comments (#) are left out."""
    stripped = ((number, line.strip()) for number, line in enumerate(lines, 1))
    return Listing(
        path, tuple((number, name) for number, name in stripped if name and name[0] != "#")
    )


def read_journal(folder: Path, sources: Sources) -> Listing | None:
    """Return what drizzle's journal in ``folder`` lists, None where there is none.

    Raises: CatalogueError when it is not such a journal.
    """
    path = folder / JOURNAL
    if not path.is_file():
        return None
    try:
        entries = json.loads(sources.text(path))["entries"]
        tags = [entry["tag"] for entry in entries]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_journal(path) from error
    if not all(isinstance(tag, str) for tag in tags):
        raise _no_journal(path)
    return Listing(path, tuple((None, tag) for tag in tags))


def _no_journal(path: Path) -> Exception:
    return fault(
        path,
        "this is not drizzle's journal, a JSON object whose entries have a tag each",
        "have drizzle-kit write it again, or name the order with bb_order",
    )
