"""The user's own rows: read from files and used as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_bbmigrate.contract import Requirement
from pytest_bbmigrate.errors import SeedingError
from pytest_bbmigrate.seeding.filling.fill import fill_tables
from pytest_bbmigrate.seeding.model import Recipe, Unfilled
from pytest_bbmigrate.seeding.own_rows import read_own_rows
from tests.core.filling import database, filled

TABLES = (
    "CREATE TABLE account (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " low TEXT AS (lower(name)));"
    "CREATE TABLE entry (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account,"
    " amount REAL DEFAULT 1.5)"
)


def write(folder: Path, **files: str) -> Path:
    """Write ``files`` (name_suffix to text) into ``folder``."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_bytes(text.encode())
    return folder


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        (
            "t_json",
            '[{"a": 1, "b": 2.0, "c": "x", "d": null}, {"a": true, "b": [1, "é"], "c": {"k": 0}}]',
            [
                {"a": 1, "b": 2.0, "c": "x", "d": None},
                {"a": 1, "b": '[1, "é"]', "c": '{"k": 0}'},
            ],
        ),
        ("t_json", "[]", []),
        (
            "t_csv",
            "\ufeffa,b\r\n0042,\r\n\"x\r\ny\",' '\r\n\r\n",
            [{"a": "0042", "b": None}, {"a": "x\r\ny", "b": "' '"}],
        ),
        ("t_csv", "a,b\n", []),
        (
            "t_sql",
            (
                "-- two\nINSERT INTO t (a, \"b c\") VALUES (1, 'it''s'), (-2.5, x'00ff');\n"
                "insert into T (a) values (null), (+3), (TRUE), ('a;b')"
            ),
            [
                {"a": 1, "b c": "it's"},
                {"a": -2.5, "b c": b"\x00\xff"},
                {"a": None},
                {"a": 3},
                {"a": 1},
                {"a": "a;b"},
            ],
        ),
        ("t_sql", "-- nothing yet\n", []),
    ],
)
def test_rows_are_read_from_every_form(
    tmp_path: Path, name: str, text: str, rows: list[dict[str, object]]
) -> None:
    own = read_own_rows(write(tmp_path, **{name: text}))

    assert {"t": rows} == {table: list(found) for table, found in own.items()}
    assert [repr(row) for row in rows] == [repr(row) for row in own["t"]]


def test_tables_go_by_the_files_name_whatever_its_case(tmp_path: Path) -> None:
    own = read_own_rows(
        write(tmp_path, Accounts_json='[{"a": 1}]', README_md="ours", b_CSV="x\n1\n")
    )

    assert {"accounts", "b"} == set(own)
    assert list(own["accounts"][:1]) == [{"a": 1}]
    assert own["accounts"][0] == {"a": 1}


