"""SQL with dbmate's markers: ``-- migrate:up [transaction:false]`` and ``-- migrate:down``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.forms.down_file import refuse_down_file_beside
from pytest_bbmigrate.catalogue.markers import check_one_dialect, cut
from pytest_bbmigrate.catalogue.sql_migration import from_halves
from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue.files import FolderEntry
    from pytest_bbmigrate.catalogue.markers import Marker
    from pytest_bbmigrate.catalogue.model import Migration

UP = "-- migrate:up"
DOWN = "-- migrate:down"
OPTIONS = {"transaction:true": True, "transaction:false": False}


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` has one of dbmate's markers."""
    return any(marker.dialect == "dbmate" for marker in entry.markers)


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    markers = entry.markers
    check_one_dialect(entry.path, markers)
    refuse_down_file_beside(entry)
    for marker in markers:
        _check(entry, marker)
    up = [marker for marker in markers if marker.words[0] == "up"]
    down = [marker for marker in markers if marker.words[0] == "down"]
    return from_halves(
        entry,
        cut(entry.path, entry.text, up, down, UP),
        up_in_transaction=_in_transaction(up),
        down_in_transaction=_in_transaction(down),
    )


def _check(entry: FolderEntry, marker: Marker) -> None:
    """Raise CatalogueError for a marker that dbmate would pass over in silence."""
    direction, *options = marker.words
    if direction not in ("up", "down"):
        raise fault(
            entry.path,
            f"'migrate:{direction}' is not a marker",
            f"write `{UP}` or `{DOWN}`",
            marker.line,
        )
    for option in options:
        if option not in OPTIONS:
            raise fault(
                entry.path,
                f"'{option}' is not an option of a marker",
                f"write `-- migrate:{direction} transaction:false`, or nothing after the marker",
                marker.line,
            )


def _in_transaction(markers: Sequence[Marker]) -> bool:
    return all(OPTIONS[option] for marker in markers for option in marker.words[1:])
