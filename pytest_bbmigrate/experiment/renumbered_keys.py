"""Rows that are all there, under other keys; and rows that are known by nothing but a rowid."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import Renumbered
from pytest_bbmigrate.rows import Pairing, RowAdded, ValueChanged, compare_rows
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pytest_bbmigrate.rows import Differences, Key, RowDifference
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.values import Cell

ROWID = "rowid"
FULL_TEXT = frozenset({"fts3", "fts4", "fts5"})
ALIKE = 4  # rows of one kind, on an average, at most
SHOWN = 5  # rows whose new keys are looked up


def is_known_by_rowid(table: Table, schema: Schema) -> bool:
    """Return whether a view or trigger tells the rows of ``table`` by its rowid alone.

    That is so of a full-text index with content of its own: there is no column in it that could
    be a key, and a join or a trigger that names the rowid is how an app finds the row it is for.
    """
    if table.virtual is None or table.virtual[0] not in FULL_TEXT or "content" in table.virtual:
        return False
    names = {fold_name(table.name), ROWID}
    statements = [item.tokens for item in schema.views]
    statements += [item.tokens for item in schema.triggers]
    return any(names <= set(tokens) for tokens in statements)


def find_renumbered(
    db: sqlite3.Connection, pairing: Pairing, differences: Differences
) -> Renumbered | None:
    """Return in which column of the key the rows differ, where they do in that one alone.

    None where any row was lost, added or changed otherwise. Where rows stand under keys that others
    had, what they hold must tell them apart: else it may be their values that changed. None too
    where there are too many differences to be kept: they are not gone through once more.
    """
    if differences.recompute is not None:
        return None
    for column in pairing.key:
        others = tuple(pair for pair in pairing.columns if pair[0] != column)
        if not (differences and others) or drifts(differences, column):
            continue
        rest = Pairing(pairing.before, pairing.after, others, ())
        if any(True for _ in compare_rows(db, rest)):
            continue
        if not any(isinstance(d, ValueChanged) for d in differences) or tells_apart(db, rest):
            return Renumbered(column, moved(db, pairing, column, differences))
    return None


def drifts(differences: Iterable[RowDifference], key: str) -> bool:
    """Return whether any column but ``key`` holds other values than before, all in all.

    The order of values does not matter: a quick look, before all rows are compared once more.
    """
    sums: dict[str, int] = {}
    for difference in differences:
        if isinstance(difference, ValueChanged):
            name = difference.column
            sums[name] = sums.get(name, 0) + weight(difference.after) - weight(difference.before)
        else:
            sign = 1 if isinstance(difference, RowAdded) else -1
            for name, cell in difference.row.items():
                sums[name] = sums.get(name, 0) + sign * weight(cell)
    return any(total for name, total in sums.items() if name != key)


def weight(cell: Cell) -> int:
    """Return a number for a value, another one for any other value, but by chance."""
    return hash((type(cell), repr(cell)))


def tells_apart(db: sqlite3.Connection, rest: Pairing) -> bool:
    """Return whether the rows before are of many kinds, by the columns of ``rest``."""
    names = ", ".join(f"t.{quote_name(name)}" for name, _ in rest.columns)
    source = f"FROM before.{quote_name(rest.before)} AS t"
    kinds = f"SELECT count(*) FROM (SELECT DISTINCT {names} {source})"
    return bool(db.execute(f"SELECT ({kinds}) * {ALIKE} > count(*) {source}").fetchone()[0])


def moved(
    db: sqlite3.Connection,
    pairing: Pairing,
    column: str,
    differences: Iterable[RowDifference],
) -> tuple[tuple[Cell, Cell], ...]:
    """Return old and new value of a key's ``column`` in the first few rows that differ."""
    new = quote_name(dict(pairing.columns)[column])
    same = " AND ".join(
        f"b.{quote_name(one)} IS a.{quote_name(other)}"
        for one, other in pairing.columns
        if one != column
    )
    known = " AND ".join(f"b.{quote_name(name)} IS ?" for name in pairing.key)
    sql = (
        f"SELECT b.{quote_name(column)}, a.{new} FROM before.{quote_name(pairing.before)} AS b"
        f" JOIN main.{quote_name(pairing.after)} AS a ON {same} WHERE {known} LIMIT 1"
    )
    keys = (d.key for d in differences if not isinstance(d, RowAdded) and is_text(d.key))
    first = islice(dict.fromkeys(islice(keys, SHOWN * len(pairing.columns))), SHOWN)
    found: dict[Cell, Cell] = {}  # by the new value: rows may be alike
    for key in first:
        for was, now in db.execute(sql, key).fetchall():
            found.setdefault(now, was)
    return tuple((was, now) for now, was in found.items())


def is_text(key: Key) -> bool:
    """Return whether SQLite can be asked for ``key``: it takes no text that is not UTF-8."""
    try:
        "".join(cell for cell in key if isinstance(cell, str)).encode()
    except UnicodeEncodeError:
        return False
    return True
