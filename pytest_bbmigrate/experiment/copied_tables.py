"""Tables that up dropped beside copies of them, which stand under other names.

Nothing but ``renames`` says that such a copy is what the table has become: the app reads the old
name. Where the table is declared to be dropped, what the copies lack is told all the same.
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
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Renames, Schema, Table
    from pytest_bbmigrate.sql.clauses import Query
    from pytest_bbmigrate.sql.reading import Command


@dataclass(frozen=True)
class CopiedTable:
    """A table that up copied another one to, and which (folded) column went to which.

    ``is_new`` is whether up made it: only then it may be what the other has become.
    """

    table: Table
    columns: tuple[tuple[str, str], ...]
    is_new: bool = True

    def pairing(self, old: Table) -> Pairing | None:
        """Return how rows of ``old`` are paired with those of the copy; None if nothing tells."""
        copied = dict(self.columns)
        key = tuple(fold_name(name) for name in old.primary_key)
        identity = key or old.stored_columns
        if any(name not in copied for name in identity):
            return None
        return Pairing(old.name, self.table.name, self.columns, key)

    def has_most_columns(self, old: Table) -> bool:
        """Return whether more than half of the columns of ``old`` are in the copy, as its key."""
        copied = dict(self.columns)
        key = {copied.get(fold_name(name), "") for name in old.primary_key}
        is_key = key == {fold_name(name) for name in self.table.primary_key}
        return is_key and 2 * len(copied) > len(old.stored_columns)

    def lacks(self, old: Table) -> tuple[str, ...]:
        """Return the columns (folded) of ``old`` that the copy has not, where it has the most."""
        if not self.has_most_columns(old):
            return ()
        there = {*dict(self.columns), *self.table.stored_columns}
        return tuple(name for name in old.stored_columns if name not in there)


def copies_of_table(
    db: sqlite3.Connection, table: Table, renames: Renames, after: Schema, run: Run | None
) -> tuple[CopiedTable, ...]:
    """Return the tables that rows of ``table`` were copied to.

    Where the statements do not tell, it is a new one that has most of the rows. ``db`` is a
    connection to both databases.
    """
    were_there = set(renames.tables.values())
    others = [t for t in after.tables if t.virtual is None]
    new = [made for made in others if fold_name(made.name) not in were_there]
    commands = list(map(read_command, run.shapes)) if run else []
    found = tuple(
        copied
        for made in others
        if (copied := copied_by(commands, table, made, is_new=made in new)) is not None
    )
    return found or tuple(
        copied for made in new if (copied := has_most_rows(db, table, made)) is not None
    )


def successor_among(copies: Sequence[CopiedTable], old: Table) -> CopiedTable | None:
    """Return the one new table that ``old`` was copied to, None for none or several.

    One that tells the rows apart goes before those that hold something of them, and one that has
    most of their columns before those that hold their keys alone, as a table between two does.
    """
    new = [copied for copied in copies if copied.is_new]
    whole = [copied for copied in new if copied.pairing(old) is not None] or new
    if len(whole) > 1:
        whole = [copied for copied in whole if copied.has_most_columns(old)]
    return whole[0] if len(whole) == 1 else None


def copied_by(
    commands: Sequence[Command], table: Table, made: Table, *, is_new: bool
) -> CopiedTable | None:
    """Return the copy that ``commands`` made of ``table`` in ``made``, None where they made none.

    Rows that are joined with others or made distinct, and those that go to a table that was there,
    are copied only if what tells them apart is.
    """
    old, new = names_from(commands, table), names_to(commands, made)
    for command in commands:
        if not isinstance(command, Insert | CreateTable) or command.query is None:
            continue
        target = command.table if isinstance(command, Insert) else command.name
        if target.folded not in new or not reads_rows(command.query, old):
            continue
        named = command.columns if isinstance(command, Insert) else ()
        names = [fold_name(c if isinstance(c, str) else c.name) for c in named]
        pairs = tuple(column_pairs(command.query, table, old, names or list(made.stored_columns)))
        copied = CopiedTable(made, pairs, is_new=is_new)
        row_by_row = is_row_by_row(command.query, old) and not command.query.selects[0].is_distinct
        if (is_new and row_by_row) or copied.pairing(table) is not None:
            return copied
    return None


def names_from(commands: Sequence[Command], table: Table) -> set[str]:
    """Return every name (folded) that ``table`` has while ``commands`` run."""
    names = {fold_name(table.name)}
    for command in commands:
        if isinstance(command, RenameTable) and command.table.folded in names:
            names.add(fold_name(command.new))
    return names


def names_to(commands: Sequence[Command], made: Table) -> set[str]:
    """Return every name (folded) that ``made``, so called in the end, has while they run."""
    names = {fold_name(made.name)}
    for command in reversed(commands):
        if isinstance(command, RenameTable) and fold_name(command.new) in names:
            names.add(command.table.folded)
    return names


def reads_rows(query: Query, names: Collection[str]) -> bool:
    """Return whether ``query`` is one SELECT that reads, ungrouped, one of the tables ``names``."""
    if len(query.selects) != 1 or query.selects[0].group_by:
        return False
    sources = [source.table.folded if source.table else "" for source in query.selects[0].sources]
    return sum(source in names for source in sources) == 1


def is_row_by_row(query: Query, names: Collection[str]) -> bool:
    """Return whether ``query`` gives at most one row for each of the one table that it reads."""
    return reads_rows(query, names) and len(query.selects[0].sources) == 1


def column_pairs(
    query: Query, table: Table, names: Collection[str], columns: list[str]
) -> list[tuple[str, str]]:
    """Return which column of ``table`` is copied to which of ``columns``, as it is.

    ``names`` are what ``table`` was called. Nothing is known of a join's ``*``.
    """
    (select,) = query.selects
    is_joined = len(select.sources) > 1
    own = {
        name
        for source in select.sources
        if source.table and source.table.folded in names
        for name in (fold_name(source.alias), "" if source.alias else source.table.folded)
    }
    items: list[str] = []
    for column in select.columns:
        words = fold_tokens(column.expression)
        of_others = is_joined and len(words) == 3 and words[0] not in own
        if words[-1:] == ("*",) and len(words) in {1, 3}:
            if of_others or (is_joined and len(words) == 1):
                return []
            items += table.stored_columns
        else:
            is_plain = len(words) == 1 or (len(words) == 3 and words[1] == ".")
            items.append(words[-1] if is_plain and not of_others else "")
    if len(items) != len(columns):
        return []
    stored = table.stored_columns
    return [(old, new) for old, new in zip(items, columns, strict=True) if old in stored]


def has_most_rows(db: sqlite3.Connection, old: Table, new: Table) -> CopiedTable | None:
    """Return ``new`` as a copy if it has all columns of ``old``, and half of its rows as they were.

    That two rows have the same key alone is by chance.
    """
    stored = old.stored_columns
    if not stored or any(new.column(name) is None for name in stored):
        return None
    columns = tuple((name, name) for name in stored)
    (count,) = db.execute(f"SELECT count(*) FROM before.{quote_name(old.name)}").fetchone()
    pairing = Pairing(old.name, new.name, columns, old.primary_key)
    if not count:
        return None  # an empty table is like any other
    differing: set[object] = set()  # keys, or numbers of rows that have none
    for number, difference in enumerate(compare_rows(db, pairing)):
        if not isinstance(difference, RowAdded):
            differing.add(difference.key or number)
        if 2 * len(differing) > count:
            return None
    return CopiedTable(new, columns)
