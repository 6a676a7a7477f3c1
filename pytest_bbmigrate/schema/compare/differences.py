"""What one schema lost, changed or gained against another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.correspondence import (
    correspond,
    keeps_names,
    renamed_in_statement,
)
from pytest_bbmigrate.schema.compare.kinds import KINDS, Renames, SchemaDifference
from pytest_bbmigrate.schema.compare.table import compare_tables
from pytest_bbmigrate.schema.compare.table_pair import pair_tables
from pytest_bbmigrate.schema.model import Trigger
from pytest_bbmigrate.schema.read.tokens import equal_under
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.schema.compare.correspondence import Correspondence
    from pytest_bbmigrate.schema.model import Schema, View

__all__ = ["KINDS", "Renames", "SchemaDifference", "compare_schemas"]


def compare_schemas(
    before: Schema, after: Schema, renames: Renames | None = None
) -> tuple[SchemaDifference, ...]:
    """Return every difference of ``after`` against ``before``, losses and gains alike.

    Names that ``renames`` maps are no difference, nor is what merely follows a rename (a CHECK, an
    index, a trigger that names the column or table). "broken" is reported for what does not compile
    after and did before. A constraint on a column that is itself lost or added is part of that one
    difference, not a second one.
    """
    renames = renames or Renames()
    if before is after and keeps_names(renames):
        return ()  # one and the same, as the cache of read_schema gives it
    names = correspond(before, after, renames)
    found = [*_lost_and_added_tables(before, after, names)]
    for pair in pair_tables(before, after, names):
        found += compare_tables(pair)
    # A trigger is part of the table or view it is on, and comes and goes with it.
    views = {fold_name(view.name) for view in before.views} & {
        fold_name(view.name) for view in after.views
    }
    found += _compare_statements(
        "trigger",
        [t for t in before.triggers if fold_name(t.table) in views | names.tables.keys()],
        [t for t in after.triggers if fold_name(t.table) in views | set(names.tables.values())],
        names,
    )
    found += _compare_statements("view", before.views, after.views, names)
    found += _newly_broken("trigger", before.triggers, after.triggers)
    found += _newly_broken("view", before.views, after.views)
    return tuple(found)


def _lost_and_added_tables(
    before: Schema, after: Schema, names: Correspondence
) -> Iterator[SchemaDifference]:
    there = set(names.tables.values())
    for table in before.tables:
        if fold_name(table.name) not in names.tables:
            text = wording.table_text(table)
            yield SchemaDifference("table lost", table.name, table.name, "", text, "")
    for table in after.tables:
        if fold_name(table.name) not in there:
            text = wording.table_text(table)
            yield SchemaDifference("table added", table.name, table.name, "", "", text)


def _compare_statements(
    kind: str,
    before: Sequence[View] | Sequence[Trigger],
    after: Sequence[View] | Sequence[Trigger],
    names: Correspondence,
) -> Iterator[SchemaDifference]:
    there = {fold_name(item.name): item for item in after}
    known = {fold_name(item.name) for item in before}
    for was in before:
        now = there.get(fold_name(was.name))
        if now is None:
            text = wording.whole_text(was.tokens)
            yield SchemaDifference(f"{kind} lost", was.name, _table_of(was), "", text, "")
        elif not equal_under(renamed_in_statement(was.tokens, names), was.tokens, now.tokens):
            texts = wording.parting_texts(was.tokens, now.tokens)
            yield SchemaDifference(f"{kind} changed", was.name, _table_of(was), "", *texts)
    for now in after:
        if fold_name(now.name) not in known:
            text = wording.whole_text(now.tokens)
            yield SchemaDifference(f"{kind} added", now.name, _table_of(now), "", "", text)


def _newly_broken(
    kind: str, before: Sequence[View] | Sequence[Trigger], after: Sequence[View] | Sequence[Trigger]
) -> Iterator[SchemaDifference]:
    broken = {fold_name(item.name) for item in before if item.error is not None}
    for item in after:
        if item.error is not None and fold_name(item.name) not in broken:
            text = f"does not compile: {item.error}"
            yield SchemaDifference(f"{kind} broken", item.name, _table_of(item), "", "", text)


def _table_of(item: View | Trigger) -> str:
    return item.table if isinstance(item, Trigger) else ""
