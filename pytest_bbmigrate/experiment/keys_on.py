"""Where nobody knows whether foreign keys are on: what up would lose if they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.experiment.observe import diff_against
from pytest_bbmigrate.rows import RowLost, ValueChanged
from pytest_bbmigrate.runner.profiles import PragmaRule
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import Drop, RenameTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment.model import TableDiff
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.schema import ForeignKey, Schema

ACTS = {"CASCADE", "SET NULL", "SET DEFAULT"}


def lost_with_keys_on(
    migration: Migration, up: Run, before: Snapshot, after: Snapshot, environment: RunEnvironment
) -> tuple[str, ...]:
    """Return the tables that would lose rows or references in up if foreign keys were on.

    That is asked only where the profile leaves it open and nothing has said it, of what drops or
    deletes from a parent: up is run once more then.
    """
    said = (environment.profile.foreign_keys, environment.foreign_keys)
    is_known = up.foreign_keys or any(each is not None for each in said)
    if is_known or migration.contract.foreign_keys is not None:
        return ()
    if isinstance(migration.up, ScriptPart) or not takes_from_parent(up.shapes, before.schema):
        return ()
    enforcing = replace(
        environment,
        foreign_keys=True,
        profile=replace(environment.profile, pragma=PragmaRule.NOTHING),
    )
    run, image = run_part(migration, migration.up, before.image, enforcing)
    if not run.succeeded:
        return ()  # it ends with an error there, and loses nothing
    _, diff = diff_against(after, image)
    children = dict(acted_on(after.schema))
    return tuple(table.table for table in diff.tables if is_acted_on(table, children))


def takes_from_parent(executed: tuple[str, ...], schema: Schema) -> bool:
    """Return whether a statement drops a table, or deletes from one, whose children feel that."""
    parents = {fold_name(key.parent) for _, keys in acted_on(schema) for key in keys}
    for sql in executed if parents else ():
        command = read_command(sql)
        if isinstance(command, RenameTable) and command.table.folded in parents:
            parents.add(fold_name(command.new))
        if isinstance(command, Drop) and command.kind == "table" and command.name.folded in parents:
            return True
        if isinstance(command, Insert | Update) and command.conflict != "replace":
            continue
        if isinstance(command, Insert | Update | Delete) and command.table.folded in parents:
            return True
    return False


def acted_on(schema: Schema) -> Iterator[tuple[str, tuple[ForeignKey, ...]]]:
    """Yield each table (folded) with those of its keys that say what ON DELETE does to it."""
    for table in schema.tables:
        keys = tuple(key for key in table.foreign_keys if key.on_delete.upper() in ACTS)
        if keys:
            yield fold_name(table.name), keys


def is_acted_on(table: TableDiff, children: dict[str, tuple[ForeignKey, ...]]) -> bool:
    """Return whether what differs in ``table`` is what ON DELETE of its keys does."""
    keys = children.get(fold_name(table.table), ())
    columns = {fold_name(column) for key in keys for column in key.columns}
    return any(
        (group.kind is RowLost and table.rows_after < table.rows_before)
        or (group.kind is ValueChanged and fold_name(group.column or "") in columns)
        for group in table.differences.groups
        if keys
    )
