"""Tables drawn at random, compared in memory row by row, and in files as long tables are."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_bbmigrate.rows import (
    Pairing,
    RowAdded,
    RowConditions,
    ValueChanged,
    compare,
    compare_rows,
    differences_of,
    merging,
    reading,
    sql_prefilter,
    summarize_rows,
)
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    open_content,
    open_contents,
    open_image,
    take_image,
)
from tests.depth import in_full

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.rows import Differences, RowDifference
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.sqlite_files import Content

    Row = tuple[Cell, ...]

COLUMNS = "KLAB"  # of a table that says them in small letters, and has a generated g
TYPES = ("", "INT", "INTEGER", "TEXT", "BLOB", "REAL", "NUMERIC", "ANY", "VARCHAR", "FLOATING INT")
STRICT_TYPES = ("INT", "INTEGER", "TEXT", "BLOB", "REAL", "ANY")
COLLATIONS = ("", "COLLATE NOCASE", "COLLATE RTRIM")
KEYS = ("", "k", "k, l", "l DESC, k")
CONDITIONS = ("a IS NULL", "typeof(t.k) = 'text'", "l IN (SELECT max(l) FROM t)")
LEAST = "-9223372036854775808"
NUMBERS = (
    "0",
    "0.0",
    "-0.0",
    "1",
    "1.0",
    "0.1",
    "9e999",
    LEAST,
    f"{LEAST}.0",
    "9223372036854775807",
)
PRECISE = ("9007199254740993", "9007199254740992.0")  # beyond what a float can tell apart
TEXTS = ("''", "'1'", "'a'", "'A'", "'a '", "'a' || x'00'", "'a' || x'0061'", "'' || x'ff'")
LITERALS = st.sampled_from(["NULL", *NUMBERS, *PRECISE, *TEXTS, "'' || x'fe'", "x''", "x'61'"])
KEY_LITERALS = st.integers(2, 9).map(str) | LITERALS
ROWS = st.lists(st.tuples(KEY_LITERALS, LITERALS, LITERALS, LITERALS), min_size=1, max_size=9)
Literals = tuple[str, str, str, str]  # of k, l, a and b


@dataclass(frozen=True)
class Case:
    """Two tables, and how they are compared.

    The streams read ``chunk`` rows at a time, and take ``few`` groups one by one.
    """

    create: str
    rows: list[Literals]
    create_after: str
    rows_after: list[Literals]
    key: tuple[str, ...]
    conditions: tuple[str, ...] = ()
    chunk: int = 2
    few: int = 2

    @property
    def images(self) -> tuple[bytes, bytes]:
        """Return the databases before and after."""
        return image_of(self.create, self.rows), image_of(self.create_after, self.rows_after)

    @property
    def pairing(self) -> Pairing:
        """Return what is compared: every column."""
        return Pairing("t", "t", tuple(zip(COLUMNS, COLUMNS, strict=True)), self.key)


def image_of(create: str, rows: list[Literals]) -> bytes:
    """Return a database with those of the ``rows`` that its table takes."""
    with closing(open_image(b"")) as db:
        db.execute(create)
        for row in rows:
            with suppress(sqlite3.IntegrityError):  # a STRICT type, a rowid that is no number
                db.execute(f"INSERT OR IGNORE INTO t (k, l, a, b) VALUES ({', '.join(row)})")
        return take_image(db)


@st.composite
def tables(draw: st.DrawFn, key: str) -> str:
    """Draw a table, with or without ``key`` as its primary key."""
    strict = not draw(st.integers(0, 3))
    types = st.sampled_from(STRICT_TYPES if strict else TYPES)
    parts = [
        f"{name} {draw(types)} {draw(st.sampled_from(COLLATIONS))}" for name in COLUMNS.lower()
    ]
    of_g, kept = "ANY" if strict else draw(types), draw(st.sampled_from(["VIRTUAL", "STORED"]))
    parts = draw(st.permutations([*parts, f"g {of_g} AS (a) {kept}"]))
    options = ["STRICT"] * strict
    if key and draw(st.integers(0, 4)):
        parts.append(f"PRIMARY KEY ({key})")
        options += ["WITHOUT ROWID"] * draw(st.booleans())
    return f"CREATE TABLE t ({', '.join(parts)}) {', '.join(options)}"


@st.composite
def later(draw: st.DrawFn, rows: list[Literals]) -> list[Literals]:
    """Draw what became of ``rows``: half the time all are there still, but for some values."""
    stay = draw(st.booleans())
    found = []
    for k, *values in rows:
        cells = [k if stay or draw(st.integers(0, 4)) else draw(KEY_LITERALS), *values]
        if not draw(st.integers(0, 2)):
            cells[draw(st.integers(1, 3))] = draw(LITERALS)
        found.append((cells[0], cells[1], cells[2], cells[3]))
    if stay:
        return found
    return draw(st.permutations(found[draw(st.integers(0, 2)) :] + draw(ROWS)[:2]))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw two tables that are much alike."""
    key = draw(st.sampled_from(KEYS))
    create = draw(tables(key))
    created = create if draw(st.integers(0, 3)) else draw(tables(key))
    rows = draw(ROWS)
    return Case(
        create,
        rows,
        created,
        draw(later(rows)),
        tuple(key.replace(",", "").replace(" DESC", "").split()),
        draw(st.sampled_from([(), (), CONDITIONS])),
        draw(st.sampled_from([2, 3, 200])),
        draw(st.sampled_from([2, 8])),
    )


