"""Read CREATE, ALTER and DROP into their clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.cursor import Cursor, keyword, split_at, split_at_commas
from pytest_bbmigrate.sql.queries import read_query
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    ColumnDefinition,
    CreateIndex,
    CreateTable,
    CreateTrigger,
    CreateView,
    CreateVirtualTable,
    Creation,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)
from pytest_bbmigrate.sql.writes import read_body_command

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.clauses import Query
    from pytest_bbmigrate.sql.cursor import ObjectName, Tokens
    from pytest_bbmigrate.sql.schema_clauses import Altered, Created

CREATED = frozenset({"table", "index", "view", "trigger"})
TABLE_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "check", "foreign"})
EVENTS = frozenset({"insert", "update", "delete"})
BEGIN_A_COMMAND = EVENTS | {"replace", "select", "with", "values"}


def read_create(cursor: Cursor) -> Created | None:
    """Take a CREATE, and return its clauses; None for one that SQLite does not know."""
    cursor.take()
    is_temporary = bool(cursor.take_one_of({"temp", "temporary"}))
    is_unique = cursor.take_words("unique")
    is_virtual = cursor.take_words("virtual")
    kind = cursor.take_one_of(CREATED)
    if_not_exists = cursor.take_words("if", "not", "exists")
    name = cursor.take_object()
    body = cursor.tokens[cursor.position :]
    creation = Creation(kind, name, body, is_temporary, if_not_exists)
    if kind == "table":
        return _read_virtual(cursor, creation) if is_virtual else _read_table(cursor, creation)
    if kind == "index":
        return _read_index(cursor, creation, is_unique=is_unique)
    if kind == "view":
        columns = cursor.take_names()
        return CreateView(**vars(creation), columns=columns, query=_read_as(cursor))
    return _read_trigger(cursor, creation) if kind == "trigger" else None


def _read_as(cursor: Cursor) -> Query | None:
    return read_query(cursor) if cursor.take_words("as") else None


def _read_table(cursor: Cursor, creation: Creation) -> CreateTable:
    group = cursor.take_group()
    if group is None:
        return CreateTable(**vars(creation), query=_read_as(cursor))
    columns: list[ColumnDefinition] = []
    constraints: list[Tokens] = []
    for item in split_at_commas(group):
        if item and keyword(item[0]) not in TABLE_CONSTRAINTS and not constraints:
            columns.append(ColumnDefinition(item[0].name, item))
        elif item:
            constraints.append(item)
    return CreateTable(
        **vars(creation),
        columns=tuple(columns),
        constraints=tuple(constraints),
        options=cursor.take_rest(),
    )


def _read_virtual(cursor: Cursor, creation: Creation) -> CreateVirtualTable:
    cursor.take_words("using")
    module = cursor.take_name()
    return CreateVirtualTable(**vars(creation), module=module, arguments=cursor.take_list())


def _read_index(cursor: Cursor, creation: Creation, *, is_unique: bool) -> CreateIndex:
    cursor.take_words("on")
    table = cursor.take_name()
    terms = cursor.take_list()
    where = cursor.take_rest() if cursor.take_words("where") else ()
    return CreateIndex(**vars(creation), table=table, terms=terms, where=where, is_unique=is_unique)


def _read_trigger(cursor: Cursor, creation: Creation) -> CreateTrigger:
    timing = cursor.take_one_of({"before", "after", "instead"}) or "before"
    if timing == "instead" and cursor.take_words("of"):
        timing = "instead of"
    event = cursor.take_one_of(EVENTS)
    columns: tuple[str, ...] = ()
    if cursor.take_words("of"):
        named = cursor.take_until(lambda at: at.word() == "on")
        columns = tuple(each[0].name for each in split_at_commas(named) if each)
    cursor.take_words("on")
    table = cursor.take_object()
    cursor.take_words("for", "each", "row")
    when = cursor.take_until(_begins_body) if cursor.take_words("when") else ()
    cursor.take_words("begin")
    body = (read_body_command(Cursor(each)) for each in split_at(";", cursor.take_rest()))
    return CreateTrigger(
        **vars(creation),
        table=table,
        timing=timing,
        event=event,
        columns=columns,
        when=when,
        commands=tuple(command for command in body if command),
    )


def _begins_body(cursor: Cursor) -> bool:
    """Return whether the cursor is at the BEGIN of a trigger's body, not at a column ``begin``."""
    return cursor.word() == "begin" and cursor.word(1) in BEGIN_A_COMMAND


def read_alter(cursor: Cursor) -> Altered | None:
    """Take an ALTER TABLE, and return its clauses; None for one that changes something else."""
    cursor.take()
    if not cursor.take_words("table"):
        return None
    table = cursor.take_object()
    verb = cursor.take_one_of({"rename", "add", "drop"})
    if verb == "rename" and cursor.take_words("to"):
        return RenameTable(table, cursor.take_name())
    if verb in {"add", "drop"} and cursor.word() in TABLE_CONSTRAINTS:
        return None
    cursor.take_words("column")
    if verb == "add":
        return _read_addition(cursor, table)
    column = cursor.take_name()
    if verb == "rename" and cursor.take_words("to"):
        return RenameColumn(table, column, cursor.take_name())
    return DropColumn(table, column) if verb == "drop" else None


def _read_addition(cursor: Cursor, table: ObjectName) -> AddColumn:
    start = cursor.position
    # A column can be called IF, but nothing that follows it could be NOT EXISTS.
    cursor.take_words("if", "not", "exists")
    condition = cursor.tokens[start : cursor.position]
    start = cursor.position
    column = cursor.take_name()
    return AddColumn(table, column, cursor.tokens[start:], condition)


def read_drop(cursor: Cursor) -> Drop | None:
    """Take a DROP, and return what it drops; None for what SQLite does not know."""
    cursor.take()
    kind = cursor.take_one_of(CREATED)
    if_exists = cursor.take_words("if", "exists")
    return Drop(kind, cursor.take_object(), if_exists) if kind else None
