"""Why rows stand under other keys: the copy that a rebuild makes computes them anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.explain.copies import Copy

REKEYED = frozenset({"rows lost", "rows added", "rows renumbered"})


def is_rekeyed(context: FindingContext) -> bool:
    """Tell whether a rebuild gave the rows keys that have nothing of those they had."""
    return context.finding.kind in REKEYED and rekeying(context) is not None


def is_parent_rekeyed(context: FindingContext) -> bool:
    """Tell whether a rebuild of the table that is referred to gave its rows such keys."""
    parent = of_parent(context)
    return parent is not None and rekeying(parent) is not None


def of_parent(context: FindingContext) -> FindingContext | None:
    """Return the context of the table that a dangling reference is to, None where it is new."""
    diff = context.evidence.up_diff
    if diff is None or context.finding.kind != "dangling reference" or context.is_back:
        return None
    for parent in diff.tables:
        if same_name(parent.after or "", context.finding.name):
            return replace(context, finding=replace(context.finding, table=parent.table))
    return None


def rekeying(context: FindingContext) -> Copy | None:
    """Return the copy of the table that computes its one key from other things than the key."""
    table = context.table_before
    key = [fold_name(name) for name in table.primary_key] if table else []
    if len(key) != 1 or context.is_back:
        return None
    for copy in context.copies:
        item = context.expressions(copy).get(key[0], ())
        if "(" in item and key[0] not in item:
            return copy
    return None


def line_that_rekeys(context: FindingContext) -> int | None:
    """Return the line of that copy, None where its file does not say."""
    part, copy = context.part, rekeying(of_parent(context) or context)
    if copy is None or not isinstance(part, SqlPart):
        return None
    text = context.executed[copy.position]
    return next((each.line for each in part.statements if each.text == text), None)
