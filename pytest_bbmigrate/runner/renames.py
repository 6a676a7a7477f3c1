"""Follow ALTER TABLE .. RENAME through what a migration executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.sql import UnreadableSql, first_word, split_statements
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import Drop, DropColumn, RenameColumn, RenameTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_bbmigrate.sql import Statement
    from pytest_bbmigrate.sql.reading import Command

RENAME = re.compile(r"\bRENAME\b", re.IGNORECASE)


class RenamedNames(NamedTuple):
    """Names before to names after, case-folded, as ``Run`` has them."""

    tables: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[tuple[str, str], str], ...] = ()


class FollowedTable:
    """A table that was there before the run; ``columns`` maps their names now to those before."""

    def __init__(self, name: str, columns: Iterable[str]) -> None:
        self.name = name
        self.columns = {column: column for column in columns}


def mention_renames(executed: Iterable[str]) -> bool:
    """Return whether it is worth while to follow ``executed``."""
    return any(RENAME.search(sql) for sql in executed)


def follow_renames(
    executed: Iterable[str],
    before: Mapping[str, Collection[str]],
    after: Mapping[str, Collection[str]],
) -> RenamedNames:
    """Return what ``executed`` renamed for good, of tables and columns that were there before.

    ``before`` and ``after`` are the columns of every table, all names case-folded. What was made on
    the way, dropped afterwards, or undone by a savepoint is no rename. A table that is dropped and
    there again was rebuilt: what was renamed in it goes on in the one that has its name.
    """
    tables = {name: FollowedTable(name, columns) for name, columns in before.items()}
    dropped: dict[str, FollowedTable] = {}
    for text in executed:
        for statement in readable_statements(text):
            if first_word(statement.text) in ("alter", "drop"):
                follow(tables, dropped, read_command(statement.text))
    lasting = {now: table for now, table in (dropped | tables).items() if now in after}
    return RenamedNames(
        tuple(sorted((table.name, now) for now, table in lasting.items() if table.name != now)),
        tuple(
            sorted(
                ((table.name, column), column_now)
                for now, table in lasting.items()
                for column_now, column in table.columns.items()
                if column != column_now and column_now in after[now]
            )
        ),
    )


def readable_statements(sql: str) -> Sequence[Statement]:
    """Return the statements of ``sql``; none when SQLite reads it more generously than we do."""
    try:
        return split_statements(sql)
    except UnreadableSql:
        return ()


def follow(
    tables: dict[str, FollowedTable], dropped: dict[str, FollowedTable], command: Command
) -> None:
    """Take one executed statement into account in ``tables``, by their names now.

    Those that are ``dropped`` go by their names before. What a statement does to a temporary table
    is passed over, though one may be called like another.
    """
    if isinstance(command, Drop):
        if command.kind == "table" and not command.name.is_temporary:
            gone = tables.pop(command.name.folded, None)
            if gone is not None:
                dropped[gone.name] = gone
    elif isinstance(command, RenameTable | RenameColumn | DropColumn):
        name = "" if command.table.is_temporary else command.table.folded
        if name in tables:
            alter(tables, name, command)
        elif name in dropped and not isinstance(command, RenameTable):
            alter(dropped, name, command)


def alter(
    tables: dict[str, FollowedTable], name: str, command: RenameTable | RenameColumn | DropColumn
) -> None:
    """Take an ALTER TABLE of the table ``name`` into account."""
    columns = tables[name].columns
    if isinstance(command, RenameTable):
        tables[fold_name(command.new)] = tables.pop(name)
        return
    former = columns.pop(fold_name(command.column), None)
    if isinstance(command, RenameColumn) and former is not None:
        columns[fold_name(command.new)] = former
