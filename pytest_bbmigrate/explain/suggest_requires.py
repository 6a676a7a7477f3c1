"""The contract line that makes room for a constraint which rows that are there break."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.copies import Copy, created_columns, read_copy
from pytest_bbmigrate.explain.json_seen import json_conditions
from pytest_bbmigrate.explain.key_conditions import (
    FAILED,
    columns_failed,
    has_key,
    is_of_some_rows_alone,
)
from pytest_bbmigrate.explain.suggest_computed import computed_key, copy_that_filled
from pytest_bbmigrate.explain.suggest_distinct import distinct_requirements, is_of_some_rows
from pytest_bbmigrate.explain.suggest_value import NOT_NULL, value_requirement
from pytest_bbmigrate.schema.read.create_table import parse_create_table
from pytest_bbmigrate.sql import Kind, folded
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command, read_shape
from pytest_bbmigrate.sql.schema_clauses import AddColumn, CreateIndex, CreateTable, RenameTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql import Token

CHECK = re.compile(r"CHECK constraint failed: (?P<check>[^;]+)")
NO_DEFAULT = re.compile(r"NOT NULL column with default value NULL")
STORE = re.compile(r"cannot store TEXT value in INTEGER column (?P<columns>[^;]+)")


@dataclass(frozen=True)
class ConstraintSource:
    """Where the values came from that a statement put into a new table, or found in an old one.

    ``columns`` gives the column of ``table``, as it is written, for each folded column of the
    table that the constraint is on; columns that are computed are not in it. ``filled`` are the
    columns of a new table that get a value at all, None where that is not known.
    """

    table: Table
    columns: dict[str, str]
    created: str = ""
    filled: frozenset[str] | None = None


def suggested_requirements(
    failure: Failure, executed: Sequence[str], before: Schema, contract: Contract
) -> tuple[str, ...]:
    """Return what rows before up must satisfy for it not to meet ``failure``, the likeliest first.

    Each is as a contract words it, and stands behind ``requires``. There is something where a
    constraint that up makes is on columns of a table that was there before, or on what up computes
    from them. What the ``contract`` says already does not help.
    """
    source = source_of_copy(failure.statement, executed, before)
    if source is None:
        source = indexed_table(failure.statement, executed, before)
    plainly = "" if source is None else requirement_of(failure.message, source)
    command = read_command(failure.statement)
    distinct = distinct_requirements(failure, executed, before)
    is_of_some = (isinstance(command, CreateIndex) and is_of_some_rows(command)) or (
        isinstance(command, Insert) and any(map(is_of_some_rows_alone, distinct))
    )
    possible = (
        "" if is_of_some else plainly,
        *requirements_of_key(failure, executed, before),
        *distinct,
        plainly if is_of_some else "",
        value_requirement(failure, executed, before),
        *json_conditions(failure, before),
        empty_table(failure, before),
    )
    return tuple(one for one in possible if one and not is_declared(one, contract))


def requirements_of_key(
    failure: Failure, executed: Sequence[str], before: Schema
) -> tuple[str, ...]:
    """Return what may have to hold for a UNIQUE on what a copy computes, the likeliest first."""
    statement = copy_that_filled(failure.statement, executed)
    source = source_of_copy(statement, executed, before) if statement else None
    if source is None:
        return ()
    return tuple(computed_key(failure, statement, source.created, source.table))


def is_declared(requirement: str, contract: Contract) -> bool:
    """Return whether the contract has a requirement, as ``requirement_of`` words it, already."""
    declared = {
        f"unique {bare_or_quoted(r.table)}({', '.join(map(bare_or_quoted, r.unique))})"
        if r.unique
        else f"{bare_or_quoted(r.table)}: {r.expression}"
        for r in contract.requires
    }
    return fold_name(requirement) in set(map(fold_name, declared))


def empty_table(failure: Failure, before: Schema) -> str:
    """Return that a table has no rows, for a column that no row there could have a value in."""
    command = read_command(failure.statement)
    if not isinstance(command, AddColumn) or not NO_DEFAULT.search(failure.message):
        return ""
    table = before.table(command.table.name)
    return "" if table is None else f"{bare_or_quoted(table.name)}: 0"


def requirement_of(message: str, source: ConstraintSource) -> str:
    """Return what the rows of ``source`` must satisfy for ``message`` not to be raised."""
    table = bare_or_quoted(source.table.name)
    if match := CHECK.search(message):
        condition = condition_of(match["check"], source)
        return f"{table}: {condition}" if condition else ""
    match = FAILED.search(message) or NOT_NULL.search(message) or STORE.search(message)
    if match is None:
        return ""
    if match.re is NOT_NULL and source.filled is not None:
        (column,) = columns_failed(match)
        if column not in source.filled:
            return f"{table}: 0"
    named = columns_failed(match)
    if not all(name in source.columns for name in named):
        return ""
    columns = [bare_or_quoted(source.columns[name]) for name in named]
    if match.re is FAILED:
        is_key = has_key(source.table, [source.columns[name] for name in named])
        return "" if is_key else f"unique {table}({', '.join(columns)})"
    if match.re is NOT_NULL:
        return f"{table}: {columns[0]} IS NOT NULL"
    return f"{table}: {columns[0]} = CAST(CAST({columns[0]} AS INTEGER) AS TEXT)"


def source_of_copy(
    statement: str, executed: Sequence[str], schema: Schema
) -> ConstraintSource | None:
    """Return where the rows of an INSERT .. SELECT into a new table come from."""
    copy = read_copy(len(executed), statement)
    created = "" if copy is None else creation_of(copy.target, executed)
    table = None if copy is None else table_before(copy.source, executed, schema)
    if (
        copy is None
        or table is None
        or not created
        or is_mixed(copy)
        or "collate" in folded(created)
    ):
        return None
    expressions = copy.expressions(created_columns(created), table.stored_columns)
    plain = {
        column: source.name
        for column, item in expressions.items()
        if len(item) == 1 and (source := table.column(item[0])) is not None
    }
    return ConstraintSource(table, plain, created, frozenset(expressions) if expressions else None)


def is_mixed(copy: Copy) -> bool:
    """Return whether rows or values of several tables are copied."""
    return copy.joins or bool({"union", "union all", "except", "intersect"} & copy.features)


def indexed_table(
    statement: str, executed: Sequence[str], schema: Schema
) -> ConstraintSource | None:
    """Return the table that a CREATE UNIQUE INDEX is on, or whose rows it has by a rebuild.

    None for another statement.
    """
    command = read_command(statement)
    if not isinstance(command, CreateIndex) or not command.is_unique:
        return None
    if "collate" in fold_tokens(command.body):
        return None
    table = table_before(fold_name(command.table), executed, schema)
    if table is None:
        return rebuilt_table(fold_name(command.table), executed, schema)
    return ConstraintSource(
        table, {fold_name(column.name): column.name for column in table.columns}
    )


def rebuilt_table(name: str, executed: Sequence[str], schema: Schema) -> ConstraintSource | None:
    """Return where the rows come from that one copy has put into the table now called ``name``.

    None where it was not made and filled so.
    """
    filling: list[tuple[int, str]] = []
    for position, sql in reversed([*enumerate(executed)]):
        command = read_shape(sql)
        if isinstance(command, RenameTable) and same_name(command.new, name):
            name = command.table.folded
        elif isinstance(command, CreateTable) and command.name.folded == name:
            break
        elif isinstance(command, Insert) and command.table.folded == name:
            filling.append((position, sql))
    if len(filling) != 1:
        return None
    ((position, copy),) = filling
    return source_of_copy(copy, executed[:position], schema)


def creation_of(name: str, executed: Sequence[str]) -> str:
    """Return the CREATE TABLE that made the table ``name`` (folded) in this run, '' for none."""
    for sql in reversed(executed):
        command = read_shape(sql)
        if isinstance(command, CreateTable) and command.name.folded == name:
            return sql
    return ""


def table_before(name: str, executed: Sequence[str], schema: Schema) -> Table | None:
    """Return the table that is now called ``name`` (folded) as it was before up."""
    for sql in reversed(executed):
        command = read_shape(sql)
        if isinstance(command, RenameTable) and same_name(command.new, name):
            name = command.table.folded
    return schema.table(name)


def condition_of(check: str, source: ConstraintSource) -> str:
    """Return the CHECK that is called or reads ``check``, on the columns of ``source``."""
    tokens = check_in(source.created, check)
    columns = set(created_columns(source.created))
    parts: list[str] = []
    end = tokens[0].start if tokens else 0
    for token in tokens:
        text, name = token.text, fold_name(token.name)
        if token.kind in (Kind.WORD, Kind.QUOTED) and name in columns:
            if name not in source.columns:
                return ""
            text = bare_or_quoted(source.columns[name])
        parts.append(text if token.start == end else f" {text}")
        end = token.start + len(token.text)
    return "".join(parts)


def check_in(created: str, check: str) -> Sequence[Token]:
    """Return the tokens of the CHECK in a CREATE TABLE that SQLite calls ``check``, () for none.

    It calls a CHECK by its name, or else by its expression.
    """
    for clause in parse_create_table(created).checks:
        expression = closed_up(clause.expression)
        if same_name(clause.name, check) or expression == "".join(check.split()):
            return clause.expression
    return ()


def closed_up(tokens: Sequence[Token]) -> str:
    """Return the text of ``tokens`` without any blanks."""
    return "".join("".join(token.text for token in tokens).split())
