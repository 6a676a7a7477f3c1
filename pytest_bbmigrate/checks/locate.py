"""Where in a migration a fault lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import PythonPart, SqlPart
from pytest_bbmigrate.explain.copies import copy_of
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.plain_rows import shape_of
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import AddColumn, Drop, DropColumn, RenameTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.sql import Statement
    from pytest_bbmigrate.sql.reading import Command

LOSES_ROWS = ("delete", "replace", "insert", "drop", "update", "create", "alter")
WRITES_VALUES = ("update", "insert", "replace", "create", "alter", "drop", "delete")
SHAPES = ("drop", "alter", "create", "insert")


@dataclass(frozen=True)
class Location:
    """A file and, where known, a line of it."""

    path: Path
    line: int | None


def locate(
    part: Part, names: tuple[str, ...], verbs: tuple[str, ...], column: str = ""
) -> Location:
    """Return where ``part`` most likely did something to an object of one of ``names``.

    That is the first statement that drops or sets its ``column``, where that is told, else the one
    that adds it and that no INSERT comes after. Else it is the first that names it and begins with
    the earliest of ``verbs`` found, one that writes to it before others; of a Python function it is
    where the function begins.
    """
    if isinstance(part, PythonPart):
        return Location(part.path, part.line)
    if not isinstance(part, SqlPart):
        return Location(part.path, None)
    wanted = {fold_name(name) for name in names if name}
    naming = [
        (verb_of(statement.text, words), statement)
        for statement in part.statements
        if (words := folded(shape_of(statement.text)))
        and wanted & set(words)
        and not copies_others(statement.text, wanted)
    ]
    if column and (found := statement_on_column(naming, wanted, column)):
        return Location(part.path, found.line)
    for verb in verbs:
        of_verb = [statement for first, statement in naming if first == verb]
        if of_verb:
            best = next((one for one in of_verb if written_to(one.text) in wanted), of_verb[0])
            return Location(part.path, best.line)
    return Location(part.path, naming[0][1].line if naming else None)


def copies_others(sql: str, tables: Collection[str]) -> bool:
    """Return whether a copy reads and writes others than ``tables`` (folded).

    What it names like one of them is a column.
    """
    command = read_shape(sql)
    if not isinstance(command, Insert) or command.query is None or command.query.with_tables:
        return False
    selects = command.query.selects
    sources = [source.table for select in selects for source in select.sources]
    named = {command.table.folded, *(table.folded for table in sources if table)}
    is_all = all(sources) and folded(sql).count("select") == len(selects)
    return is_all and not command.with_tables and not named & set(tables)


def without_idle(part: Part, run: Run) -> Part:
    """Return ``part`` without the statements that wrote no row in ``run``, though they might have.

    It is as it was where it is no SQL.
    """
    if not isinstance(part, SqlPart) or not run.met_no_row:
        return part
    acted = (statement for statement in part.statements if statement.text not in run.met_no_row)
    return replace(part, statements=tuple(acted))


def statement_on_column(
    naming: Sequence[tuple[str, Statement]], tables: Collection[str], column: str
) -> Statement | None:
    """Return the first statement that drops or sets a ``column`` of ``tables`` (folded).

    Else that is the copy which computes it, else the ALTER TABLE which adds it, where no INSERT
    after it may write it; None for none of them.
    """
    for _, statement in naming:
        if is_of_column(statement.text, tables, column):
            return statement
    become = {
        command.table.folded
        for _, statement in naming
        if isinstance(command := read_shape(statement.text), RenameTable)
        and fold_name(command.new) in tables
    }
    for _, statement in naming:
        if computes_column(statement.text, tables, {*tables, *become}, column):
            return statement
    for verb, statement in reversed(naming):
        if adds_column(statement.text, tables, column):
            return statement
        if verb in {"insert", "replace"}:
            break
    return None


def verb_of(sql: str, words: tuple[str, ...]) -> str:
    """Return what a statement, in folded ``words``, begins with, or does after its WITH."""
    if words[0] != "with":
        return words[0]
    verbs = {Insert: "insert", Update: "update", Delete: "delete"}
    return verbs.get(type(read_shape(sql)), words[0])


def locate_new_rows(part: Part, before: str, after: str) -> Location | None:
    """Return where ``part`` puts rows of others into a table; None where nothing in it says so.

    The table is called ``before`` and ``after``. Of the statements that write to what it becomes,
    that is the first which does not copy what it was.
    """
    if not isinstance(part, SqlPart) or not after:
        return None
    commands = [read_shape(statement.text) for statement in part.statements]
    steps = zip(part.statements, commands, holders_of(before, commands), strict=True)
    name, found = fold_name(after), None
    for statement, command, holders in reversed([*steps]):
        if isinstance(command, RenameTable) and fold_name(command.new) == name:
            name = command.table.folded
        elif isinstance(command, Insert) and command.table.folded == name:
            copy = copy_of(0, command)
            source = {copy.source} if copy and copy.source else set(folded(statement.text)) - {name}
            found = found if source & holders else statement
    return Location(part.path, found.line) if found else None


def holders_of(table: str, commands: Iterable[Command]) -> Iterator[frozenset[str]]:
    """Yield the tables (folded) that hold rows of ``table`` before each statement."""
    holders = {fold_name(table)}
    for command in commands:
        yield frozenset(holders)
        if isinstance(command, RenameTable) and command.table.folded in holders:
            holders = holders - {command.table.folded} | {fold_name(command.new)}
        elif isinstance(command, Drop):
            holders = holders - {command.name.folded}
        elif (copy := copy_of(0, command)) and copy.source in holders:
            holders = holders | {copy.target}


def is_of_column(sql: str, tables: Collection[str], column: str) -> bool:
    """Return whether a statement drops, or sets, a ``column`` of one of ``tables`` (folded)."""
    command = read_shape(sql)
    if not isinstance(command, DropColumn | Update) or command.table.folded not in tables:
        return False
    if isinstance(command, Update):
        return command.sets(column)
    return fold_name(command.column) == fold_name(column)


def computes_column(
    sql: str, sources: Collection[str], targets: Collection[str], column: str
) -> bool:
    """Return whether a copy from ``sources`` into ``targets`` (folded) computes its ``column``."""
    copy = copy_of(0, read_shape(sql))
    if copy is None or copy.source not in sources or copy.target not in targets:
        return False
    given = copy.expressions((), ()).get(fold_name(column), ())
    return len(given) > 1 and given[1] != "."


def adds_column(sql: str, tables: Collection[str], column: str) -> bool:
    """Return whether a statement adds a ``column`` to one of ``tables`` (folded)."""
    command = read_shape(sql)
    return (
        isinstance(command, AddColumn)
        and command.table.folded in tables
        and same_name(command.column, column)
    )


def written_to(sql: str) -> str:
    """Return the table (folded) whose rows a statement writes; '' for any other statement."""
    command = read_shape(sql)
    return command.table.folded if isinstance(command, Insert | Update | Delete) else ""
