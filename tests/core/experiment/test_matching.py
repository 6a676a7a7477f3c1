"""How tables, sequences and written rows are matched, in cases that generated rows do not show."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract, Rename
from pytest_bbmigrate.experiment.matching import match_names, match_schemas
from pytest_bbmigrate.experiment.observe import fallen_sequences, last_id
from pytest_bbmigrate.experiment.written_since import WrittenComparison, rows_like
from pytest_bbmigrate.rows import RowLost, ValueChanged
from pytest_bbmigrate.runner import Run
from pytest_bbmigrate.schema import Renames, read_schema
from pytest_bbmigrate.sqlite_files import open_contents, open_image, take_image

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

COUNTED = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"


def images(create: str, change: str) -> tuple[bytes, bytes]:
    """Return a database that ``create`` made, and the same after ``change``."""
    with closing(open_image(b"")) as db:
        db.executescript(create)
        before = take_image(db)
        db.executescript(change)
        return before, take_image(db)


def renames_of(before: bytes, after: bytes, *declared: Rename, run: Run | None = None) -> Renames:
    """Return the name after of each table and column, by ``declared`` and what ``run`` renamed."""
    with closing(open_image(before)) as old, closing(open_image(after)) as new:
        schemas = read_schema(old), read_schema(new)
    with closing(open_contents(before, after)) as pair:
        return match_schemas(pair, *schemas, contract=Contract(renames=declared), run=run)


@pytest.mark.parametrize(
    "rows", ["", "INSERT INTO a VALUES (1, 'x'); INSERT INTO b VALUES (1, 'x');"]
)
def test_a_table_is_not_taken_for_another_one_by_its_rows(rows: str) -> None:
    create = "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT);"
    create_b = create.replace("a (", "b (")
    before, _ = images(create + rows.partition("; ")[0], "")
    _, after = images(create_b + rows.partition("; ")[2], "")

    assert renames_of(before, after).tables == {}
    assert renames_of(before, after, Rename("a", None, "b", None, 1)).tables == {"a": "b"}


def test_a_declared_rename_of_what_was_not_there_is_not_believed() -> None:
    before, after = images(COUNTED, "CREATE TABLE u (id INTEGER PRIMARY KEY);")

    assert renames_of(before, after, Rename("u", None, "t", None, 1)).tables == {"t": "t"}


TWINS = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b);"
    "INSERT INTO t VALUES (1, 'x', 'x'), (2, 'y', 'y')"
)
KEYLESS = "CREATE TABLE t (n INT, a TEXT, g AS (n)); INSERT INTO t VALUES (1, 'x'), (2, 'y')"
ANEW = "DROP TABLE t; CREATE TABLE t (n INT, c TEXT, g AS (n + 1)); INSERT INTO t VALUES "
PAIRED = "CREATE TABLE t (n INT, m INT, a TEXT); INSERT INTO t VALUES (1, 1, 'x'), (1, 2, 'y')"
PAIRED_ANEW = "DROP TABLE t; CREATE TABLE t (n INT, m INT, c TEXT); INSERT INTO t VALUES "
KEYED = PAIRED.replace("a TEXT", "a TEXT, PRIMARY KEY (n, m)")
KEYED_ANEW = PAIRED_ANEW.replace("c TEXT", "c TEXT, PRIMARY KEY (n, m)")


@pytest.mark.parametrize(
    ("create", "change", "columns"),
    [
        # One new column is not what two have become.
        (TWINS, "ALTER TABLE t RENAME a TO c; ALTER TABLE t DROP b", {"id": "id", "a": "c"}),
        # Of two that hold the same, each is taken once, in their order.
        (
            TWINS,
            "ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO d",
            {"id": "id", "a": "c", "b": "d"},
        ),
        # What a generated column gives has no say.
        (KEYLESS, f"{ANEW} (2, 'y'), (1, 'x')", {"n": "n", "a": "c", "g": "g"}),
        # The same values in other rows are others.
        (KEYLESS, f"{ANEW} (1, 'y'), (2, 'x')", {"n": "n", "g": "g"}),
        # Which row it is, no single column tells.
        (PAIRED, f"{PAIRED_ANEW} (1, 2, 'x'), (1, 1, 'y')", {"n": "n", "m": "m"}),
        (PAIRED, f"{PAIRED_ANEW} (1, 2, 'y'), (1, 1, 'x')", {"n": "n", "m": "m", "a": "c"}),
        (KEYED, f"{KEYED_ANEW} (1, 2, 'x'), (1, 1, 'y')", {"n": "n", "m": "m"}),
        (KEYED, f"{KEYED_ANEW} (1, 2, 'y'), (1, 1, 'x')", {"n": "n", "m": "m", "a": "c"}),
        # Where the key tells, what happened to other columns does not matter.
        (
            f"{KEYED}; ALTER TABLE t ADD COLUMN b DEFAULT 1",
            f"{KEYED_ANEW} (1, 2, 'y'), (1, 1, 'x'); ALTER TABLE t ADD COLUMN b DEFAULT 2",
            {"n": "n", "m": "m", "a": "c", "b": "b"},
        ),
    ],
)
def test_a_column_is_followed_to_where_each_row_has_its_value(
    create: str, change: str, columns: dict[str, str]
) -> None:
    before, after = images(create, change)

    assert renames_of(before, after).columns == {("t", old): new for old, new in columns.items()}


def test_of_two_columns_declared_to_become_one_only_the_first_is_it() -> None:
    before, after = images(TWINS, "ALTER TABLE t RENAME a TO c; ALTER TABLE t DROP b")
    declared = [Rename("t", column, "t", "c", 1) for column in ("a", "b")]

    assert renames_of(before, after, *declared).columns == {("t", "id"): "id", ("t", "a"): "c"}


def test_a_column_declared_to_change_its_name_does_not_hold_its_table_in_place() -> None:
    swap = "ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u;"
    before, after = images(
        "CREATE TABLE t (a); CREATE TABLE u (b)", f"{swap} ALTER TABLE u RENAME a TO c"
    )
    run = Run(None, 4, 0.0, renamed_tables=(("t", "u"), ("u", "t")))

    renames = renames_of(before, after, Rename("t", "a", "t", "c", 1), run=run)

    assert renames.tables == {"t": "u", "u": "t"}


def test_what_is_declared_of_another_tables_column_is_not_believed_of_this_one() -> None:
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE u (a)"
    rename = "ALTER TABLE {0} RENAME a TO c"
    before, after = images(create, f"{rename.format('t')}; {rename.format('u')}")

    assert renames_of(before, after, Rename("u", "a", "u", "c", 1)).columns == {
        ("t", "id"): "id",
        ("u", "a"): "c",
    }


def test_every_column_that_a_run_renamed_is_followed_whatever_its_letters() -> None:
    create = "CREATE TABLE t (A, b, Kept); CREATE TABLE u (a)"
    before, after = images(create, "ALTER TABLE t RENAME b TO D; ALTER TABLE t RENAME A TO C")
    renamed = ((("u", "a"), "x"), (("t", "b"), "d"), (("t", "a"), "c"))

    renames = renames_of(before, after, run=Run(None, 2, 0.0, renamed_columns=renamed))

    assert renames.columns == {
        ("t", "a"): "c",
        ("t", "b"): "d",
        ("t", "kept"): "kept",
        ("u", "a"): "a",
    }


def test_by_name_alone_what_is_gone_has_no_new_name() -> None:
    create = "CREATE TABLE t (a, b); CREATE TABLE u (a)"
    before, after = images(create, "DROP TABLE u; ALTER TABLE t DROP b")
    with closing(open_image(before)) as old, closing(open_image(after)) as new:
        schemas = read_schema(old), read_schema(new)

    assert match_names(*schemas) == Renames({"t": "t"}, {("t", "a"): "a"})
    assert match_names(*schemas, frozenset({"t"})) == Renames({"t": "t"}, {})


@pytest.mark.parametrize(
    ("change", "last"),
    [
        ("", 0),
        ("INSERT INTO t (name) VALUES ('a'), ('b');", 2),
        ("INSERT INTO t (name) VALUES ('a'), ('b'); DELETE FROM t;", 2),
        ("INSERT INTO t VALUES (7, 'a'); UPDATE sqlite_sequence SET seq = 3;", 7),
        ("INSERT INTO t VALUES (7, 'a'); DELETE FROM sqlite_sequence;", 7),
        ("INSERT INTO t VALUES (7, 'a'); UPDATE sqlite_sequence SET seq = NULL;", 7),
    ],
)
def test_the_last_id_is_the_larger_of_the_sequence_and_the_largest_id(
    change: str, last: int
) -> None:
    before, after = images(COUNTED, change)
    with closing(open_contents(before, after)) as pair:
        assert last_id(pair, "main", "T") == last


@pytest.mark.parametrize(
    ("change", "fallen"),
    [
        ("DELETE FROM t;", ()),
        ("DELETE FROM sqlite_sequence;", ()),
        ("DELETE FROM t WHERE id = 2; UPDATE sqlite_sequence SET seq = 1;", (("t", 2, 1),)),
        ("UPDATE sqlite_sequence SET seq = 9;", ()),
        ("DROP TABLE t;", ()),
        ("DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);", ()),
    ],
)
def test_a_sequence_has_fallen_where_an_id_would_be_used_again(
    change: str, fallen: tuple[tuple[str, int, int], ...]
) -> None:
    before, after = images(COUNTED + "INSERT INTO t (name) VALUES ('a'), ('b');", change)
    with closing(open_image(before)) as old, closing(open_image(after)) as new:
        schemas = read_schema(old), read_schema(new)
    with closing(open_contents(before, after)) as pair:
        renames = renames_of(before, after)

        assert fallen_sequences(pair, *schemas, renames) == fallen


def test_of_two_equal_written_rows_both_must_still_exist() -> None:
    row: dict[str, Cell] = {"name": "a", "cents": 1}
    columns = ("name", "cents")
    twice = WrittenComparison("t", columns, (), lambda _: [("a", 1), ("a", 1)])
    once = WrittenComparison("t", columns, (), lambda _: [("a", 1)])

    assert list(twice.differences([row, row])) == []
    assert list(once.differences([row, row])) == [RowLost("t", (), row)]


def test_a_written_row_is_found_by_its_key_and_compared_cell_by_cell() -> None:
    row: dict[str, Cell] = {"id": 1, "cents": 1}
    columns = ("id", "cents")
    other = WrittenComparison("t", columns, ("id",), lambda _: [(1, 1.0)])
    lost = WrittenComparison("t", columns, ("id",), lambda _: [("1", 1)])

    assert list(other.differences([row])) == [ValueChanged("t", (1,), "cents", 1, 1.0)]
    assert list(lost.differences([row])) == [RowLost("t", (1,), row)]


def test_a_written_row_is_asked_for_by_what_unicode_has_and_told_by_all_of_it() -> None:
    with closing(open_image(b"")) as db:
        db.execute("CREATE TABLE t (name TEXT, cents)")
        db.execute("INSERT INTO t VALUES (CAST(x'ff' AS TEXT), 1), ('b', 1), ('b', '1')")
        columns = {"name": "name", "cents": "cents"}
        look_up = partial(rows_like, db, "t", columns)
        comparison = WrittenComparison("t", tuple(columns), (), look_up)
        odd: dict[str, Cell] = {"name": "\udcff", "cents": 1}
        real: dict[str, Cell] = {"name": "b", "cents": 1.0}

        assert look_up({"name": "b"}) == [("b", 1), ("b", "1")]
        assert list(comparison.differences([odd])) == []
        assert list(comparison.differences([real])) == [RowLost("t", (), real)]
