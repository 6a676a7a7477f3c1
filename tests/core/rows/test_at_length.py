"""Tables of many rows: compared as streams, counted by SQLite, and hashed."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from contextlib import closing
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_bbmigrate.rows import (
    DifferenceGroup,
    Differences,
    Pairing,
    RowAdded,
    RowConditions,
    RowLost,
    ValueChanged,
    affinities,
    compare_rows,
    content_of,
    differences_of,
    number_of,
    sql_prefilter,
    summarize_rows,
)
from pytest_bbmigrate.rows.differences import summarize
from pytest_bbmigrate.rows.order import ranking
from pytest_bbmigrate.sqlite_files import (
    attach_content,
    open_content,
    open_contents,
    open_image,
    take_image,
)
from tests.core.running import image_of
from tests.depth import in_full

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pytest_bbmigrate.rows import RowDifference
    from pytest_bbmigrate.sql.values import Cell
    from pytest_bbmigrate.sqlite_files import Content

NOTHING: frozenset[str] = frozenset()
KEYED = "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT, r REAL);"
FILL = """
    WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 1000)
    INSERT INTO t SELECT n, n % 7, 'b' || n, n / 3.0 FROM c;
"""


def pairing_of(columns: str, key: str = "id") -> Pairing:
    names = columns.split()
    return Pairing("t", "t", tuple(zip(names, names, strict=True)), tuple(key.split()))


def compared(before: Content, after: Content, pairing: Pairing) -> list[RowDifference]:
    with closing(open_contents(before, after)) as db:
        return list(compare_rows(db, pairing))


def summarized(before: Content, after: Content, pairing: Pairing) -> Differences:
    def again() -> Iterator[RowDifference]:
        with closing(open_contents(before, after)) as pair:
            yield from compare_rows(pair, pairing)

    with closing(open_contents(before, after)) as db:
        return summarize_rows(db, pairing, None, again)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have SQLite look at every table with rows first."""
    monkeypatch.setattr(sql_prefilter, "MIN_ROWS", 0)


# Types of every affinity, and such that hold the names of two (https://sqlite.org/datatype3.html).
DECLARED: tuple[str, ...] = (
    "",
    "INT",
    "POINT",
    "REAL",
    "FLOAT",
    "DOUBLE",
    "TEXT",
    "CHARINT",
    "VARCHAR(9)",
    "CLOB",
)
DECLARED += ("BLOB", "REALBLOB", "TEXTBLOB", "NUMERIC", "DECIMAL", "ANY", "FLOATING POINT")
SHIFT = "UPDATE t SET id = -id; UPDATE t SET id = 15000 - id, a = 'x' || a"


