"""SQL text into tokens, statements and comments."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_bbmigrate.sql import (
    Comment,
    Kind,
    Statement,
    UnreadableSql,
    first_word,
    folded,
    quote_name,
    read_comments,
    split_statements,
    tokenize,
)

TRIGGER = (
    "CREATE TRIGGER t AFTER UPDATE ON a BEGIN\n"
    "  UPDATE a SET b = CASE WHEN 1 THEN 'x;' END;\n"
    "  SELECT 1; -- END;\n"
    "END"
)


def texts(sql: str) -> list[str]:
    return [statement.text for statement in split_statements(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", []),
        (" \n\t; ;;\r\n", []),
        ("-- nothing but this", []),
        ("/* nothing; but this */", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("\ufeffSELECT 1;", ["SELECT 1"]),
        ("SELECT 1;\r\nSELECT 2;\r\n", ["SELECT 1", "SELECT 2"]),
        ("SELECT 1;\rSELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT 'a;b'; SELECT 2", ["SELECT 'a;b'", "SELECT 2"]),
        ("SELECT 'it''s; so'; SELECT 2", ["SELECT 'it''s; so'", "SELECT 2"]),
        ('SELECT "a;b", `c;d`, [e;f]', ['SELECT "a;b", `c;d`, [e;f]']),
        ("SELECT '-- no comment'; SELECT 2", ["SELECT '-- no comment'", "SELECT 2"]),
        ("SELECT 1 -- one; two\n + 2;", ["SELECT 1 -- one; two\n + 2"]),
        ("SELECT 1 /* one; two */ + 2;", ["SELECT 1 /* one; two */ + 2"]),
        ("SELECT 1 -- the end\n;", ["SELECT 1"]),
        ("SELECT 1 /* the end */ ;", ["SELECT 1"]),
        ("SELECT 1 -- the very end", ["SELECT 1"]),
        ("/* head */ SELECT 1", ["SELECT 1"]),
        ("SELECT 4 / 2 - 1, a->'$.x'", ["SELECT 4 / 2 - 1, a->'$.x'"]),
        ("-- with trailing blank \r\nSELECT 1", ["SELECT 1"]),
        ("BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
        ("CREATE TABLE trigger_log (a)", ["CREATE TABLE trigger_log (a)"]),
        ("CREATE TRIGGERS; SELECT 1", ["CREATE TRIGGERS", "SELECT 1"]),
        ("EXPLAIN SELECT 1; SELECT 2", ["EXPLAIN SELECT 1", "SELECT 2"]),
    ],
)
def test_text_is_split_where_sqlite_ends_a_statement(sql: str, expected: list[str]) -> None:
    assert texts(sql) == expected


@pytest.mark.parametrize("after", [";", "", " -- the end", ";\nSELECT 2;", " /* end */ ; SELECT 2"])
def test_a_semicolon_in_a_trigger_body_ends_no_statement(after: str) -> None:
    found = texts(TRIGGER + after)

    assert found[0] == TRIGGER
    assert found[1:] == (["SELECT 2"] if "SELECT" in after else [])


@pytest.mark.parametrize(
    "create",
    [
        "create temp trigger",
        "CREATE TEMPORARY TRIGGER",
        "CREATE /* a */ TEMP -- b\n TRIGGER IF NOT EXISTS",
        "EXPLAIN CREATE TRIGGER",
        "EXPLAIN QUERY PLAN CREATE TRIGGER",
    ],
)
def test_a_trigger_is_known_by_its_first_words(create: str) -> None:
    trigger = f"{create} t AFTER INSERT ON a BEGIN SELECT 1; END"

    assert texts(f"{trigger}; SELECT 2") == [trigger, "SELECT 2"]


def test_statements_have_the_line_on_which_they_begin() -> None:
    sql = "-- one\n\nSELECT\n1;\r\nSELECT 2;\rSELECT\n3;" + TRIGGER + ";\nSELECT 4"

    lines = [statement.line for statement in split_statements(sql, first_line=10)]

    assert lines == [12, 14, 15, 16, 20]


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("SELECT 1;\nSELECT 'abc;\n", 2, "a string that is not finished"),
        ('\n\nSELECT "abc', 3, 'a name in " that is not finished'),
        ("SELECT `abc", 1, "a name in ` that is not finished"),
        ("SELECT [abc", 1, "a name in [ that is not finished"),
        ("SELECT 1;\r\n/* abc", 2, "a comment that is not finished"),
        ("SELECT 1;\rSELECT 2 /* abc", 2, "a comment that is not finished"),
        ("SELECT 1;\n\0", 2, "a NUL character, where SQLite stops reading"),
        ("SELECT 'a\0b', 'c", 1, "a string that is not finished"),
        ("\n.import a.csv t\nSELECT 1;", 2, "'.import' is a command of the sqlite3 shell, not SQL"),
        ("SELECT 1; .mode csv", 1, "'.mode' is a command of the sqlite3 shell, not SQL"),
        (".timeouts 3", 1, "'.timeouts' is a command of the sqlite3 shell, not SQL"),
        (".print 'a", 1, "a string that is not finished"),
        ("SELECT 1;\n.read x.sql", 2, "'.read' is a command of the sqlite3 shell, not SQL"),
        ("\n" + TRIGGER[:-3], 2, "a CREATE TRIGGER that is not finished"),
        ("\n" + TRIGGER[:-3] + "SELECT 2;", 2, "a CREATE TRIGGER that is not finished"),
    ],
)
def test_text_that_is_no_sql_is_refused_with_its_line(sql: str, line: int, message: str) -> None:
    with pytest.raises(UnreadableSql) as caught:
        split_statements(sql)

    assert (caught.value.line, caught.value.message) == (line, message)
    assert str(caught.value) == f"line {line}: {message}; {caught.value.remedy}"


def test_a_statement_that_a_lone_carriage_return_would_hide_in_a_comment_is_refused() -> None:
    hidden = "-- a table\rCREATE TABLE a (b);"
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(hidden)
        tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    assert tables == (0,)
    for read in (split_statements, read_comments, tokenize):
        with pytest.raises(UnreadableSql, match="carriage return without a line feed"):
            read(hidden)


def test_a_line_that_tells_the_shell_how_to_show_things_is_passed_over() -> None:
    shown = ".mode csv -- wide\n.headers on"
    text = f".timeout 30000\n.bail on\r\nSELECT 1;\n{shown}\nSELECT 2\n;\n.echo off"

    found = [(each.line, each.text) for each in split_statements(text)]

    assert found == [(3, "SELECT 1"), (6, "SELECT 2")]
    assert [comment.leading for comment in read_comments(f".echo on\n-- a\n{text}")] == [
        True,
        False,
    ]


def test_a_number_that_begins_with_a_dot_is_no_dot_command() -> None:
    assert texts(".5") == [".5"]


@given(
    st.lists(
        st.sampled_from(
            ["SELECT 1", "'a;'", '"b;"', "[c;]", "-- d;\n", "/* e; */", " ", ";", TRIGGER + ";"]
        ),
        max_size=8,
    ).map(" ".join)
)
def test_each_statement_is_complete_to_sqlite_and_none_before_its_end(sql: str) -> None:
    for statement in split_statements(sql):
        text = statement.text
        semicolons = [index for index, character in enumerate(text) if character == ";"]

        assert sqlite3.complete_statement(text + ";")
        assert not any(sqlite3.complete_statement(text[: index + 1]) for index in semicolons)


@given(st.lists(st.sampled_from(["a", "'b;'", "-- c\n", "/* d */", ";", "1", "\r\n", "é"])))
def test_splitting_loses_no_token(pieces: list[str]) -> None:
    sql = " ".join(pieces)

    found = [
        token.text for statement in split_statements(sql) for token in tokenize(statement.text)
    ]

    assert found == [token.text for token in tokenize(sql) if token.text != ";"]


def test_tokens_have_kind_text_and_place() -> None:
    sql = "SELECT x'0F', 'it''s' -- end\n, \"a\"\"b\", [c d] , :p ?2 @q $r 1_000.5e-3 0xFF .5 a$1"

    found = [(token.kind, token.text, token.name) for token in tokenize(sql) if token.text != ","]

    assert found == [
        (Kind.WORD, "SELECT", "SELECT"),
        (Kind.BLOB, "x'0F'", "x'0F'"),
        (Kind.STRING, "'it''s'", "it's"),
        (Kind.QUOTED, '"a""b"', 'a"b'),
        (Kind.QUOTED, "[c d]", "c d"),
        (Kind.PARAMETER, ":p", ":p"),
        (Kind.PARAMETER, "?2", "?2"),
        (Kind.PARAMETER, "@q", "@q"),
        (Kind.PARAMETER, "$r", "$r"),
        (Kind.NUMBER, "1_000.5e-3", "1_000.5e-3"),
        (Kind.NUMBER, "0xFF", "0xFF"),
        (Kind.NUMBER, ".5", ".5"),
        (Kind.WORD, "a$1", "a$1"),
    ]
    assert all(sql.startswith(token.text, token.start) for token in tokenize(sql))


@pytest.mark.parametrize(
    "operator",
    ["->>", "->", "||", "<<", ">>", "<=", ">=", "==", "!=", "<>", "=", "<", "-", "/", ".", "{"],
)
def test_an_operator_is_one_token(operator: str) -> None:
    assert [token.text for token in tokenize(f"a{operator}b")] == ["a", operator, "b"]


@pytest.mark.parametrize("sql", ["'a", '"a', "`a", "[a", "/* a", "a\0"])
def test_tokenize_refuses_what_is_not_finished(sql: str) -> None:
    with pytest.raises(UnreadableSql):
        tokenize("SELECT 1,\n" + sql)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('CREATE TABLE "Users" ([Id])', "create table users(id)"),
        ("a <> b", "a!=b"),
        ("a == b", "a = b"),
        ("`a` /* b */ + 1", "A+1"),
    ],
)
def test_equal_meaning_is_equal_when_folded(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("'A'", "'a'"), ("1", "1.0"), ("x'0f'", "x'0F'"), ("'a'", '"a"'), ("a b", "ab")],
)
def test_other_meaning_is_other_when_folded(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_comments_have_their_lines_and_lead_until_a_statement_begins() -> None:
    sql = "--one\r\n/* two\n * three\n */ ;\nSELECT '-- four' -- five\n; -- six\n/**seven**/"

    assert read_comments(sql, first_line=5) == (
        Comment("one", 5, leading=True),
        Comment("two", 6, leading=True),
        Comment("three", 7, leading=True),
        Comment("", 8, leading=True),
        Comment("five", 9, leading=False),
        Comment("six", 10, leading=False),
        Comment("seven", 11, leading=False),
    )


def test_comments_of_text_without_a_statement_all_lead() -> None:
    assert read_comments("-- a\n-- b") == (
        Comment("a", 1, leading=True),
        Comment("b", 2, leading=True),
    )


def test_comments_are_not_read_past_what_is_not_finished() -> None:
    with pytest.raises(UnreadableSql) as caught:
        read_comments("-- a\nSELECT 'b\n-- c", first_line=3)

    assert caught.value.line == 4


@given(st.text())
def test_a_quoted_name_is_one_token_with_that_name(name: str) -> None:
    if "\0" in name:
        name = name.replace("\0", "")

    tokens = tokenize(quote_name(name))

    assert [(token.kind, token.name) for token in tokens] == [(Kind.QUOTED, name)]


def test_statements_are_values() -> None:
    assert split_statements("SELECT 1") == (Statement("SELECT 1", 1),)


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT 1", "select"),
        ("\ufeff /* a */ -- b\n Begin", "begin"),
        ("-- all comment", ""),
        ("/* never ends", ""),
        ("(1)", ""),
        ('"select"', ""),
        ("", ""),
    ],
)
def test_the_first_word_is_found_behind_comments(sql: str, word: str) -> None:
    assert first_word(sql) == word
