"""SQL with goose's markers: ``-- +goose Up``, ``-- +goose Down``, in any letter case.

StatementBegin and StatementEnd are checked, and otherwise ignored: statements are split without
them. NO TRANSACTION is for the whole file.
"""

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
    from pytest_bbmigrate.errors import CatalogueError

UP = ("up",)
DOWN = ("down",)
BEGIN = ("statementbegin",)
END = ("statementend",)
NO_TRANSACTION = ("no", "transaction")


def claims(entry: FolderEntry) -> bool:
    """Return whether ``entry`` has one of goose's markers."""
    return any(marker.dialect == "goose" for marker in entry.markers)


def read(entry: FolderEntry) -> Migration:
    """Return the migration. Raises: CatalogueError."""
    markers = entry.markers
    check_one_dialect(entry.path, markers)
    refuse_down_file_beside(entry)
    for marker in markers:
        _check(entry, marker)
    _check_blocks(entry, [marker for marker in markers if marker.words != NO_TRANSACTION])
    up = [marker for marker in markers if marker.words == UP]
    down = [marker for marker in markers if marker.words == DOWN]
    in_transaction = all(marker.words != NO_TRANSACTION for marker in markers)
    return from_halves(
        entry,
        cut(entry.path, entry.text, up, down, "-- +goose Up"),
        up_in_transaction=in_transaction,
        down_in_transaction=in_transaction,
    )


def _check(entry: FolderEntry, marker: Marker) -> None:
    if marker.words[:1] == ("envsub",):
        raise fault(
            entry.path,
            "goose's ENVSUB, which puts environment variables into the SQL, is not supported",
            "write the values themselves and leave the line out",
            marker.line,
        )
    if marker.words not in (UP, DOWN, BEGIN, END, NO_TRANSACTION):
        raise fault(
            entry.path,
            f"'+goose {' '.join(marker.words)}' is not a marker",
            "write Up, Down, StatementBegin, StatementEnd or NO TRANSACTION after +goose",
            marker.line,
        )


def _check_blocks(entry: FolderEntry, markers: Sequence[Marker]) -> None:
    """Raise CatalogueError unless each StatementBegin is followed by its StatementEnd."""
    opened: Marker | None = None
    for marker in markers:
        if (marker.words == END) != (opened is not None):
            raise _unmatched(entry, opened or marker)
        opened = marker if marker.words == BEGIN else None
    if opened:
        raise _unmatched(entry, opened)


def _unmatched(entry: FolderEntry, marker: Marker) -> CatalogueError:
    return fault(
        entry.path,
        "StatementBegin and StatementEnd do not match",
        "write one `-- +goose StatementEnd` below each `-- +goose StatementBegin`",
        marker.line,
    )
