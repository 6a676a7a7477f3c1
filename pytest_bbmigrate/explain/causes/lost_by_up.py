"""Rows that are not there after down because up deleted them, and kept no copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.explain.causes.context import table_diff_of
from pytest_bbmigrate.explain.causes.statements import commands_of, read_statements
from pytest_bbmigrate.rows import RowLost
from pytest_bbmigrate.sql.clauses import Delete, Insert
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_as
from pytest_bbmigrate.sql.schema_clauses import CreateTable, CreateTrigger, Drop, RenameTable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.experiment import Evidence, TableDiff
    from pytest_bbmigrate.sql.reading import Command
    from pytest_bbmigrate.verdict import Finding


def is_lost_by_up(finding: Finding, evidence: Evidence) -> bool:
    """Return whether the rows that are lost after down are some that up deleted for good.

    What up has put elsewhere, down could have put back; that is looked for in what it copied, and
    where a trigger or a Python part may have kept a row, it is taken to have done so.
    """
    diff = table_diff_of(evidence.up_diff, fold_name(finding.table))
    if finding.kind != "rows lost" or finding.step != "down" or diff is None:
        return False
    commands = commands_of(evidence.up.executed)
    names = names_of(finding.table, commands)
    return (
        finding.count <= rows_lost(diff)
        and any(deletes_rows(command, names) for command in commands)
        and (bool(diff.copies) or not keeps_rows(evidence, names, diff.after or ""))
    )


def rows_lost(diff: TableDiff) -> int:
    """Return how many rows of a table stand nowhere any more, as far as copies of it tell."""
    if diff.after is None and not diff.copies:
        return diff.rows_before
    differences = diff.renumbered.lost if diff.renumbered else diff.differences
    groups = differences.groups if differences else ()
    return sum(group.count for group in groups if group.kind is RowLost)


def names_of(table: str, commands: Sequence[Command]) -> set[str]:
    """Return every name (folded) that ``table`` has while ``commands`` run."""
    names = {fold_name(table)}
    for command in commands:
        if isinstance(command, RenameTable) and command.table.folded in names:
            names.add(fold_name(command.new))
    return names


def deletes_rows(command: Command, names: Collection[str]) -> bool:
    """Return whether ``command`` takes rows from one of the tables ``names`` (folded)."""
    if isinstance(command, Drop):
        return command.kind == "table" and command.name.folded in names
    if isinstance(command, Insert):
        return command.conflict == "replace" and command.table.folded in names
    return isinstance(command, Delete) and command.table.folded in names


def keeps_rows(evidence: Evidence, names: Collection[str], after: str) -> bool:
    """Return whether up may have put rows of ``names`` into a table that stays beside ``after``.

    Before the last of the statements that delete some, that is, of which there is one.
    """
    commands = commands_of(evidence.up.executed)
    statements = read_statements(evidence.up.executed)
    is_plain = isinstance(evidence.migration.up, SqlPart)
    last = max(at for at, command in enumerate(commands) if deletes_rows(command, names))
    for position, (command, words) in enumerate(zip(commands, statements, strict=True)):
        if (
            position > last
            or not isinstance(command, Insert | CreateTable)
            or command.query is None
        ):
            continue
        target = command.table if isinstance(command, Insert) else command.name
        stays_as = name_later(target.folded, commands[position + 1 :])
        is_beside = stays_as and not same_name(stays_as, after)
        if is_beside and target.folded not in names and (set(words) & set(names) or not is_plain):
            return True
    triggers = evidence.state.schema.triggers
    return any(
        fold_name(trigger.table) in names and read_as(CreateTrigger, trigger.sql).event == "delete"
        for trigger in triggers
    )


def name_later(name: str, commands: Sequence[Command]) -> str:
    """Return what ``name`` (folded) is called after ``commands``, '' where they drop it."""
    for command in commands:
        if isinstance(command, RenameTable) and command.table.folded == name:
            name = fold_name(command.new)
        elif isinstance(command, Drop) and command.name.folded == name:
            return ""
    return name
