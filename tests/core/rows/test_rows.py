"""Exact comparison of rows, and proof from pages alone that there is nothing to compare."""

from __future__ import annotations

import math
import random
import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_bbmigrate.rows import (
    Layout,
    Pairing,
    RowAdded,
    RowDifference,
    RowLost,
    ValueChanged,
    compare_rows,
    count_rows,
    pages,
    read_layout,
    same_cell,
    untouched_tables,
)
from pytest_bbmigrate.schema import read_entries
from pytest_bbmigrate.sqlite_files import open_contents, open_image, take_image
from tests.core.sqlite_builds import NEEDS_DBSTAT
from tests.depth import every

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_bbmigrate.sql.values import Cell

DIFFERENT_CELLS: list[tuple[Cell, Cell]] = [
    (1, 1.0),
    (1, "1"),
    (0, -0.0),
    (0.0, -0.0),
    (0, None),
    ("", None),
    ("", b""),
    ("a", "A"),
    ("a", "a "),
    ("a", b"a"),
    ("a", "a\0"),
    ("a\0b", "a\0c"),
    ("é", "e\u0301"),
    (2**53, 2**53 + 1),
    (2**53 + 1, float(2**53)),
    (0.1 + 0.2, 0.3),
    (12, "12"),
    ("0042", 42),
    (b"\x00", b"\x00\x00"),
    (math.inf, -math.inf),
    (2**31, 2.0**31),
    (True, 1.0),
]


@pytest.mark.parametrize(("one", "other"), [*DIFFERENT_CELLS, ("\udcff", "\udcfe")])
def test_cells_that_differ_in_type_or_in_a_bit_are_not_the_same(one: Cell, other: Cell) -> None:
    assert not same_cell(one, other)
    assert not same_cell(other, one)
    assert same_cell(one, one)
    assert same_cell(other, other)


def proven_tables(before: bytes, after: bytes, tables: Collection[str]) -> frozenset[str]:
    """Return what pages prove, with layouts as they are read from the two images."""
    layouts = (layout_of(before), layout_of(after))
    with ExitStack() as stack:

        def pair() -> sqlite3.Connection:
            return stack.enter_context(closing(open_contents(before, after)))

        return untouched_tables((before, after), layouts, tables, pair)


def layout_of(image: bytes) -> Layout:
    with closing(open_image(image)) as db:
        return read_layout(db, read_entries(db))


def image_of(script: str, *rows: tuple[str, Iterable[tuple[Cell, ...]]]) -> bytes:
    """Return a database made by ``script`` and by ``rows``: (INSERT, parameters)."""
    with closing(open_image(b"")) as db:
        db.executescript(script)
        for insert, cells in rows:
            db.executemany(insert, cells)
        return take_image(db)


def run(image: bytes, script: str) -> bytes:
    with closing(open_image(image)) as db:
        db.executescript(script)
        return take_image(db)


def compared(images: tuple[bytes, bytes], pairing: Pairing) -> list[RowDifference]:
    with closing(open_contents(*images)) as db:
        return list(compare_rows(db, pairing))


def pairing_of(columns: str, key: str = "", table: str = "t") -> Pairing:
    names = columns.split()
    return Pairing(table, table, tuple(zip(names, names, strict=True)), tuple(key.split()))


def compared_tables(
    create: str, before: str, after: str, columns: str, key: str = ""
) -> list[RowDifference]:
    """Compare two tables ``t`` made by ``create`` and filled with VALUES lists."""
    one, other = (
        image_of(create + (f"; INSERT INTO t VALUES {values}" if values else ""))
        for values in (before, after)
    )
    return compared((one, other), pairing_of(columns, key))


@pytest.mark.parametrize(("one", "other"), DIFFERENT_CELLS)
@pytest.mark.parametrize("key", ["id", ""])
def test_a_cell_that_is_not_exactly_what_it_was_is_a_changed_value(
    one: Cell, other: Cell, key: str
) -> None:
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, a COLLATE nocase)"
    insert = "INSERT INTO t VALUES (7, ?)"
    images = (image_of(create, (insert, [(one,)])), image_of(create, (insert, [(other,)])))
    (difference,) = compared(images, pairing_of("id a", key))

    assert isinstance(difference, ValueChanged)
    assert (difference.table, difference.key, difference.column) == ("t", (7,), "a")
    assert same_cell(difference.before, one if one is not True else 1)
    assert same_cell(difference.after, other)


