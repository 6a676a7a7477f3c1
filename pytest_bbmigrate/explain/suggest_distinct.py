"""The ``requires`` line for what must be unique and is no column that was there before.

That is an expression, a column that up adds and fills, or a key that two columns go into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import result_literals
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.key_conditions import (
    FAILED,
    OTHER,
    WIDENING,
    WITH_A_VALUE,
    columns_failed,
    has_key,
    in_whole,
    is_column_of,
    key_of,
    no_other_before,
    qualified,
    required_of,
)
from pytest_bbmigrate.explain.suggest_merged import merged_key
from pytest_bbmigrate.sql.clauses import Update
from pytest_bbmigrate.sql.cursor import fold_tokens, keyword, source_text, split_at_and
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command, read_shape
from pytest_bbmigrate.sql.schema_clauses import AddColumn, CreateIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.cursor import Tokens


def distinct_requirements(
    failure: Failure, executed: Sequence[str], before: Schema
) -> tuple[str, ...]:
    """Return what rows must satisfy for a UNIQUE that ``failure`` is about; () if that is unknown.

    A UNIQUE of all rows on columns that were there before is for ``requires unique`` to say.
    """
    if not FAILED.search(failure.message):
        return ()
    command = read_command(failure.statement)
    if isinstance(command, CreateIndex) and command.is_unique:
        table = before.table(command.table)
        return () if table is None else (unique_terms(table, command, executed),)
    if isinstance(command, Update):
        in_rest = apart_in_the_rest(failure, command, before)
        return (names_not_taken(failure, command, before), *in_rest)
    return merged_key(failure, executed, before)


def names_not_taken(failure: Failure, command: Update, before: Schema) -> str:
    """Return that no row has yet what an UPDATE gives to one row each.

    It finds them by the name that they had, or the one by its key.
    """
    table = before.table(command.table.name)
    match = FAILED.search(failure.message)
    if table is None or match is None:
        return ""
    key = columns_failed(match)
    columns = [column for name in key if (column := table.column(name)) is not None]
    column = next((each for each in columns if command.sets(each.name)), None)
    if column is None or len(columns) < len(key):
        return ""
    given = next(a.expression for a in command.assignments if same_name(a.columns[0], column.name))
    values = list(result_literals(given))
    words = {fold_name(token.name) for token in command.where}
    is_by_name = fold_name(column.name) in words and not words & WIDENING
    is_case = len(values) > 1 and len(set(values)) == len(values)
    is_by_key = len(values) == 1 and len(key) == 1 and is_of_one_row(command.where, table)
    if not values or not (is_case or is_by_key or (len(values) == 1 and is_by_name)):
        return ""
    name, shown = bare_or_quoted(column.name), [literal_text(value) for value in values]
    condition = f"<> {shown[0]}" if len(shown) == 1 else f"NOT IN ({', '.join(shown)})"
    others = [bare_or_quoted(each.name) for each in columns if each is not column]
    if not others:
        own = f" OR {source_text(command.where)}" if is_by_key else ""
        return f"{bare_or_quoted(table.name)}: {name} {condition}{own}"
    where = of_columns(command.where, table, OTHER)
    if len(shown) > 1 or not where:
        return ""
    same = " AND ".join(f"{OTHER}.{each} = {bare_or_quoted(table.name)}.{each}" for each in others)
    pair = f"SELECT 1 FROM {bare_or_quoted(table.name)} AS {OTHER} WHERE {same} AND {where}"
    return f"{bare_or_quoted(table.name)}: {name} {condition} OR NOT EXISTS ({pair})"


def is_of_one_row(where: Tokens, table: Table) -> bool:
    """Return whether a WHERE names one value of a column in which no two rows agree."""
    if [token.text for token in where[1:2]] not in (["="], ["=="]):
        return False
    column = table.column(where[0].name)
    return (
        column is not None
        and has_key(table, [column.name])
        and len([*result_literals(where[2:])]) == 1
    )


def apart_in_the_rest(failure: Failure, command: Update, before: Schema) -> Iterator[str]:
    """Yield that no two rows agree in what an UPDATE leaves alone of the columns of a key.

    At first of the rows that it is about, then of all.
    """
    table = before.table(command.table.name)
    match = FAILED.search(failure.message)
    key = [] if table is None or match is None else columns_failed(match)
    rest = [column for name in key if table and (column := table.column(name)) is not None]
    rest = [column for column in rest if not command.sets(column.name)]
    if table is None or not rest or len(rest) == len(key) or has_key(table, [c.name for c in rest]):
        return
    own, columns = bare_or_quoted(table.name), [bare_or_quoted(column.name) for column in rest]
    if matched := rows_matched(command):
        yield no_two(table, [f"{OTHER}.{name} = {own}.{name}" for name in columns], matched)
    yield f"unique {own}({', '.join(columns)})"


def rows_matched(command: Update) -> str:
    """Return the condition that rows of the table meet which an UPDATE .. FROM finds; '' if none.

    As it is written: there the columns of several tables may go without their names.
    """
    if command.alias or any(source.on for source in command.sources):
        return ""
    named = [
        f"{bare_or_quoted(table.name)} AS {bare_or_quoted(source.alias or table.name)}"
        for source in command.sources
        if (table := source.table) is not None
    ]
    where = source_text(command.where)
    is_known = where and named and len(named) == len(command.sources)
    return f"EXISTS (SELECT 1 FROM {', '.join(named)} WHERE {where})" if is_known else ""


def literal_text(value: str | float) -> str:
    """Return a value as SQL."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def unique_terms(table: Table, index: CreateIndex, executed: Sequence[str]) -> str:
    """Return that no two rows of ``table`` that an ``index`` holds agree in all of its terms.

    '' for an index of all rows on columns that were there before.
    """
    equal = []
    is_new = False
    for term in index.terms:
        words = tuple(token for token in term if keyword(token) not in {"asc", "desc"})
        is_column = len(words) == 1 and table.column(words[0].name) is not None
        is_made = len(words) == 1 and not is_column
        expression = value_of(table, words[0].name, executed) if is_made else words
        if expression is None:
            return ""
        is_new = is_new or not is_column
        if named := of_columns(expression, table, OTHER):
            equal.append(f"{named} = {of_columns(expression, table, bare_or_quoted(table.name))}")
    if not index.where:
        return no_two(table, equal) if is_new else ""
    if not is_new and not is_of_some_rows(index):
        names = [bare_or_quoted(term[0].name) for term in index.terms]
        return f"unique {bare_or_quoted(table.name)}({', '.join(names)})"
    ours, theirs = (
        of_columns(index.where, table, name) for name in (bare_or_quoted(table.name), OTHER)
    )
    theirs = f"({theirs})" if "or" in fold_tokens(index.where) else theirs
    return no_two(table, equal, ours, theirs) if equal and ours else ""


