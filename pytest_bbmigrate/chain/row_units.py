"""Which rows refer to which, and which of them are to be tried together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.experiment.references import missing_part
from pytest_bbmigrate.seeding.filling.queries import row_key, select
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import same_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.schema import ForeignKey, Schema, Table
    from pytest_bbmigrate.seeding.filling.queries import Key

Row = tuple[int, "Key"]  # of which of the tables, and its key
Unit = list[Row]


class Connected(NamedTuple):
    """The ``parents`` that each row refers to, of the rows looked at, and these in ``units``.

    A row stands in one unit with its first child by each foreign key, for a migration may ask for
    one; more would have all children of a parent in one unit. A parent comes before its child, and
    as far as may be the unit that a row refers to before the row's own.
    """

    parents: Mapping[Row, tuple[Row, ...]]
    units: list[Unit]


def connect(
    db: sqlite3.Connection, schema: Schema, tables: Sequence[Table], rows: Sequence[Row]
) -> Connected:
    """Return how ``rows`` of ``tables``, of which parents come first, are connected."""
    known = frozenset(rows)
    parents: dict[Row, list[Row]] = {}
    unit_of: dict[Row, Unit] = {row: [row] for row in rows}
    for key, pairs in references_between(db, schema, tables):
        has_child: set[Row] = set()
        for child, parent in pairs:
            if child == parent or not known.issuperset((child, parent)):
                continue
            parents.setdefault(child, []).append(parent)
            if parent not in has_child and not is_to_itself(key, child, parent):
                join(unit_of, child, parent)
                has_child.add(parent)
    place = {row: number for number, row in enumerate(rows)}
    units = {id(unit): sorted(unit, key=place.__getitem__) for unit in unit_of.values()}
    in_order = sorted(
        units.values(), key=lambda unit: (unit[-1][0], unit[0][0], place[unit[0]])
    )  # those of parents alone first
    return Connected({row: tuple(found) for row, found in parents.items()}, in_order)


def is_to_itself(key: ForeignKey, child: Row, parent: Row) -> bool:
    """Return whether a table refers to itself by ``key``: a tree of rows is no unit."""
    return bool(key.columns) and child[0] == parent[0]


def join(unit_of: dict[Row, Unit], one: Row, other: Row) -> None:
    """Have the units of two rows be one."""
    kept, added = unit_of[one], unit_of[other]
    if kept is added:
        return
    if len(kept) < len(added):
        kept, added = added, kept
    kept += added
    for row in added:
        unit_of[row] = kept


def references_between(
    db: sqlite3.Connection, schema: Schema, tables: Sequence[Table]
) -> Iterator[tuple[ForeignKey, list[tuple[Row, Row]]]]:
    """Yield each foreign key between ``tables``, with the (child, parent) rows that it connects."""
    for number, table in enumerate(tables):
        for key in table.foreign_keys:
            place = next(
                (at for at, each in enumerate(tables) if same_name(each.name, key.parent)), None
            )
            if place is None or missing_part(schema, key):
                continue
            own, theirs = row_key(table), row_key(tables[place])
            same = " AND ".join(
                f"p.{quote_name(wanted)} = +c.{quote_name(column)}"
                for column, wanted in zip(key.columns, key.parent_columns, strict=True)
            )
            names = ", ".join((*prefixed("c", own), *prefixed("p", theirs)))
            found = select(
                db,
                f"SELECT {names} FROM main.{quote_name(table.name)} AS c"
                f" JOIN main.{quote_name(key.parent)} AS p ON {same} ORDER BY {names}",
            )
            width = len(own)
            yield key, [((number, row[:width]), (place, row[width:])) for row in found]


def prefixed(name: str, columns: Iterable[str]) -> Iterator[str]:
    """Yield ``columns`` (quoted) with ``name`` before them."""
    return (f"{name}.{column}" for column in columns)
