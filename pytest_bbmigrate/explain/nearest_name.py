"""The table, index, view or trigger that may be meant by a name that SQLite does not find."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.nearest import similar_to
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import (
    CreateIndex,
    CreateTrigger,
    Creation,
    Drop,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_bbmigrate.runner import Failure
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.verdict import Finding

ABSENT = re.compile(r"^no such (?P<kind>table|index|view|trigger): (?:main\.)?(?P<name>.+)$")
ALIKE = 0.75  # short of that, names such as idx_accounts_a and idx_trips_b are taken for near


def with_nearest(
    finding: Finding,
    failure: Failure,
    before: Schema,
    executed: Sequence[str],
    earlier: Sequence[str] = (),
) -> Finding:
    """Return ``finding`` with the name that may be meant, where ``failure`` is that one is absent.

    ``before`` is the schema that the part began with, ``executed`` what it ran by then, ``earlier``
    what another part of the migration had run. Of a table that these renamed, that alone is told.
    """
    match = ABSENT.match(failure.message)
    if match is None:
        return finding
    renamed = name_after(match["name"], (*earlier, *executed))
    there = {fold_name(each.name) for each in objects_after(before, executed)}
    if match["kind"] == "table" and renamed and fold_name(renamed) in there:
        _, newline, note = finding.cause.partition("\n")
        cause = f"{match['name']} was renamed to {renamed} before: "
        if isinstance(read_shape(failure.statement), Drop):
            cause += f"leave the statement out, for DROP TABLE {renamed} would take its rows"
        else:
            cause += f"write {renamed}"
        return replace(finding, cause=f"{cause}{newline}{note}")
    names = {
        fold_name(each.name): each.name
        for each in objects_after(before, executed)
        if each.kind == match["kind"]
    }
    near = names.get(similar_to(fold_name(match["name"]), names, least=ALIKE))
    if not near:
        return finding
    advice, newline, note = finding.cause.partition("\n")
    meant = f"{match['kind']} {near} is there, and may be meant"
    return replace(finding, cause=f"{meant}{f'; else {advice}' * bool(advice)}{newline}{note}")


def name_after(name: str, executed: Iterable[str]) -> str:
    """Return what the table that was called ``name`` is called after ``executed``, '' for that."""
    current = ""
    for command in map(read_shape, executed):
        if isinstance(command, RenameTable) and same_name(command.table.name, current or name):
            current = command.new
    return current


@dataclass(frozen=True)
class SchemaObject:
    """Something that is there: its name as declared, and the ``table`` that it is on, or ''."""

    kind: str
    name: str
    table: str


def objects_after(before: Schema, executed: Iterable[str]) -> list[SchemaObject]:
    """Return what is there after ``executed``, whatever a trigger or a script did beside it."""
    there = list(objects_of(before))
    for command in map(read_shape, executed):
        if isinstance(command, Drop):
            gone = command.name.name
            there = [
                each
                for each in there
                if not (each.kind == command.kind and same_name(each.name, gone))
                and not (command.kind in {"table", "view"} and same_name(each.table, gone))
            ]
        elif isinstance(command, RenameTable):
            there = [renamed(each, command) for each in there]
        elif isinstance(command, Creation):
            there.append(SchemaObject(command.kind, command.name.name, table_of(command)))
    return there


def table_of(command: Creation) -> str:
    """Return the table that what is made stands on, '' for none."""
    if isinstance(command, CreateTrigger):
        return command.table.name if command.table else ""
    return command.table if isinstance(command, CreateIndex) else ""


def renamed(each: SchemaObject, command: RenameTable) -> SchemaObject:
    """Return what is there by the names that it has after ``command``."""
    if each.kind == "table" and same_name(each.name, command.table.name):
        return replace(each, name=command.new)
    if same_name(each.table, command.table.name):
        return replace(each, table=command.new)
    return each


def objects_of(schema: Schema) -> Iterator[SchemaObject]:
    """Yield the tables, views, explicit indexes and triggers of ``schema``."""
    for table in schema.tables:
        yield SchemaObject("table", table.name, "")
        for index in table.indexes:
            if index.name is not None:
                yield SchemaObject("index", index.name, table.name)
    for view in schema.views:
        yield SchemaObject("view", view.name, "")
    for trigger in schema.triggers:
        yield SchemaObject("trigger", trigger.name, trigger.table)
