"""Exact comparison of rows, chunk by chunk, and of what is left over row by row."""

from __future__ import annotations

import marshal
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.model import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.statements import quote_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pytest_bbmigrate.rows.model import Cell, Key, Pairing, Row, RowDifference

BEFORE, AFTER = 0, 1
SCHEMAS = ("before", "main")  # as database.open_pair names them
CHUNK = 200  # rows read at a time
CANDIDATES = 100  # rows of one key among which the nearest is looked for
ROWID_NAMES = ("rowid", "_rowid_", "oid")


def compare_rows(db: sqlite3.Connection, pairing: Pairing) -> Iterator[RowDifference]:
    """Yield every difference, ``db`` being made by ``database.open_pair``.

    Without a key, a lost and an added row that share a rowid and at least half of their cells are
    given as changed values, with the rowid as key.
    """
    left = _left_over(_chunks(db, pairing, BEFORE), _chunks(db, pairing, AFTER))
    lost = {row: count for row, count in left.items() if count > 0}
    added = {row: -count for row, count in left.items() if count < 0}
    if pairing.key:
        yield from _pair_by_key(pairing, lost, added)
        return
    if lost and added:
        yield from _pair_by_rowid(db, pairing, lost, added)
    yield from _unpaired(pairing, (), _rows(lost), _rows(added))


def same_cell(one: Cell, other: Cell) -> bool:
    """Return whether two cells are the same in type and every bit (-0.0 is not 0.0)."""
    return _exact(one) == _exact(other)


def count_rows(db: sqlite3.Connection, table: str, *, schema: str = "main") -> int:
    """Return how many rows ``table`` holds."""
    sql = f"SELECT count(*) FROM {quote_name(schema)}.{quote_name(table)}"
    return int(_query(db, sql).fetchone()[0])


def _exact(value: Cell | Row | list[Row]) -> bytes:
    """Return bytes that are equal for what is the same in type and every bit, and only then.

    Version 2 of the format holds floats in binary and knows no references to equal objects; it
    takes the lone surrogates that ``database.decode_text`` gives for bytes that are not UTF-8.
    """
    return marshal.dumps(value, 2)


def _query(db: sqlite3.Connection, sql: str, *parameters: object) -> sqlite3.Cursor:
    """Return a cursor that gives plain tuples, whatever row factory ``db`` has."""
    cursor = db.cursor()
    cursor.row_factory = None
    return cursor.execute(sql, parameters)


def _selected(pairing: Pairing, side: int) -> list[str]:
    """Return the columns of one side; qualified, for a name in quotes alone may be a string."""
    return [f"t.{quote_name(names[side])}" for names in pairing.columns] or ["NULL"]


def _source(pairing: Pairing, side: int) -> str:
    table = (pairing.before, pairing.after)[side]
    return f"{SCHEMAS[side]}.{quote_name(table)} AS t"


def _chunks(db: sqlite3.Connection, pairing: Pairing, side: int) -> Iterator[list[Row]]:
    """Yield the rows of one side, in the order of the key where there is one, chunk by chunk.

    The order is for speed alone: what meets its counterpart early need not be kept in mind.
    """
    columns = _selected(pairing, side)
    sql = f"SELECT {', '.join(columns)} FROM {_source(pairing, side)}"
    if pairing.key:
        sql += " ORDER BY " + ", ".join(columns[place] for place in _key_places(pairing))
    cursor = _query(db, sql)
    while rows := cursor.fetchmany(CHUNK):
        yield rows


def _left_over(before: Iterable[list[Row]], after: Iterable[list[Row]]) -> dict[bytes, int]:
    """Return the rows without a counterpart: exact bytes to how many, below 0 for those after.

    Chunks that are the same are done with at once; of the others, what has met its counterpart is
    forgotten, so that memory holds no more than what differs or stands elsewhere.
    """
    left: dict[bytes, int] = {}
    nothing: list[Row] = []
    for mine, theirs in zip_longest(before, after, fillvalue=nothing):
        if _exact(mine) != _exact(theirs):
            for rows, step in ((mine, 1), (theirs, -1)):
                for row in rows:
                    _count(left, _exact(row), step)
    return left


def _count(counts: dict[bytes, int], row: bytes, step: int) -> None:
    count = counts.get(row, 0) + step
    if count:
        counts[row] = count
    else:
        counts.pop(row, None)


def _row(exact: bytes) -> Row:
    row: Row = marshal.loads(exact)  # noqa: S302 (bytes that _exact made a moment ago)
    return row