class TestStreams:
    def test_rows_after_one_that_came_or_went_are_still_passed_over(self) -> None:
        before = image_of(KEYED, FILL)
        after = image_of(
            KEYED,
            FILL,
            "DELETE FROM t WHERE id IN (5, 700); UPDATE t SET id = 2000 WHERE id = 300;"
            "UPDATE t SET a = 'x' WHERE id = 999",
        )
        found = compared(before, after, pairing_of("id a b r"))

        assert [(type(d), d.key) for d in found] == [
            (RowLost, (5,)),
            (RowLost, (300,)),
            (RowLost, (700,)),
            (ValueChanged, (999,)),
            (RowAdded, (2000,)),
        ]

    def test_memory_does_not_grow_with_what_differs(self, tmp_path: Path) -> None:
        fill = FILL.replace("1000", "30000")
        before, after = tmp_path / "before.db", tmp_path / "after.db"
        before.write_bytes(image_of(KEYED, fill))
        after.write_bytes(image_of(KEYED, fill, SHIFT))
        pairing = pairing_of("id a b r")
        tracemalloc.start()
        with closing(open_contents(before, after)) as db:
            count = sum(1 for _ in compare_rows(db, pairing))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert count == 15000 * 2 + 15000 * 3
        assert peak < 2_000_000

    def test_rows_without_a_key_value_are_paired_by_what_they_hold(self) -> None:
        create = "CREATE TABLE t (k TEXT PRIMARY KEY, a);"
        fill = FILL.replace("SELECT n, n % 7, 'b' || n, n / 3.0", "SELECT NULL, n")
        after = image_of(create, fill, "UPDATE t SET a = -a WHERE a = 500")

        assert compared(image_of(create, fill), after, pairing_of("k a", "k")) == [
            ValueChanged("t", (None,), "a", 500, -500)
        ]

    @pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
    def test_keys_compare_as_sqlite_sorts_them(self, encoding: str) -> None:
        cells: list[Cell] = [None, -1, 0.5, 2, 2**60, 1e300, b"", b"a", b"\xff", "", "a", "A"]
        cells += ["a\0b", "b", "é", "z", "ā", "\uffff", "\U0001f600", "\ud7ff", "\ue000", "aa"]
        random.Random(3).shuffle(cells)
        rank = ranking(encoding)
        with closing(open_image(b"")) as db:
            db.execute(f"PRAGMA encoding = '{encoding}'")
            db.execute("CREATE TABLE t (a)")
            db.executemany("INSERT INTO t VALUES (?)", [(cell,) for cell in cells])
            in_order = db.execute("SELECT a FROM t ORDER BY a COLLATE BINARY").fetchall()

        assert in_order == sorted(in_order, key=rank)

    def test_bytes_that_are_no_text_sort_as_bytes(self) -> None:
        with closing(open_image(b"")) as db:
            sql = (
                "SELECT CAST(column1 AS TEXT) FROM (VALUES (x'ff'), (x'ee8080'), (x'80'), (x'7a'))"
            )
            in_order = db.execute(f"{sql} ORDER BY 1").fetchall()

        assert in_order == sorted(in_order, key=ranking("UTF-8"))


class TestQuestions:
    before = image_of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE wanted (a);"
        "INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'x'), (4, 'z');"
        "INSERT INTO wanted VALUES ('x')"
    )
    after = image_of(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE wanted (a);"
        "INSERT INTO t VALUES (1, 'n'), (2, 'n'), (4, 'z'), (5, 'x')"
    )
    conditions = ("a IN (SELECT a FROM wanted)", "t.id > 1 -- of the rows before")

    @pytest.mark.parametrize(("key", "long"), [("id", 5000), ("", 5000), ("id", 0)])
    def test_each_difference_tells_what_its_row_before_met(
        self, key: str, long: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql_prefilter, "MIN_ROWS", long)
        first, second = self.conditions
        with (
            closing(open_contents(self.before, self.after)) as pair,
            closing(open_content(self.before)) as alone,
        ):
            found = list(
                compare_rows(pair, pairing_of("id a", key), RowConditions(alone, self.conditions))
            )
        met = {
            d.key or tuple(d.row.values() if isinstance(d, RowLost) else ())[:1]: d.satisfied
            for d in found
            if not isinstance(d, RowAdded)
        }

        assert met == {(1,): {first}, (2,): {second}, (3,): {first, second}}

    def test_where_every_row_stayed_only_those_that_differ_are_read(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql_prefilter, "MIN_ROWS", 0)
        monkeypatch.setattr("pytest_bbmigrate.rows.compare.merge", lambda *_: 1 / 0)
        after = image_of(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE TABLE wanted (a);"
            "INSERT INTO t VALUES (1, 'x'), (2, 'n'), (3, 'n'), (4, 'z')"
        )
        with (
            closing(open_contents(self.before, after)) as pair,
            closing(open_content(self.before)) as alone,
        ):
            question = RowConditions(attach_content(alone, after, "after"), self.conditions)
            found = list(compare_rows(pair, pairing_of("id a"), question))

        assert found == [
            ValueChanged("t", (2,), "a", "y", "n", frozenset(self.conditions[1:])),
            ValueChanged("t", (3,), "a", "x", "n", frozenset(self.conditions)),
        ]

    def test_rows_that_are_alike_are_asked_together(self) -> None:
        with (
            closing(open_contents(self.before, self.after)) as pair,
            closing(open_content(self.before)) as alone,
        ):
            found = compare_rows(pair, pairing_of("a", ""), RowConditions(alone, ("id = 3",)))
            lost = [d.satisfied for d in found if isinstance(d, RowLost) and d.row == {"a": "x"}]

        assert lost == [{"id = 3"}]