def compared(case: Case, before: Content, after: Content) -> Iterator[RowDifference]:
    with ExitStack() as stack:
        pair = stack.enter_context(closing(open_contents(before, after)))
        yield from compare_rows(pair, case.pairing, question_on(stack, case, before, after))


def summarized(case: Case, before: Content, after: Content) -> Differences:
    with ExitStack() as stack:
        pair = stack.enter_context(closing(open_contents(before, after)))
        question = question_on(stack, case, before, after)
        return summarize_rows(pair, case.pairing, question, lambda: compared(case, before, after))


def question_on(
    stack: ExitStack, case: Case, before: Content, after: Content
) -> RowConditions | None:
    if not case.conditions:
        return None
    alone = stack.enter_context(closing(open_content(before)))
    return RowConditions(attach_content(alone, after, "after"), case.conditions)


def described(difference: RowDifference) -> str:
    """Return all that a difference says, the same for the same."""
    if isinstance(difference, ValueChanged):
        cells = (difference.column, difference.before, difference.after)
        return f"{difference.key!r} {cells!r} {sorted(difference.satisfied)}"
    met = () if isinstance(difference, RowAdded) else sorted(difference.satisfied)
    return f"{type(difference).__name__} {difference.key!r} {dict(difference.row)!r} {met}"


def rows_of(image: bytes) -> list[Row]:
    with closing(open_image(image)) as db:
        return db.execute(f"SELECT {', '.join(COLUMNS)} FROM t").fetchall()


def expected(
    key: tuple[str, ...], before: list[Row], after: list[Row]
) -> Counter[tuple[str, str]] | None:
    """Return (key, what is lost, added or changed) of tables; None where keys are not unique."""
    places = [COLUMNS.index(name.upper()) for name in key]
    was, is_now = (
        {repr([row[at] for at in places]): row for row in rows} for rows in (before, after)
    )
    if (len(was), len(is_now)) != (len(before), len(after)):
        return None
    found = Counter((row, "lost") for row in was.keys() - is_now.keys())
    found.update((row, "added") for row in is_now.keys() - was.keys())
    for row in was.keys() & is_now.keys():
        cells = zip(COLUMNS, was[row], is_now[row], strict=True)
        found.update((row, column) for column, one, other in cells if repr(one) != repr(other))
    return found


def what(difference: RowDifference) -> tuple[str, str]:
    """Return (key, what is lost, added or changed), as ``expected`` has it."""
    if isinstance(difference, ValueChanged):
        return repr(list(difference.key)), difference.column
    return repr(list(difference.key)), "added" if isinstance(difference, RowAdded) else "lost"


def one_row(type_: str, was: str, is_now: str, type_after: str = "", options: str = "") -> Case:
    """Return the case of one row, with another value and maybe another type of ``l``."""
    create, after = (
        f"CREATE TABLE t (k INTEGER PRIMARY KEY, l {of_l}, a ANY, b ANY) {options}"
        for of_l in (type_, type_after or type_)
    )
    return Case(create, [("1", was, "1", "1")], after, [("1", is_now, "1", "1")], ("k",))


@settings(max_examples=in_full(250), deadline=None)
@given(cases())
@example(one_row("INTEGER", LEAST, f"{LEAST}.0"))
@example(one_row("NUMERIC", f"{LEAST}.0", LEAST))
@example(one_row("INTEGER", LEAST, LEAST))
@example(one_row("", "-0.0", "0.0", "REAL"))
@example(one_row("REAL", "0.0", "-0.0", "BLOB"))
@example(one_row("ANY", "0.0", "-0.0", options="STRICT"))
@example(one_row("ANY", "1", "1.0", options="STRICT"))
def test_tables_in_memory_and_in_files_differ_in_the_same(case: Case) -> None:
    before, after = case.images
    rows, rows_after = rows_of(before), rows_of(after)
    plain = list(compared(case, before, after))

    assert (plain == []) == (Counter(map(repr, rows)) == Counter(map(repr, rows_after)))
    if case.key and (known := expected(case.key, rows, rows_after)) is not None:
        assert Counter(map(what, plain)) == known

    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        files = Path(folder, "before.db"), Path(folder, "after.db")
        for path, image in zip(files, (before, after), strict=True):
            path.write_bytes(image)
        patch.setattr(sql_prefilter, "MIN_ROWS", 0)
        patch.setattr(reading, "CHUNK", case.chunk)
        patch.setattr(compare, "CHUNK", case.chunk)
        patch.setattr(merging, "WINDOW_GROUPS", case.few)
        found = summarized(case, *files)

        assert Counter(map(described, found)) == Counter(map(described, plain))
    assert counted(found) == counted(differences_of(plain))
    firsts = {described(difference) for alike in found.groups for _, difference in alike.examples}
    assert firsts <= {described(difference) for difference in plain}


def counted(found: Differences) -> set[tuple[object, ...]]:
    return {
        (a.kind, a.column, a.satisfied, a.count, len(a.examples), a.filled) for a in found.groups
    }