def _rows(counts: Mapping[bytes, int]) -> list[Row]:
    return [_row(exact) for exact, count in counts.items() for _ in range(count)]


def _key_places(pairing: Pairing) -> list[int]:
    places = {names[BEFORE].casefold(): place for place, names in enumerate(pairing.columns)}
    return [places[name.casefold()] for name in pairing.key]


def _pair_by_key(
    pairing: Pairing, lost: Mapping[bytes, int], added: Mapping[bytes, int]
) -> Iterator[RowDifference]:
    """Yield what differs, taking rows of the same key together, those that share most cells first.

    A key can be there more than once: when it holds NULL, or when its constraint is gone.
    """
    places = _key_places(pairing)
    groups: dict[bytes, tuple[Key, tuple[list[Row], list[Row]]]] = {}
    for side, rows in ((BEFORE, _rows(lost)), (AFTER, _rows(added))):
        for row in rows:
            key = tuple(row[place] for place in places)
            groups.setdefault(_exact(key), (key, ([], [])))[1][side].append(row)
    for key, (before, after) in groups.values():
        gone: list[Row] = []
        for row in before:
            if after:
                nearest = _nearest(row, after)
                yield from _changed(pairing, key, row, after.pop(nearest))
            else:
                gone.append(row)
        yield from _unpaired(pairing, key, gone, after)


def _nearest(row: Row, rows: Iterable[Row]) -> int:
    """Return the place of the row that shares most cells with ``row``, among the first ones."""
    shared = [_shared_cells(row, other) for other in islice(rows, CANDIDATES)]
    return shared.index(max(shared))


def _shared_cells(one: Row, other: Row) -> int:
    return sum(map(same_cell, one, other))


def _pair_by_rowid(
    db: sqlite3.Connection, pairing: Pairing, lost: dict[bytes, int], added: dict[bytes, int]
) -> Iterator[RowDifference]:
    """Yield as changed what shares a rowid and half of its cells, and take it from both counts."""
    before = _by_rowid(db, pairing, BEFORE, lost)
    after = _by_rowid(db, pairing, AFTER, added)
    for rowid, exact in before.items():
        became = after.get(rowid)
        if became is None or exact not in lost or became not in added:
            continue
        row, new_row = _row(exact), _row(became)
        if 2 * _shared_cells(row, new_row) >= len(row):
            _count(lost, exact, -1)
            _count(added, became, -1)
            yield from _changed(pairing, (rowid,), row, new_row)


def _by_rowid(
    db: sqlite3.Connection, pairing: Pairing, side: int, wanted: Collection[bytes]
) -> dict[int, bytes]:
    """Return rowid to row of those rows that are ``wanted``; nothing when there is no rowid."""
    rowid = _rowid_name(db, pairing, side)
    if rowid is None:
        return {}
    columns = ", ".join((f"t.{rowid}", *_selected(pairing, side)))
    rows = _query(db, f"SELECT {columns} FROM {_source(pairing, side)}")
    return {number: exact for number, *row in rows if (exact := _exact(tuple(row))) in wanted}


def _rowid_name(db: sqlite3.Connection, pairing: Pairing, side: int) -> str | None:
    """Return a name of the rowid that is no column's name; None when there is no rowid.

    For a table WITHOUT ROWID, and for no other, index_info tells the key by the table's name
    (https://sqlite.org/pragma.html#pragma_index_info).
    """
    table = ((pairing.before, pairing.after)[side], SCHEMAS[side])
    if _query(db, "SELECT 1 FROM pragma_index_info(?, ?)", *table).fetchone():
        return None
    columns = _query(db, "SELECT name FROM pragma_table_xinfo(?, ?)", *table)
    taken = {name.casefold() for (name,) in columns}
    return next((name for name in ROWID_NAMES if name not in taken), None)


def _changed(pairing: Pairing, key: Key, row: Row, became: Row) -> Iterator[ValueChanged]:
    for (name, _), cell, new_cell in zip(pairing.columns, row, became, strict=True):
        if not same_cell(cell, new_cell):
            yield ValueChanged(pairing.before, key, name, cell, new_cell)


def _unpaired(
    pairing: Pairing, key: Key, lost: Iterable[Row], added: Iterable[Row]
) -> Iterator[RowDifference]:
    names = [before for before, _ in pairing.columns]
    for row in lost:
        yield RowLost(pairing.before, key, dict(zip(names, row, strict=False)))
    for row in added:
        yield RowAdded(pairing.before, key, dict(zip(names, row, strict=False)))
