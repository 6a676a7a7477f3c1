"""INSERTs of literals are told from their text, and nothing else is taken for one."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.plain_rows import plain_rows, shape_of, shapes_of
from tests.core.sql.sql_texts import insertion, texts

VERBS = (
    "INSERT INTO",
    "insert  into",
    "INSERT OR IGNORE INTO",
    "replace\tinto",
    "INSERT or FAIL INTO",
)
TABLES = ("t", "main.t", '"a b"', "[t] ", "`t`.t", "values")
COLUMNS = ("", "(a)", '( a , "b" )', "(a,[c d],values)", "(a) ")
VALUES = (
    *("1", "-1", "0", "2.5e-3", ".5", "0xFF", "1_000", "NULL", "true", "False", "''"),
    *(
        "'it''s; (a, b)'",
        "'-- x'",
        "X'00ff'",
        "x''",
        "'\n'",
        "-2.50",
        "'a' ",
        "\n3",
        "9223372036854775808",
    ),
)
OTHERS = (
    "a",
    "1+1",
    "?",
    "(1)",
    "'a'||'b'",
    "now()",
    "+1",
    "/* x */ 1",
    '"x"',
    "- 1",
    "current_date",
    "x",
)


def inserts(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return INSERTs of rows of ``values``."""
    cells = st.lists(st.sampled_from(values), min_size=1, max_size=4)
    rows = st.lists(cells, min_size=1, max_size=4)
    return st.builds(
        lambda verb, table, columns, found: (
            f"{verb} {table}{columns} VALUES {', '.join('(' + ','.join(r) + ')' for r in found)}"
        ),
        st.sampled_from(VERBS),
        st.sampled_from(TABLES),
        st.sampled_from(COLUMNS),
        rows,
    )


@given(inserts(VALUES))
def test_the_tokens_of_plain_rows_are_those_of_the_statement(sql: str) -> None:
    rows = plain_rows(sql)

    assert rows is not None
    head = folded(rows.shape)
    head = head[: len(head) - head[::-1].index("values")]
    assert [*head, *rows.tokens()] == [*folded(sql)]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("row", ["({})", "(1, {})", "({}, 1)", "(1, 'a'), ({}, 2)", "({}), (1)"])
def test_a_row_that_holds_anything_else_is_not_plain(row: str, other: str) -> None:
    assert plain_rows(f"INSERT INTO t VALUES {row.format(1)}") is not None
    assert plain_rows(f"INSERT INTO t VALUES {row.format(other)}") is None


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t SELECT 1",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1) RETURNING a",
        "INSERT INTO t VALUES (1), (a)",
        "INSERT INTO t VALUES (1), (2",
        "INSERT INTO t VALUES ('a'), ('b)",
        "INSERT INTO t AS u VALUES (1)",
        "INSERT INTO tVALUES (1)",
        "INSERT INTO VALUES (1)",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t VALUES ()",
        "INSERT INTO t VALUES (1abc)",
        "INSERT INTO t VALUES (-'a')",
        "INSERT INTO 't' VALUES (1)",
        "WITH a AS (SELECT 1) INSERT INTO t VALUES (1)",
        "EXPLAIN INSERT INTO t VALUES (1)",
        "VALUES (1)",
        "",
    ],
)
def test_another_statement_is_its_own_shape(sql: str) -> None:
    assert plain_rows(sql) is None
    assert shape_of(sql) == sql


@given(texts(insertion))
def test_a_shape_does_to_a_table_what_the_statement_does(sql: str) -> None:
    rows = plain_rows(sql)

    if rows is not None:
        assert (
            folded(rows.shape)[: len(folded(sql)) - len(rows.tokens())]
            == (folded(sql)[: len(folded(sql)) - len(rows.tokens())])
        )


def test_a_shape_has_a_row_of_as_many_zeros() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a, b)")
        db.execute(shape_of("INSERT INTO t (b, a) VALUES ('x, (', NULL), (1, 2)"))

        assert db.execute("SELECT * FROM t").fetchall() == [(0, 0)]


def test_shapes_that_follow_one_another_are_there_once() -> None:
    one, other = "INSERT INTO t VALUES (0)", "INSERT INTO u VALUES (0, 0)"
    statements = ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES ('x'), (2)"]
    statements += [
        "SELECT 1",
        "SELECT 1",
        "INSERT INTO t VALUES (3)",
        "INSERT INTO u VALUES (1, 2)",
    ]

    assert [*shapes_of(statements)] == [one, "SELECT 1", "SELECT 1", one, other]
