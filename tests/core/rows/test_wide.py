"""Tables of as many columns as SQLite allows, which is as many as one result may have."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_bbmigrate.rows import (
    Pairing,
    RowConditions,
    ValueChanged,
    compare_rows,
    sql_prefilter,
    summarize_rows,
)
from pytest_bbmigrate.sqlite_files import attach_content, open_contents, open_image, take_image
from tests.core.running import image_of

COLUMNS = tuple(f"c{number}" for number in range(2000))
VALUES = ", ".join(map(str, range(2000)))
PAIRS = tuple(zip(COLUMNS, COLUMNS, strict=True))


def before_and_after(key: str, changed: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return a table, of which c0 is ``key``, and the same with the columns ``changed``."""
    make = f"CREATE TABLE t (c0 {key}, {', '.join(COLUMNS[1:])}); INSERT INTO t VALUES ({VALUES})"
    change = f"UPDATE t SET {', '.join(f'{name} = {name} + 0.5' for name in changed)}"
    return image_of(make), image_of(make, change)


def image_with(image: bytes, statement: str) -> bytes:
    """Return ``image`` after one more statement."""
    with closing(open_image(image)) as db:
        db.execute(statement)
        return take_image(db)


@pytest.mark.parametrize("least", [0, 5000], ids=["long", "short"])
def test_every_value_that_changed_is_told_of_a_table_with_a_key(
    monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    monkeypatch.setattr(sql_prefilter, "MIN_ROWS", least)
    before, after = before_and_after("INTEGER PRIMARY KEY", COLUMNS[1:])
    pairing = Pairing("t", "t", PAIRS, ("c0",))

    with closing(open_contents(before, after)) as db:
        found = list(compare_rows(db, pairing))
        summary = summarize_rows(db, pairing, None, lambda: iter(found))

    assert found == [ValueChanged("t", (0,), f"c{n}", n, n + 0.5) for n in range(1, 2000)]
    assert len(summary.groups) == 1999


def test_every_value_that_changed_is_told_of_a_table_without_a_key() -> None:
    before, after = before_and_after("", COLUMNS[1500:])
    pairing = Pairing("t", "t", PAIRS, ())

    with closing(open_contents(before, after)) as db:
        found = list(compare_rows(db, pairing))

    assert found == [ValueChanged("t", (1,), f"c{n}", n, n + 0.5) for n in range(1500, 2000)]


def test_rows_of_a_table_without_a_key_are_paired_by_their_rowid() -> None:
    before, after = before_and_after("", COLUMNS[1999:])
    pairing = Pairing("t", "t", (("rowid", "rowid"), *PAIRS), ("rowid",))

    with closing(open_contents(before, after)) as db:
        found = list(compare_rows(db, pairing))

    assert found == [ValueChanged("t", (1,), "c1999", 1999, 1999.5)]


@pytest.mark.parametrize("key", ["INTEGER PRIMARY KEY", ""], ids=["key", "no key"])
def test_a_condition_is_asked_of_each_row_of_such_a_table(key: str) -> None:
    before, after = before_and_after(key, COLUMNS[1999:])
    more = f"INSERT INTO t VALUES (-1, {', '.join(map(str, range(1, 2000)))})"
    before, after = image_with(before, more), image_with(after, more)
    after = image_with(after, "UPDATE t SET c1 = 'x' WHERE c0 = -1")
    condition = "c0 < 0"

    with closing(open_contents(before, after)) as db, closing(open_image(before)) as alone:
        question = RowConditions(attach_content(alone, after, "after"), (condition,))
        found = list(compare_rows(db, Pairing("t", "t", PAIRS, ("c0",) if key else ()), question))

    assert {
        (change.column, change.satisfied) for change in found if isinstance(change, ValueChanged)
    } == {
        ("c1", frozenset({condition})),
        ("c1999", frozenset()),
    }
    assert len(found) == 2
