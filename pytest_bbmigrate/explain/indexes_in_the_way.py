"""Every index that keeps a column from being dropped, where SQLite names the first it meets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import (
    CreateIndex,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Index, Schema
    from pytest_bbmigrate.sql.reading import Command
    from pytest_bbmigrate.verdict import Finding

IN_THE_WAY = re.compile(r"error in index (?P<name>.+?) after drop column")


@dataclass(frozen=True)
class NamedIndex:
    """An index: its name as declared, its table, and all that it ``names`` (folded)."""

    name: str
    table: str
    names: frozenset[str]


def with_every_index(
    finding: Finding, failure: Failure, before: Schema, executed: Iterable[str]
) -> Finding:
    """Return ``finding`` with every index to drop, where ``failure`` is that one is in the way.

    ``before`` is the schema that the part began with, ``executed`` what it ran by then.
    """
    match, command = IN_THE_WAY.search(failure.message), read_shape(failure.statement)
    if match is None or not isinstance(command, DropColumn):
        return finding
    column = fold_name(command.column)
    others = [
        index.name
        for index in indexes_after(before, executed)
        if same_name(index.table, command.table.name)
        and column in index.names
        and not same_name(index.name, match["name"])
    ]
    if not others:
        return finding
    drops = " and ".join(f"DROP INDEX {bare_or_quoted(name)}" for name in (match["name"], *others))
    _, newline, note = finding.cause.partition("\n")
    return replace(finding, cause=f"{drops} first{newline}{note}")


def indexes_after(before: Schema, executed: Iterable[str]) -> list[NamedIndex]:
    """Return the explicit indexes that are there after ``executed``."""
    there = [
        NamedIndex(index.name, table.name, frozenset(names_in(index)))
        for table in before.tables
        for index in table.indexes
        if index.name is not None
    ]
    for command in map(read_shape, executed):
        if isinstance(command, CreateIndex):
            terms = map(fold_tokens, (*command.terms, command.where))
            names = frozenset(name for term in terms for name in term)
            there.append(NamedIndex(command.name.name, command.table, names))
        there = [left for each in there if (left := index_after(each, command))]
    return there


def names_in(index: Index) -> Iterator[str]:
    """Yield all that ``index`` names (folded): columns, functions and whatever else."""
    for column in index.columns:
        yield from column.expression or ()
        if column.name is not None:
            yield fold_name(column.name)
    yield from index.where or ()


def index_after(index: NamedIndex, command: Command) -> NamedIndex | None:
    """Return ``index`` as it is after ``command``, None where that drops it or its table."""
    if isinstance(command, Drop):
        on = {"index": index.name, "table": index.table}.get(command.kind, "")
        return None if same_name(on, command.name.name) else index
    if isinstance(command, RenameTable) and same_name(index.table, command.table.name):
        return replace(index, table=command.new)
    if isinstance(command, RenameColumn) and same_name(index.table, command.table.name):
        old = fold_name(command.column)
        if old in index.names:
            return replace(index, names=index.names - {old} | {fold_name(command.new)})
    return index
