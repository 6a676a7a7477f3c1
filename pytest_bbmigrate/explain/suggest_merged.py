"""The ``requires`` lines for a key into which an INSERT .. SELECT puts what rows have elsewhere.

Its values come from columns of one table or of several, one statement after the other, and of the
rows that the table holds already; or they are the same in all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.copies import created_columns
from pytest_bbmigrate.explain.key_conditions import (
    FAILED,
    OTHER,
    WITH_A_VALUE,
    columns_failed,
    has_key,
    in_whole,
    key_of,
    no_other_before,
    qualified,
    required_of,
)
from pytest_bbmigrate.explain.statement_where import LONGEST, fits_one_line, names_touched
from pytest_bbmigrate.sql import Kind, folded, tokenize
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens, keyword, source_text, split_at_and
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command, read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateTable, RenameTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.clauses import Select
    from pytest_bbmigrate.sql.cursor import Tokens

FALSE = "0"


@dataclass(frozen=True)
class KeySource:
    """The rows of ``table`` go into a key, with these ``values`` of its columns in turn.

    That are those alone which meet ``where``, SQL on the rows before; '' for all, or if not told.
    """

    table: Table
    values: tuple[Tokens, ...]
    where: str = ""


def merged_key(failure: Failure, executed: Sequence[str], before: Schema) -> tuple[str, ...]:
    """Return what rows must satisfy for a key that up fills by INSERT .. SELECT to take them all.

    The first line is that they do not meet one another there, the second that they meet none of
    those which are in it.
    """
    match, command = FAILED.search(failure.message), read_command(failure.statement)
    if match is None or not isinstance(command, Insert):
        return ()
    columns = columns_failed(match)
    target = command.table.folded
    *earlier, last = [
        [*sources_in(sql, number, target, columns, executed, before)]
        for number, sql in enumerate((*executed, failure.statement))
    ]
    if not last or any(source.table != last[0].table for source in last):
        return ()
    if is_collated(target, executed, before):
        return ()
    there = [source for sources in earlier for source in sources]
    there += [*rows_there(target, columns, executed, before)]
    within = [apart_from_one_another(source) for source in last]
    between = [
        apart(source, other)
        for number, source in enumerate(last)
        for other in (*there, *last[:number])
    ]
    if None in within or None in between:
        return ()
    name = bare_or_quoted(last[0].table.name)
    lines = [" AND ".join(dict.fromkeys(filter(None, parts))) for parts in (within, between)]
    where = last[0].where if len(last) == 1 else ""
    said = [required_of(name, where, line) for line in lines if line]
    if lines[0] and len(last) == 1 and not where and (plain := plain_columns(last[0])):
        said[0] = f"unique {name}({', '.join(plain)})"
    return tuple(said)


def is_collated(target: str, executed: Sequence[str], before: Schema) -> bool:
    """Return whether values may be equal in ``target`` that are not where they come from."""
    created = [
        sql
        for sql in executed
        if isinstance(command := read_shape(sql), CreateTable) and command.name.folded == target
    ]
    table = before.table(name_before(target, executed))
    return any("collate" in folded(sql) for sql in created) or (
        table is not None and any(not same_name(c.collation, "BINARY") for c in table.columns)
    )


def plain_columns(source: KeySource) -> list[str]:
    """Return the values of a source where each is a column of its table, [] else.

    What is the same in all rows is left out.
    """
    values = [value for value in source.values if not is_fixed(value)]
    names = [value[0].name for value in values if len(value) == 1]
    found = [column for name in names if (column := source.table.column(name)) is not None]
    return [bare_or_quoted(column.name) for column in found] if len(found) == len(values) else []


def sources_in(
    sql: str,
    position: int,
    target: str,
    columns: Sequence[str],
    executed: Sequence[str],
    before: Schema,
) -> Iterator[KeySource]:
    """Yield what a statement puts into ``columns`` of ``target``, for each SELECT of one table."""
    command = read_shape(sql)
    if not isinstance(command, Insert) or command.table.folded != target or not command.query:
        return
    for select in command.query.selects:
        names = tuple(map(fold_name, command.columns)) or columns_of(target, executed, before)
        source = source_in(select, names, columns, executed[:position], before)
        if source is not None:
            yield source


def source_in(
    select: Select,
    names: Sequence[str],
    columns: Sequence[str],
    executed: Sequence[str],
    before: Schema,
) -> KeySource | None:
    """Return what a SELECT of one table gives for ``columns``, where ``names`` are what it fills.

    None where it reads several tables, or one that was not there before.
    """
    if len(select.sources) != 1 or select.group_by:
        return None
    named = select.sources[0].table
    table = None if named is None else before.table(name_before(named.folded, executed))
    values = [] if table is None else [*values_of(select, table)]
    if table is None or len(names) != len(values):
        return None
    given = dict(zip(names, values, strict=True))
    if not all(name in given for name in columns):
        return None
    key = tuple(given[name] for name in columns)
    return KeySource(table, key, condition_of(select, key, table, executed))


def condition_of(
    select: Select, key: Sequence[Tokens], table: Table, executed: Sequence[str]
) -> str:
    """Return which rows of ``table`` a SELECT takes, as SQL on them before up.

    '' for all, or where that cannot be said: where up has ``executed`` what changes what the WHERE
    looks at. That a column of the ``key`` has a value is left out: NULL is equal to nothing anyway.
    """
    plain = {fold_name(value[0].name) for value in key if len(value) == 1}
    parts = [
        part
        for part in (split_at_and(select.where) if select.where else ())
        if fold_tokens(part)[1:] not in WITH_A_VALUE or fold_name(part[0].name) not in plain
    ]
    tokens = [token for part in parts for token in part]
    names = {fold_name(token.name) for token in tokens} - {""}
    touched = set[str]().union(
        *(each for sql in executed for each in names_touched(read_shape(sql)))
    )
    alias = fold_name(select.sources[0].alias)
    is_another = alias in names and alias != fold_name(table.name)
    if names & touched or is_another or not fits_one_line(tokens):
        return ""
    condition = " AND ".join(map(source_text, parts))
    return condition if len(condition) <= LONGEST else ""


def values_of(select: Select, table: Table) -> Iterator[Tokens]:
    """Yield the expressions of a SELECT of ``table``, plain columns without its name."""
    for column in select.columns:
        value = column.expression
        if [token.text for token in value[-1:]] == ["*"] and len(value) in (1, 3):
            yield from (tokenize(bare_or_quoted(name)) for name in table.stored_columns)
        else:
            yield value[2:] if len(value) == 3 and value[1].text == "." else value


def rows_there(
    target: str, columns: Sequence[str], executed: Sequence[str], before: Schema
) -> Iterator[KeySource]:
    """Yield the rows that the target has had before up, where it was there."""
    table = before.table(name_before(target, executed))
    if table is not None and all(table.column(name) is not None for name in columns):
        yield KeySource(table, tuple(tokenize(bare_or_quoted(name)) for name in columns))


def name_before(name: str, executed: Sequence[str]) -> str:
    """Return what the table that is now called ``name`` was called before; '' if up made it."""
    for sql in reversed(executed):
        command = read_shape(sql)
        if isinstance(command, RenameTable) and same_name(command.new, name):
            name = command.table.folded
        elif isinstance(command, CreateTable) and command.name.folded == name:
            return ""
    return name


def columns_of(name: str, executed: Sequence[str], before: Schema) -> tuple[str, ...]:
    """Return the columns (folded) of a table that hold values of their own, () if unknown."""
    for sql in executed:
        command = read_shape(sql)
        if isinstance(command, CreateTable) and command.name.folded == name:
            return created_columns(sql)
    table = before.table(name)
    return () if table is None else table.stored_columns


def apart_from_one_another(source: KeySource) -> str | None:
    """Return that no two rows of a source have one key, '' where that goes without saying.

    None where it cannot be said.
    """
    table, key = source.table, key_of(source.table)
    if has_key(table, [value[0].name for value in source.values if len(value) == 1]):
        return ""
    texts = [value_text(value, table, OTHER) for value in source.values]
    if not key or None in texts:
        return None
    pairs = equal_pairs(source, source)
    return None if pairs is None else no_other_before(table, key, pairs)


def apart(source: KeySource, other: KeySource) -> str | None:
    """Return that no row of a source has the key of one of another, '' where none could.

    None where it cannot be said, or no row could satisfy it: the same is put in twice.
    """
    pairs = equal_pairs(source, other)
    if pairs is None:
        return None
    if FALSE in pairs:
        return ""
    same = [fold_tokens(value) for value in source.values]
    if source.table == other.table and same == [fold_tokens(value) for value in other.values]:
        return None
    where = f" WHERE {' AND '.join(pairs)}" if pairs else ""
    return f"NOT EXISTS (SELECT 1 FROM {bare_or_quoted(other.table.name)} AS {OTHER}{where})"


def equal_pairs(source: KeySource, other: KeySource) -> list[str] | None:
    """Return the conditions under which two rows have one key; None where they cannot be said.

    What is the same in all rows is left out, and FALSE stands for what is never equal.
    """
    pairs = []
    for ours, theirs in zip(source.values, other.values, strict=True):
        left = value_text(theirs, other.table, OTHER)
        right = value_text(ours, source.table, bare_or_quoted(source.table.name))
        if left is None or right is None:
            return None
        if not (is_fixed(ours) and is_fixed(theirs)):
            pairs.append(f"{in_whole(theirs, left)} = {in_whole(ours, right)}")
        elif left != right:
            pairs.append(FALSE)
    return pairs


def is_fixed(value: Tokens) -> bool:
    """Return whether a value is made of literals."""
    return not any(token.kind in (Kind.WORD, Kind.QUOTED, Kind.PARAMETER) for token in value)


def value_text(value: Tokens, table: Table, name: str) -> str | None:
    """Return a value as text, the columns of ``table`` with ``name`` before them.

    None for what is more than an expression over these: another query, another table's column.
    """
    if any(token.text == "." or keyword(token) == "select" for token in value):
        return None
    return qualified(value, table, name) or None
