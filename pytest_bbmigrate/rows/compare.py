"""Compare rows exactly: with a key as two sorted streams, without one as multisets."""

from __future__ import annotations

import marshal
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.differences import Differences, summarize
from pytest_bbmigrate.rows.merging import PairedRows, merge
from pytest_bbmigrate.rows.model import NO_CONDITION, RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.rows.reading import (
    AFTER,
    BEFORE,
    CHUNK,
    Side,
    exact_bytes,
    in_order,
    key_positions,
    plain_cursor,
)
from pytest_bbmigrate.rows.sql_prefilter import (
    are_same,
    changed_columns,
    changed_rows,
    count_changed,
)
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pytest_bbmigrate.rows.merging import Group
    from pytest_bbmigrate.rows.model import Key, Pairing, Row, RowConditions, RowDifference
    from pytest_bbmigrate.sql.values import Cell

MAX_CANDIDATES = 100  # rows of one key among which the most similar one is looked for


def compare_rows(
    db: sqlite3.Connection, pairing: Pairing, conditions: RowConditions | None = None
) -> Iterator[RowDifference]:
    """Yield every difference; ``db`` is made by ``open_contents``.

    With a key, both sides are read in its order; memory is bounded, as long as few rows share a
    key. Without one, all rows that differ are in memory. Then a lost and an added row that share a
    rowid and at least half of their cells are yielded as changed values, with the rowid as key.
    With ``conditions``, each difference has those that the row before satisfied.
    """
    if not pairing.key:
        yield from _compare_bags(db, pairing, conditions)
        return
    if are_same(db, pairing):
        return
    narrow = changed_columns(db, pairing)
    if narrow.changed is None:
        yield from _compare_keyed(db, narrow.pairing, conditions)
    elif narrow.changed:
        for key, row, new_row, satisfied in changed_rows(db, narrow, conditions):
            yield from _changed(narrow.pairing, key, row, new_row, satisfied)


def summarize_rows(
    db: sqlite3.Connection,
    pairing: Pairing,
    conditions: RowConditions | None,
    recompute: Callable[[], Iterator[RowDifference]],
) -> Differences:
    """Return what ``compare_rows`` yields in groups; ``recompute`` yields all of it again.

    Where every row kept its key and there are no conditions, SQLite itself counts the changes.
    """
    if pairing.key and conditions is None:
        narrow = changed_columns(db, pairing)
        if narrow.changed is not None:
            return Differences(count_changed(db, narrow), (), recompute)
        return summarize(_compare_keyed(db, narrow.pairing, None), recompute)
    return summarize(compare_rows(db, pairing, conditions), recompute)


def _compare_keyed(
    db: sqlite3.Connection, pairing: Pairing, conditions: RowConditions | None
) -> Iterator[RowDifference]:
    """Yield what differs between two tables whose rows are identified by a key.

    Added rows are yielded after the lost and changed ones of the same window.
    """
    sides = (Side(db, pairing, BEFORE, conditions), Side(db, pairing, AFTER, conditions))
    added: list[RowDifference] = []
    for group in merge(db, sides, key_positions(pairing)):
        if isinstance(group, PairedRows):
            for key, row, new_row, satisfied in group.rows:
                yield from _changed(pairing, key, row, new_row, satisfied)
            continue
        for difference in _pair_group(pairing, group):
            if isinstance(difference, RowAdded):
                added.append(difference)
            else:
                yield difference
        if added and (group.ends_window or len(added) >= CHUNK):
            yield from added
            added.clear()
    yield from added


def same_cell(one: Cell, other: Cell) -> bool:
    """Return whether two cells are the same in type and every bit (-0.0 is not 0.0)."""
    if type(one) is not type(other) or one != other:
        return False
    return type(one) is not float or exact_bytes(one) == exact_bytes(other)


def count_rows(db: sqlite3.Connection, table: str, *, schema: str = "main") -> int:
    """Return how many rows ``table`` has."""
    sql = f"SELECT count(*) FROM {quote_name(schema)}.{quote_name(table)}"
    return int(plain_cursor(db, sql).fetchone()[0])


def _pair_group(pairing: Pairing, group: Group) -> Iterator[RowDifference]:
    """Yield what differs among rows whose keys sort as equal; 1 and 1.0 do."""
    if len(group.before) == 1 and len(group.after) == 1:
        ((key, row, satisfied),), ((other_key, new_row, _),) = group.before, group.after
        if exact_bytes(key) == exact_bytes(other_key):
            yield from _changed(pairing, key, row, new_row, satisfied)
            return
    by_key: dict[bytes, tuple[Key, list[tuple[Row, frozenset[str]]], list[Row]]] = {}
    for key, row, satisfied in group.before:
        by_key.setdefault(exact_bytes(key), (key, [], []))[1].append((row, satisfied))
    for key, row, _ in group.after:
        by_key.setdefault(exact_bytes(key), (key, [], []))[2].append(row)
    for key, before, after in by_key.values():
        yield from _pair_nearest(pairing, key, before, after)


def _pair_nearest(
    pairing: Pairing, key: Key, before: Iterable[tuple[Row, frozenset[str]]], after: list[Row]
) -> Iterator[RowDifference]:
    """Yield what differs in rows of one key, each paired with the one that shares most cells.

    A key can occur more than once if it holds NULL, or if its constraint is gone.
    """
    lost = []
    for row, satisfied in before:
        if after:
            yield from _changed(pairing, key, row, after.pop(_nearest(row, after)), satisfied)
        else:
            lost.append(_lost(pairing, key, row, satisfied))
    yield from lost
    yield from (_added(pairing, key, row) for row in after)