def test_text_that_is_not_utf_8_is_compared_byte_by_byte() -> None:
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES "
    before = image_of(create + "(1, CAST(x'ff61' AS TEXT)), (2, CAST(x'ff' AS TEXT))")
    after = image_of(create + "(1, CAST(x'fe61' AS TEXT)), (2, CAST(x'ff' AS TEXT))")

    assert compared((before, after), pairing_of("id a", "id")) == [
        ValueChanged("t", (1,), "a", "\udcffa", "\udcfea")
    ]


class TestWithAKey:
    create = "CREATE TABLE t (k, a, b)"

    def test_rows_are_told_apart_by_their_key(self) -> None:
        differences = compared_tables(
            self.create, "(1, 'x', 0), (2, 'y', 0)", "(3, 'x', 0), (2, 'z', 1)", "k a b", "k"
        )

        assert differences == [
            RowLost("t", (1,), {"k": 1, "a": "x", "b": 0}),
            ValueChanged("t", (2,), "a", "y", "z"),
            ValueChanged("t", (2,), "b", 0, 1),
            RowAdded("t", (3,), {"k": 3, "a": "x", "b": 0}),
        ]

    @pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("'a'", "'A'"), ("'1'", "1")])
    def test_a_key_is_exact(self, one: str, other: str) -> None:
        differences = compared_tables(
            "CREATE TABLE t (k COLLATE nocase, a)", f"({one}, 0)", f"({other}, 0)", "k a", "k"
        )

        assert [type(difference) for difference in differences] == [RowLost, RowAdded]

    def test_a_key_of_several_columns_is_given_in_its_own_order(self) -> None:
        differences = compared_tables(self.create, "(1, 2, 3)", "(1, 2, 4)", "b k a", "a K")

        assert differences == [ValueChanged("t", (2, 1), "b", 3, 4)]

    def test_rows_of_the_same_key_are_taken_with_the_ones_most_like_them(self) -> None:
        differences = compared_tables(
            self.create,
            "(NULL, 'x', 0), (NULL, 'y', 0), (NULL, 'z', 5), (1, 'x', 0), (1, 'x', 0)",
            "(NULL, 'z', 5), (NULL, 'y', 1), (NULL, 'x', 1), (1, 'x', 0), (1, 'x', 0), (1, 'x', 0)",
            "k a b",
            "k",
        )

        assert differences == [
            ValueChanged("t", (None,), "b", 0, 1),
            ValueChanged("t", (None,), "b", 0, 1),
            RowAdded("t", (1,), {"k": 1, "a": "x", "b": 0}),
        ]

    def test_a_row_of_the_same_key_that_is_gone_is_lost(self) -> None:
        differences = compared_tables(
            self.create, "(1, 'x', 0), (1, 'y', 1)", "(1, 'x', 2)", "k a b", "k"
        )

        assert differences == [
            ValueChanged("t", (1,), "b", 0, 2),
            RowLost("t", (1,), {"k": 1, "a": "y", "b": 1}),
        ]

    def test_names_and_order_of_columns_and_the_kind_of_table_may_be_others(self) -> None:
        before = image_of(
            'CREATE TABLE "my ""t""" ("order" PRIMARY KEY, "a b", [c]); '
            "INSERT INTO \"my \"\"t\"\"\" VALUES (1, 'x', 'y'), (2, 'x', 'z')"
        )
        after = image_of(
            "CREATE TABLE [select] (d, [from], k PRIMARY KEY) WITHOUT ROWID; "
            "INSERT INTO [select] VALUES ('z', 'x', 2), ('y', 'X', 1)"
        )
        pairing = Pairing(
            'my "t"', "select", (("a b", "from"), ("order", "k"), ("c", "d")), ("order",)
        )

        assert compared((before, after), pairing) == [ValueChanged('my "t"', (1,), "a b", "x", "X")]

    def test_many_rows_in_another_order_are_the_same(self) -> None:
        numbers = list(range(1000))
        before = image_of(self.create, ("INSERT INTO t VALUES (?, 1, 2)", [(n,) for n in numbers]))
        random.Random(1).shuffle(numbers)
        after = image_of(self.create, ("INSERT INTO t VALUES (?, 1, 2)", [(n,) for n in numbers]))

        assert compared((before, after), pairing_of("k a b", "k")) == []
        assert compared((before, after), pairing_of("k a b")) == []


