"""Exact comparison of rows: by key as two sorted streams, without one as a multiset."""

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
from pytest_bbmigrate.rows.sql_prefilter import changed_columns, count_changed, rows_changed
from pytest_bbmigrate.sql import quote_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from pytest_bbmigrate.rows.merging import Group
    from pytest_bbmigrate.rows.model import Key, Pairing, Row, RowConditions, RowDifference
    from pytest_bbmigrate.sql.values import Cell

MAX_CANDIDATES = 100  # rows of one key among which the nearest is looked for


def compare_rows(
    db: sqlite3.Connection, pairing: Pairing, question: RowConditions | None = None
) -> Iterator[RowDifference]:
    """Yield every difference, ``db`` being made by ``database.open_contents``.

    With a key, both sides are read in its order, and what is held in memory is bounded, as long as
    few rows share a key. Without one, what differs is held. There, a lost and an added row that
    share a rowid and at least half of their cells are given as changed values, with the rowid as
    key. Where there is a ``question``, each difference tells the conditions that the row before
    met.
    """
    if not pairing.key:
        yield from _compare_bags(db, pairing, question)
        return
    narrow = changed_columns(db, pairing)
    if narrow.changed is None:
        yield from _compare_keyed(db, narrow.pairing, question)
    elif narrow.changed:
        for key, row, new_row, met in rows_changed(db, narrow, question):
            yield from _changed(narrow.pairing, key, row, new_row, met)


def summarize_rows(
    db: sqlite3.Connection,
    pairing: Pairing,
    question: RowConditions | None,
    again: Callable[[], Iterator[RowDifference]],
) -> Differences:
    """Return what ``compare_rows`` yields, of which little is kept; ``again`` yields it anew.

    Where every row kept its key and is asked nothing, SQLite counts what changed.
    """
    if pairing.key and question is None:
        narrow = changed_columns(db, pairing)
        if narrow.changed is not None:
            return Differences(count_changed(db, narrow), (), again)
        return summarize(_compare_keyed(db, narrow.pairing, None), again)
    return summarize(compare_rows(db, pairing, question), again)


def _compare_keyed(
    db: sqlite3.Connection, pairing: Pairing, question: RowConditions | None
) -> Iterator[RowDifference]:
    """Yield what differs between two tables whose rows are told apart by a key.

    Rows that came are told after those around them that went or changed.
    """
    sides = (Side(db, pairing, BEFORE, question), Side(db, pairing, AFTER, question))
    added: list[RowDifference] = []
    for group in merge(db, sides, key_positions(pairing)):
        if isinstance(group, PairedRows):
            for key, row, new_row, met in group.rows:
                yield from _changed(pairing, key, row, new_row, met)
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
    """Return how many rows ``table`` holds."""
    sql = f"SELECT count(*) FROM {quote_name(schema)}.{quote_name(table)}"
    return int(plain_cursor(db, sql).fetchone()[0])


def _pair_group(pairing: Pairing, group: Group) -> Iterator[RowDifference]:
    """Yield what differs among rows whose keys sort as one."""
    if len(group.before) == 1 and len(group.after) == 1:
        ((key, row, met),), ((other_key, new_row, _),) = group.before, group.after
        if exact_bytes(key) == exact_bytes(other_key):
            yield from _changed(pairing, key, row, new_row, met)
            return
    by_key: dict[bytes, tuple[Key, list[tuple[Row, frozenset[str]]], list[Row]]] = {}
    for key, row, met in group.before:
        by_key.setdefault(exact_bytes(key), (key, [], []))[1].append((row, met))
    for key, row, _ in group.after:
        by_key.setdefault(exact_bytes(key), (key, [], []))[2].append(row)
    for key, before, after in by_key.values():
        yield from _pair_nearest(pairing, key, before, after)


def _pair_nearest(
    pairing: Pairing, key: Key, before: Iterable[tuple[Row, frozenset[str]]], after: list[Row]
) -> Iterator[RowDifference]:
    """Yield what differs in rows of one key, those that share most cells taken together.

    A key can be there more than once: when it holds NULL, or when its constraint is gone.
    """
    gone = []
    for row, met in before:
        if after:
            yield from _changed(pairing, key, row, after.pop(_nearest(row, after)), met)
        else:
            gone.append(_lost(pairing, key, row, met))
    yield from gone
    yield from (_added(pairing, key, row) for row in after)


def _nearest(row: Row, rows: Iterable[Row]) -> int:
    """Return the place of the row that shares most cells with ``row``, among the first ones."""
    shared = [_shared_cells(row, other) for other in islice(rows, MAX_CANDIDATES)]
    return shared.index(max(shared))


