"""Reading a schema: what pragmas tell, what only the tokens of CREATE tell, what compiles."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from pytest_bbmigrate.schema import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    IndexColumn,
    Schema,
    Table,
    read_schema,
)
from pytest_bbmigrate.schema.read import schema as reading
from pytest_bbmigrate.schema.read.create_table import parse_create_table
from pytest_bbmigrate.sql.own_tables import HISTORY_TABLE
from pytest_bbmigrate.sqlite_files import open_image, take_image


def schema_of(*statements: str) -> Schema:
    with closing(open_image(b"")) as db:
        for statement in statements:
            db.execute(statement)
        return read_schema(db)


def table_of(create: str, *more: str) -> Table:
    (table, *_) = schema_of(create, *more).tables
    return table


def trigger_errors(schema: Schema) -> dict[str, str]:
    return {t.name: t.error for t in schema.triggers if t.error is not None}


BODY = "BEGIN SELECT 1; END"
THROUGH = {
    "INSERT": "INSERT INTO v VALUES (1)",
    "UPDATE": "UPDATE v SET a = 1",
    "DELETE": "DELETE FROM v",
}


class TestColumns:
    def test_a_column_is_all_that_table_xinfo_and_the_tokens_say(self) -> None:
        table = table_of(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, Note varchar( 20 ) NOT NULL DEFAULT 'x' "
            "COLLATE nocase)"
        )

        assert table.columns == (
            Column("id", 0, "INTEGER", False, None, 1, "BINARY", "", None),  # noqa: FBT003 (fields)
            Column("Note", 1, "VARCHAR( 20 )", True, "'x'", 0, "nocase", "", None),  # noqa: FBT003
        )
        assert table.column("NOTE") == table.columns[1]
        assert table.column("memo") is None

    @pytest.mark.parametrize(
        ("declared", "affinity"),
        [
            ("INT", "INTEGER"),
            ("BIGINT UNSIGNED", "INTEGER"),
            ("VARCHAR(20)", "TEXT"),
            ("CLOB", "TEXT"),
            ("text", "TEXT"),
            ("BLOB", "BLOB"),
            ("", "BLOB"),
            ("REAL", "REAL"),
            ("FLOAT", "REAL"),
            ("DOUBLE PRECISION", "REAL"),
            ("DECIMAL(10,2)", "NUMERIC"),
            ("BOOLEAN", "NUMERIC"),
            ("DATE", "NUMERIC"),
            ("CHARINT", "INTEGER"),
        ],
    )
    def test_affinity_follows_the_declared_type(self, declared: str, affinity: str) -> None:
        assert table_of(f"CREATE TABLE t (a {declared})").columns[0].affinity == affinity

    def test_generated_columns_hold_their_expression(self) -> None:
        table = table_of(
            'CREATE TABLE t (a, b AS ((A * 2)), c INT GENERATED ALWAYS AS ("b" + 1) STORED)'
        )

        assert [(c.name, c.type, c.generated, c.expression) for c in table.columns] == [
            ("a", "", "", None),
            ("b", "", "virtual", ("a", "*", "2")),
            ("c", "INT", "stored", ("b", "+", "1")),
        ]

    @pytest.mark.parametrize(
        "constraints",
        [
            "COLLATE nocase",
            "TEXT COLLATE BINARY COLLATE nocase",
            "DEFAULT NULL COLLATE nocase",
            "DEFAULT -1 COLLATE nocase",
            "DEFAULT ('x' COLLATE rtrim) COLLATE nocase",
            "REFERENCES p ON DELETE SET DEFAULT ON UPDATE SET NULL COLLATE nocase",
            "REFERENCES p(id) MATCH full NOT DEFERRABLE INITIALLY IMMEDIATE COLLATE nocase",
            "CONSTRAINT collate_it NOT NULL ON CONFLICT ABORT COLLATE nocase",
            'CONSTRAINT "check" NULL COLLATE "nocase"',
            "CHECK (a COLLATE rtrim <> '') COLLATE nocase /* COLLATE rtrim */ -- COLLATE rtrim\n",
        ],
    )
    def test_the_collation_is_found_among_other_clauses(self, constraints: str) -> None:
        assert table_of(f"CREATE TABLE t (a {constraints})").columns[0].collation == "nocase"

    def test_names_in_quotes_of_every_kind_are_names(self) -> None:
        table = table_of(
            'CREATE TABLE "a ""t""" ("check" COLLATE nocase, [primary key], `x y` UNIQUE, '
            "'unique' COLLATE rtrim)"
        )

        assert table.name == 'a "t"'
        assert [(c.name, c.collation) for c in table.columns] == [
            ("check", "nocase"),
            ("primary key", "BINARY"),
            ("x y", "BINARY"),
            ("unique", "rtrim"),
        ]
        assert [i.columns[0].name for i in table.indexes] == ["x y"]

    def test_a_column_added_behind_table_constraints_is_read(self) -> None:
        table = table_of(
            "CREATE TABLE t (a, CHECK (a > 0) UNIQUE (a))",
            "ALTER TABLE t ADD COLUMN b TEXT COLLATE nocase CHECK (b <> '')",
        )

        assert [(c.name, c.collation) for c in table.columns] == [("a", "BINARY"), ("b", "nocase")]
        assert [check.text for check in table.checks] == ["b <> ''", "a > 0"]

    def test_a_table_made_from_a_query_is_read(self) -> None:
        table = table_of("CREATE TABLE t AS SELECT 1 AS a, 'x' AS \"b, c\"")

        assert [column.name for column in table.columns] == ["a", "b, c"]


