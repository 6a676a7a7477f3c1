"""Rows that are all kept under other keys; and tables whose rows only a rowid identifies."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.model import Renumbered
from pytest_bbmigrate.rows import Pairing, RowAdded, RowLost, ValueChanged, compare_rows
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.rows import Differences, Key, RowDifference
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.values import Cell

ROWID = "rowid"
FULL_TEXT = frozenset({"fts3", "fts4", "fts5"})
MAX_EQUAL_ROWS = 4  # rows with the same values in all columns but the key, on average
SHOWN = 5  # rows whose new keys are looked up
TOGETHER = 500  # conditions in one pair of brackets


def is_known_by_rowid(table: Table, schema: Schema) -> bool:
    """Return whether ``table`` is a full-text index whose rowid a view or trigger names.

    An index with content of its own has no column that could be a key. A join or a trigger on its
    rowid is how an app finds the row that an entry is for, so the rowids must stay.
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
    """Return the one column of the key that has other values, if the rows are otherwise the same.

    None when a row was lost, added or changed otherwise. If old and new keys overlap, the other
    columns must identify each row; otherwise the values may have changed instead.
    """
    if differences.recompute is not None:
        return None  # too many differences to be kept: they are not computed a second time
    for column in pairing.key:
        other_columns = tuple(pair for pair in pairing.columns if pair[0] != column)
        if not (differences and other_columns) or other_columns_differ(differences, column):
            continue
        without_key = Pairing(pairing.before, pairing.after, other_columns, ())
        if any(True for _ in compare_rows(db, without_key)):
            continue
        overlap = any(isinstance(difference, ValueChanged) for difference in differences)
        if not overlap or are_rows_distinct(db, without_key):
            return Renumbered(column, renumbered_values(db, pairing, column, differences))
    return None


def find_renumbered_beside_lost(
    db: sqlite3.Connection, pairing: Pairing, differences: Differences
) -> tuple[Renumbered, Pairing] | None:
    """Return the one column of the key that has other values in the rows that are left.

    With it, how rows are paired without that column: so compared, rows are lost and nothing else.
    None where that is not so, where the other columns do not tell rows apart, or where most rows
    behind the first that differs have the key that they had: then values of some have changed, and
    are now those of a row that is lost.
    """
    counts = dict.fromkeys((RowLost, RowAdded, ValueChanged), 0)
    for group in differences.groups:
        counts[group.kind] += group.count
    # New ids fill the gaps, and so some seem to be new rows.
    lost = counts[RowLost] - counts[RowAdded]
    if differences.recompute is not None or lost <= 0 or not counts[ValueChanged]:
        return None
    for place, column in enumerate(pairing.key):
        if not are_most_keys_others(db, pairing, differences, place):
            continue
        other_columns = tuple(pair for pair in pairing.columns if pair[0] != column)
        without_key = Pairing(pairing.before, pairing.after, other_columns, ())
        if not other_columns or not are_rows_distinct(db, without_key):
            continue
        rest = list(islice(compare_rows(db, without_key), lost + 1))
        if len(rest) == lost and all(isinstance(row, RowLost) for row in rest):
            values = renumbered_values(db, pairing, column, differences)
            return Renumbered(column, values), without_key
    return None


def are_most_keys_others(
    db: sqlite3.Connection, pairing: Pairing, differences: Iterable[RowDifference], place: int
) -> bool:
    """Return whether most rows from the first that differs on are not what they were by their key.

    Ids that are given out anew close the first gap, and every row behind it gets another one. It is
    asked of the column at ``place`` of the key where its values can be put in an order.
    """
    there = list(differences)
    first = lowest([difference.key[place] for difference in there])
    if first is None:
        return True
    column = quote_name(dict(pairing.columns)[pairing.key[place]])
    behind = f"SELECT count(*) FROM main.{quote_name(pairing.after)} WHERE {column} >= ?"
    others = {difference.key for difference in there if not isinstance(difference, RowLost)}
    return 2 * len(others) >= int(db.execute(behind, (first,)).fetchone()[0])


