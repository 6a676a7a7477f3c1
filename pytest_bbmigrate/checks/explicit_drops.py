"""What a DROP INDEX, TRIGGER or VIEW in a migration's own text says, and what it does not.

It says that the object goes. It does not say that what is made again under its name may do less,
nor that a trigger which was dropped so that it would not fire may stay away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.clauses import Delete, Insert, Query, Update
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_as, read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTrigger, Drop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment import Evidence, RemadeView
    from pytest_bbmigrate.schema import Index, Schema, SchemaDifference, Trigger
    from pytest_bbmigrate.sql.clauses import BodyCommand


def is_said_by_drop(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether the DROP of what ``difference`` is about says all that has become of it."""
    kind, _, became = difference.kind.partition(" ")
    if became == "lost":
        return kind != "trigger" or not is_out_of_the_way(difference, evidence)
    if kind == "index":
        return not loses_uniqueness(difference.name, evidence)
    if kind == "view":
        view = remade_view(difference.name, evidence)
        return view is None or not shows_less(view, evidence)
    return not does_less(difference.name, evidence)


def loses_uniqueness(name: str, evidence: Evidence) -> bool:
    """Return whether an index kept rows apart that the one under its name now lets in."""
    after = evidence.schema_after
    old = evidence.state.schema.index(name)
    new = after.index(name) if after else None
    if old is None or new is None or not old.unique or is_told_as_parent_key(old, evidence):
        return False
    if not new.unique or (new.where is not None and new.where != old.where):
        return True
    renamed = renamed_columns(old, evidence)
    kept = {renamed.get(term, term): collation for term, collation in terms_of(old)}
    # What is equal byte for byte is equal by every collation.
    return not all(kept.get(term, "") in {collation, "binary"} for term, collation in terms_of(new))


def is_told_as_parent_key(index: Index, evidence: Evidence) -> bool:
    """Return whether a foreign key is told to refer to what ``index`` keeps apart no more."""
    columns = [fold_name(column.name or "") for column in index.columns]
    return any(
        same_name(mismatch.parent, index.table)
        and sorted(map(fold_name, mismatch.parent_columns)) == sorted(columns)
        for mismatch in (evidence.up_diff.mismatches if evidence.up_diff else ())
    )


def terms_of(index: Index) -> Iterator[tuple[str, str]]:
    """Yield each term of ``index`` as (column or expression, collation), folded."""
    for column in index.columns:
        term = fold_name(column.name) if column.name else " ".join(column.expression or ())
        yield term, fold_name(column.collation)


def renamed_columns(index: Index, evidence: Evidence) -> dict[str, str]:
    """Return the names that the columns of the index's table have now."""
    renames = evidence.up_diff.renames.columns if evidence.up_diff else {}
    table = fold_name(index.table)
    return {old: new for (of_table, old), new in renames.items() if of_table == table}


def remade_view(name: str, evidence: Evidence) -> RemadeView | None:
    """Return what has become of the view ``name``; None where that could not be told."""
    views = evidence.up_diff.remade_views if evidence.up_diff else ()
    return next((view for view in views if same_name(view.view, name)), None)


def shows_less(view: RemadeView, evidence: Evidence) -> bool:
    """Return whether a view lacks columns that are still there, or some of its rows.

    One that shows no row at all goes by something that no generated row has yet, unless a join
    leaves them out: that is for a note.
    """
    gone = {fold_name(d.name) for d in evidence.migration.contract.drops if d.kind == "column"}
    renames = evidence.up_diff.renames.columns if evidence.up_diff else {}
    gone |= {old for (_, old), new in renames.items() if old != new}
    if any(column not in gone for column in view.lost_columns):
        return True
    return bool(view.missing) and (view.joins or not view.shows_none)


def does_less(name: str, evidence: Evidence) -> bool:
    """Return whether a trigger fires for something else, or lacks a part of what it did.

    That it asks for more by WHEN is said in its own words.
    """
    old, new = trigger_in(evidence.state.schema, name), trigger_in(evidence.schema_after, name)
    if old is None or new is None:
        return False
    was, became = read_as(CreateTrigger, old.sql), read_as(CreateTrigger, new.sql)
    if (was.timing, was.event) != (became.timing, became.event):
        return True
    if became.columns and not set(map(fold_name, was.columns)) <= set(
        map(fold_name, became.columns)
    ):
        return True
    if became.columns and not was.columns:
        return True
    if ("raise" in old.tokens) > ("raise" in new.tokens):
        return True
    return not set(map(effect_of, was.commands)) <= set(map(effect_of, became.commands))


def effect_of(command: BodyCommand) -> tuple[str, str]:
    """Return what a command of a trigger does, to which table ('' for a query)."""
    if isinstance(command, Query):
        return ("select", "")
    return (type(command).__name__, command.table.folded)


def trigger_in(schema: Schema | None, name: str) -> Trigger | None:
    """Return the trigger ``name`` of ``schema``."""
    triggers = schema.triggers if schema else ()
    return next((trigger for trigger in triggers if same_name(trigger.name, name)), None)


def is_out_of_the_way(difference: SchemaDifference, evidence: Evidence) -> bool:
    """Return whether a trigger was dropped, and then something written that it would fire for."""
    old = trigger_in(evidence.state.schema, difference.name)
    if old is None:
        return False
    trigger = read_as(CreateTrigger, old.sql)
    is_dropped = False
    for sql in evidence.up.shapes:
        command = read_command(sql)
        if isinstance(command, Drop) and command.kind == "trigger":
            is_dropped = is_dropped or same_name(command.name.name, old.name)
        elif is_dropped and fires(trigger, fold_name(old.table), command):
            return True
    return False


def fires(trigger: CreateTrigger, table: str, command: object) -> bool:
    """Return whether ``command`` would fire ``trigger``, which is on ``table`` (folded)."""
    if not isinstance(command, Insert | Update | Delete) or command.table.folded != table:
        return False
    if isinstance(command, Update):
        watched = set(map(fold_name, trigger.columns))
        written = set(map(fold_name, command.columns))
        return trigger.event == "update" and (not watched or bool(watched & written))
    return trigger.event == type(command).__name__.lower()