class TestKeys:
    @pytest.mark.parametrize(
        ("create", "key", "alias"),
        [
            ("CREATE TABLE t (id INTEGER PRIMARY KEY, a)", ("id",), "id"),
            ("CREATE TABLE t (Id integer, a, PRIMARY KEY (id DESC))", ("Id",), "Id"),
            ("CREATE TABLE t (id INTEGER PRIMARY KEY DESC, a)", ("id",), None),
            ("CREATE TABLE t (id INT PRIMARY KEY, a)", ("id",), None),
            ("CREATE TABLE t (id INTEGER PRIMARY KEY, a) WITHOUT ROWID", ("id",), None),
            ("CREATE TABLE t (a INTEGER, b, PRIMARY KEY (b, a))", ("b", "a"), None),
            ("CREATE TABLE t (a INTEGER)", (), None),
        ],
    )
    def test_the_rowid_alias_is_told_from_other_keys(
        self, create: str, key: tuple[str, ...], alias: str | None
    ) -> None:
        table = table_of(create)

        assert table.primary_key == key
        assert table.rowid_alias == alias

    def test_the_keys_own_index_is_apart_from_the_others(self) -> None:
        table = table_of("CREATE TABLE t (a TEXT PRIMARY KEY COLLATE nocase, b UNIQUE)")

        a = IndexColumn("a", None, descending=False, collation="nocase")
        b = IndexColumn("b", None, descending=False, collation="BINARY")
        assert table.key == Index(None, "t", unique=True, columns=(a,), where=None)
        assert table.indexes == (Index(None, "t", unique=True, columns=(b,), where=None),)

    @pytest.mark.parametrize(
        ("create", "flags"),
        [
            ("CREATE TABLE t (a INTEGER PRIMARY KEY)", (False, False, False)),
            ("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)", (True, False, False)),
            ("CREATE TABLE t (a INTEGER, PRIMARY KEY (a AUTOINCREMENT))", (True, False, False)),
            ("CREATE TABLE t (a INT PRIMARY KEY) STRICT, without rowid", (False, True, True)),
            ("CREATE TABLE t (a INT) strict /* WITHOUT ROWID */", (False, True, False)),
            ('CREATE TABLE t (strict, "autoincrement")', (False, False, False)),
        ],
    )
    def test_autoincrement_strict_and_without_rowid_are_told(
        self, create: str, flags: tuple[bool, bool, bool]
    ) -> None:
        table = table_of(create)

        assert (table.autoincrement, table.strict, table.without_rowid) == flags