def lowest(cells: Sequence[Cell]) -> int | str | None:
    """Return the first of ``cells`` in their order, None where they are not all of one kind."""
    numbers = [cell for cell in cells if isinstance(cell, int)]
    texts = [cell for cell in cells if isinstance(cell, str) and is_utf8((cell,))]
    if len(numbers) == len(cells):
        return min(numbers, default=None)
    return min(texts) if len(texts) == len(cells) else None


def other_columns_differ(differences: Iterable[RowDifference], key: str) -> bool:
    """Return whether any column but ``key`` holds other values than before, in whatever order.

    Sums of hashes are enough for this, and cheap: they save comparing all rows a second time.
    """
    sums: dict[str, int] = {}
    for difference in differences:
        if isinstance(difference, ValueChanged):
            name = difference.column
            change = value_hash(difference.after) - value_hash(difference.before)
            sums[name] = sums.get(name, 0) + change
        else:
            sign = 1 if isinstance(difference, RowAdded) else -1
            for name, cell in difference.row.items():
                sums[name] = sums.get(name, 0) + sign * value_hash(cell)
    return any(total for name, total in sums.items() if name != key)


def value_hash(cell: Cell) -> int:
    """Return a hash in which 1, 1.0 and '1' differ."""
    return hash((type(cell), repr(cell)))


def are_rows_distinct(db: sqlite3.Connection, without_key: Pairing) -> bool:
    """Return whether the columns without the key tell the rows before apart well enough."""
    names = ", ".join(f"t.{quote_name(name)}" for name, _ in without_key.columns)
    source = f"FROM before.{quote_name(without_key.before)} AS t"
    distinct = f"SELECT count(*) FROM (SELECT DISTINCT {names} {source})"
    enough = f"SELECT ({distinct}) * {MAX_EQUAL_ROWS} > count(*) {source}"
    return bool(db.execute(enough).fetchone()[0])


def renumbered_values(
    db: sqlite3.Connection,
    pairing: Pairing,
    column: str,
    differences: Iterable[RowDifference],
) -> tuple[tuple[Cell, Cell], ...]:
    """Return (old, new) values of the key's ``column``, of the first few rows that differ."""
    new_column = quote_name(dict(pairing.columns)[column])
    same_values = all_hold(
        [
            f"b.{quote_name(old)} IS a.{quote_name(new)}"
            for old, new in pairing.columns
            if old != column
        ]
    )
    same_key = " AND ".join(f"b.{quote_name(name)} IS ?" for name in pairing.key)
    sql = (
        f"SELECT b.{quote_name(column)}, a.{new_column}"
        f" FROM before.{quote_name(pairing.before)} AS b"
        f" JOIN main.{quote_name(pairing.after)} AS a ON {same_values}"
        f" WHERE {same_key} LIMIT 1"
    )
    keys = (d.key for d in differences if not isinstance(d, RowAdded) and is_utf8(d.key))
    first_keys = islice(dict.fromkeys(islice(keys, SHOWN * len(pairing.columns))), SHOWN)
    old_by_new: dict[Cell, Cell] = {}  # equal rows find the same new value
    for key in first_keys:
        for old_value, new_value in db.execute(sql, key).fetchall():
            old_by_new.setdefault(new_value, old_value)
    return tuple((old_value, new_value) for new_value, old_value in old_by_new.items())


def all_hold(conditions: Sequence[str]) -> str:
    """Return SQL for that all ``conditions`` hold, of which there are as many as columns.

    In groups: each AND after another is a level of its own, of which SQLite takes 1,000.
    """
    groups = range(0, len(conditions), TOGETHER)
    return " AND ".join(f"({' AND '.join(conditions[at : at + TOGETHER])})" for at in groups)


def is_utf8(key: Key) -> bool:
    """Return whether SQLite can look up ``key``: it takes no text that is not UTF-8."""
    try:
        "".join(cell for cell in key if isinstance(cell, str)).encode()
    except UnicodeEncodeError:
        return False
    return True
