"""What a migration's own statements make and take away, and what of that a schema has. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import PythonPart, ScriptPart, SqlPart
from pytest_bbmigrate.catalogue.model import Call
from pytest_bbmigrate.catalogue.python.facts import statements_in
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_commands
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    Altered,
    Created,
    CreateIndex,
    CreateTrigger,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.schema import Schema

Structural = Created | Altered | Drop
Thing = tuple[str, ...]  # ("table", name), ("column", table, name), ("index", name), ..; folded


def structural_commands(statements: Iterable[str]) -> tuple[Structural, ...]:
    """Return those of the ``statements`` that change a schema, but for temporary objects."""
    commands = (command for sql in statements for command in read_commands(sql))
    return tuple(
        command
        for command in commands
        if isinstance(command, Structural) and not getattr(command, "is_temporary", False)
    )


def statements_written(migration: Migration) -> tuple[str, ...]:
    """Return the SQL that stands in the up part of a migration, in its order.

    Of Python, what stands there as whole strings; of yoyo's steps nothing, for their rollbacks
    stand among them.
    """
    part = migration.up
    if isinstance(part, SqlPart):
        return tuple(statement.text for statement in part.statements)
    if (
        isinstance(part, PythonPart)
        and part.call is not Call.DATABASE
        and part.call is not (Call.CONNECTION)
    ):
        return ()
    text = part.texts.get(os.path.realpath(part.path), b"")
    if isinstance(part, ScriptPart):
        return statements_in(text, "")
    down = migration.down.function if isinstance(migration.down, PythonPart) else ""
    return statements_in(text, migration.function, down)


@dataclass
class Outcome:
    """What a migration has made and taken away when it is done.

    ``remade`` is what it takes away and makes again under the same name, as a rebuild does.
    """

    made: set[Thing] = field(default_factory=set)
    gone: set[Thing] = field(default_factory=set)
    remade: set[Thing] = field(default_factory=set)


def outcome_of(commands: Iterable[Structural]) -> Outcome:
    """Return what ``commands``, one after the other, come to."""
    outcome = Outcome()
    for command in commands:
        if isinstance(command, Created):
            if _goes_with_its_table(command, outcome):
                outcome.remade.add(thing_made(command))
            else:
                _make(outcome, thing_made(command))
        elif isinstance(command, AddColumn):
            _make(outcome, ("column", command.table.folded, fold_name(command.column)))
        elif isinstance(command, RenameTable):
            _take_away(outcome, ("table", command.table.folded))
            _make(outcome, ("table", fold_name(command.new)))
        elif isinstance(command, RenameColumn):
            _take_away(outcome, ("column", command.table.folded, fold_name(command.column)))
            _make(outcome, ("column", command.table.folded, fold_name(command.new)))
        elif isinstance(command, DropColumn):
            _take_away(outcome, ("column", command.table.folded, fold_name(command.column)))
        else:
            _take_away(outcome, (command.kind, command.name.folded))
    return outcome


def _goes_with_its_table(command: Created, outcome: Outcome) -> bool:
    """Return whether ``command`` makes what may have gone with the table that is made anew."""
    if isinstance(command, CreateIndex):
        table = fold_name(command.table)
    elif isinstance(command, CreateTrigger) and command.table is not None:
        table = command.table.folded
    else:
        return False
    return ("table", table) in outcome.remade | outcome.gone


def thing_made(command: Created) -> Thing:
    """Return what a CREATE makes."""
    return (command.kind, command.name.folded)


def _make(outcome: Outcome, thing: Thing) -> None:
    if _within(thing, outcome.made):
        return
    if thing in outcome.gone:
        outcome.gone.discard(thing)
        outcome.remade.add(thing)
    else:
        outcome.made.add(thing)


def _take_away(outcome: Outcome, thing: Thing) -> None:
    if thing[0] == "table":
        outcome.made -= {made for made in outcome.made if made[:2] == ("column", thing[1])}
    if thing in outcome.remade:
        outcome.remade.discard(thing)
        outcome.gone.add(thing)
    elif thing in outcome.made:
        outcome.made.discard(thing)
    elif not _within(thing, outcome.made | outcome.remade):
        outcome.gone.add(thing)


def _within(thing: Thing, made: set[Thing]) -> bool:
    """Return whether ``thing`` is a column of a table that is ``made``."""
    return thing[0] == "column" and ("table", thing[1]) in made


def has(schema: Schema, thing: Thing) -> bool:
    """Return whether ``schema`` has ``thing``."""
    kind, name = thing[0], thing[-1]
    if kind == "table":
        return schema.table(name) is not None
    if kind == "column":
        table = schema.table(thing[1])
        return table is not None and table.column(name) is not None
    if kind == "index":
        return schema.index(name) is not None
    others = schema.views if kind == "view" else schema.triggers
    return any(fold_name(other.name) == name for other in others)


def may_be_done(outcome: Outcome, schema: Schema) -> bool:
    """Return whether ``schema`` may be that which a migration of this ``outcome`` has left.

    False for one that changes no structure: nothing shows it.
    """
    if not (outcome.made or outcome.gone or outcome.remade):
        return False
    if any(has(schema, thing) for thing in outcome.gone):
        return False
    return all(has(schema, thing) for thing in outcome.made | outcome.remade)


def creations(commands: Iterable[Structural]) -> tuple[Structural, ...]:
    """Return those of ``commands`` that make what was not there before them in any shape."""
    commands = tuple(commands)
    remade = outcome_of(commands).remade
    return tuple(
        command
        for command in commands
        if (isinstance(command, Created) and thing_made(command) not in remade)
        or (isinstance(command, AddColumn) and ("table", command.table.folded) not in remade)
    )