FORM = "write INSERT INTO t (column, ...) VALUES (literal, ...), ...;"
PLAIN = f"not a plain INSERT with its columns; {FORM}"
NO_LITERAL = "line 1: what stands in place of a literal is none"
NO_ROW = "line 1: a row was expected, in brackets"
COMMAS = f"line 1: a literal was expected between the commas; {FORM}"
TOO_MUCH = "it cannot be read: a number is too long, or lists are nested too deeply"
ROWS = f"line 1: the rows are not (literal, ...), (literal, ...); {FORM}"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t_json", "[" * 200_000, TOO_MUCH),
        ("t_json", f'[{{"a": {"9" * 5000}}}]', TOO_MUCH),
        ("t_json", '[{"a": 1},\n{"a" 2}]', "line 2: not JSON: Expecting ':' delimiter"),
        ("t_json", '{"a": 1}', 'not a list; write [{"column": value, ...}, ...]'),
        ("t_json", '[{"a": 1}, 2]', "row 2: not an object {column: value, ...}"),
        ("t_json", '[{"a": NaN}]', "NaN is no JSON; write a number or null"),
        ("t_json", '[{"a": 9223372036854775808}]', "row 1: a is nothing that SQLite can store"),
        ("t_json", '[{"a": "\\ud800"}]', "row 1: a is nothing that SQLite can store"),
        ("t_csv", "", "line 1: the header must name each column once"),
        ("t_csv", "a,a\n1,2\n", "line 1: the header must name each column once"),
        ("t_csv", "a,\n1,2\n", "line 1: the header must name each column once"),
        ("t_csv", "a,b\n1,2\n3\n", "line 3: 1 values for 2 columns"),
        ("t_csv", 'a,b\n1,"2"3\n', "line 2: not CSV: ',' expected after '\"'"),
        ("t_sql", "\nUPDATE t SET a = 1", f"line 2: {PLAIN}"),
        ("t_sql", "INSERT", f"line 1: {PLAIN}"),
        ("t_sql", "INSERT INTO t VALUES (1)", f"line 1: {PLAIN}"),
        ("t_sql", "INSERT INTO u (a) VALUES (1)", f"line 1: inserts into u, not t; {FORM}"),
        (
            "t_sql",
            "INSERT INTO t (a b) VALUES (1)",
            f"line 1: the columns are not a list of names; {FORM}",
        ),
        (
            "t_sql",
            "INSERT INTO t (a) VALUES (1, 2)",
            f"line 1: 2 values for 1 columns; {FORM}",
        ),
        ("t_sql", "INSERT INTO t (a) VALUES (random())", f"{NO_LITERAL}; {FORM}"),
        ("t_sql", "INSERT INTO t (a) VALUES (1) (2)", ROWS),
        ("t_sql", "INSERT INTO t (a) VALUES (1", ROWS),
        (
            "t_sql",
            "INSERT INTO t (a) VALUES (b)",
            f"{NO_LITERAL}; {FORM}",
        ),
        ("t_sql", "INSERT INTO t (a) VALUES (1 2)", COMMAS),
        ("t_sql", "INSERT INTO t (a) VALUES (,)", COMMAS),
        ("t_sql", "INSERT INTO t (a) VALUES (- +)", COMMAS),
        ("t_sql", "INSERT INTO t (a) VALUES (- 'x')", COMMAS),
        ("t_sql", "INSERT INTO t (a) VALUES (- 1 1)", COMMAS),
        (
            "t_sql",
            "INSERT INTO t (a) VALUES (1), 2",
            f"{NO_ROW}; {FORM}",
        ),
        ("t_xlsx", "", "not understood; write TABLE.json, TABLE.csv or TABLE.sql"),
    ],
)
def test_a_file_that_does_not_read_is_named(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(SeedingError) as caught:
        read_own_rows(write(tmp_path, **{name: text}))

    assert f"{tmp_path / name.replace('_', '.')}: {message}" == str(caught.value)


def test_an_unfinished_string_is_said_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SeedingError, match=r"t\.sql: line 2: "):
        read_own_rows(write(tmp_path, t_sql="INSERT INTO t (a)\nVALUES ('x"))


def test_a_file_that_is_not_utf_8_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a\nx\ncaf\xe9\n")
    with pytest.raises(SeedingError, match=r"t\.csv: line 3: not UTF-8; save the file as UTF-8"):
        read_own_rows(tmp_path)


def test_a_folder_in_the_folder_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "t.json").mkdir()
    with pytest.raises(SeedingError, match=r"t\.json: cannot be read: Is a directory"):
        read_own_rows(tmp_path)


def test_two_files_of_one_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SeedingError, match=r"t\.json: t\.csv has rows of the same table"):
        read_own_rows(write(tmp_path, t_csv="a\n1\n", t_json="[]"))


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SeedingError, match="none: no such folder of rows"):
        read_own_rows(tmp_path / "none")


def test_own_rows_take_the_place_of_generated_ones(tmp_path: Path) -> None:
    rows = (
        '[{"id": 7, "NAME": "Everyday", "iban": "x", "low": "ignored"}, {"id": 9, "name": "0042"}]'
    )
    own = read_own_rows(write(tmp_path, account_json=rows))
    with filled(TABLES, Recipe(own_rows=own, rows=30)) as result:
        assert result.filling.added == {"account": 2, "entry": 30}
        assert result.db.execute("SELECT id, name FROM account ORDER BY id").fetchall() == [
            (7, "Everyday"),
            (9, "0042"),
        ]
        assert {7, 9} >= set(result.values("SELECT account_id FROM entry"))


def test_own_rows_take_defaults_and_affinity(tmp_path: Path) -> None:
    own = read_own_rows(
        write(tmp_path, account_csv="id,name\n1,a\n", entry_csv="id,account_id\n007,1\n")
    )
    with filled(TABLES, Recipe(own_rows=own)) as result:
        assert result.db.execute("SELECT * FROM entry").fetchall() == [(7, 1, 1.5)]


