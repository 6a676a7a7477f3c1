"""Which statement wrote the definition that is there now, or else took away the one before."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.checks.locate import SHAPES, Location, locate
from pytest_bbmigrate.explain.causes.statements import commands_of
from pytest_bbmigrate.schema import SchemaDifference
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    CreateTable,
    CreateVirtualTable,
    Creation,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.catalogue import Part
    from pytest_bbmigrate.sql.reading import Command

OBJECTS = frozenset({"index", "trigger", "view"})
SEQUENCES = "sqlite_sequence"
ABSENT = re.compile(r"no such table: (?:main\.)?(?P<name>.+)$")


def locate_difference(part: Part, difference: SchemaDifference, after: str = "") -> Location:
    """Return where ``part`` wrote the definition that ``difference`` is about, as it is now.

    That is the CREATE of the object, or of what stands in the place of its table, which is called
    ``after`` in the end ('': as before), or the ALTER TABLE of its column. Where nothing wrote one,
    it is the statement that took away what was there.
    """
    commands = commands_in(part)
    kind, _, change = difference.kind.partition(" ")
    now = after or difference.table
    columns = difference.column.split(", ") if difference.column else []
    if kind in OBJECTS:
        made = None if change == "lost" else made_at(commands, kind, difference.name)
        taken = taken_at(commands, difference.table, kind, difference.name)
        absent = ABSENT.search(difference.after)
        left = left_at(commands, absent["name"]) if absent else None
        found = [made, left] if change == "broken" else [made, taken, written_at(commands, now)]
    elif difference.kind == "table lost":
        found = [taken_at(commands, difference.table)]
    else:
        found = [
            column_dropped_at(commands, difference, now)
            if difference.kind == "column lost"
            else None,
            written_at(commands, now, columns, any_column=difference.kind == "column order"),
            redirected_at(commands, difference) if kind == "foreign" else None,
            taken_at(commands, difference.table),
        ]
    names = (difference.name, difference.column, difference.table)
    return first_of(found, part) or locate(part, names, SHAPES)


def locate_column(part: Part, table: str, column: str, after: str = "") -> Location:
    """Return where ``part`` dropped ``column``, or made the table that lacks it now.

    That table was called ``table``, and is called ``after`` in the end ('': as before).
    """
    lost = SchemaDifference("column lost", column, table, column, "", "")
    return locate_difference(part, lost, after)


def locate_drop(part: Part, table: str) -> Location:
    """Return where ``part`` drops ``table``."""
    return locate_difference(part, SchemaDifference("table lost", table, table, "", "", ""))


def locate_made(part: Part, table: str) -> Location:
    """Return where ``part`` made what is called ``table`` in the end; its file where it did not."""
    return first_of([written_at(commands_in(part), table)], part) or Location(part.path, None)


def locate_absence(part: Part, table: str) -> Location | None:
    """Return where ``part`` gave ``table`` its name or another, or dropped it; None for nowhere."""
    return first_of([left_at(commands_in(part), table)], part)


def locate_sequence(part: Part, table: str, after: str = "") -> Location:
    """Return where ``part`` set the sequence of ``table``, or made the table that has it now.

    That table is called ``after`` in the end ('': as before).
    """
    commands = commands_in(part)
    written = written_at(commands, after or table)
    found = [counted_at(part, {table, after}), written, taken_at(commands, table)]
    return first_of(found, part) or locate(part, (table,), SHAPES)


def commands_in(part: Part) -> tuple[Command, ...]:
    """Return the statements of ``part``, read; none for one in Python."""
    statements = part.statements if isinstance(part, SqlPart) else ()
    return commands_of(tuple(statement.text for statement in statements))


def first_of(positions: Iterable[int | None], part: Part) -> Location | None:
    """Return where the first of these statements stands that there is; None for none."""
    position = next((one for one in positions if one is not None), None)
    if position is None or not isinstance(part, SqlPart):
        return None
    return Location(part.path, part.statements[position].line)


def made_at(commands: Sequence[Command], kind: str, name: str) -> int | None:
    """Return the last statement that makes the index, trigger or view ``name``, None for none."""
    return last_of(
        isinstance(command, Creation)
        and command.kind == kind
        and same_name(command.name.name, name)
        for command in commands
    )


def taken_at(commands: Sequence[Command], table: str, kind: str = "", name: str = "") -> int | None:
    """Return the first statement that drops ``table``, or ``name`` on it; None where none does."""
    current = fold_name(table)
    for position, command in enumerate(commands):
        if isinstance(command, RenameTable) and command.table.folded == current:
            current = fold_name(command.new)
        elif isinstance(command, Drop):
            is_itself = command.kind == kind and same_name(command.name.name, name)
            is_below = command.kind in {"table", "view"} and command.name.folded == current
            if is_itself or is_below:
                return position
    return None


def column_dropped_at(
    commands: Sequence[Command], difference: SchemaDifference, now: str
) -> int | None:
    """Return the ALTER TABLE that drops a column for good, None where a rebuild leaves it out.

    A rebuild after it has no such column to copy. The table is called ``now`` in the end, or else
    goes: one that stays under another name is not what is asked for.
    """
    table, column = fold_name(difference.table), fold_name(difference.column)
    found: int | None = None
    for position, command in enumerate(commands):
        if isinstance(command, Drop) and command.name.folded == table:
            return found
        if isinstance(command, RenameTable) and command.table.folded == table:
            table = fold_name(command.new)
        elif isinstance(command, RenameColumn) and command.table.folded == table:
            column = fold_name(command.new) if fold_name(command.column) == column else column
        elif changes(command, table, {column}, any_column=False):
            found = position if isinstance(command, DropColumn) else None
    return found if table == fold_name(now) else None


def left_at(commands: Sequence[Command], table: str) -> int | None:
    """Return why nothing is called ``table`` as what refers to it says: the RENAME, else the DROP.

    What refers to a table follows it to its new name, which may then be given up.
    """
    name = fold_name(table)
    renamed = last_of(
        isinstance(command, RenameTable) and name in {command.table.folded, fold_name(command.new)}
        for command in commands
    )
    return taken_at(commands, table) if renamed is None else renamed


def written_at(
    commands: Sequence[Command],
    table: str,
    columns: Iterable[str] = (),
    *,
    any_column: bool = False,
) -> int | None:
    """Return the statement that made what is called ``table`` in the end, or one of ``columns``.

    None where none did: it is what was there before. That a CREATE .. IF NOT EXISTS made something
    is known where the name was given up before it; else what comes earlier goes before it.
    """
    current, wanted = fold_name(table), set(map(fold_name, columns))
    unsure: int | None = None
    for position in reversed(range(len(commands))):
        command = commands[position]
        if unsure is not None and gives_up(command, current):
            return unsure
        if isinstance(command, RenameTable) and fold_name(command.new) == current:
            current = command.table.folded
        elif isinstance(command, CreateTable | CreateVirtualTable):
            is_it = command.name.folded == current
            if is_it and not command.if_not_exists:
                return position
            unsure = position if is_it else unsure
        elif changes(command, current, wanted, any_column=any_column):
            return position
        wanted |= former_names(command, current, wanted)
    return unsure


def changes(command: Command, table: str, columns: Collection[str], *, any_column: bool) -> bool:
    """Return whether a column of ``table`` comes or goes by ALTER TABLE, one of ``columns``."""
    return (
        isinstance(command, AddColumn | DropColumn)
        and command.table.folded == table
        and (any_column or fold_name(command.column) in columns)
    )


def former_names(command: Command, table: str, columns: Collection[str]) -> set[str]:
    """Return what one of ``columns`` of ``table`` (folded) was called before ``command``."""
    if (
        isinstance(command, RenameColumn)
        and command.table.folded == table
        and fold_name(command.new) in columns
    ):
        return {fold_name(command.column)}
    return set()


def gives_up(command: Command, name: str) -> bool:
    """Return whether nothing is called ``name`` (folded) any more after ``command``."""
    if isinstance(command, RenameTable):
        return command.table.folded == name
    return isinstance(command, Drop) and command.name.folded == name


def redirected_at(commands: Sequence[Command], difference: SchemaDifference) -> int | None:
    """Return the last RENAME that a foreign key may have followed, None where there is none."""
    words = folded(f"{difference.before} {difference.after}")
    parents = {name for word, name in pairwise(words) if word == "references"}
    return last_of(
        isinstance(command, RenameTable)
        and not parents.isdisjoint({command.table.folded, fold_name(command.new)})
        for command in commands
    )


def counted_at(part: Part, names: Collection[str]) -> int | None:
    """Return the last statement that sets the sequence of one of ``names``, or of all tables."""
    statements = part.statements if isinstance(part, SqlPart) else ()
    texts = {f"'{fold_name(name)}'" for name in names}
    return last_of(
        isinstance(command, Insert | Update | Delete)
        and command.table.folded == SEQUENCES
        and is_of(texts, folded(statement.text))
        for command, statement in zip(commands_in(part), statements, strict=True)
    )


def is_of(texts: Collection[str], words: Collection[str]) -> bool:
    """Return whether a statement names one of ``texts`` (folded, in quotes), or no text at all."""
    named = {fold_name(word) for word in words if word.startswith("'")}
    return not named or not named.isdisjoint(texts)


def last_of(fits: Iterable[bool]) -> int | None:
    """Return the number of the last that fits, None for none."""
    return max((position for position, fit in enumerate(fits) if fit), default=None)
