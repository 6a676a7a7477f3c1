"""Compare two schemas: what one has lost, changed or gained against the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.correspondence import (
    keeps_names,
    match_names,
    renamed_in_statement,
)
from pytest_bbmigrate.schema.compare.kinds import KINDS, Renames, SchemaDifference
from pytest_bbmigrate.schema.compare.table import compare_tables
from pytest_bbmigrate.schema.compare.table_pair import pair_tables
from pytest_bbmigrate.schema.model import Trigger
from pytest_bbmigrate.schema.read.compile import is_at_fault
from pytest_bbmigrate.schema.read.tokens import equal_under
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.schema.compare.correspondence import Correspondence
    from pytest_bbmigrate.schema.model import Schema, View

__all__ = ["KINDS", "Renames", "SchemaDifference", "compare_schemas"]


def compare_schemas(
    before: Schema, after: Schema, renames: Renames | None = None, *, strictly: bool = False
) -> tuple[SchemaDifference, ...]:
    """Return every difference of ``after`` against ``before``: lost, changed, added or broken.

    A name that ``renames`` maps is no difference, nor is a CHECK, an index or a trigger that merely
    follows the rename of a column or table. A view or trigger is broken if it compiled before and
    does not after. A constraint on a column that is itself lost or added is part of that
    difference, not another one. An explicit index under another name is none either, unless
    ``strictly``.
    """
    renames = renames or Renames()
    if before is after and keeps_names(renames):
        return ()  # the same object, as read_schema gives it from its cache
    names = match_names(before, after, renames, strictly=strictly)
    differences = [*_lost_and_added_tables(before, after, names)]
    for pair in pair_tables(before, after, names):
        differences += compare_tables(pair)
    # A trigger belongs to its table or view; if that is lost or added, the trigger goes with it.
    views = {fold_name(view.name) for view in before.views} & {
        fold_name(view.name) for view in after.views
    }
    differences += _compare_statements(
        "trigger",
        [t for t in before.triggers if fold_name(t.table) in views | names.tables.keys()],
        [t for t in after.triggers if fold_name(t.table) in views | set(names.tables.values())],
        names,
    )
    differences += _compare_statements("view", before.views, after.views, names)
    broken = [
        *_newly_broken("trigger", before.triggers, after.triggers),
        *_newly_broken("view", before.views, after.views),
        *_newly_unreadable(before, after, names),
    ]
    # What does not compile any more is told so, and not that it was changed as well.
    told = {(one.kind.replace("broken", "changed"), one.name) for one in broken}
    return *(one for one in differences if (one.kind, one.name) not in told), *broken


def _lost_and_added_tables(
    before: Schema, after: Schema, names: Correspondence
) -> Iterator[SchemaDifference]:
    kept_tables = set(names.tables.values())
    for table in before.tables:
        if fold_name(table.name) not in names.tables:
            text = wording.table_text(table)
            yield SchemaDifference("table lost", table.name, table.name, "", text, "")
    for table in after.tables:
        if fold_name(table.name) not in kept_tables:
            text = wording.table_text(table)
            yield SchemaDifference("table added", table.name, table.name, "", "", text)


def _compare_statements(
    kind: str,
    before: Sequence[View] | Sequence[Trigger],
    after: Sequence[View] | Sequence[Trigger],
    names: Correspondence,
) -> Iterator[SchemaDifference]:
    after_by_name = {fold_name(item.name): item for item in after}
    names_before = {fold_name(item.name) for item in before}
    for old in before:
        new = after_by_name.get(fold_name(old.name))
        if new is None:
            text = wording.beginning_text(old.tokens)
            yield SchemaDifference(f"{kind} lost", old.name, _table_of(old), "", text, "")
        elif not equal_under(renamed_in_statement(old.tokens, names), old.tokens, new.tokens):
            texts = wording.texts_around_difference(old.tokens, new.tokens)
            yield SchemaDifference(f"{kind} changed", old.name, _table_of(old), "", *texts)
    for new in after:
        if fold_name(new.name) not in names_before:
            text = wording.beginning_text(new.tokens)
            yield SchemaDifference(f"{kind} added", new.name, _table_of(new), "", "", text)


def _newly_broken(
    kind: str, before: Sequence[View] | Sequence[Trigger], after: Sequence[View] | Sequence[Trigger]
) -> Iterator[SchemaDifference]:
    broken = {fold_name(item.name) for item in before if item.error is not None}
    for item in after:
        if item.error is not None and fold_name(item.name) not in broken:
            text = f"does not compile: {item.error}"
            yield SchemaDifference(f"{kind} broken", item.name, _table_of(item), "", "", text)


def _newly_unreadable(
    before: Schema, after: Schema, names: Correspondence
) -> Iterator[SchemaDifference]:
    """Yield the virtual tables that cannot be read any more, for what they name is not there.

    Of new ones those that show the rows of another table: others may be made to be asked one
    question alone, as fts3tokenize is, or for searching without reading, as ``content=''``.
    """
    errors = {names.tables.get(fold_name(t.name), ""): t.error for t in before.tables}
    for table in after.tables:
        name = fold_name(table.name)
        was_readable = errors[name] is None if name in errors else bool(table.external_content)
        if is_at_fault(table.error) and was_readable:
            text = f"cannot be read: {table.error}"
            read = before.table(table.external_content)
            of = read.name if read else table.name
            yield SchemaDifference("table broken", table.name, of, "", "", text)


def _table_of(item: View | Trigger) -> str:
    return item.table if isinstance(item, Trigger) else ""