class TestConstraints:
    def test_checks_of_columns_and_of_the_table_are_one_list(self) -> None:
        table = table_of(
            "CREATE TABLE t (a CHECK ((a >= 0)), b, CONSTRAINT c CHECK (a<b -- both\n AND b < 9))"
        )

        assert table.checks == (
            CheckConstraint(("a", ">=", "0"), "a >= 0"),
            CheckConstraint(("a", "<", "b", "and", "b", "<", "9"), "a<b AND b < 9"),
        )

    def test_a_function_in_double_quotes_is_a_name(self) -> None:
        (check,) = table_of('CREATE TABLE t (a CHECK ("Lower"(a) = a))').checks

        assert check.tokens == ("lower", "(", "a", ")", "=", "a")

    def test_a_double_quoted_word_that_is_no_column_is_a_string(self) -> None:
        table = table_of("""CREATE TABLE t ("a" CHECK ("a" IN ("Open", "it's", "t"."a")))""")

        (check,) = table.checks
        assert check.tokens == ("a", "in", "(", "'Open'", ",", "'it''s'", ",", "t", ".", "a", ")")

    def test_foreign_keys_are_given_as_written_with_their_deferral(self) -> None:
        child = table_of(
            "CREATE TABLE c (a REFERENCES p (x) ON DELETE CASCADE ON UPDATE SET NULL, "
            "b REFERENCES p DEFERRABLE INITIALLY DEFERRED, d REFERENCES gone NOT DEFERRABLE "
            "INITIALLY DEFERRED, e, f REFERENCES p (x) DEFERRABLE, "
            "FOREIGN KEY (e, d) REFERENCES P (y, X) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TABLE p (id INTEGER PRIMARY KEY, x, y, UNIQUE (y, x))",
        )

        assert child.foreign_keys == (
            ForeignKey(("a",), "p", ("x",), "SET NULL", "CASCADE", deferred=False),
            ForeignKey(("b",), "p", ("id",), "NO ACTION", "NO ACTION", deferred=True),
            ForeignKey(("d",), "gone", (), "NO ACTION", "NO ACTION", deferred=False),
            ForeignKey(("f",), "p", ("x",), "NO ACTION", "NO ACTION", deferred=False),
            ForeignKey(("e", "d"), "P", ("y", "X"), "NO ACTION", "NO ACTION", deferred=True),
        )

    def test_the_parents_key_is_looked_up_again_when_the_child_is_cached(self) -> None:
        child = "CREATE TABLE c (a REFERENCES p)"
        first = table_of(child, "CREATE TABLE p (id INTEGER PRIMARY KEY)")
        second = table_of(child, "CREATE TABLE p (code TEXT PRIMARY KEY)")

        assert first.foreign_keys[0].parent_columns == ("id",)
        assert second.foreign_keys[0].parent_columns == ("code",)

    def test_conflict_clauses_are_told_but_for_abort(self) -> None:
        table = table_of(
            "CREATE TABLE t (Id INTEGER PRIMARY KEY ON CONFLICT REPLACE, "
            "a NOT NULL ON CONFLICT IGNORE UNIQUE ON CONFLICT FAIL, b NOT NULL ON CONFLICT ABORT, "
            "c, d NULL ON CONFLICT IGNORE, UNIQUE (C, b) ON CONFLICT ROLLBACK, "
            "CHECK (c > 0) ON CONFLICT FAIL)"
        )

        assert table.conflicts == (
            "NOT NULL (a) ON CONFLICT IGNORE",
            "PRIMARY KEY (Id) ON CONFLICT REPLACE",
        )
        assert [index.conflict for index in table.indexes] == ["FAIL", "ROLLBACK"]

    def test_the_conflict_clause_of_a_unique_without_an_index_is_told_all_the_same(self) -> None:
        table = table_of("CREATE TABLE t (a TEXT PRIMARY KEY, UNIQUE (a) ON CONFLICT IGNORE)")

        assert table.indexes == ()
        assert table.conflicts == ("UNIQUE (a) ON CONFLICT IGNORE",)


