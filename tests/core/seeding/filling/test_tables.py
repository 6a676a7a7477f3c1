"""Filling tables of any schema."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.seeding.filling.fill import add_rows, fill_tables
from pytest_bbmigrate.seeding.filling.queries import new_keys, row_keys
from pytest_bbmigrate.seeding.model import Recipe, Unfilled, exact_key
from pytest_bbmigrate.seeding.values.hostile import hostile_values
from pytest_bbmigrate.seeding.values.meaning import Family
from tests.core.filling import database, filled
from tests.core.seeding_schemas import SCHEMAS

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

# How many rows a table gets where a constraint, unique values, parents or a trigger leave fewer
# than 200.
FEWER = {
    "check that only plain values meet": {"t": 140},
    "unique expression": {"t": 198},
    "one child for each parent": {"c": 180},
    "circle of three": {"c": 180},
    "circle with one for each": {"a": 180, "b": 180},
    "foreign key of another type": {"c": 198},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_table_of_a_schema_gets_its_rows(name: str) -> None:
    with filled(SCHEMAS[name]) as result:
        expected = dict.fromkeys(result.names, 200) | FEWER.get(name, {})

        assert result.filling.unfilled == ()
        assert expected == result.filling.added


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("rows", [200, 7])
def test_constraints_and_references_hold_afterwards(name: str, rows: int) -> None:
    with filled(SCHEMAS[name], Recipe(rows=rows)) as result:
        dangling_rows = [
            broken
            for table in result.names
            if name != "key that is unique only later"  # which SQLite refuses to look at
            for broken in result.db.execute(f"PRAGMA foreign_key_check('{table}')")
        ]

        assert result.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert dangling_rows == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_same_seed_gives_the_same_rows(name: str) -> None:
    with filled(SCHEMAS[name]) as one, filled(SCHEMAS[name]) as other:
        assert one.content() == other.content()


def test_another_seed_gives_other_rows() -> None:
    sql = SCHEMAS["foreign key"]
    with filled(sql, Recipe(seed=1)) as one, filled(sql, Recipe(seed=2)) as other:
        assert one.content() != other.content()


def test_the_order_in_which_tables_are_filled_does_not_matter() -> None:
    sql = "CREATE TABLE a (name TEXT, amount REAL); CREATE TABLE b (name TEXT, note TEXT)"
    with database(sql) as (db, schema), filled(sql) as together:
        fill_tables(db, schema, ["b"], Recipe())
        fill_tables(db, schema, ["A"], Recipe())

        assert together.content() == {
            name: [repr(row) for row in db.execute(f"SELECT * FROM {name}")] for name in "ab"
        }


def test_no_transaction_is_left_open() -> None:
    with filled(SCHEMAS["refusing trigger"]) as result:
        assert not result.db.in_transaction


def test_rows_that_are_there_are_kept_and_topped_up() -> None:
    with database("CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE)") as (db, schema):
        db.execute("INSERT INTO t VALUES (5, 'ref_000000000000'), (9, NULL)")
        filling = fill_tables(db, schema, ["t"], Recipe(rows=20))

        assert filling.added == {"t": 18}
        assert db.execute("SELECT * FROM t ORDER BY id LIMIT 2").fetchall() == [
            (5, "ref_000000000000"),
            (9, None),
        ]


def test_a_table_with_enough_rows_is_left() -> None:
    with filled(SCHEMAS["tree"], Recipe(rows=8)) as result:
        before = result.content()
        filling = fill_tables(result.db, result.schema, ["t"], Recipe(rows=8))

        assert filling.added == {"t": 0}
        assert before == result.content()


def test_old_dangling_references_are_left_as_they_were() -> None:
    with database(SCHEMAS["foreign key"]) as (db, schema):
        db.execute("INSERT INTO c VALUES (1, 4711)")
        fill_tables(db, schema, ["p", "c"], Recipe(rows=30))

        assert db.execute("PRAGMA foreign_key_check").fetchall() == [("c", 1, "p", 0)]


def test_rows_written_by_a_trigger_count_for_the_table_they_are_in() -> None:
    with filled(SCHEMAS["audit trigger"]) as result:
        assert result.filling.added == {"t": 200, "audit": 200}


def test_a_parent_has_no_child() -> None:
    with filled(SCHEMAS["foreign key"]) as result:
        childless = "SELECT count(*) FROM p WHERE id NOT IN (SELECT p_id FROM c)"

        assert result.values(childless)[0] >= 20


def test_a_reference_that_may_be_null_is_so_in_some_rows() -> None:
    with filled(SCHEMAS["child before parent"], Recipe(rows=6)) as result:
        assert {None} < set(result.values("SELECT p_id FROM c"))


def test_a_child_holds_exactly_its_parents_key() -> None:
    with filled(SCHEMAS["foreign key to a unique column"]) as result:
        keys = result.values("SELECT DISTINCT code FROM c WHERE code IS NOT NULL")

        assert set(keys) < set(result.values("SELECT code FROM p"))


def test_a_tree_has_no_circle() -> None:
    with filled(SCHEMAS["tree"]) as result:
        depths = result.values(
            "WITH RECURSIVE down (id, depth) AS (SELECT id, 0 FROM t WHERE parent_id IS NULL"
            " UNION ALL SELECT t.id, depth + 1 FROM t JOIN down ON parent_id = down.id)"
            " SELECT max(depth) FROM down UNION ALL SELECT count(*) FROM down"
        )

        assert depths[0] > 2
        assert depths[1] == 200


def test_row_numbers_have_gaps() -> None:
    with filled(SCHEMAS["integer key"]) as result:
        assert result.values("SELECT max(id) FROM t")[0] > 200


def test_autoincrement_is_ahead_of_the_last_row() -> None:
    with filled(SCHEMAS["autoincrement"]) as result:
        ahead = "SELECT seq - (SELECT max(id) FROM t) FROM sqlite_sequence WHERE name = 't'"

        assert result.values(ahead) == [3]


def test_there_are_duplicates_where_no_key_forbids_them() -> None:
    with filled(SCHEMAS["no key at all"]) as result:
        assert len(result.db.execute("SELECT DISTINCT text, written_at FROM note").fetchall()) < 200


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 59, 60])
def test_there_are_as_many_rows_as_asked_for(rows: int) -> None:
    with filled(SCHEMAS["declared types"], Recipe(rows=rows)) as result:
        assert {"t": rows} == result.filling.added


def test_the_first_row_is_realistic() -> None:
    sql = "CREATE TABLE transactions (merchant TEXT, bb_category TEXT, amount REAL, date DATE)"
    with filled(sql, Recipe(rows=1)) as result:
        ((merchant, category, amount, date),) = result.db.execute("SELECT * FROM transactions")

        assert merchant in {
            "Green Basket Market",
            "Corner Grocer",
            "Aldergate Foods",
            "Farm & Field",
        }
        assert category == "Groceries"
        assert amount > 0
        assert "2024-01-01" <= date <= "2026-12-31"


def test_merchants_are_of_their_category() -> None:
    with filled("CREATE TABLE t (category TEXT, merchant TEXT)") as result:
        kettle = (
            "SELECT DISTINCT category FROM t WHERE merchant = 'Metro Transit' AND category <> ''"
        )

        assert "Transport" in result.values(kettle)
        assert "Groceries" not in result.values(kettle)


def test_the_old_and_the_new_name_of_a_category_stand_side_by_side() -> None:
    literals = (("category", "Eating Out"), ("category", "Going Out"))
    with filled(
        "CREATE TABLE budgets (category TEXT, month TEXT)", Recipe(literals=literals)
    ) as result:
        assert {"Dining Out", "Going Out", "Eating Out"} < set(
            result.values("SELECT category FROM budgets")
        )


LITERALS = (
    ("note", "for the cat"),
    ("amount", 17.25),
    (None, "Anywhere"),
    (None, 4242),
    (None, "lone \ud800 surrogate"),
    (None, 2**70),
    ("date", "not a date"),
)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("note TEXT", {"for the cat", "Anywhere"}),
        ("memo TEXT", {"Anywhere"}),
        ("amount REAL", {17.25, 4242.0}),
        ("cents INTEGER", {4242}),
        ("anything", {"Anywhere", 4242}),
        ("amount TEXT", set()),
        ("date TEXT", set()),
        ("is_paid INTEGER", set()),
        ("email TEXT", set()),
        ("note TEXT PRIMARY KEY", set()),
        ("note TEXT UNIQUE", set()),
        ("data BLOB", set()),
    ],
)
def test_literals_of_the_migrations_are_where_they_can_be(
    column: str, expected: set[object]
) -> None:
    mentioned = {"for the cat", 17.25, "Anywhere", 4242, "not a date"}
    with filled(f"CREATE TABLE t ({column})", Recipe(literals=LITERALS)) as result:
        found = set(result.values(f"SELECT {column.split()[0]} FROM t"))

        assert expected == found & mentioned


def test_a_key_leaves_the_migrations_literals_to_the_migrations() -> None:
    literals = (("name", "groceries"), ("id", 3), (None, "Pets"))
    sql = "CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
    with filled(sql, Recipe(literals=literals)) as result:
        assert not {"Groceries", "GROCERIES", "Pets"} & set(
            result.values("SELECT name FROM category")
        )
        assert 3 not in result.values("SELECT id FROM category")


def test_a_key_holds_what_the_migrations_expect_to_find() -> None:
    expected_literals = (
        ("name", "Pets"),
        ("id", 900),
        ("rowid", 2),
        ("date", "2019-%"),
        ("date", "soon"),
    )
    sql = "CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, date TEXT)"
    with filled(sql, Recipe(expected_literals=expected_literals)) as result:
        assert "Pets" in result.values("SELECT name FROM category")
        assert {1, 2, 3, 899, 900, 901} <= set(result.values("SELECT id FROM category"))
        assert "2019-06-15" in result.values("SELECT date FROM category")
        assert "soon" not in result.values("SELECT date FROM category")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("date", {"2019-06-15", "2018-03-15", "2017-01-31"}),
        ("created_at", {"2019-06-15 12:00:00", "2018-03-15 12:00:00", "2017-01-31 08:15:00"}),
        ("month", {"2019-06", "2018-03", "2017-01"}),
    ],
)
def test_the_days_that_migrations_speak_of_are_among_dates(
    column: str, expected: set[object]
) -> None:
    mentioned = ((None, "2019"), (None, "2018-03"), (None, "2017-01-31 08:15:00"), (None, "20191"))
    with filled(f"CREATE TABLE t ({column} TEXT)", Recipe(literals=mentioned)) as result:
        old = {
            day for day in result.values(f"SELECT {column} FROM t") if "2000" < str(day) < "2020"
        }

        assert expected == old


def test_a_required_unique_key_is_kept() -> None:
    requires = (
        Requirement("T", ("category", "Month"), None, 1),
        Requirement("t", ("note",), None, 2),
    )
    sql = "CREATE TABLE t (category TEXT, month TEXT, note TEXT)"
    with filled(sql, Recipe(requires=requires)) as result:
        assert result.filling.added == {"t": 200}
        result.db.execute("CREATE UNIQUE INDEX u ON t (category, month)")
        result.db.execute("CREATE UNIQUE INDEX v ON t (note)")


@pytest.mark.parametrize(
    "expression",
    [
        "amount <> 0",
        "note IS NOT NULL",
        "length(note) < 10",
        "amount > 0 OR note IS NULL",
        "note = trim(note) -- no blanks",
    ],
)
@pytest.mark.parametrize("without_rowid", ["", "WITHOUT ROWID"])
def test_a_required_expression_holds_in_every_row(expression: str, without_rowid: str) -> None:
    requires = (Requirement("t", (), expression, 1),)
    sql = f"CREATE TABLE t (id TEXT PRIMARY KEY, amount REAL, note TEXT) {without_rowid}"
    with filled(sql, Recipe(requires=requires)) as result:
        assert result.filling.added == {"t": 200}
        assert result.values(f"SELECT 1 FROM t WHERE NOT ({expression}\n)") == []


@pytest.mark.parametrize(
    "requirement",
    [
        Requirement("t", (), "later > 0", 1),
        Requirement("t", (), "not an expression", 1),
        Requirement("t", (), "'unfinished", 1),
        Requirement("t", (), '"later" > 0', 1),
        Requirement("t", ("later",), None, 1),
        Requirement("elsewhere", ("name",), None, 1),
    ],
)
def test_a_requirement_of_what_is_not_there_yet_is_no_requirement(requirement: Requirement) -> None:
    sql = SCHEMAS["integer key"]
    with filled(sql, Recipe(requires=(requirement,))) as result, filled(sql) as free:
        assert free.content() == result.content()


def test_nothing_of_the_requirements_is_left_behind() -> None:
    requires = (Requirement("t", ("name",), None, 1), Requirement("t", (), "name <> 'x'", 2))
    with filled(SCHEMAS["integer key"], Recipe(requires=requires)) as result:
        assert result.values("SELECT name FROM sqlite_master") == ["t"]
        assert result.values("SELECT name FROM temp.sqlite_master") == []


@pytest.mark.parametrize(
    ("sql", "unfilled"),
    [
        (
            "CREATE TABLE t (odd TEXT NOT NULL CHECK (odd = 'a' || random()))",
            Unfilled("t", "", "no value made for odd meets CHECK (odd = 'a' || random())"),
        ),
        (
            "CREATE TABLE t (odd TEXT CHECK (length(odd) > 90000), name TEXT)",
            Unfilled("t", "odd", "no value made for odd meets CHECK (length(odd) > 90000)"),
        ),
        (
            "CREATE TABLE t (odd TEXT NOT NULL UNIQUE CHECK (length(odd) > 90000))",
            Unfilled("t", "", "no value made for odd meets CHECK (length(odd) > 90000)"),
        ),
        (
            "CREATE TABLE t (a REAL NOT NULL, b REAL, CONSTRAINT never CHECK (a IS NULL AND b))",
            Unfilled("t", "", "every generated row was refused: CHECK constraint failed: never"),
        ),
        (
            (
                "CREATE TABLE t (a TEXT); CREATE TRIGGER tr BEFORE INSERT ON t"
                " BEGIN SELECT RAISE(ABORT, 'closed'); END"
            ),
            Unfilled("t", "", "every generated row was refused: closed"),
        ),
        (
            (
                "CREATE TABLE t (a TEXT); CREATE TRIGGER tr AFTER INSERT ON t"
                " BEGIN INSERT INTO gone VALUES (1); END"
            ),
            Unfilled("t", "", "every generated row was refused: no such table: main.gone"),
        ),
        (
            "CREATE TABLE t (a TEXT, p_id INTEGER REFERENCES gone (id))",
            Unfilled("t", "p_id", "its foreign key refers to gone, which is not there"),
        ),
        (
            "CREATE TABLE t (p_id INTEGER NOT NULL REFERENCES gone)",
            Unfilled("t", "", "its foreign key refers to gone, which is not there"),
        ),
        (
            "CREATE TABLE p (a TEXT); CREATE TABLE t (p_id INTEGER NOT NULL REFERENCES p)",
            Unfilled("t", "", "its foreign key refers to p, which has no such key"),
        ),
        (
            "CREATE TABLE p (a TEXT); CREATE TABLE t (p_id INTEGER NOT NULL REFERENCES p (b))",
            Unfilled("t", "", "its foreign key refers to p.b, which is not there"),
        ),
        (
            "CREATE TABLE p (É TEXT PRIMARY KEY); CREATE TABLE t (x NOT NULL REFERENCES p (é))",
            Unfilled("t", "", "its foreign key refers to p.é, which is not there"),
        ),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY, up NOT NULL REFERENCES t CHECK (up IS NULL))",
            Unfilled(
                "t", "", "every generated row was refused: CHECK constraint failed: up IS NULL"
            ),
        ),
        (
            "CREATE VIRTUAL TABLE t USING rtree (id, low, high)",
            Unfilled("t", "", "it is a virtual table (rtree)"),
        ),
        (
            "CREATE VIRTUAL TABLE t USING fts5 (body, content='')",
            Unfilled("t", "", "its full-text index takes its content from elsewhere"),
        ),
    ],
)
def test_what_cannot_be_filled_is_said(sql: str, unfilled: Unfilled) -> None:
    with filled(sql) as result:
        assert (unfilled,) == result.filling.unfilled


def test_a_parent_that_stays_empty_is_said() -> None:
    with database(SCHEMAS["foreign key"]) as (db, schema):
        filling = fill_tables(db, schema, ["c", "nowhere"], Recipe())

        assert filling.added == {"c": 0}
        assert (
            Unfilled("nowhere", "", "there is no such table"),
            Unfilled("c", "", "p, which p_id must refer to, is empty"),
        ) == filling.unfilled


def test_a_row_that_can_refer_to_no_other_is_said() -> None:
    with filled(SCHEMAS["ring"], Recipe(rows=1)) as result:
        reason = "no row could be given the parents that it must refer to"

        assert (Unfilled("t", "", reason),) == result.filling.unfilled


def test_everything_is_tried_before_a_row_is_given_up() -> None:
    sql = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t (id),"
        " p_id INTEGER REFERENCES p, note TEXT,"
        " CHECK (id IS NOT id OR up IS NOT up OR p_id IS NOT p_id OR note IS NOT note))"
    )
    with filled(sql) as result:
        reason = "every generated row was refused: CHECK constraint failed: "

        assert [reason] == [item.reason[: len(reason)] for item in result.filling.unfilled]


def test_unique_values_are_tried_until_none_is_left() -> None:
    sql = "CREATE TABLE t (a TEXT UNIQUE, b TEXT, CHECK (a IS NOT a OR b IS NOT b))"
    with filled(sql, Recipe(rows=3)) as result:
        assert result.filling.added == {"t": 0}


def test_a_row_without_a_code_is_nobodys_parent() -> None:
    with database(SCHEMAS["tree by a code that may be missing"]) as (db, schema):
        db.execute("INSERT INTO t VALUES (NULL, NULL)")
        fill_tables(db, schema, ["t"], Recipe(rows=30))

        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {None} < {up for (up,) in db.execute("SELECT up FROM t")}


def test_a_required_key_that_rows_there_break_is_kept_by_further_rows() -> None:
    with database("CREATE TABLE t (note TEXT)") as (db, schema):
        db.execute("INSERT INTO t VALUES ('twice'), ('twice')")
        recipe = Recipe(requires=(Requirement("t", ("note",), None, 1),))
        fill_tables(db, schema, ["t"], recipe)
        notes = [note for (note,) in db.execute("SELECT note FROM t WHERE note IS NOT NULL")]

        assert len(set(notes)) == len(notes) - 1


@pytest.mark.parametrize(
    "column",
    [
        "week_start_date TEXT",
        "month TEXT",
        "day DATE",
        "number INTEGER",
        "name TEXT",
        "at TIMESTAMP",
    ],
)
def test_further_rows_find_unique_values_beyond_those_that_are_there(column: str) -> None:
    with filled(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {column} NOT NULL UNIQUE)") as result:
        filling = add_rows(result.db, result.schema, "t", 5, Recipe(seed=2))

        assert (filling.added, filling.unfilled) == ({"t": 5}, ())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("columns", "expected_literals", "where"),
    [
        ("mail TEXT NOT NULL UNIQUE", (("mail", "a@b.example"),), "mail = 'a@b.example'"),
        ("number INTEGER PRIMARY KEY", (("number", 7),), "number = 7"),
        ("city TEXT, kind TEXT", (("city", "Bern"), ("kind", "x")), "city = 'Bern' AND kind = 'x'"),
    ],
)
def test_a_row_that_is_looked_for_holds_not_yet_what_an_update_sets(
    columns: str, expected_literals: tuple[tuple[str, str | int], ...], where: str, seed: int
) -> None:
    sql = f"CREATE TABLE t ({columns}, is_on INTEGER NOT NULL CHECK (is_on IN (0, 1)))"
    recipe = Recipe(
        seed=seed,
        expected_literals=expected_literals,
        assigned_literals=(("is_on", 0), ("city", "Bern")),
    )
    with filled(sql, recipe) as result:
        assert set(result.values(f"SELECT is_on FROM t WHERE {where}")) <= {1}
        assert set(result.values("SELECT is_on FROM t")) == {0, 1}


def test_unique_values_that_run_out_leave_fewer_rows() -> None:
    sql = "CREATE TABLE t (kind TEXT NOT NULL UNIQUE CHECK (kind IN ('a', 'b', 'c')))"
    with filled(sql) as result:
        assert result.filling.added == {"t": 3}
        assert result.filling.unfilled == ()


def test_a_single_row_is_one_row() -> None:
    sql = "CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), theme TEXT)"
    with filled(sql) as result:
        assert result.values("SELECT id FROM settings") == [1]


def test_a_check_that_needs_the_apps_functions_is_left_to_the_table() -> None:
    with database("CREATE TABLE anchor (id)") as (db, _):
        db.create_function("is_nice", 1, lambda value: value not in ("", None), deterministic=True)
        db.execute("CREATE TABLE t (name TEXT NOT NULL CHECK (is_nice(name)))")
        from pytest_bbmigrate.schema import read_schema

        filling = fill_tables(db, read_schema(db), ["t"], Recipe())

        assert filling.added == {"t": 200}


def test_a_row_without_a_parent_that_cannot_go_is_said() -> None:
    sql = SCHEMAS["foreign key of another type"] + (
        ";CREATE TRIGGER tr BEFORE DELETE ON c BEGIN SELECT RAISE(ABORT, 'kept for ever'); END;"
        "CREATE TRIGGER tu BEFORE UPDATE ON c BEGIN SELECT RAISE(ABORT, 'fixed'); END"
    )
    with filled(sql) as result:
        reason = "rows without a parent could not be removed: kept for ever"

        assert (Unfilled("c", "", reason),) == result.filling.unfilled


NOTES = hostile_values(Family.TEXT, "note", "split with Sam")
DATES = hostile_values(Family.TEXT, "date", "")
AMOUNTS = hostile_values(Family.REAL, "money", 1.0)


@pytest.mark.parametrize(
    ("constraint", "column", "values"),
    [
        ("CHECK (amount > 0 OR kind = 'refund')", "note", NOTES),
        (
            "CHECK (is_debit IS (amount < 0))",
            "amount",
            AMOUNTS,
        ),
        ("CHECK (first_date <= last_date)", "first_date", DATES),
        ("CHECK (first_date <= last_date)", "last_date", DATES),
        ("UNIQUE (kind, month)", "note", NOTES),
    ],
)
def test_a_refused_row_keeps_its_hostile_values_where_others_can_change(
    constraint: str, column: str, values: tuple[Cell, ...]
) -> None:
    columns = (
        "amount REAL, is_debit INTEGER, note TEXT, kind TEXT, month TEXT, first_date DATE,"
        " last_date DATE"
    )
    with filled(f"CREATE TABLE t ({columns}, {constraint})") as result:
        held = {exact_key(value) for value in result.values(f"SELECT {column} FROM t")}

        assert [value for value in values if exact_key(value) not in held] == []


def test_a_column_that_a_refusal_does_not_name_changes_in_the_end() -> None:
    sql = (
        "CREATE TABLE t (name TEXT NOT NULL CHECK (name IN ('a', 'b', 'c')), is_main INTEGER);"
        "CREATE UNIQUE INDEX u ON t (name) WHERE is_main = 1"
    )
    with filled(sql) as result:
        assert result.filling.added == {"t": 200}
        assert result.values("SELECT count(*) FROM t WHERE is_main = 1") == [3]


def test_a_refusal_that_names_no_column_costs_the_rows_no_hostile_values() -> None:
    sql = (
        "CREATE TABLE account (id INTEGER PRIMARY KEY, is_open INTEGER NOT NULL);"
        "CREATE TABLE t (account_id INTEGER NOT NULL REFERENCES account, note TEXT);"
        "CREATE TRIGGER tr BEFORE INSERT ON t"
        " WHEN NOT (SELECT is_open FROM account WHERE id = NEW.account_id)"
        " BEGIN SELECT RAISE(ABORT, 'closed'); END"
    )
    with filled(sql) as result:
        notes = {exact_key(value) for value in result.values("SELECT note FROM t")}

        assert [value for value in NOTES if exact_key(value) not in notes] == []


@pytest.mark.parametrize("name", ["refusing trigger", "trigger that rolls back"])
def test_no_row_holds_what_a_trigger_refuses(name: str) -> None:
    with filled(SCHEMAS[name]) as result:
        assert result.values("SELECT count(*) FROM t") == [200]
        assert result.values("SELECT amount FROM t WHERE amount <= 0") == []


def test_a_row_without_a_parent_that_a_trigger_keeps_unseen_is_said() -> None:
    sql = SCHEMAS["foreign key of another type"] + (
        ";CREATE TRIGGER tr BEFORE DELETE ON c BEGIN SELECT RAISE(IGNORE); END"
    )
    with filled(sql) as result:
        reason = "rows without a parent could not be removed: a trigger kept them as they were"

        assert (Unfilled("c", "", reason),) == result.filling.unfilled


def test_a_chain_of_tables_is_filled_quickly() -> None:
    columns = (
        "id INTEGER PRIMARY KEY, name TEXT, amount REAL, note TEXT, status TEXT, created_at TEXT"
    )
    sql = ";".join(f"CREATE TABLE t{number} ({columns})" for number in range(50))
    with database(sql) as (db, schema):
        fill_tables(db, schema, ["t0"], Recipe())
        began = time.process_time()
        fill_tables(db, schema, [f"t{number}" for number in range(1, 50)], Recipe())

        assert time.process_time() - began < 4


AUDITED = """
CREATE TRIGGER newest AFTER INSERT ON t WHEN NEW.id > 0 BEGIN
    DELETE FROM t WHERE id = 5;
    INSERT INTO t VALUES (-1, 'a trigger');
END;
"""


@pytest.mark.parametrize(
    ("trigger", "number", "expected"),
    [("", 6, [(6,)]), ("", 1, [(1,)]), (AUDITED, 7, [(-1,), (7,)])],
)
def test_rows_that_are_new_are_found_wherever_they_stand(
    trigger: str, number: int, expected: list[tuple[int]]
) -> None:
    create = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
    create += "INSERT INTO t VALUES (2, 'a'), (5, 'b');"
    with database(create + trigger) as (db, schema):
        table = schema.tables[0]
        there = row_keys(db, table)
        db.execute("INSERT INTO t VALUES (?, 'new')", [number])

        assert new_keys(db, table, there) == expected
