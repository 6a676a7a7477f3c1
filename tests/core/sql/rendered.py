"""Statements written again from what was read of them, each expression in parentheses of its own.

What was read into the wrong place, or with too much of what follows, makes another statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.clauses import Delete, Insert, Query, Update
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger, CreateView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.sql.clauses import (
        Assignment,
        CommonTable,
        ResultColumn,
        Select,
        Source,
        Upsert,
    )
    from pytest_bbmigrate.sql.cursor import ObjectName, Tokens
    from pytest_bbmigrate.sql.reading import Command


def rendered(command: Command) -> str:
    """Return the statement that was read as ``command``."""
    if isinstance(command, Query):
        return query(command)
    if isinstance(command, Insert):
        return insertion(command)
    if isinstance(command, Update):
        return update(command)
    if isinstance(command, Delete):
        return deletion(command)
    if isinstance(command, CreateView):
        assert command.query
        head = f"CREATE VIEW {target(command.name)} {names(command.columns)}"
        return f"{head} AS {query(command.query)}"
    if isinstance(command, CreateTrigger):
        return trigger(command)
    raise AssertionError(command)


def query(read: Query) -> str:
    tail = [clause("ORDER BY", read.order_by), clause("LIMIT", read.limit)]
    return joined(with_tables(read.with_tables), *map(select, read.selects), *tail)


def select(read: Select) -> str:
    if read.rows:
        cells = (f"({', '.join(map(wrapped, row))})" for row in read.rows)
        return joined(read.operator, "VALUES", ", ".join(cells))
    sources = "FROM " * bool(read.sources) + " ".join(map(source, read.sources))
    return joined(
        read.operator,
        "SELECT",
        "DISTINCT" * read.is_distinct,
        ", ".join(map(result_column, read.columns)),
        sources,
        clause("WHERE", read.where, wrap=True),
        clause("GROUP BY", read.group_by),
        clause("HAVING", read.having, wrap=True),
        clause("WINDOW", read.windows),
    )


def result_column(read: ResultColumn) -> str:
    if read.expression[-1].text == "*":
        return text(read.expression)
    return joined(wrapped(read.expression), f"AS {quote_name(read.alias)}" if read.alias else "")


def source(read: Source) -> str:
    assert read.table is not None
    alias = f"AS {quote_name(read.alias)}" if read.alias else ""
    return joined(read.join, target(read.table), alias, clause("ON", read.on, wrap=True))


def insertion(read: Insert) -> str:
    return joined(
        with_tables(read.with_tables),
        "INSERT",
        f"OR {read.conflict}" if read.conflict else "",
        "INTO",
        target(read.table, read.alias),
        names(read.columns),
        query(read.query) if read.query else "DEFAULT VALUES",
        *map(upsert, read.upserts),
        clause("RETURNING", read.returning),
    )


def upsert(read: Upsert) -> str:
    terms = f"({', '.join(map(text, read.target))})" if read.target else ""
    if not read.assignments:
        return joined("ON CONFLICT", terms, "DO NOTHING")
    done = assignments(read.assignments)
    return joined(
        "ON CONFLICT", terms, "DO UPDATE SET", done, clause("WHERE", read.where, wrap=True)
    )


def assignments(read: tuple[Assignment, ...]) -> str:
    # One column in parentheses is a row to SQLite, of which a query is read otherwise.
    columns = [each.columns if each.columns[1:] else () for each in read]
    return ", ".join(
        f"{names(row) or quote_name(each.columns[0])} = {wrapped(each.expression)}"
        for row, each in zip(columns, read, strict=True)
    )


def update(read: Update) -> str:
    sources = "FROM " * bool(read.sources) + " ".join(map(source, read.sources))
    return joined(
        with_tables(read.with_tables),
        "UPDATE",
        f"OR {read.conflict}" if read.conflict else "",
        target(read.table, read.alias),
        f"SET {assignments(read.assignments)}",
        sources,
        clause("WHERE", read.where, wrap=True),
        clause("RETURNING", read.returning),
    )


def deletion(read: Delete) -> str:
    return joined(
        with_tables(read.with_tables),
        "DELETE FROM",
        target(read.table, read.alias),
        clause("WHERE", read.where, wrap=True),
        clause("RETURNING", read.returning),
    )


def trigger(read: CreateTrigger) -> str:
    assert read.table is not None
    columns = ", ".join(map(quote_name, read.columns))
    return joined(
        f"CREATE TRIGGER {target(read.name)} {read.timing} {read.event}",
        f"OF {columns}" if columns else "",
        f"ON {target(read.table)}",
        clause("WHEN", read.when, wrap=True),
        f"BEGIN {'; '.join(map(rendered, read.commands))}; END",
    )


def with_tables(read: Iterable[CommonTable]) -> str:
    made = [f"{quote_name(t.name)} {names(t.columns)} AS ({text(t.body)})" for t in read]
    return f"WITH {', '.join(made)}" if made else ""


def target(name: ObjectName, alias: str = "") -> str:
    schema = f"{quote_name(name.schema)}." if name.schema else ""
    return schema + quote_name(name.name) + (f" AS {quote_name(alias)}" if alias else "")


def names(read: Iterable[str]) -> str:
    listed = ", ".join(map(quote_name, read))
    return f"({listed})" if listed else ""


def clause(word: str, tokens: Tokens, *, wrap: bool = False) -> str:
    return f"{word} {wrapped(tokens) if wrap else text(tokens)}" if tokens else ""


def wrapped(tokens: Tokens) -> str:
    return f"({text(tokens)})"


def text(tokens: Tokens) -> str:
    return " ".join(token.text for token in tokens)


def joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
