"""Walk through two streams of rows in the order of their key, and yield what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.model import NO_CONDITION
from pytest_bbmigrate.rows.order import ranking
from pytest_bbmigrate.rows.reading import Stream, exact_bytes

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.rows.model import Key, Row
    from pytest_bbmigrate.rows.order import Ranking
    from pytest_bbmigrate.rows.reading import Side

    KeyedRow = tuple[Key, Row, frozenset[str]]

# Where the sides differ, so many groups are compared one by one before rows are skipped again.
WINDOW_GROUPS = 8


@dataclass(frozen=True)
class Group:
    """Rows whose keys sort as equal (1 and 1.0 do) and that have no counterpart.

    Each is (key, cells, the conditions it satisfies). ``ends_window`` is whether it is the last
    group of a window, see ``WINDOW_GROUPS``.
    """

    before: Sequence[KeyedRow] = ()
    after: Sequence[KeyedRow] = ()
    ends_window: bool = False


@dataclass(frozen=True)
class PairedRows:
    """Rows that differ and whose keys are unique: (key, row before, row after, satisfied)."""

    rows: Sequence[tuple[Key, Row, Row, frozenset[str]]]


def merge(
    db: sqlite3.Connection, sides: tuple[Side, Side], key_columns: Sequence[int]
) -> Iterator[Group | PairedRows]:
    """Yield what differs between two sides, in the order of the columns at ``key_columns``.

    Many rows at once are skipped where both sides have the same, or paired where only cells behind
    equal keys differ. Elsewhere groups are compared one by one, and twice as many after each window
    in which no row was the same: so a long stretch of differences costs few bulk comparisons.
    """
    ((encoding,),) = db.execute("PRAGMA encoding").fetchall()
    rank = ranking(encoding)
    before, after = Stream(sides[0], key_columns), Stream(sides[1], key_columns)
    groups = WINDOW_GROUPS
    while True:
        rows_before, rows_after = before.ahead(), after.ahead()
        if not rows_before and not rows_after:
            return
        both = min(rows_before, rows_after)
        same = count_same(before, after, both)
        before.skip(same)
        after.skip(same)
        if same == both and both:
            groups = WINDOW_GROUPS
            continue
        if pairs := paired_rows(before, after, both - same):
            yield pairs
            continue
        yield from unmatched_groups(before, after, rank, groups)
        groups = WINDOW_GROUPS if same else 2 * groups


def count_same(before: Stream, after: Stream, count: int) -> int:
    """Return how many of the next ``count`` rows are the same on both sides, up to a difference."""
    if before.exact(count) == after.exact(count):
        return count
    same, too_many = 0, count  # bisection
    while too_many - same > 1:
        middle = (same + too_many) // 2
        if before.exact(middle) == after.exact(middle):
            same = middle
        else:
            too_many = middle
    return same


def paired_rows(before: Stream, after: Stream, count: int) -> PairedRows | None:
    """Take the next ``count`` rows of both sides but the last, if both have the same unique keys.

    None where they do not, or there are few rows. The last row stays because there may be more
    with its key.
    """
    keys = before.keys(count)
    if (
        count < WINDOW_GROUPS
        or len(set(keys)) < count
        or exact_bytes(keys) != exact_bytes(after.keys(count))
    ):
        return None
    side = before.side
    rows = []
    for key in keys[:-1]:
        row, new_row = before.take(), after.take()
        if side.conditions:
            rows.append((key, row[: side.width], new_row, side.satisfied(row)))
        else:
            rows.append((key, row, new_row, NO_CONDITION))
    return PairedRows(rows)


def unmatched_groups(before: Stream, after: Stream, rank: Ranking, groups: int) -> Iterator[Group]:
    """Yield the next groups of rows, ``groups`` at most, without rows that have a counterpart."""
    for _ in range(groups):
        key, other_key = before.key(), after.key()
        if key is None and other_key is None:
            break
        if key is not None and key == other_key:
            group = unmatched_of_key(before, after, key)
        elif other_key is None or (key is not None and rank(key) < rank(other_key)):
            group = Group(before=[take_row(before)])
        else:
            group = Group(after=[take_row(after)])
        if group.before or group.after:
            yield group
    yield Group(ends_window=True)


def unmatched_of_key(before: Stream, after: Stream, key: Key) -> Group:
    """Take the rows of both sides whose keys sort as ``key``; return those without counterpart.

    They are taken in turns, so that memory holds no more of them than differ or stand elsewhere.
    """
    # By the exact bytes of a row: those without a counterpart so far, and the side they are from.
    unmatched: dict[bytes, list[KeyedRow]] = {}
    side_of: dict[bytes, Stream] = {}
    more = True
    while more:
        more = False
        for stream in (before, after):
            if stream.key() != key:
                continue
            more = True
            row = take_row(stream)
            row_bytes = exact_bytes(row[1])
            if side_of.get(row_bytes, stream) is stream:
                unmatched.setdefault(row_bytes, []).append(row)
                side_of[row_bytes] = stream
                continue
            unmatched[row_bytes].pop()
            if not unmatched[row_bytes]:
                del unmatched[row_bytes], side_of[row_bytes]
    return Group(
        [row for each, rows in unmatched.items() if side_of[each] is before for row in rows],
        [row for each, rows in unmatched.items() if side_of[each] is after for row in rows],
    )


def take_row(stream: Stream) -> KeyedRow:
    """Take the next row of ``stream``: its key, its cells and the conditions it satisfies."""
    key, row = stream.key() or (), stream.take()
    if not stream.side.conditions:
        return key, row, NO_CONDITION
    return key, row[: stream.side.width], stream.side.satisfied(row)