class TestWithoutAKey:
    create = "CREATE TABLE t (a, b, c)"

    def test_equal_rows_count(self) -> None:
        assert compared_tables(self.create, "(1, 2, 3), (1, 2, 3)", "(1, 2, 3)", "a b c") == [
            RowLost("t", (), {"a": 1, "b": 2, "c": 3})
        ]
        assert (
            compared_tables(self.create, "(1, 2, 3)", "(1, 2, 3), (1, 2, 3), (1, 2, 3)", "a b c")
            == [RowAdded("t", (), {"a": 1, "b": 2, "c": 3})] * 2
        )

    def test_a_row_that_kept_its_rowid_and_half_of_its_cells_changed(self) -> None:
        assert compared_tables(
            self.create,
            "(1, 2, 3), (1, 2, 3), (4, 5, 6)",
            "(1, 2, 3), (1, 2, 0), (4, 0, 0)",
            "a b c",
        ) == [
            ValueChanged("t", (2,), "c", 3, 0),
            RowLost("t", (), {"a": 4, "b": 5, "c": 6}),
            RowAdded("t", (), {"a": 4, "b": 0, "c": 0}),
        ]

    def test_of_equal_rows_only_as_many_are_changed_as_are_gone(self) -> None:
        create = "CREATE TABLE t (a, b); INSERT INTO t (rowid, a, b) VALUES "
        before = image_of(create + "(1, 'x', 0), (2, 'x', 0), (3, 'y', 0)")
        after = image_of(create + "(1, 'x', 1), (2, 'x', 1), (4, 'x', 0), (3, 'y', 0)")

        assert compared((before, after), pairing_of("a b")) == [
            ValueChanged("t", (1,), "b", 0, 1),
            RowAdded("t", (), {"a": "x", "b": 1}),
        ]

    def test_a_rowid_hidden_by_a_column_is_asked_for_by_another_name(self) -> None:
        assert compared_tables(
            "CREATE TABLE t (ROWID, _rowid_)", "('x', 1)", "('x', 2)", "ROWID _rowid_"
        ) == [ValueChanged("t", (1,), "_rowid_", 1, 2)]

    @pytest.mark.parametrize(
        "create",
        [
            "CREATE TABLE t (rowid, oid, _rowid_)",
            "CREATE TABLE t (a, b, c, PRIMARY KEY (a, b)) WITHOUT ROWID",
        ],
    )
    def test_without_a_rowid_a_changed_row_is_lost_and_added(self, create: str) -> None:
        columns = "rowid oid _rowid_" if "oid, " in create else "a b c"

        differences = compared_tables(create, "(1, 2, 3)", "(1, 2, 4)", columns)

        assert [type(difference) for difference in differences] == [RowLost, RowAdded]

    def test_a_table_that_cannot_be_read_is_an_error(self) -> None:
        image = image_of("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        with pytest.raises(sqlite3.OperationalError, match=r"no such column: t\.gone"):
            compared((image, image), pairing_of("gone"))

    def test_tables_with_no_column_in_common_are_counted(self) -> None:
        before = image_of("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
        after = image_of("CREATE TABLE t (b); INSERT INTO t VALUES (1)")

        assert compared((before, after), Pairing("t", "t", (), ())) == [RowLost("t", (), {})]


def test_rows_are_plain_whatever_the_row_factory() -> None:
    image = image_of("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x')")
    with closing(open_contents(image, run(image, "UPDATE t SET a = 2"))) as db:
        db.row_factory = sqlite3.Row

        assert list(compare_rows(db, pairing_of("a b"))) == [ValueChanged("t", (1,), "a", 1, 2)]
        assert count_rows(db, "t") == 1


def test_rows_are_counted_in_either_database() -> None:
    before = image_of('CREATE TABLE "a b" (x); INSERT INTO "a b" VALUES (1), (2)')
    with closing(open_contents(before, run(before, 'DELETE FROM "a b"'))) as db:
        assert count_rows(db, "a b") == 0
        assert count_rows(db, "a b", schema="before") == 2


CELLS = st.sampled_from([None, 0, 1, 1.0, 0.0, -0.0, "a", "A", "", b"", b"a", "a\0", "1"])
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6)


def exact_text(row: tuple[Cell, ...]) -> str:
    return repr(row)


def restored(before: list[tuple[Cell, ...]], found: list[RowDifference]) -> Counter[str]:
    """Return the rows after, as the differences tell them from the rows before."""
    rows = Counter(map(exact_text, before))
    for difference in found:
        if isinstance(difference, RowLost):
            rows[exact_text(tuple(difference.row.values()))] -= 1
        elif isinstance(difference, RowAdded):
            rows[exact_text(tuple(difference.row.values()))] += 1
    return +rows


@given(ROWS, ROWS)
@example([(1, "a", 1)], [(1, "a", 1.0)])
def test_differences_are_told_just_when_the_rows_differ(
    before: list[tuple[Cell, ...]], after: list[tuple[Cell, ...]]
) -> None:
    create = "CREATE TABLE t (a, b, c)"
    insert = "INSERT INTO t VALUES (?, ?, ?)"
    images = (image_of(create, (insert, before)), image_of(create, (insert, after)))
    is_same = Counter(map(exact_text, before)) == Counter(map(exact_text, after))

    for key in ("", "a", "b a"):
        found = compared(images, pairing_of("a b c", key))
        gone = sum(isinstance(difference, RowLost) for difference in found)
        come = sum(isinstance(difference, RowAdded) for difference in found)

        assert (found == []) == is_same
        assert len(before) - gone + come == len(after)
        if not any(isinstance(difference, ValueChanged) for difference in found):
            assert restored(before, found) == Counter(map(exact_text, after))


FILLED = """
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n REAL);
    CREATE TABLE other (id INTEGER PRIMARY KEY, a TEXT);
    CREATE TABLE keyed (k TEXT PRIMARY KEY, a) WITHOUT ROWID;
    CREATE INDEX i ON t (a);
    WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 300)
        INSERT INTO t SELECT n, hex(randomblob(20)), n FROM c;
    INSERT INTO other SELECT id, a FROM t;
    INSERT INTO keyed SELECT a, id FROM t;
    INSERT INTO other VALUES (1000, hex(zeroblob(9000)));
"""
FILLED_TABLES = ("t", "other", "keyed")


@pytest.fixture(scope="module")
def filled() -> bytes:
    return image_of(FILLED)


@NEEDS_DBSTAT
class TestUntouched:
    @pytest.mark.parametrize(
        ("script", "untouched"),
        [
            ("SELECT 1", {"t", "other", "keyed"}),
            ("PRAGMA user_version = 7", {"t", "other", "keyed"}),
            ("ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'x'", {"t", "other", "keyed"}),
            ("ALTER TABLE t ADD COLUMN b AS (a || 'x')", {"t", "other", "keyed"}),
            ("CREATE TABLE new (a); CREATE VIEW v AS SELECT a FROM t", {"t", "other", "keyed"}),
            ("CREATE INDEX j ON t (n); DROP INDEX i", {"t", "other", "keyed"}),
            ("UPDATE t SET a = 'x' WHERE id = 7", {"other", "keyed"}),
            ("DELETE FROM other WHERE id = 3", {"t", "keyed"}),
            ("UPDATE other SET a = hex(zeroblob(8999)) || '01' WHERE id = 1000", {"t", "keyed"}),
            ("INSERT INTO keyed VALUES ('x', 1)", {"t", "other"}),
            ("DROP TABLE other", {"t", "keyed"}),
            ("ALTER TABLE t RENAME TO u", {"other", "keyed"}),
            ("ALTER TABLE t RENAME a TO b", {"other", "keyed"}),
            ("ALTER TABLE t DROP COLUMN n", {"other", "keyed"}),
            (
                (
                    "CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT, n REAL); "
                    "INSERT INTO u SELECT * FROM t; DROP TABLE t; ALTER TABLE u RENAME TO t"
                ),
                {"other", "keyed"},
            ),
            (
                (
                    "ALTER TABLE t RENAME TO x; ALTER TABLE other RENAME TO t; "
                    "ALTER TABLE x RENAME TO other"
                ),
                {"keyed"},
            ),
        ],
    )
    def test_a_table_whose_pages_and_definition_stayed_is_untouched(
        self, filled: bytes, script: str, untouched: set[str]
    ) -> None:
        assert proven_tables(filled, run(filled, script), FILLED_TABLES) == untouched

    def test_names_are_given_back_as_they_were_asked_for(self, filled: bytes) -> None:
        after = run(filled, "DELETE FROM other")

        assert proven_tables(filled, after, ["T", "OTHER", "Keyed", "gone"]) == {"T", "Keyed"}

    def test_equal_images_leave_every_table_untouched(self, filled: bytes) -> None:
        assert proven_tables(filled, bytes(bytearray(filled)), FILLED_TABLES) == set(FILLED_TABLES)
        assert proven_tables(b"", b"", ["t"]) == {"t"}

    def test_nothing_is_known_of_an_empty_image(self, filled: bytes) -> None:
        assert proven_tables(b"", filled, ["t"]) == set()
        assert proven_tables(filled, b"", ["t"]) == set()

    @pytest.mark.parametrize("pragma", ["page_size = 1024", "encoding = 'UTF-16le'"])
    def test_another_page_format_proves_nothing(self, pragma: str) -> None:
        create = "CREATE TABLE t (a); INSERT INTO t VALUES (1)"

        assert (
            proven_tables(image_of(create), image_of(f"PRAGMA {pragma}; {create}"), ["t"]) == set()
        )

    @pytest.mark.parametrize("auto_vacuum", ["NONE", "FULL", "INCREMENTAL"])
    @pytest.mark.parametrize("size", [512, 4096, 65536])
    def test_free_pages_and_pointer_maps_belong_to_no_table(
        self, auto_vacuum: str, size: int
    ) -> None:
        before = image_of(
            f"PRAGMA page_size = {size}; PRAGMA auto_vacuum = {auto_vacuum}; {FILLED}; "
            "CREATE TABLE junk AS SELECT * FROM t; DROP TABLE junk"
        )
        after = run(before, "INSERT INTO keyed SELECT k || 'x', a FROM keyed")

        assert proven_tables(before, after, FILLED_TABLES) == {"t", "other"}

    def test_tables_without_pages_of_their_own_are_never_proven(self) -> None:
        before = image_of(
            "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t; "
            "CREATE VIRTUAL TABLE f USING fts5(a)"
        )
        after = run(before, "CREATE TABLE u (a)")

        assert proven_tables(before, after, ["t", "v", "f"]) == {"t"}

    @pytest.mark.parametrize(
        ("create", "edited"),
        [
            ("CREATE TABLE t (a REAL)", "CREATE TABLE t (a INTEGER)"),
            ("CREATE TABLE t (a)", "CREATE TABLE t (b)"),
            ("CREATE TABLE t (a, b DEFAULT 1)", "CREATE TABLE t (a, b DEFAULT 2)"),
            ("CREATE TABLE t (a, b AS (a + 1))", "CREATE TABLE t (a, b AS (a + 2))"),
            ("CREATE TABLE t (a INTEGER PRIMARY KEY)", "CREATE TABLE t (a INTEGER)"),
        ],
    )
    def test_the_same_pages_under_another_definition_prove_nothing(
        self, create: str, edited: str
    ) -> None:
        before = image_of(f"{create}; INSERT INTO t (a) VALUES (1)")
        after = run(
            before,
            "PRAGMA writable_schema = ON; "
            f"UPDATE sqlite_master SET sql = '{edited}'; PRAGMA writable_schema = RESET",
        )

        assert proven_tables(before, after, ["t"]) == set()

    def test_names_that_differ_in_case_beyond_ascii_are_proven_apart(self) -> None:
        before = image_of('CREATE TABLE "É" (a); CREATE TABLE "é" (a); CREATE TABLE t (a)')
        after = run(before, 'INSERT INTO "É" VALUES (1)')

        assert proven_tables(before, after, ["É", "é", "t"]) == {"é", "t"}

    def test_without_dbstat_only_what_needs_no_pages_is_proven(
        self, filled: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "has_dbstat", lambda: False)
        touched = run(filled, "DELETE FROM other")
        version = run(filled, "PRAGMA user_version = 7")

        assert proven_tables(filled, touched, FILLED_TABLES) == set()
        assert proven_tables(filled, filled, FILLED_TABLES) == set(FILLED_TABLES)
        assert proven_tables(filled, version, FILLED_TABLES) == set(FILLED_TABLES)

    def test_dbstat_is_looked_for_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Bare(sqlite3.Connection):
            def execute(self, *_: object) -> sqlite3.Cursor:
                raise sqlite3.OperationalError("no such table: dbstat")

        opened = []

        def connect(path: str) -> sqlite3.Connection:
            opened.append(path)
            return Bare(path)

        pages.has_dbstat.cache_clear()
        monkeypatch.setattr(pages, "sqlite3", FakeSqlite(connect))
        try:
            assert [pages.has_dbstat(), pages.has_dbstat()] == [False, False]
            assert opened == [":memory:"]
        finally:
            pages.has_dbstat.cache_clear()


class FakeSqlite:
    OperationalError = sqlite3.OperationalError

    def __init__(self, connect: object) -> None:
        self.connect = connect


STEPS = (
    "UPDATE {t} SET a = a || 'x' WHERE id % {n} = 0",
    "UPDATE {t} SET n = n + 1 WHERE id = {n}",
    "DELETE FROM {t} WHERE id > {n}",
    "DELETE FROM {t}",
    "INSERT INTO {t} (a, n) VALUES (hex(zeroblob({n} * 20)), {n})",
    "INSERT OR REPLACE INTO {t} (id, a) VALUES ({n}, 'r')",
    "ALTER TABLE {t} ADD COLUMN c{n}_{i} TEXT DEFAULT 'd{n}'",
    "ALTER TABLE {t} ADD COLUMN c{n}_{i} AS (n * {n})",
    "ALTER TABLE {t} RENAME TO x_{i}; CREATE TABLE {t} AS SELECT * FROM x_{i}",
    (
        "ALTER TABLE {t} RENAME TO x_{i}; ALTER TABLE {u} RENAME TO {t}; "
        "ALTER TABLE x_{i} RENAME TO {u}"
    ),
    "ALTER TABLE {t} DROP COLUMN n",
    "ALTER TABLE {t} RENAME n TO n{i}",
    "CREATE INDEX i_{i} ON {t} (a)",
    "DROP INDEX IF EXISTS i_{n}",
    "CREATE TABLE new_{i} (id INTEGER PRIMARY KEY, a); INSERT INTO new_{i} SELECT id, a FROM {t}",
    "DROP TABLE {t}; CREATE TABLE {t} (id INTEGER PRIMARY KEY, a, n)",
    "VACUUM",
    "PRAGMA incremental_vacuum",
    "ANALYZE",
    "REINDEX",
    "PRAGMA user_version = {n}",
)
MADE = """
    PRAGMA page_size = {size};
    PRAGMA auto_vacuum = {auto_vacuum};
    CREATE TABLE t0 (id INTEGER PRIMARY KEY, a TEXT, n REAL);
    CREATE TABLE t1 (id INT, a, n, PRIMARY KEY (id, a)) WITHOUT ROWID;
    CREATE TABLE t2 (a UNIQUE, n, id, g AS (n + 1));
    CREATE TABLE t3 (id INTEGER PRIMARY KEY AUTOINCREMENT, a, n INTEGER);
"""


def contents(image: bytes, table: str, columns: list[str]) -> Counter[str]:
    names = ", ".join(f't."{name}"' for name in columns)
    with closing(open_image(image)) as db:
        return Counter(map(exact_text, db.execute(f'SELECT {names} FROM "{table}" AS t')))


def column_names(image: bytes, table: str) -> list[str]:
    with closing(open_image(image)) as db:
        return [row[1] for row in db.execute("SELECT * FROM pragma_table_xinfo(?)", [table])]


@NEEDS_DBSTAT
@pytest.mark.parametrize("seed", every(3, range(120)))
def test_an_untouched_table_truly_holds_the_same_rows(seed: int) -> None:
    """Change a database at random and compare each table called untouched cell by cell."""
    dice = random.Random(seed)
    tables = ["t0", "t1", "t2", "t3"]
    made = MADE.format(
        size=dice.choice([512, 1024, 4096]),
        auto_vacuum=dice.choice(["NONE", "FULL", "INCREMENTAL"]),
    )
    image = image_of(
        made,
        *(
            (
                f"INSERT INTO {table} (id, a, n) VALUES (?, ?, ?)",
                [(n, f"{n}-" + "y" * dice.choice([3, 30, 900]), n / 2) for n in range(1, 60)],
            )
            for table in tables
        ),
    )
    proven = 0
    for number in range(8):
        with closing(open_image(image)) as db:
            for part in range(dice.choice([1, 1, 2])):
                step = dice.choice(STEPS).format(
                    t=dice.choice(tables),
                    u=dice.choice(tables),
                    n=dice.randrange(1, 70),
                    i=f"{number}{part}",
                )
                try:
                    db.executescript(step)
                except (sqlite3.OperationalError, sqlite3.IntegrityError):
                    continue  # not every step fits every table, nor what it has become
            after = take_image(db)
        there = [table for table in tables if column_names(image, table)]
        for table in proven_tables(image, after, there):
            columns = column_names(image, table)

            assert contents(image, table, columns) == contents(after, table, columns)
            proven += 1
        image = after

    assert proven
