"""What to do where down does not give rows and values back, and no cause of that is known.

What up took can be had back only if up keeps it, unless the contract says that there is no way
back. What up left alone is there for down to leave alone as well: nothing else would be true.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.catalogue.column_reads import DAYS
from pytest_bbmigrate.explain.causes.context import FindingContext
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import CreateTable
from pytest_bbmigrate.sql.tokens import folded

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.sql.clauses import Assignment
    from pytest_bbmigrate.verdict import Finding

ANEW = frozenset(
    {"'now'", "current_date", "current_time", "current_timestamp", "random", "randomblob"}
)
GIVEN = ("?", ":", "@", "$")  # how a value begins that a program binds


# By the kind of the finding: where up did the like, and where it did not.
WAYS = {
    "values changed": ("values not kept", "values spoilt"),
    "rows lost": ("rows not kept", "rows spoilt"),
    "rows added": ("rows not told apart", "rows put in"),
}


def with_way_back(
    finding: Finding, evidence: Evidence, findings: Collection[Finding] = ()
) -> Finding:
    """Return ``finding``, one of ``findings``, with what becomes of a way back that is not whole.

    A ``requires`` line may help only where all that down does to the table is to write values that
    a row could have had before: not the time of day, nor what chance gives.
    """
    is_told = finding.allow or (finding.cause and not finding.lies_in)
    if finding.step != "down" or finding.kind not in WAYS or is_told:
        return finding
    is_of_up, is_of_down = WAYS[finding.kind]
    if not is_taken_by_up(finding, evidence):
        return replace(finding, unrestored=is_of_down)
    of_table = [one for one in findings if fold_name(one.table) == fold_name(finding.table)]
    may_require = not evidence.on_real_rows and all(
        one.kind == "values changed" and not is_new_each_time(FindingContext(one, evidence))
        for one in of_table
        if one.step.startswith("down")
    )
    return replace(finding, unrestored=is_of_up, may_require=may_require)


def is_taken_by_up(finding: Finding, evidence: Evidence) -> bool:
    """Return whether up changed the values, or took or added rows, that down does not restore."""
    diff = FindingContext(finding, evidence).diff
    if diff is None:
        return False
    if diff.after is None:
        return True
    groups = diff.differences.groups
    kinds = {group.kind for group in groups}
    if finding.kind != "values changed":
        return (RowAdded if finding.kind == "rows added" else RowLost) in kinds
    changed = {fold_name(group.column) for group in groups if group.kind is ValueChanged}
    if fold_name(finding.column) in changed.union(map(fold_name, diff.lost_columns)):
        return True
    # A row that down has put in anew is one that up took.
    taken = {each.key for each in diff.differences.kept if isinstance(each, RowLost)}
    shown = {tuple(cell for _, cell in example.key) for example in finding.examples}
    return bool(taken & shown) or (RowLost in kinds and not diff.differences.kept)


def is_new_each_time(context: FindingContext) -> bool:
    """Return whether down writes what no row can have had before, as far as its SQL tells.

    What it does not tell, the values that a program gives, say, is taken for that.
    """
    if isinstance(context.part, ScriptPart):
        return True
    table = context.table_at_end
    column = table.column(context.finding.column) if table else None
    has_new_default = bool(column and column.default and is_new(folded(column.default)))
    for command, words in zip(context.commands, context.statements, strict=True):
        if isinstance(command, Update):
            if command.table.folded in context.names and any(
                is_new(fold_tokens(assignment.expression))
                for assignment in command.assignments
                if gives(assignment, context.column)
            ):
                return True
        elif isinstance(command, Insert | CreateTable) and (has_new_default or is_new(words)):
            return True
    triggers = context.schema_before.triggers if context.schema_before else ()
    return any(is_new(t.tokens) for t in triggers if fold_name(t.table) in context.names)


def gives(assignment: Assignment, column: str) -> bool:
    """Return whether an assignment is to ``column`` (folded), perhaps with others."""
    return column in map(fold_name, assignment.columns)


def is_new(words: tuple[str, ...]) -> bool:
    """Return whether SQL asks the clock, or chance, or holds values that a program gives."""
    return any(
        word.lower() in ANEW
        or (word[:1] in GIVEN and len(word) - 1 != word.count(":"))
        or (word in DAYS and words[place + 1 : place + 3] == ("(", ")"))
        for place, word in enumerate(words)
    )
