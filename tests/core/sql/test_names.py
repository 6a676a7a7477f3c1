from __future__ import annotations

import ast
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_bbmigrate
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

LETTERS = (
    "aA\u00e9\u00c9\u00df\u1e9e\u017fSs\u212aKk\u0131\u0130Ii"  # some are one letter to Unicode
)


@given(
    st.text(LETTERS, min_size=1, max_size=3),
    st.text(LETTERS, min_size=1, max_size=3),
)
def test_names_are_the_same_where_sqlite_finds_the_table_by_both(one: str, other: str) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE TABLE {quote_name(one)} (x)")
        try:
            db.execute(f"SELECT x FROM {quote_name(other)}")
            is_found = True
        except sqlite3.OperationalError:
            is_found = False

    assert same_name(one, other) is is_found


@given(st.text(LETTERS, min_size=1, max_size=4))
def test_a_folded_name_still_names_the_same_table(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute(f"CREATE TABLE {quote_name(name)} (x)")

        assert db.execute(f"SELECT x FROM {quote_name(fold_name(name))}").fetchall() == []


@pytest.mark.parametrize(
    ("one", "other"), [("Été", "ÉtÉ"), ("größe", "GRÖSSE"), ("café", "CAFÉ"), ("\u017f", "s")]
)
def test_letters_beyond_a_to_z_are_never_folded(one: str, other: str) -> None:
    assert not same_name(one, other)


def test_no_module_folds_names_as_unicode_does() -> None:
    package = Path(pytest_bbmigrate.__file__).parent
    folding = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "casefold"
    ]

    assert folding == []


def test_no_module_but_those_of_sql_counts_parentheses() -> None:
    package = Path(pytest_bbmigrate.__file__).parent
    counting = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        if package / "sql" not in path.parents
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.stmt | ast.Dict) and counts_parentheses(node)
    ]

    assert counting == []


@pytest.mark.parametrize(
    "code",
    [
        'depth += {"(": 1, ")": -1}.get(word, 0)',
        'depth += (token.text == "(") - (token.text == ")")',
        "if word == '(':\n    depth += 1",
    ],
)
def test_a_count_of_parentheses_is_seen(code: str) -> None:
    assert any(map(counts_parentheses, ast.walk(ast.parse(code))))


def counts_parentheses(node: ast.AST) -> bool:
    """Return whether ``node`` adds something up that depends on a parenthesis."""
    if isinstance(node, ast.Dict):
        return any(compares_parenthesis(key) for key in node.keys if key)
    if isinstance(node, ast.If):
        is_counting = any(isinstance(part, ast.AugAssign) for part in node.body)
        return is_counting and compares_parenthesis(node.test)
    return isinstance(node, ast.AugAssign) and any(
        isinstance(part, ast.Compare) and compares_parenthesis(part) for part in ast.walk(node)
    )


def compares_parenthesis(node: ast.AST) -> bool:
    parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return "(" in parts or ")" in parts