def is_of_some_rows(index: CreateIndex) -> bool:
    """Return whether an index is one of some rows alone.

    Those without a value in one of its columns differ from all others anyway.
    """
    terms = {fold_tokens(term) for term in index.terms}
    parts = [fold_tokens(part) for part in split_at_and(index.where)] if index.where else []
    return any(words[1:] not in WITH_A_VALUE or words[:1] not in terms for words in parts)


def distinct_values(table: Table, expressions: Sequence[Tokens]) -> str:
    """Return that no two rows of ``table`` agree in all ``expressions``; '' where none can say."""
    name = bare_or_quoted(table.name)
    pairs = (
        (in_whole(e, of_columns(e, table, OTHER)), in_whole(e, of_columns(e, table, name)))
        for e in expressions
    )
    return no_two(table, [f"{other} = {own}" for other, own in pairs if other])


def no_two(table: Table, equal: Sequence[str], ours: str = "", theirs: str = "") -> str:
    """Return that no two rows of ``table`` meet all conditions ``equal``; '' where none can say.

    Of those alone, where it is given, that meet a condition: ``ours`` is it of the one row, and
    ``theirs`` of the other.
    """
    name, key = bare_or_quoted(table.name), key_of(table)
    if not key:
        return ""
    pair = no_other_before(table, key, [*equal, theirs] if equal and theirs else equal)
    return required_of(name, ours if equal else "", pair)


def value_of(table: Table, column: str, executed: Sequence[str]) -> Tokens | None:
    """Return the value that up gave a new column in every row: the tokens of an expression.

    () for the same value in all of them; None if it was not so given.
    """
    found: Tokens | None = None
    for command in map(read_shape, executed):
        if isinstance(command, AddColumn) and same_name(command.table.name, table.name):
            if same_name(command.column, column):
                found = ()
        elif isinstance(command, Update) and same_name(command.table.name, table.name):
            for assignment in command.assignments:
                if len(assignment.columns) == 1 and same_name(assignment.columns[0], column):
                    is_plain = not command.where and not command.sources
                    found = assignment.expression if is_plain else None
    return found


def of_columns(expression: Tokens, table: Table, name: str) -> str:
    """Return an expression as ``qualified`` does; '' if it names no column of ``table``."""
    has_column = any(is_column_of(table, token) for token in expression)
    return qualified(expression, table, name) if has_column else ""