def test_own_rows_leave_rows_that_are_there_as_they_are(tmp_path: Path) -> None:
    own = read_own_rows(write(tmp_path, account_csv="id,name\n1,mine\n2,other\n"))
    with database(TABLES) as (db, schema):
        db.execute("INSERT INTO account (id, name) VALUES (1, 'theirs')")
        filling = fill_tables(db, schema, ["account"], Recipe(own_rows=own))

        assert filling.added == {"account": 1}
        assert db.execute("SELECT id, name FROM account ORDER BY id").fetchall() == [
            (1, "theirs"),
            (2, "other"),
        ]


def test_no_own_rows_leave_the_table_empty(tmp_path: Path) -> None:
    own = read_own_rows(write(tmp_path, account_json="[]"))
    with filled(TABLES, Recipe(own_rows=own)) as result:
        assert result.filling.added == {"account": 0, "entry": 0}
        assert (
            Unfilled("account", "", "the file of its own rows holds none"),
            Unfilled("entry", "", "account, which account_id must refer to, is empty"),
        ) == result.filling.unfilled


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ("id,name\n1,\n", "row 1 does not fit table account: NOT NULL constraint failed: {0}"),
        ("id,name\n1,a\n2,a\n", "row 2 does not fit table account: UNIQUE constraint failed: {0}"),
        ("id,name\nx,a\n", "row 1 does not fit table account: datatype mismatch"),
        ("iban\n1\n", "row 1: no column of account"),
    ],
)
def test_a_row_that_the_schema_refuses_is_said(tmp_path: Path, account: str, message: str) -> None:
    own = read_own_rows(write(tmp_path, account_csv=account))
    with database(TABLES) as (db, schema), pytest.raises(SeedingError) as caught:
        fill_tables(db, schema, ["account"], Recipe(own_rows=own))

    expected = message.format("account.name")

    assert f"{tmp_path / 'account.csv'}: {expected}" == str(caught.value)


def test_an_own_row_without_its_parent_is_said(tmp_path: Path) -> None:
    own = read_own_rows(write(tmp_path, entry_csv="id,account_id\n7,4711\n"))
    with database(TABLES) as (db, schema), pytest.raises(SeedingError) as caught:
        fill_tables(db, schema, ["account", "entry"], Recipe(own_rows=own))

    assert (
        f"{tmp_path / 'entry.csv'}: the row with id = <integer> refers by account_id"
        " to no row of account; give rows of account as well"
    ) == str(caught.value)


def test_own_rows_need_not_keep_to_what_a_later_migration_requires() -> None:
    required = Requirement("trip", ("name",), None, 1)
    recipe = Recipe(own_rows={"trip": [{"name": "Rome"}, {"name": "Rome"}]}, requires=(required,))
    with filled("CREATE TABLE trip (id INTEGER PRIMARY KEY, name TEXT)", recipe) as result:
        assert result.values("SELECT name FROM trip") == ["Rome", "Rome"]


def test_own_rows_may_come_from_no_file() -> None:
    recipe = Recipe(own_rows={"account": [{"id": 1, "name": None}]})
    with database(TABLES) as (db, schema), pytest.raises(SeedingError) as caught:
        fill_tables(db, schema, ["account"], recipe)

    assert Path("account") == caught.value.path


def test_an_own_row_may_refer_to_a_table_that_is_not_there() -> None:
    recipe = Recipe(own_rows={"t": [{"x_id": 1}]})
    with filled("CREATE TABLE t (x_id INTEGER REFERENCES gone)", recipe) as result:
        assert result.filling.added == {"t": 1}


def test_an_old_dangling_reference_is_not_the_own_rows_fault(tmp_path: Path) -> None:
    own = read_own_rows(
        write(tmp_path, account_csv="id,name\n1,a\n", entry_csv="id,account_id\n7,1\n8,1\n")
    )
    with database(TABLES) as (db, schema):
        db.execute("INSERT INTO entry VALUES (1, 4711, 0)")
        filling = fill_tables(db, schema, ["account", "entry"], Recipe(own_rows=own))

        assert filling.added == {"account": 1, "entry": 2}
