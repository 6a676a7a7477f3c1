"""Two streams of rows, both in the order of their key, into what has no counterpart."""

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

    Found = tuple[Key, Row, frozenset[str]]

MERGE_WINDOW = (
    8  # groups taken one by one where the sides differ, before rows are passed over again
)


@dataclass(frozen=True)
class Group:
    """Rows whose keys sort as one (1 and 1.0 do) and that have no counterpart on the other side.

    Each is (key, cells, the conditions it meets). ``ends_window`` is whether the rows that were
    looked at together end with it.
    """

    before: Sequence[Found] = ()
    after: Sequence[Found] = ()
    ends_window: bool = False


@dataclass(frozen=True)
class PairedRows:
    """Rows that go together one by one, each with a key of its own: (key, before, after, met)."""

    rows: Sequence[tuple[Key, Row, Row, frozenset[str]]]


def merge(
    db: sqlite3.Connection, sides: tuple[Side, Side], places: Sequence[int]
) -> Iterator[Group | PairedRows]:
    """Yield what differs between two sides, in the order of the columns at ``places``.

    Rows that are the same side by side are passed over many at once.
    """
    ((encoding,),) = db.execute("PRAGMA encoding").fetchall()
    rank = ranking(encoding)
    before, after = Stream(sides[0], places), Stream(sides[1], places)
    groups = MERGE_WINDOW
    while True:
        one, other = before.ahead(), after.ahead()
        if not one and not other:
            return
        both = min(one, other)
        same = count_same(before, after, both)
        before.skip(same)
        after.skip(same)
        if same == both and both:
            groups = MERGE_WINDOW
            continue
        if pairs := paired_rows(before, after, both - same):
            yield pairs
            continue
        yield from unmatched_groups(before, after, rank, groups)
        groups = MERGE_WINDOW if same else 2 * groups


def count_same(before: Stream, after: Stream, count: int) -> int:
    """Return how many of the next ``count`` rows of both sides are the same, side by side."""
    if before.exact(count) == after.exact(count):
        return count
    same, differ = 0, count
    while differ - same > 1:
        middle = (same + differ) // 2
        if before.exact(middle) == after.exact(middle):
            same = middle
        else:
            differ = middle
    return same


def paired_rows(before: Stream, after: Stream, count: int) -> PairedRows | None:
    """Take up to ``count`` rows of both sides that have the same keys, each of them once.

    None where they have not. The last one stays, for there may be more of its key.
    """
    keys = before.keys(count)
    if (
        count < MERGE_WINDOW
        or len(set(keys)) < count
        or exact_bytes(keys) != exact_bytes(after.keys(count))
    ):
        return None
    side = before.side
    rows = []
    for key in keys[:-1]:
        row, new_row = before.take(), after.take()
        if side.conditions:
            rows.append((key, row[: side.width], new_row, side.met(row)))
        else:
            rows.append((key, row, new_row, NO_CONDITION))
    return PairedRows(rows)


def unmatched_groups(before: Stream, after: Stream, rank: Ranking, groups: int) -> Iterator[Group]:
    """Yield the next ``groups`` of rows, without those that have a counterpart."""
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
    left: dict[bytes, list[Found]] = {}
    sides: dict[bytes, Stream] = {}
    more = True
    while more:
        more = False
        for stream in (before, after):
            if stream.key() == key:
                more = True
                found = take_row(stream)
                known = exact_bytes(found[1])
                if sides.get(known, stream) is stream:
                    left.setdefault(known, []).append(found)
                    sides[known] = stream
                else:
                    left[known].pop()
                    if not left[known]:
                        del left[known], sides[known]
    return Group(
        [found for known, rows in left.items() if sides[known] is before for found in rows],
        [found for known, rows in left.items() if sides[known] is after for found in rows],
    )


def take_row(stream: Stream) -> Found:
    """Take the next row of ``stream``: its key, its cells and the conditions it meets."""
    key, row = stream.key() or (), stream.take()
    if not stream.side.conditions:
        return key, row, NO_CONDITION
    return key, row[: stream.side.width], stream.side.met(row)