@pytest.mark.usefixtures("many")
class TestCounting:
    @pytest.mark.parametrize(
        ("create", "key"),
        [
            (KEYED, "id"),
            ("CREATE TABLE t (id INT, a, b TEXT, r REAL, PRIMARY KEY (b, id));", "b id"),
        ],
    )
    def test_a_table_that_was_only_rewritten_is_not_read(
        self, create: str, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = image_of(create, FILL)
        after = image_of(create, FILL, "UPDATE t SET b = b || 'x'; UPDATE t SET b = rtrim(b, 'x')")
        monkeypatch.setattr("pytest_bbmigrate.rows.compare.merge", lambda *_: 1 / 0)

        assert compared(before, after, pairing_of("id a b r", key)) == []
        assert not summarized(before, after, pairing_of("id a b r", key))

    def test_what_changed_is_counted_by_column_with_the_first_few(self) -> None:
        before = image_of(KEYED, FILL)
        after = image_of(
            KEYED, FILL, "UPDATE t SET b = 'new', r = CASE id WHEN 7 THEN 0.5 ELSE r END"
        )
        found = summarized(before, after, pairing_of("id a b r"))

        assert [(a.kind, a.column, a.satisfied, a.count) for a in found.groups] == [
            (ValueChanged, "b", NOTHING, 1000),
            (ValueChanged, "r", NOTHING, 1),
        ]
        assert [place for place, _ in found.groups[0].examples] == [0, 1, 2, 3, 4]
        assert found.groups[1].examples == ((0, ValueChanged("t", (7,), "r", 7 / 3.0, 0.5)),)
        assert len(found) == len(list(found)) == 1001
        assert list(found) == compared(before, after, pairing_of("id a b r"))

    @pytest.mark.parametrize(
        ("create", "key", "was", "is_now"),
        [
            (KEYED, "id", "(1, 1, 'x', 1.5)", "(1, 1.0, 'x', 1.5)"),
            (KEYED, "id", "(1, 'a', 'x', 1.5)", "(1, x'61', 'x', 1.5)"),
            (KEYED, "id", "(1, 1, 'x', 1.5)", "(1, '1', 'x', 1.5)"),
            (KEYED, "id", "(1, 0, 'x', 1.5)", "(1, NULL, 'x', 1.5)"),
            (KEYED, "id", "(1, '', 'x', 1.5)", "(1, NULL, 'x', 1.5)"),
            (KEYED, "id", "(1, 0.0, 'x', 1.5)", "(1, -0.0, 'x', 1.5)"),
            (KEYED, "id", "(1, 0, char(120, 0, 121), 1)", "(1, 0, char(120, 0, 122), 1)"),
            (KEYED, "id", "(1, 0, 'x', 9007199254740993)", "(1, 0, 'x', 9007199254740994)"),
            (
                "CREATE TABLE t (id TEXT COLLATE NOCASE PRIMARY KEY, a, b COLLATE NOCASE, r);",
                "id",
                "('k', 1, 'x', 1)",
                "('K', 1, 'x', 1)",
            ),
            (
                "CREATE TABLE t (id TEXT PRIMARY KEY, a, b COLLATE NOCASE, r);",
                "id",
                "('k', 1, 'x', 1)",
                "('k', 1, 'X', 1)",
            ),
            (
                "CREATE TABLE t (id, a, b, r, PRIMARY KEY (id)) WITHOUT ROWID;",
                "id",
                "(1, 1, 'x', 1)",
                "(1.0, 1, 'x', 1)",
            ),
        ],
    )
    def test_a_cell_that_differs_in_a_bit_is_found(
        self, create: str, key: str, was: str, is_now: str
    ) -> None:
        before = image_of(create, f"INSERT INTO t VALUES {was}")
        after = image_of(create, f"INSERT INTO t VALUES {is_now}")
        pairing = pairing_of("id a b r", key)

        assert compared(before, after, pairing)
        assert summarized(before, after, pairing)

    @pytest.mark.parametrize(
        "change",
        [
            "INSERT INTO t VALUES (1001, 1, 'b', 1)",
            "DELETE FROM t WHERE id = 10",
            "UPDATE t SET id = 5000 WHERE id = 10",
            "UPDATE t SET a = 0.0 WHERE id = 10",
        ],
    )
    def test_where_sqlite_alone_cannot_tell_rows_are_read(self, change: str) -> None:
        before, after = image_of(KEYED, FILL), image_of(KEYED, FILL, change)
        found = summarized(before, after, pairing_of("id a b r"))

        assert list(found) == compared(before, after, pairing_of("id a b r"))
        assert len(found) == len(list(found)) > 0

    @pytest.mark.parametrize(
        "create",
        [
            "CREATE TABLE t (id INTEGER, a, b, r);",  # no key
            "CREATE TABLE t (id INTEGER, a, b, r, PRIMARY KEY (id, a));",  # another key
        ],
    )
    def test_a_key_that_is_none_in_the_table_is_not_relied_on(self, create: str) -> None:
        before = image_of(create, "INSERT INTO t VALUES (1, 'x', 0, 0), (1, 'y', 0, 0)")
        after = image_of(create, "INSERT INTO t VALUES (1, 'x', 0, 0), (1, 'x2', 0, 0)")

        assert compared(before, after, pairing_of("id a b r")) == [
            ValueChanged("t", (1,), "a", "y", "x2")
        ]

    def test_a_key_that_is_unique_on_one_side_alone_is_not_relied_on(self) -> None:
        key = image_of(
            "CREATE TABLE t (id INT PRIMARY KEY, a); INSERT INTO t VALUES (1, 0), (2, 0)"
        )
        none = image_of(
            "CREATE TABLE t (id INT, a); CREATE INDEX i ON t (id);",
            "INSERT INTO t VALUES (1, 0), (1, 0)",
        )
        one, two = {"id": 1, "a": 0}, {"id": 2, "a": 0}

        for images, differences in (
            ((key, none), [RowLost("t", (2,), two), RowAdded("t", (1,), one)]),
            ((none, key), [RowLost("t", (1,), one), RowAdded("t", (2,), two)]),
        ):
            assert compared(*images, pairing_of("id a")) == differences
            assert tuple(summarized(*images, pairing_of("id a"))) == tuple(differences)

    def test_a_key_of_another_type_is_not_searched_for_row_by_row(self) -> None:
        of_text = image_of("CREATE TABLE t (id TEXT PRIMARY KEY, a); INSERT INTO t VALUES ('1', 2)")
        of_int = image_of("CREATE TABLE t (id INT PRIMARY KEY, a); INSERT INTO t VALUES (1, 2)")
        asked: list[str] = []
        with closing(open_contents(of_int, of_text)) as db:
            db.set_trace_callback(asked.append)
            narrow = sql_prefilter.changed_columns(db, pairing_of("id a"))

        assert narrow == sql_prefilter.ChangedColumns(pairing_of("id a"))
        assert [sql for sql in asked if sql.startswith("SELECT count(*)")] == []
        for images in ((of_int, of_text), (of_text, of_int)):
            found = compared(*images, pairing_of("id a"))
            assert {type(d) for d in found} == {RowLost, RowAdded}

    def test_rows_that_are_not_as_many_as_before_are_counted_and_not_joined(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sql_prefilter, "MIN_ROWS", 0)
        table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a);"
        two = image_of(table, "INSERT INTO t VALUES (1, 2), (2, 3)")
        three = image_of(table, "INSERT INTO t VALUES (1, 2), (2, 3), (3, 4)")
        asked: list[str] = []
        with closing(open_contents(three, two)) as db:
            db.set_trace_callback(asked.append)
            narrow = sql_prefilter.changed_columns(db, pairing_of("id a"))

        assert narrow == sql_prefilter.ChangedColumns(pairing_of("id a"))
        assert [sql for sql in asked if sql.startswith("SELECT") and "CROSS JOIN" in sql] == []

    def test_equal_numbers_are_the_same_where_both_columns_store_them_as_one_type(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pairs = list(product(DECLARED, repeat=2))
        values = list(product(("5", "5.0", "'5'"), repeat=2))

        def image(side: int) -> bytes:
            columns = ", ".join(f"c{number} {types[side]}" for number, types in enumerate(pairs))
            rows = (", ".join([cells[side]] * len(pairs)) for cells in values)
            filled = ", ".join(f"({number}, {row})" for number, row in enumerate(rows))
            return image_of(
                f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns});",
                f"INSERT INTO t VALUES {filled}",
            )

        before, after = image(0), image(1)
        pairing = pairing_of("id " + " ".join(f"c{number}" for number in range(len(pairs))))
        found = summarized(before, after, pairing)
        monkeypatch.setattr(sql_prefilter, "MIN_ROWS", len(values))
        read = compared(before, after, pairing)

        assert {(a.column, a.count) for a in found.groups} == set(
            Counter(d.column for d in read if isinstance(d, ValueChanged)).items()
        )

    def test_where_the_sign_of_zero_is_kept_every_number_is_looked_at(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(affinities, "keeps_negative_zero", lambda: True)
        image = image_of(KEYED, "INSERT INTO t VALUES (1, 1, 'x', 0.0)")
        with closing(open_contents(image, image)) as db:
            narrow = sql_prefilter.changed_columns(db, pairing_of("id a b r"))

        assert [old for old, _ in narrow.pairing.columns] == ["id", "r"]
        assert narrow.changed is None
        assert compared(image, image, pairing_of("id a b r")) == []

    def test_numbers_are_stored_without_the_sign_of_zero(self) -> None:
        assert not affinities.keeps_negative_zero()


CELLS = st.sampled_from([None, 0, 1, 1.0, 0.0, -0.0, "a", "A", "", b"", b"a", "a\0", "1", 2**60])


@settings(max_examples=in_full(200))
@given(
    st.dictionaries(st.integers(0, 5), st.tuples(CELLS, CELLS, CELLS), max_size=5),
    st.dictionaries(st.integers(0, 5), st.tuples(CELLS, CELLS, CELLS), max_size=5),
    st.sampled_from(
        [KEYED, "CREATE TABLE t (id INT PRIMARY KEY, a INT, b, r TEXT) WITHOUT ROWID;"]
    ),
)
def test_what_sqlite_counts_is_what_is_read(
    before: dict[int, tuple[Cell, ...]], after: dict[int, tuple[Cell, ...]], create: str
) -> None:
    images = []
    for rows in (before, after):
        with closing(open_image(image_of(create))) as db:
            db.executemany(
                "INSERT INTO t VALUES (?, ?, ?, ?)", [(key, *row) for key, row in rows.items()]
            )
            images.append(take_image(db))
    one, other = images
    pairing = pairing_of("id a b r")
    expected = compared(one, other, pairing)
    length, sql_prefilter.MIN_ROWS = sql_prefilter.MIN_ROWS, 0
    try:
        assert compared(one, other, pairing) == expected
        assert sorted(described(summarized(one, other, pairing).groups)) == sorted(
            described(differences_of(expected).groups)
        )
    finally:
        sql_prefilter.MIN_ROWS = length


def described(alike: Iterable[DifferenceGroup]) -> list[tuple[str, str, int, str]]:
    return [
        (a.kind.__name__, a.column, a.count, repr([difference for _, difference in a.examples]))
        for a in alike
    ]


class TestDifferences:
    found: tuple[RowDifference, ...] = (
        RowLost("t", (1,), {"id": 1, "a": None}, frozenset({"a > 1"})),
        RowLost("t", (2,), {"id": 2, "a": 5}),
        RowAdded("t", (3,), {"id": 3, "a": None}),
        *(ValueChanged("t", (n,), "a", n, 0) for n in range(4, 24)),
    )

    def test_they_are_counted_by_what_they_have_in_common(self) -> None:
        assert [
            (a.kind, a.column, a.satisfied, a.count, [place for place, _ in a.examples], a.filled)
            for a in differences_of(self.found).groups
        ] == [
            (RowLost, "", {"a > 1"}, 1, [0], {"id"}),
            (RowLost, "", NOTHING, 1, [1], {"id", "a"}),
            (RowAdded, "", NOTHING, 1, [2], {"id", "a"}),
            (ValueChanged, "a", NOTHING, 20, [3, 4, 5, 6, 7], NOTHING),
        ]

    @pytest.mark.parametrize(("most", "kept"), [(22, 0), (23, 23)])
    def test_they_are_kept_as_long_as_they_are_few(self, most: int, kept: int) -> None:
        differences = summarize(self.found, lambda: iter(self.found), most=most)

        assert len(differences.kept) == kept
        assert (len(differences), tuple(differences), tuple(differences)) == (
            23,
            self.found,
            self.found,
        )

    @pytest.mark.parametrize("most", [0, 100])
    def test_those_that_are_wanted_are_told_apart_by_kind(self, most: int) -> None:
        differences = summarize(self.found, lambda: iter(self.found), most=most)
        lost = differences.filter_groups(lambda d: isinstance(d, RowLost))

        assert tuple(lost) == self.found[:2]
        assert len(lost) == 2
        assert not lost.filter_groups(lambda _: False)
        assert differences.filter_groups(lambda _: True) is differences


class TestFingerprints:
    script = KEYED + FILL + "CREATE TABLE u (a); INSERT INTO u VALUES (1), ('x')"

    def contents(self, *scripts: str) -> dict[str, tuple[int, str]]:
        with closing(open_content(image_of(self.script, *scripts))) as db:
            return {name: (rows, digest) for name, rows, digest in content_of(db)}

    def test_every_table_of_the_users_is_hashed(self) -> None:
        there = self.contents(
            "CREATE TABLE _bb_migrations (a); CREATE VIEW v AS SELECT 1;"
            "CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT)"
        )

        assert {name: rows for name, (rows, _) in there.items()} == {"n": 0, "t": 1000, "u": 2}
        assert {len(digest) for _, digest in there.values()} == {32}

    @pytest.mark.parametrize(
        "script", ["VACUUM", "CREATE INDEX i ON t (b)", "UPDATE t SET a = a", "ANALYZE"]
    )
    def test_what_leaves_the_rows_leaves_the_hash(self, script: str) -> None:
        assert self.contents(script) == self.contents()

    @pytest.mark.parametrize(
        "script",
        [
            "UPDATE t SET a = 1.0 WHERE id = 1",
            "UPDATE t SET b = 'B1' WHERE id = 1",
            "UPDATE t SET b = CAST(b AS BLOB) WHERE id = 1",
            "UPDATE t SET a = NULL WHERE id = 7",
            "DELETE FROM t WHERE id = 500",
            "INSERT INTO t VALUES (0, 1, 'b1', 0.5)",
            "ALTER TABLE t RENAME a TO c",
            "ALTER TABLE t ADD COLUMN c",
        ],
    )
    def test_what_changes_a_row_changes_the_hash_of_its_table_alone(self, script: str) -> None:
        was, is_now = self.contents(), self.contents(script)

        assert was["t"] != is_now["t"]
        assert was["u"] == is_now["u"]

    def test_text_that_is_not_utf_8_is_hashed_by_its_bytes(self) -> None:
        one, other = (
            self.contents(f"INSERT INTO u VALUES (CAST(x'{raw}' AS TEXT))") for raw in ("ff", "fe")
        )

        assert one["u"] != other["u"]
        assert one["u"] == self.contents("INSERT INTO u VALUES (CAST(x'ff' AS TEXT))")["u"]

    def test_numbers_of_values_tell_them_apart(self) -> None:
        values: list[Cell] = [1, 1.0, "1", b"1", None, "", b"", 0.0, -0.0]

        assert len({number_of(value) for value in values}) == len(values)
        assert number_of((1, "x")) == number_of((1, "x"))


def test_values_are_compared_to_the_end_around_a_row_that_went() -> None:
    create = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n); WITH RECURSIVE c (i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 600) INSERT INTO t SELECT i, 0 FROM c;"
    )
    change = "UPDATE t SET n = 1 WHERE id IN (1, 600); DELETE FROM t WHERE id = 300;"
    pairing = Pairing("t", "t", (("id", "id"), ("n", "n")), ("id",))

    with closing(open_contents(image_of(create), image_of(create, change))) as pair:
        found = list(compare_rows(pair, pairing))

    assert [(type(d), d.key) for d in found] == [
        (ValueChanged, (1,)),
        (RowLost, (300,)),
        (ValueChanged, (600,)),
    ]
