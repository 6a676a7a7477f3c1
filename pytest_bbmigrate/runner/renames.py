"""Follow ALTER TABLE .. RENAME through what a migration executed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.runner.transactions import first_word
from pytest_bbmigrate.sql import UnreadableSql, split_statements, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_bbmigrate.sql import Statement

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
    the way, dropped afterwards, or undone by a savepoint is no rename.
    """
    tables = {name: FollowedTable(name, columns) for name, columns in before.items()}
    for text in executed:
        for statement in readable_statements(text):
            if first_word(statement.text) in ("ALTER", "DROP"):
                follow(tables, [fold_name(token.name) for token in tokenize(statement.text)])
    lasting = {now: table for now, table in tables.items() if now in after}
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


def follow(tables: dict[str, FollowedTable], words: Sequence[str]) -> None:
    """Take one executed statement, folded, into account in ``tables`` (by their names now)."""
    if words[:2] == ["drop", "table"]:
        named = words[4:] if words[2:4] == ["if", "exists"] else words[2:]
        tables.pop(unqualified(named)[0], None)
    elif words[:2] == ["alter", "table"]:
        name, *change = unqualified(words[2:])
        if name in tables:
            alter(tables, name, change)


def alter(tables: dict[str, FollowedTable], name: str, change: Sequence[str]) -> None:
    """Take an ALTER TABLE into account; ``change`` is what follows the table's name."""
    columns = tables[name].columns
    match change:
        case ["rename", "to", new]:
            tables[new] = tables.pop(name)
        case ["rename", "column", old, "to", new] | ["rename", old, "to", new]:
            if old in columns:
                columns[new] = columns.pop(old)
        case ["drop", "column", old] | ["drop", old]:
            columns.pop(old, None)


def unqualified(words: Sequence[str]) -> Sequence[str]:
    """Return a statement's end that begins with a table's name, without a schema before that.

    A temporary table keeps its, so that it is not taken for one that lasts.
    """
    if len(words) > 2 and words[1] == "." and words[0] == "main":
        return words[2:]
    return words