class TestIndexes:
    def test_terms_where_and_collation_of_an_index_are_told(self) -> None:
        schema = schema_of(
            "CREATE TABLE t (a COLLATE nocase, b, c)",
            'CREATE UNIQUE INDEX "I" ON t (a, b COLLATE rtrim DESC, (lower("c") || b) COLLATE '
            'nocase DESC, c + 1 ASC, "B") WHERE ("b" > 0 AND c <> "B!")',
        )

        assert schema.index("i") == Index(
            name="I",
            table="t",
            unique=True,
            columns=(
                IndexColumn("a", None, descending=False, collation="nocase"),
                IndexColumn("b", None, descending=True, collation="rtrim"),
                IndexColumn(
                    None,
                    ("lower", "(", "c", ")", "||", "b"),
                    descending=True,
                    collation="nocase",
                ),
                IndexColumn(None, ("c", "+", "1"), descending=False, collation="BINARY"),
                IndexColumn("b", None, descending=False, collation="BINARY"),
            ),
            where=("b", ">", "0", "and", "c", "<>", "'B!'"),
        )
        assert schema.index("j") is None

    def test_indexes_stand_in_the_order_in_which_they_were_made(self) -> None:
        table = table_of(
            "CREATE TABLE t (a UNIQUE, b)", "CREATE INDEX z ON t (b)", "CREATE INDEX y ON t (b)"
        )

        assert [index.name for index in table.indexes] == [None, "z", "y"]


