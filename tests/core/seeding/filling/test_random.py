"""Schemas that nobody thought of: every constraint holds and the same seed gives the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_bbmigrate.seeding.model import Recipe
from tests.core.filling import filled
from tests.depth import in_full

NAMES = st.sampled_from(
    ["amount", "name", "category", "date", "month", "status", "note", "is_open", "email", "json"]
)
TYPES = st.sampled_from(
    ["", "TEXT", "INTEGER", "REAL", "NUMERIC", "DATE", "BOOLEAN", "VARCHAR(9)", "BLOB", "STRING"]
)
CONSTRAINTS = st.sampled_from(
    [
        "",
        "NOT NULL",
        "UNIQUE",
        "NOT NULL UNIQUE",
        "COLLATE NOCASE",
        "DEFAULT 'x'",
        "NOT NULL DEFAULT 0",
        "CHECK ({0} IS NULL OR length({0}) > 1)",
        "CHECK ({0} <> '')",
        "NOT NULL CHECK ({0} IN ('a', 'b', 1, 2.5))",
        "REFERENCES parent (id)",
        "NOT NULL REFERENCES parent (code)",
        "REFERENCES t (id)",
    ]
)
TABLE_CONSTRAINTS = st.sampled_from(
    ["", ", UNIQUE ({0}, {1})", ", CHECK ({0} IS NOT {1})", ", CHECK ({0} <= {1} OR {0} IS NULL)"]
)


@st.composite
def schemas(draw: st.DrawFn) -> str:
    """Return a table with some columns and constraints beside a parent table."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    columns = [f"{name} {draw(TYPES)} {draw(CONSTRAINTS).format(name)}" for name in names]
    key = draw(st.sampled_from(["INTEGER PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"]))
    extra = draw(TABLE_CONSTRAINTS).format(names[0], names[-1])
    return (
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE);"
        f"CREATE TABLE t (id {key}, {', '.join(columns)}{extra})"
    )


@settings(max_examples=in_full(60, quick=15), deadline=None)
@given(schemas(), st.sampled_from([1, 6, 70]))
def test_constraints_hold_in_any_schema(sql: str, rows: int) -> None:
    with filled(sql, Recipe(rows=rows)) as result, filled(sql, Recipe(rows=rows)) as again:
        added = result.filling.added
        said = {item.table for item in result.filling.unfilled if not item.column}

        assert result.db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert result.db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert {name for name in added if not added[name]} == said
        assert again.content() == result.content()
        assert again.filling == result.filling
