"""Tables that up dropped beside a copy of them, which stands under another name.

Nothing but ``renames`` says that such a copy is what the table has become: the app reads the old
name. Where the table is declared to be dropped, what the copy lacks is told all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import Pairing, RowAdded, compare_rows
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTable, RenameTable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, Table
    from pytest_bbmigrate.sql.clauses import Query
    from pytest_bbmigrate.sql.reading import Command


@dataclass(frozen=True)
class CopiedTable:
    """The table that up copied another one to, and which (folded) column went to which."""

    table: Table
    columns: tuple[tuple[str, str], ...]

    def pairing(self, old: Table) -> Pairing | None:
        """Return how rows of ``old`` are paired with those of the copy; None if nothing tells.

        A copy without the key, as CREATE TABLE .. AS makes it, keeps rows and replaces no table.
        """
        copied = dict(self.columns)
        key = tuple(fold_name(name) for name in old.primary_key)
        identity = key or old.stored_columns
        if (key and not self.table.primary_key) or any(name not in copied for name in identity):
            return None
        return Pairing(old.name, self.table.name, self.columns, key)


def copy_of_table(
    db: sqlite3.Connection, table: Table, before: Schema, after: Schema, run: Run | None
) -> CopiedTable | None:
    """Return the one new table that rows of ``table`` were copied to; None for none or several.

    Where the statements do not tell, it is the one that has every row. ``db`` is a connection to
    both databases.
    """
    new = [t for t in after.tables if before.table(t.name) is None and t.virtual is None]
    commands = list(map(read_command, run.executed)) if run else []
    found = [copied for made in new if (copied := copied_by(commands, table, made)) is not None]
    if not found:
        found = [copied for made in new if (copied := has_all_rows(db, table, made)) is not None]
    return found[0] if len(found) == 1 else None


def copied_by(commands: Iterable[Command], table: Table, made: Table) -> CopiedTable | None:
    """Return the copy that ``commands`` made of ``table`` in ``made``, row by row."""
    old, new = {fold_name(table.name)}, {fold_name(made.name)}
    commands = list(commands)
    for command in commands:
        if isinstance(command, RenameTable) and command.table.folded in old:
            old.add(fold_name(command.new))
    for command in reversed(commands):
        if isinstance(command, RenameTable) and fold_name(command.new) in new:
            new.add(command.table.folded)
    for command in commands:
        if not isinstance(command, Insert | CreateTable) or command.query is None:
            continue
        target = command.table if isinstance(command, Insert) else command.name
        if target.folded in new and is_row_by_row(command.query, old):
            named = command.columns if isinstance(command, Insert) else ()
            names = [fold_name(c if isinstance(c, str) else c.name) for c in named]
            pairs = tuple(column_pairs(command.query, table, names or list(made.stored_columns)))
            return CopiedTable(made, pairs)
    return None


def is_row_by_row(query: Query, names: Iterable[str]) -> bool:
    """Return whether ``query`` gives at most one row for each of the one table that it reads."""
    if len(query.selects) != 1:
        return False
    (select,) = query.selects
    sources = [source.table.folded if source.table else "" for source in select.sources]
    return len(sources) == 1 and sources[0] in set(names) and not select.group_by


def column_pairs(query: Query, table: Table, names: list[str]) -> list[tuple[str, str]]:
    """Return which column of ``table`` is copied to which of the columns ``names``, as it is."""
    items: list[str] = []
    for column in query.selects[0].columns:
        words = fold_tokens(column.expression)
        if words[-1:] == ("*",) and len(words) in {1, 3}:
            items += table.stored_columns
        else:
            is_plain = len(words) == 1 or (len(words) == 3 and words[1] == ".")
            items.append(words[-1] if is_plain else "")
    if len(items) != len(names):
        return []
    stored = table.stored_columns
    return [(old, new) for old, new in zip(items, names, strict=True) if old in stored]


def has_all_rows(db: sqlite3.Connection, old: Table, new: Table) -> CopiedTable | None:
    """Return ``new`` as a copy if it has all columns of ``old`` and every one of its rows."""
    stored = old.stored_columns
    if not stored or any(new.column(name) is None for name in stored):
        return None
    columns = tuple((name, name) for name in stored)
    if not db.execute(f"SELECT 1 FROM before.{quote_name(old.name)} LIMIT 1").fetchone():
        return None  # an empty table is like any other
    pairing = Pairing(old.name, new.name, columns, old.primary_key)
    if all(isinstance(difference, RowAdded) for difference in compare_rows(db, pairing)):
        return CopiedTable(new, columns)
    return None
