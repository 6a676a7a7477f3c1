"""Take statements back on an empty copy of a schema, the last one first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.structure_written import has, outcome_of, thing_made
from pytest_bbmigrate.private import safe_message
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sql.names import fold_name, quote_name
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    Created,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.apply.structure_written import Structural, Thing


@dataclass
class Lacking:
    """What was there before and is nowhere written: each thing with the name of who dropped it.

    ``refused`` are things that SQLite did not take away, each with the reason.
    """

    dropped: dict[Thing, str] = field(default_factory=dict)
    refused: dict[Thing, tuple[str, str]] = field(default_factory=dict)

    def rename(self, new: Thing, old: Thing) -> None:
        """Note that what is called ``new`` was called ``old`` before."""
        if new in self.dropped:
            self.dropped[old] = self.dropped.pop(new)

    def resolve(self, thing: Thing) -> None:
        """Note that ``thing`` is made by an earlier migration: what it was need not be known."""
        self.dropped.pop(thing, None)
        if thing[0] == "table":
            for other in [o for o in self.dropped if o[:2] == ("column", thing[1])]:
                del self.dropped[other]


def reverse(
    db: sqlite3.Connection, commands: Sequence[Structural], who: str, lacking: Lacking
) -> None:
    """Take ``commands`` of the migration ``who`` back in ``db``, as far as they show there.

    What they drop, and nothing in ``db`` tells the shape of, is noted in ``lacking``.
    """
    remade_tables = {thing for thing in outcome_of(commands).remade if thing[0] == "table"}
    made_here = {thing_made(command) for command in commands if isinstance(command, Created)}
    for command in reversed(commands):
        if isinstance(command, Created):
            _drop_created(db, command, who, lacking)
        elif isinstance(command, AddColumn):
            _drop_column(db, command, who, lacking)
        elif isinstance(command, RenameTable):
            # What refers to a table that is made anew referred to the earlier one before.
            is_made_anew = ("table", command.table.folded) in made_here
            db.execute(f"PRAGMA legacy_alter_table = {is_made_anew:d}")
            _rename_back(db, command, who, lacking)
            db.execute("PRAGMA legacy_alter_table = OFF")
        elif isinstance(command, RenameColumn):
            _rename_column_back(db, command, who, lacking)
        elif isinstance(command, DropColumn):
            lacking.dropped["column", command.table.folded, fold_name(command.column)] = who
        else:
            thing = (command.kind, command.name.folded)
            was_there = not command.if_exists or thing in remade_tables
            if was_there and not _has(db, thing):
                lacking.dropped[thing] = who


def _drop_created(db: sqlite3.Connection, command: Created, who: str, lacking: Lacking) -> None:
    thing = thing_made(command)
    if _has(db, thing):
        _try(db, f"DROP {command.kind} {quote_name(command.name.name)}", thing, who, lacking)
    else:
        lacking.resolve(thing)


def _rename_back(db: sqlite3.Connection, command: RenameTable, who: str, lacking: Lacking) -> None:
    old, new = ("table", command.table.folded), ("table", fold_name(command.new))
    lacking.rename(new, old)
    if _has(db, new) and not _has(db, old):
        before, after = quote_name(command.table.name), quote_name(command.new)
        _try(db, f"ALTER TABLE {after} RENAME TO {before}", new, who, lacking)


def _rename_column_back(
    db: sqlite3.Connection, command: RenameColumn, who: str, lacking: Lacking
) -> None:
    table, before, after = command.table, quote_name(command.column), quote_name(command.new)
    new = ("column", table.folded, fold_name(command.new))
    lacking.rename(new, ("column", table.folded, fold_name(command.column)))
    if _has(db, new):
        sql = f"ALTER TABLE {quote_name(table.name)} RENAME COLUMN {after} TO {before}"
        _try(db, sql, new, who, lacking)


def _drop_column(db: sqlite3.Connection, command: AddColumn, who: str, lacking: Lacking) -> None:
    thing = ("column", command.table.folded, fold_name(command.column))
    if not _has(db, thing):
        lacking.resolve(thing)
        return
    table, column = quote_name(command.table.name), quote_name(command.column)
    _try(db, f"ALTER TABLE {table} DROP COLUMN {column}", thing, who, lacking)


def _has(db: sqlite3.Connection, thing: Thing) -> bool:
    return has(read_schema(db), thing)


def _try(db: sqlite3.Connection, sql: str, thing: Thing, who: str, lacking: Lacking) -> None:
    try:
        db.execute(sql)
    except sqlite3.Error as error:
        lacking.refused.setdefault(thing, (who, safe_message(error)))