def _shared_cells(one: Row, other: Row) -> int:
    return sum(map(same_cell, one, other))


def _compare_bags(
    db: sqlite3.Connection, pairing: Pairing, question: RowConditions | None
) -> Iterator[RowDifference]:
    """Yield what differs between two tables as multisets of rows."""
    sides = (Side(db, pairing, BEFORE, question), Side(db, pairing, AFTER, question))
    met: dict[bytes, frozenset[str]] = {}
    left = _left_over(*sides, met)
    lost = {row: count for row, count in left.items() if count > 0}
    added = {row: -count for row, count in left.items() if count < 0}
    if lost and added:
        yield from _pair_by_rowid(pairing, sides, lost, added)
    for row, count in lost.items():
        for _ in range(count):
            yield _lost(pairing, (), _row(row), met.get(row, NO_CONDITION))
    for row, count in added.items():
        for _ in range(count):
            yield _added(pairing, (), _row(row))


def _left_over(before: Side, after: Side, met: dict[bytes, frozenset[str]]) -> dict[bytes, int]:
    """Return the rows without a counterpart: exact bytes to how many, below 0 for those after.

    Chunks that are the same are done with at once; of the others, what has met its counterpart is
    forgotten, so that memory holds no more than what differs or stands elsewhere. ``met`` is given
    the conditions that rows before meet.
    """
    left: dict[bytes, int] = {}
    nothing: list[Row] = []
    for mine, theirs in zip_longest(before.chunks(), after.chunks(), fillvalue=nothing):
        own = [row[: before.width] for row in mine] if before.conditions else mine
        if exact_bytes(own) == exact_bytes(theirs):
            continue
        for row, cells in zip(mine, own, strict=True):
            known = exact_bytes(cells)
            _count(left, known, 1)
            if before.conditions:
                met[known] = met.get(known, NO_CONDITION) | before.met(row)
        for row in theirs:
            _count(left, exact_bytes(row), -1)
    return left


def _count(counts: dict[bytes, int], row: bytes, step: int) -> None:
    count = counts.get(row, 0) + step
    if count:
        counts[row] = count
    else:
        counts.pop(row, None)


def _row(known: bytes) -> Row:
    row: Row = marshal.loads(known)  # noqa: S302 (bytes that exact() made a moment ago)
    return row


def _pair_by_rowid(
    pairing: Pairing, sides: tuple[Side, Side], lost: dict[bytes, int], added: dict[bytes, int]
) -> Iterator[RowDifference]:
    """Yield as changed what shares a rowid and half of its cells, and take it from both counts."""
    before, after = _by_rowid(sides[BEFORE], lost), _by_rowid(sides[AFTER], added)
    for rowid, (known, met) in before.items():
        became, _ = after.get(rowid, (b"", NO_CONDITION))
        if known not in lost or became not in added:
            continue
        row, new_row = _row(known), _row(became)
        if 2 * _shared_cells(row, new_row) >= len(row):
            _count(lost, known, -1)
            _count(added, became, -1)
            yield from _changed(pairing, (rowid,), row, new_row, met)


def _by_rowid(side: Side, wanted: Collection[bytes]) -> dict[int, tuple[bytes, frozenset[str]]]:
    """Return rowid to row, and what it meets, of those rows that are ``wanted``.

    Nothing when there is no rowid. It is read apart, for a result may not have more columns than a
    table.
    """
    name = side.rowid_name()
    if name is None:
        return {}
    found = {}
    rowid = side.qualified(name)
    numbers = plain_cursor(side.db, side.select_only(rowid) + in_order([rowid]))
    for (number,), row in zip(numbers, side.rows_by(rowid), strict=True):
        known = exact_bytes(row[: side.width])
        if known in wanted:
            found[number] = known, side.met(row)
    return found


def _changed(
    pairing: Pairing, key: Key, row: Row, became: Row, met: frozenset[str]
) -> Iterator[RowDifference]:
    for (name, _), cell, new_cell in zip(pairing.columns, row, became, strict=True):
        if not same_cell(cell, new_cell):
            yield ValueChanged(pairing.before, key, name, cell, new_cell, met)


def _lost(pairing: Pairing, key: Key, row: Row, met: frozenset[str]) -> RowLost:
    return RowLost(pairing.before, key, _named(pairing, row), met)


def _added(pairing: Pairing, key: Key, row: Row) -> RowAdded:
    return RowAdded(pairing.before, key, _named(pairing, row))


def _named(pairing: Pairing, row: Row) -> Mapping[str, Cell]:
    """Return the cells of a row by the names of their columns before; {} where none is compared."""
    return {name: cell for (name, _), cell in zip(pairing.columns, row, strict=False)}
