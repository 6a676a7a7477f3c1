"""Tables without a key whose rows can be told by their rowids: those that up only updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.clauses import Delete, Insert, OtherCommand
from pytest_bbmigrate.sql.names import ROWID_NAMES, fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import Creation, Drop, RenameTable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Table
    from pytest_bbmigrate.sql.reading import Command


def is_kept_in_place(
    db: sqlite3.Connection, table: Table, new_table: Table, run: Run | None
) -> bool:
    """Return whether each row of ``table``, which has no key, is the one with its rowid after.

    That is so where nothing was inserted, deleted or made anew under its names, and every rowid is
    there as before. VACUUM may give others (https://sqlite.org/lang_vacuum.html).
    """
    ordinary = not (table.primary_key or table.virtual or new_table.virtual)
    if run is None or not run.executed or not ordinary or new_table.without_rowid:
        return False
    if table.column_names & set(ROWID_NAMES) or new_table.column_names & set(ROWID_NAMES):
        return False
    if not is_only_updated(map(read_command, run.shapes), table, new_table):
        return False
    before, after = f"before.{quote_name(table.name)}", f"main.{quote_name(new_table.name)}"
    differing = (
        f"SELECT 1 FROM (SELECT rowid FROM {before} EXCEPT SELECT rowid FROM {after})"
        f" UNION ALL SELECT 1 FROM (SELECT rowid FROM {after} EXCEPT SELECT rowid FROM {before})"
        " LIMIT 1"
    )
    return db.execute(differing).fetchone() is None


def is_only_updated(commands: Iterable[Command], table: Table, new_table: Table) -> bool:
    """Return whether ``commands`` neither insert, delete nor make anew what ``table`` became."""
    names = {fold_name(table.name), fold_name(new_table.name)}
    for command in commands:
        if isinstance(command, OtherCommand) and command.verb == "vacuum":
            return False
        if isinstance(command, RenameTable):
            names |= {fold_name(command.new)} if command.table.folded in names else set()
        elif written_table(command) in names:
            return False
    return True


def written_table(command: Command) -> str:
    """Return the table (folded) whose rows ``command`` puts in, takes out or makes anew."""
    if isinstance(command, Insert | Delete):
        return command.table.folded
    if isinstance(command, Creation | Drop) and command.kind == "table":
        return command.name.folded
    return ""
