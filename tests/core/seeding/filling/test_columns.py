"""Values for new columns, and rows written since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.seeding.filling.fill import add_rows, fill_columns, fill_tables
from pytest_bbmigrate.seeding.model import Recipe, Unfilled
from tests.core.filling import Filled, database, filled
from tests.core.seeding_schemas import SCHEMAS

if TYPE_CHECKING:
    from pytest_bbmigrate.seeding.filling.fill import Filling

BASE = "CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT); CREATE TABLE t (name TEXT, note TEXT)"


def widen(result: Filled, *columns: str, recipe: Recipe | None = None) -> Filling:
    """Add columns to t and fill them."""
    for column in columns:
        result.db.execute(f"ALTER TABLE t ADD COLUMN {column}")
    pairs = [("T", column.split()[0].upper()) for column in columns]
    return fill_columns(result.db, read_schema(result.db), pairs, recipe or Recipe())


@pytest.mark.parametrize(
    "column",
    [
        "trip_tag TEXT",
        "amount REAL NOT NULL DEFAULT -7.5",
        "mood INTEGER CHECK (mood BETWEEN 1 AND 5)",
        "p_id INTEGER REFERENCES p (id)",
        "anything",
    ],
)
def test_two_of_three_rows_get_a_value(column: str) -> None:
    with filled(BASE) as result:
        before = result.values("SELECT name FROM t")
        filling = widen(result, column)
        name = column.split()[0]
        default = "-7.5" if "DEFAULT" in column else "NULL"
        given = result.values(f"SELECT count(*) FROM t WHERE {name} IS NOT {default}")[0]

        assert filling.unfilled == ()
        assert filling.added == {}
        assert 100 <= given <= 134
        assert before == result.values("SELECT name FROM t")


def test_a_new_column_gets_hostile_values() -> None:
    with filled(BASE) as result:
        widen(result, "memo TEXT")

        assert {None, "", "nul\x00inside", "0042"} < set(result.values("SELECT memo FROM t"))


def test_references_of_new_columns_hold() -> None:
    sql = SCHEMAS["columns shared by two foreign keys"]
    with filled(sql) as result:
        result.db.execute("ALTER TABLE entry ADD COLUMN via_id INTEGER REFERENCES tenant")
        result.db.execute("UPDATE entry SET to_id = NULL")
        schema = read_schema(result.db)
        filling = fill_columns(
            result.db, schema, [("entry", "to_id"), ("entry", "via_id")], Recipe()
        )

        assert filling.unfilled == ()
        assert result.db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert result.values("SELECT count(to_id) FROM entry")[0] > 80
        assert result.values("SELECT count(via_id) FROM entry")[0] > 80


def test_a_new_reference_to_its_own_table_makes_trees() -> None:
    with filled(SCHEMAS["integer key"]) as result:
        filling = widen(result, "parent_id INTEGER REFERENCES t (id)")

        assert filling.unfilled == ()
        assert result.db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert result.values("SELECT count(*) FROM t WHERE parent_id >= id")[0] == 0
        assert result.values("SELECT count(parent_id) FROM t")[0] > 80


def test_a_unique_new_column_stays_unique() -> None:
    with filled(BASE) as result:
        result.db.execute("ALTER TABLE t ADD COLUMN code TEXT")
        result.db.execute("CREATE UNIQUE INDEX u ON t (code)")
        filling = fill_columns(result.db, read_schema(result.db), [("t", "code")], Recipe())

        assert filling.unfilled == ()
        assert result.values("SELECT count(DISTINCT code) FROM t")[0] > 120


def test_what_is_required_of_a_new_column_holds() -> None:
    recipe = Recipe(requires=(Requirement("t", (), "note <> memo OR memo > 'm'", 1),))
    with filled(BASE) as result:
        widen(result, "memo TEXT", recipe=recipe)

        assert result.values("SELECT 1 FROM t WHERE NOT (note <> memo OR memo > 'm')") == []


def test_a_refused_value_gives_way_to_another() -> None:
    with filled(BASE) as result:
        result.db.execute("CREATE TRIGGER tr BEFORE UPDATE ON t WHEN NEW.note = '' BEGIN"
                          " SELECT RAISE(ABORT, 'say something'); END")  # fmt: skip
        result.db.execute("UPDATE t SET note = NULL")
        filling = fill_columns(result.db, result.schema, [("t", "note")], Recipe())

        assert filling.unfilled == ()
        assert "" not in result.values("SELECT note FROM t")


@pytest.mark.parametrize("name", ["without rowid", "all names of the rowid taken", "composite key"])
def test_rows_are_distinguished_in_every_kind_of_table(name: str) -> None:
    with filled(SCHEMAS[name]) as result:
        filling = widen(result, "memo TEXT")

        assert filling.unfilled == ()
        assert 100 <= result.values("SELECT count(memo) FROM t")[0] <= 134


def test_a_generated_column_needs_no_value() -> None:
    with filled(BASE) as result:
        assert widen(result, "long TEXT AS (name || note) VIRTUAL").unfilled == ()


def test_rows_keep_what_others_refer_to_them_by_in_a_column_that_joins_the_key() -> None:
    sql = """CREATE TABLE p (k TEXT PRIMARY KEY, note TEXT);
        CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT NOT NULL REFERENCES p (k));"""
    widened = """CREATE TABLE p2 (k TEXT, note TEXT, place TEXT NOT NULL DEFAULT 'home', extra TEXT,
            PRIMARY KEY (place, k));
        INSERT INTO p2 (k, note) SELECT k, note FROM p; DROP TABLE p; ALTER TABLE p2 RENAME TO p;
        CREATE TABLE t2 (id INTEGER PRIMARY KEY, k TEXT NOT NULL,
            place TEXT NOT NULL DEFAULT 'home', FOREIGN KEY (place, k) REFERENCES p (place, k));
        INSERT INTO t2 (id, k) SELECT id, k FROM t; DROP TABLE t; ALTER TABLE t2 RENAME TO t;"""
    with filled(sql) as result:
        result.db.executescript(widened)
        columns = [("p", "place"), ("p", "extra"), ("t", "place")]
        fill_columns(result.db, read_schema(result.db), columns, Recipe())

        assert result.values("SELECT count(*) FROM pragma_foreign_key_check") == [0]
        assert result.values("SELECT count(DISTINCT place) > 1 FROM p") == [1]
        assert result.values("SELECT count(extra) > 100 FROM p") == [1]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("gone", "there is no such column"),
        ("odd TEXT CHECK (odd = random())", "no value made for odd meets CHECK (odd = random())"),
        ("x_id INTEGER REFERENCES gone", "its foreign key refers to gone, which is not there"),
        ("late TEXT NOT NULL DEFAULT 'x' UNIQUE", "closed"),
    ],
)
def test_a_column_that_no_row_takes_a_value_for_is_said(column: str, reason: str) -> None:
    with filled(BASE) as result:
        name = column.split()[0]
        if reason == "closed":
            result.db.execute("CREATE TRIGGER tr BEFORE UPDATE ON t BEGIN"
                              " SELECT RAISE(ABORT, 'closed'); END")  # fmt: skip
            column = column.removesuffix(" UNIQUE")
        if name != "gone":
            result.db.execute(f"ALTER TABLE t ADD COLUMN {column}")
        filling = fill_columns(result.db, read_schema(result.db), [("t", name)], Recipe())

        assert [Unfilled("t", name, reason)] == list(filling.unfilled)


def test_a_column_whose_only_parent_is_refused_is_said() -> None:
    with filled(SCHEMAS["integer key"]) as result:
        reason = "no row took a row of t as its parent"
        filling = widen(result, "up INTEGER REFERENCES t (id) CHECK (up IS NULL)")

        assert (Unfilled("t", "up", reason),) == filling.unfilled


def test_a_column_of_an_empty_table_is_said() -> None:
    with database(BASE) as (db, schema):
        filling = fill_columns(db, schema, [("t", "note"), ("x", "y")], Recipe())

        assert (
            Unfilled("x", "y", "there is no such column"),
            Unfilled("t", "note", "the table holds no rows"),
        ) == filling.unfilled


def test_filling_columns_again_does_the_same() -> None:
    with filled(BASE) as one, filled(BASE) as other:
        widen(one, "memo TEXT", "amount REAL")
        widen(other, "memo TEXT", "amount REAL")

        assert one.content() == other.content()


@pytest.mark.parametrize("name", SCHEMAS)
def test_further_rows_fit_beside_those_there(name: str) -> None:
    with filled(SCHEMAS[name]) as result:
        before = result.content()
        for table in result.schema.tables:
            if table.virtual is None:
                filling = add_rows(result.db, result.schema, table.name, 5, Recipe(seed=2))

                assert filling.added[table.name] or filling.unfilled
        assert result.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert all(
            set(rows) <= set(after)
            for rows, after in zip(before.values(), result.content().values(), strict=True)
        )
        if name != "key that is unique only later":
            assert result.db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_further_rows_are_above_all_that_ever_were() -> None:
    with filled(SCHEMAS["autoincrement"]) as result:
        (last,) = result.values("SELECT seq FROM sqlite_sequence")
        filling = add_rows(result.db, result.schema, "t", 3, Recipe())

        assert filling.added == {"t": 3}
        above = f"SELECT id FROM t WHERE id > {last} ORDER BY id"

        assert [last + 1, last + 2, last + 3] == result.values(above)


def test_the_highest_row_number_leaves_room_below() -> None:
    with database(SCHEMAS["integer key"]) as (db, schema):
        db.execute("INSERT INTO t VALUES (?, 'last')", [2**63 - 1])

        assert add_rows(db, schema, "t", 4, Recipe()).added == {"t": 4}


@pytest.mark.parametrize(
    ("sql", "table", "expected"),
    [
        ("CREATE TABLE t (a)", "u", Unfilled("u", "", "there is no such table")),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT)",
            "t",
            Unfilled("t", "", "no further row fits"),
        ),
        (
            SCHEMAS["one child for each parent"] + "; DELETE FROM p",
            "c",
            Unfilled("c", "", "p, which p_id must refer to, is empty"),
        ),
    ],
)
def test_rows_that_cannot_be_added_are_said(sql: str, table: str, expected: Unfilled) -> None:
    with database(sql) as (db, schema):
        if "CHECK (id = 1)" in sql:
            fill_tables(db, schema, ["t"], Recipe())
        filling = add_rows(db, schema, table, 5, Recipe())

        assert {table: 0} == filling.added
        assert (expected,) == filling.unfilled