class TestWhatIsLeftOut:
    def test_statistics_and_the_history_are_no_part_of_the_schema(self) -> None:
        schema = schema_of(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)",
            f"CREATE TABLE {HISTORY_TABLE} (name TEXT UNIQUE)",
            f"CREATE INDEX by_name ON {HISTORY_TABLE} (name)",
            f"CREATE TRIGGER h AFTER INSERT ON {HISTORY_TABLE} {BODY}",
            "CREATE INDEX i ON t (id)",
            "INSERT INTO t DEFAULT VALUES",
            "ANALYZE",
        )

        assert [table.name for table in schema.tables] == ["t"]
        assert schema.triggers == ()

    def test_shadow_tables_are_left_out_and_the_virtual_table_is_there(self) -> None:
        schema = schema_of(
            "CREATE TABLE other_data (a)",
            'CREATE VIRTUAL TABLE notes USING fts5(Body, title, tokenize = "porter Ascii")',
        )

        other, notes = schema.tables
        assert other.name == "other_data"
        assert [column.name for column in notes.columns] == ["Body", "title"]
        assert notes.virtual is not None
        assert " ".join(notes.virtual) == "fts5 ( body , title , tokenize = 'porter Ascii' )"

    def test_a_virtual_table_whose_module_is_missing_has_no_columns(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("PRAGMA writable_schema = ON")
            db.execute(
                "INSERT INTO sqlite_master VALUES "
                "('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING vec0(a)')"
            )
            image = take_image(db)
        with closing(open_image(image)) as db:
            (table,) = read_schema(db).tables

        assert table.columns == ()
        assert table.virtual == ("vec0", "(", "a", ")")

    def test_a_virtual_table_that_does_not_connect_has_no_columns_and_says_why(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("PRAGMA writable_schema = ON")
            db.execute(
                "INSERT INTO sqlite_master VALUES "
                "('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING fts5(a, bogus = 1)')"
            )
            image = take_image(db)
        with closing(open_image(image)) as db:
            (table,) = read_schema(db).tables

        assert table.columns == ()
        assert table.error == 'unrecognized option: "bogus"'

    def test_a_full_text_index_without_what_it_keeps_its_words_in_says_so(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("CREATE VIRTUAL TABLE f USING fts5(a)")
            db.execute("DELETE FROM f_data")
            image = take_image(db)
        with closing(open_image(image)) as db:
            (table,) = read_schema(db).tables

        assert table.error is not None

    def test_attached_databases_are_left_out(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("ATTACH ':memory:' AS other")
            db.execute("CREATE TABLE other.t (a)")
            db.execute("CREATE TABLE main.t (b)")
            db.execute("CREATE INDEX other.i ON t (a)")

            (table,) = read_schema(db).tables

        assert [column.name for column in table.columns] == ["b"]
        assert table.indexes == ()

    def test_an_empty_database_has_an_empty_schema(self) -> None:
        assert schema_of() == Schema((), (), ())


class TestViewsAndTriggers:
    def test_what_sqlite_takes_for_granted_is_not_in_the_tokens(self) -> None:
        spelled_out = schema_of(
            "CREATE TABLE t (a)",
            "CREATE VIEW IF NOT EXISTS main.v AS SELECT a FROM t",
            "CREATE TRIGGER IF NOT EXISTS main.x BEFORE INSERT ON t FOR EACH ROW WHEN new.a > 0 "
            + BODY,
        )
        terse = schema_of(
            "create table t (a)",
            'create view "v" as select "a" from [t] -- all\n',
            "create trigger x insert on `t` when NEW.a > 0 begin select 1; end",
        )

        assert spelled_out.views == terse.views
        assert spelled_out.triggers == terse.triggers
        assert spelled_out.views[0].tokens == (
            "create",
            "view",
            "v",
            "as",
            "select",
            "a",
            "from",
            "t",
        )

    def test_a_view_that_names_what_is_gone_holds_the_error(self) -> None:
        schema = schema_of(
            "CREATE TABLE t (a)",
            "CREATE VIEW good AS SELECT a FROM t",
            "CREATE VIEW bad AS SELECT a FROM gone",
            "CREATE VIEW worse AS SELECT * FROM bad",
        )

        assert [(view.name, view.error) for view in schema.views] == [
            ("good", None),
            ("bad", "no such table: main.gone"),
            ("worse", "no such table: main.gone"),
        ]

    @pytest.mark.parametrize(
        ("event", "column"),
        [("INSERT", ""), ("UPDATE", ""), ("UPDATE", " OF b"), ("DELETE", "")],
    )
    def test_only_the_trigger_at_fault_holds_the_error(self, event: str, column: str) -> None:
        schema = schema_of(
            "CREATE TABLE t (a, b, c AS (a + b))",
            "CREATE TABLE log (a)",
            f"CREATE TRIGGER before_it BEFORE {event}{column} ON t {BODY}",
            f"CREATE TRIGGER bad AFTER {event}{column} ON t BEGIN INSERT INTO gone VALUES (1); END",
            f"CREATE TRIGGER calls AFTER {event} ON log BEGIN UPDATE t SET b = 1; INSERT INTO t "
            "VALUES (1, 2); DELETE FROM t; END",
            f"CREATE TRIGGER other AFTER {event} ON t BEGIN INSERT INTO log VALUES (1); END",
        )

        assert trigger_errors(schema) == {"bad": "no such table: main.gone"}

    def test_each_of_two_triggers_at_fault_holds_its_own_error(self) -> None:
        schema = schema_of(
            "CREATE TABLE t (a)",
            "CREATE TRIGGER one AFTER INSERT ON t BEGIN DELETE FROM gone; END",
            "CREATE TRIGGER two AFTER INSERT ON t BEGIN SELECT new.lost; END",
        )

        assert trigger_errors(schema) == {
            "one": "no such table: main.gone",
            "two": "no such column: new.lost",
        }

    @pytest.mark.parametrize("event", ["INSERT", "UPDATE", "UPDATE OF a", "DELETE"])
    def test_a_trigger_on_a_view_compiles_with_its_view(self, event: str) -> None:
        schema = schema_of(
            "CREATE TABLE t (a)",
            "CREATE VIEW v AS SELECT a FROM t",
            f"CREATE TRIGGER good INSTEAD OF {event} ON v {BODY}",
            "CREATE TABLE log (a)",
            f"CREATE TRIGGER through AFTER INSERT ON log BEGIN {THROUGH[event[:6]]}; END",
            "CREATE TRIGGER bad AFTER INSERT ON log BEGIN DELETE FROM gone; END",
        )

        assert trigger_errors(schema) == {"bad": "no such table: main.gone"}

    def test_a_trigger_on_a_broken_view_does_not_compile(self) -> None:
        schema = schema_of(
            "CREATE VIEW v AS SELECT a FROM gone",
            f"CREATE TRIGGER x INSTEAD OF UPDATE ON v {BODY}",
        )

        assert trigger_errors(schema) == {"x": "no such table: main.gone"}

    def test_a_trigger_on_a_column_that_is_gone_never_fires_and_is_an_error(self) -> None:
        schema = schema_of(
            "CREATE TABLE t (a, b)",
            f"CREATE TRIGGER x AFTER UPDATE OF B, gone ON t {BODY}",
        )

        assert trigger_errors(schema) == {"x": "UPDATE OF gone: no such column"}

    def test_when_a_table_takes_no_rows_its_triggers_hold_the_error(self) -> None:
        with closing(open_image(b"")) as db:
            db.create_function("cents", 1, lambda amount: amount, deterministic=True)
            db.execute("CREATE TABLE t (a, b AS (cents(a)) STORED)")
            db.execute(f"CREATE TRIGGER x AFTER INSERT ON t {BODY}")
            image = take_image(db)
        with closing(open_image(image)) as db:
            schema = read_schema(db)

        assert trigger_errors(schema) == {"x": "unknown function: cents()"}

    def test_when_no_trigger_is_found_to_be_at_fault_all_of_the_event_hold_the_error(self) -> None:
        with closing(open_image(b"")) as db:
            db.create_function("cents", 1, lambda amount: amount)
            db.execute("CREATE TABLE t (a)")
            db.execute("CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT cents(new.a); END")
            db.execute("CREATE TRIGGER y AFTER INSERT ON t BEGIN SELECT cents(1), euros(1); END")

            assert trigger_errors(read_schema(db)) == dict.fromkeys(
                ("x", "y"), "no such function: euros"
            )

    def test_a_function_that_only_the_app_has_is_not_held_against_another_trigger(self) -> None:
        with closing(open_image(b"")) as db:
            db.create_function("cents", 1, lambda amount: amount)
            db.execute("CREATE TABLE t (a)")
            db.execute("CREATE TRIGGER uses AFTER INSERT ON t BEGIN SELECT cents(new.a); END")
            db.execute("CREATE TRIGGER bad AFTER INSERT ON t BEGIN DELETE FROM gone; END")

            assert trigger_errors(read_schema(db)) == {"bad": "no such table: main.gone"}

    def test_nothing_is_written_and_nothing_is_run(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("CREATE TABLE t (a)")
            db.execute("INSERT INTO t VALUES (1)")
            db.execute("CREATE TRIGGER x AFTER DELETE ON t BEGIN DELETE FROM gone; END")
            before = take_image(db)
            read_schema(db)

            assert take_image(db) == before


class TestCache:
    def test_a_schema_read_before_costs_one_query(self) -> None:
        creates = [f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, a, b, c)" for n in range(200)]
        with closing(open_image(b"")) as db:
            for create in creates:
                db.execute(create)
            first = read_schema(db)
            asked: list[str] = []
            db.set_trace_callback(asked.append)

            assert read_schema(db) is first
            assert len(asked) == 1

    def test_a_table_read_before_is_not_asked_about_again(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("CREATE TABLE read_before (a REFERENCES read_before, b)")
            read_schema(db)
            db.execute("CREATE TABLE another (a)")
            asked: list[str] = []
            db.set_trace_callback(asked.append)
            read_schema(db)

        assert not [sql for sql in asked if "read_before" in sql]

    def test_another_index_is_another_structure(self) -> None:
        create = "CREATE TABLE t (cached_a, b)"

        assert table_of(create).indexes == ()
        assert [i.name for i in table_of(create, "CREATE INDEX i ON t (b)").indexes] == ["i"]

    def test_what_is_broken_is_read_again(self) -> None:
        with closing(open_image(b"")) as db:
            db.execute("CREATE TABLE t (broken_then_mended)")
            db.execute("CREATE VIEW v AS SELECT cents(broken_then_mended) FROM t")
            broken = read_schema(db)
            db.create_function("cents", 1, lambda amount: amount)

            assert broken.views[0].error == "no such function: cents"
            assert read_schema(db).views[0].error is None

    def test_a_cache_that_is_full_starts_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reading, "CACHED_SCHEMAS", 2)
        monkeypatch.setattr(reading, "_schemas", {})
        for n in range(3):
            schema_of(f"CREATE TABLE t{n} (a)")

        assert len(reading._schemas) == 1


def test_a_row_factory_of_the_caller_is_no_hindrance() -> None:
    with closing(open_image(b"")) as db:
        db.row_factory = sqlite3.Row
        db.execute("CREATE TABLE t (a UNIQUE REFERENCES t (a), with_row_factory)")

        assert [column.name for column in read_schema(db).tables[0].columns] == [
            "a",
            "with_row_factory",
        ]


def test_a_parenthesis_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="without its closing one"):
        parse_create_table("CREATE TABLE t (a")


def test_tables_are_found_by_any_letter_case() -> None:
    schema = schema_of("CREATE TABLE Trips (a)")

    assert schema.table("tRIPS") is schema.tables[0]
    assert schema.table("trip") is None