def _nearest(row: Row, rows: Iterable[Row]) -> int:
    """Return the index of the row that shares most cells with ``row``, among the first ones."""
    shared = [_shared_cells(row, other) for other in islice(rows, MAX_CANDIDATES)]
    return shared.index(max(shared))


def _shared_cells(one: Row, other: Row) -> int:
    return sum(map(same_cell, one, other))


def _compare_bags(
    db: sqlite3.Connection, pairing: Pairing, conditions: RowConditions | None
) -> Iterator[RowDifference]:
    """Yield what differs between two tables as multisets of rows."""
    sides = (Side(db, pairing, BEFORE, conditions), Side(db, pairing, AFTER, conditions))
    satisfied: dict[bytes, frozenset[str]] = {}
    unmatched = _unmatched_rows(*sides, satisfied)
    lost = {row: count for row, count in unmatched.items() if count > 0}
    added = {row: -count for row, count in unmatched.items() if count < 0}
    if lost and added and pairing.by_rowid:
        yield from _pair_by_rowid(pairing, sides, lost, added)
    for row, count in lost.items():
        for _ in range(count):
            yield _lost(pairing, (), _row(row), satisfied.get(row, NO_CONDITION))
    for row, count in added.items():
        for _ in range(count):
            yield _added(pairing, (), _row(row))


def _unmatched_rows(
    before: Side, after: Side, satisfied: dict[bytes, frozenset[str]]
) -> dict[bytes, int]:
    """Return the rows without a counterpart: exact bytes to a count, negative for rows after.

    Chunks that are the same are skipped. Of the others, pairs are dropped as soon as both rows are
    read, so that memory holds no more than what differs or stands elsewhere. ``satisfied`` is
    filled with the conditions that rows before satisfy.
    """
    unmatched: dict[bytes, int] = {}
    nothing: list[Row] = []
    for chunk, chunk_after in zip_longest(before.chunks(), after.chunks(), fillvalue=nothing):
        cells_only = [row[: before.width] for row in chunk] if before.conditions else chunk
        if exact_bytes(cells_only) == exact_bytes(chunk_after):
            continue
        for row, cells in zip(chunk, cells_only, strict=True):
            row_bytes = exact_bytes(cells)
            _count(unmatched, row_bytes, 1)
            if before.conditions:
                earlier = satisfied.get(row_bytes, NO_CONDITION)
                satisfied[row_bytes] = earlier | before.satisfied(row)
        for row in chunk_after:
            _count(unmatched, exact_bytes(row), -1)
    return unmatched


def _count(counts: dict[bytes, int], row: bytes, step: int) -> None:
    count = counts.get(row, 0) + step
    if count:
        counts[row] = count
    else:
        counts.pop(row, None)


def _row(row_bytes: bytes) -> Row:
    row: Row = marshal.loads(row_bytes)  # noqa: S302 - exact_bytes() made them in this process
    return row


def _pair_by_rowid(
    pairing: Pairing, sides: tuple[Side, Side], lost: dict[bytes, int], added: dict[bytes, int]
) -> Iterator[RowDifference]:
    """Yield as changed rows that share a rowid and half of their cells; remove them from counts."""
    before, after = _by_rowid(sides[BEFORE], lost), _by_rowid(sides[AFTER], added)
    for rowid, (row_bytes, satisfied) in before.items():
        new_row_bytes, _ = after.get(rowid, (b"", NO_CONDITION))
        if row_bytes not in lost or new_row_bytes not in added:
            continue
        row, new_row = _row(row_bytes), _row(new_row_bytes)
        if 2 * _shared_cells(row, new_row) >= len(row):
            _count(lost, row_bytes, -1)
            _count(added, new_row_bytes, -1)
            yield from _changed(pairing, (rowid,), row, new_row, satisfied)


def _by_rowid(side: Side, wanted: Collection[bytes]) -> dict[int, tuple[bytes, frozenset[str]]]:
    """Return, by rowid, those rows that are ``wanted``, each with the conditions it satisfies.

    {} when the table has no rowid. Rowids are read by a second query, because a result may not have
    more columns than a table.
    """
    name = side.rowid_name()
    if name is None:
        return {}
    rows = {}
    rowid = side.qualified(name)
    numbers = plain_cursor(side.db, side.select_only(rowid) + in_order([rowid]))
    for (number,), row in zip(numbers, side.rows_by(rowid), strict=True):
        row_bytes = exact_bytes(row[: side.width])
        if row_bytes in wanted:
            rows[number] = row_bytes, side.satisfied(row)
    return rows


def _changed(
    pairing: Pairing, key: Key, row: Row, new_row: Row, satisfied: frozenset[str]
) -> Iterator[RowDifference]:
    for (name, _), cell, new_cell in zip(pairing.columns, row, new_row, strict=True):
        if not same_cell(cell, new_cell):
            yield ValueChanged(pairing.before, key, name, cell, new_cell, satisfied)


def _lost(pairing: Pairing, key: Key, row: Row, satisfied: frozenset[str]) -> RowLost:
    return RowLost(pairing.before, key, _named(pairing, row), satisfied)


def _added(pairing: Pairing, key: Key, row: Row) -> RowAdded:
    return RowAdded(pairing.before, key, _named(pairing, row))


def _named(pairing: Pairing, row: Row) -> Mapping[str, Cell]:
    """Return the cells of a row by the names of columns before; {} if none are compared."""
    return {name: cell for (name, _), cell in zip(pairing.columns, row, strict=False)}
