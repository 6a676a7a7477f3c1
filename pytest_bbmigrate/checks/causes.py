"""Why it happened: the known ways in which SQLite, or a library, loses what was there.

Each cause is a name that ``report`` has a sentence for, and a question whether what was run and
what was found look like it. A cause explains a finding; it never excuses one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.statements import folded

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.checks.verdict import Finding
    from pytest_bbmigrate.evidence import Evidence

    Question = Callable[[Finding, Evidence], bool]

CONSTRAINTS = frozenset(
    {
        "check lost",
        "unique lost",
        "foreign key lost",
        "primary key",
        "strict",
        "without rowid",
        "autoincrement",
        "column not null",
        "column default",
        "column collation",
        "column generated",
    }
)
TRANSFORM_COPY = re.compile(r'^CREATE TABLE "\w+_new_[0-9a-f]{12}"', re.IGNORECASE)


def with_cause(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding`` with the first known cause that fits, if it has none yet."""
    if finding.cause:
        return finding
    for name, fits in CAUSES:
        if fits(finding, evidence):
            return replace(finding, cause=name)
    return finding


def executed(finding: Finding, evidence: Evidence) -> tuple[str, ...]:
    """Return the SQL that the step of ``finding`` gave SQLite."""
    run = evidence.up
    if finding.step == "down":
        run = evidence.down or run
    elif finding.step == "down after writing":
        run = evidence.down_after_writing or run
    return run.executed


def ran(finding: Finding, evidence: Evidence, *words: str) -> bool:
    """Return whether a statement of the step begins with ``words`` (folded, '*' for any one)."""
    return any(
        len(tokens) >= len(words)
        and all(word in {token, "*"} for word, token in zip(words, tokens, strict=False))
        for sql in executed(finding, evidence)
        for tokens in [folded(sql)]
    )


def dropped(finding: Finding, evidence: Evidence, table: str) -> bool:
    """Return whether the step dropped ``table``, under the name it had or one it was given."""
    return any(
        ran(finding, evidence, "drop", "table", name)
        or ran(finding, evidence, "drop", "table", "if", "exists", name)
        for name in names_given(finding, evidence, table)
    )


def names_given(finding: Finding, evidence: Evidence, table: str) -> tuple[str, ...]:
    """Return the names, folded, that ``table`` had one after another in the step."""
    names = [table.casefold()]
    for sql in executed(finding, evidence):
        tokens = folded(sql)
        if tokens[:3] == ("alter", "table", names[-1]) and tokens[3:5] == ("rename", "to"):
            names.append(tokens[5])
    return tuple(names)


def is_transform(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether sqlite-utils rebuilt the table, by the name it gives to the copy."""
    return finding.kind in CONSTRAINTS | {
        "trigger lost",
        "column lost",
        "column type",
        "values changed",
        "index lost",
    } and any(TRANSFORM_COPY.match(sql) for sql in executed(finding, evidence))


def is_create_as(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether the new table was made from a query, which hands down no constraint."""
    return finding.kind in CONSTRAINTS and any(
        tokens[:2] == ("create", "table") and "as" in tokens[:6] and "select" in tokens
        for sql in executed(finding, evidence)
        for tokens in [folded(sql)]
    )


def is_left_out_of_rebuild(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether the table was dropped and made again, but not what stood on it."""
    return finding.kind in {"index lost", "trigger lost"} and dropped(
        finding, evidence, finding.table
    )


def is_other_create(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether the table was made again by another CREATE TABLE than it had."""
    return finding.kind in CONSTRAINTS and dropped(finding, evidence, finding.table)


def is_lowered_by_rebuild(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether DROP TABLE took the row of sqlite_sequence with it."""
    return finding.kind == "sequence lowered" and dropped(finding, evidence, finding.table)


def enforced(evidence: Evidence) -> bool:
    """Return whether foreign keys were enforced while up ran."""
    declared = evidence.migration.contract.foreign_keys
    if declared is not None:
        return declared
    return any("foreign_keys" in folded(sql) for sql in evidence.up.executed)


def is_cascade(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether a parent went while foreign keys were enforced, and took its children along."""
    table = evidence.state.schema.table(finding.table)
    if finding.kind not in {"rows lost", "values changed"} or table is None:
        return False
    return enforced(evidence) and any(
        key.on_delete.upper() in {"CASCADE", "SET NULL", "SET DEFAULT"}
        and (
            dropped(finding, evidence, key.parent)
            or ran(finding, evidence, "delete", "from", key.parent.casefold())
            or ran(finding, evidence, "replace", "into", key.parent.casefold())
            or ran(finding, evidence, "insert", "or", "replace", "into", key.parent.casefold())
        )
        for key in table.foreign_keys
    )


def is_replace(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether REPLACE deletes the row that is in the way of the new one."""
    return finding.kind in {"rows lost", "values changed"} and (
        ran(finding, evidence, "replace", "into")
        or ran(finding, evidence, "insert", "or", "replace")
        or ran(finding, evidence, "update", "or", "replace")
    )


def is_ignore(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether OR IGNORE leaves out the rows that do not fit."""
    return finding.kind == "rows lost" and ran(finding, evidence, "insert", "or", "ignore")


def is_inner_join(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether rows were copied through an inner join or a WHERE that not all of them pass."""
    return finding.kind == "rows lost" and any(
        tokens[:1] == ("insert",) and "select" in tokens and {"join", "where"} & set(tokens)
        for sql in executed(finding, evidence)
        for tokens in [folded(sql)]
    )


def is_select_star(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether INSERT .. SELECT * puts values where they stand, not where they belong."""
    return finding.kind in {"values changed", "rows lost"} and any(
        tokens[:1] == ("insert",) and ("select", "*") in pairwise(tokens)
        for sql in executed(finding, evidence)
        for tokens in [folded(sql)]
    )


def is_renamed_first(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether the old table was renamed out of the way, and references followed it."""
    kinds = {"mismatched reference", "foreign key lost", "view broken", "trigger broken"}
    followed = parents_now(finding, evidence)
    return finding.kind in kinds and any(
        tokens[:2] == ("alter", "table")
        and tokens[3:5] == ("rename", "to")
        and evidence.state.schema.table(tokens[2]) is not None
        and (finding.kind in {"view broken", "trigger broken"} or tokens[-1] in followed)
        for sql in executed(finding, evidence)
        for tokens in [folded(sql)]
    )


def parents_now(finding: Finding, evidence: Evidence) -> frozenset[str]:
    """Return the tables, folded, that the keys of a finding's table refer to after up."""
    table = evidence.schema_after.table(finding.table) if evidence.schema_after else None
    return frozenset(key.parent.casefold() for key in table.foreign_keys) if table else frozenset()


def is_affinity(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether a value was stored in a column of another type, and became a number or text."""
    del evidence
    pairs = [
        (was[0][1], now[0][1])
        for example in finding.examples
        if (was := example.before) and (now := example.after)
    ]
    return (
        finding.kind == "values changed"
        and bool(pairs)
        and all(
            type(was) is not type(now) and is_number(was) and is_number(now) for was, now in pairs
        )
    )


def is_number(cell: object) -> bool:
    """Return whether a cell is a number or text that reads as one."""
    try:
        return isinstance(cell, int | float | str) and float(cell) is not None
    except ValueError:
        return False


def is_quoted_text(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether a name in double quotes that is no column was taken for a text."""
    values = {str(now[0][1]) for example in finding.examples if (now := example.after)}
    return (
        finding.kind == "values changed"
        and len(values) == 1
        and any(f'"{value}"' in sql for value in values for sql in executed(finding, evidence))
    )


def is_trigger(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether a trigger of the table fired while the migration wrote to it."""
    column = finding.column.casefold()
    return finding.kind in {"values changed", "rows added"} and any(
        finding.table.casefold() in trigger.tokens and (not column or column in trigger.tokens)
        for trigger in evidence.state.schema.triggers
    )


def is_missing_key(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether the parent was made again without the UNIQUE that made it a parent."""
    del evidence
    return finding.kind == "mismatched reference" and finding.observed == "unique key"


def is_new_key(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether rows were free to refer to nothing until up made a foreign key of it."""
    table = evidence.state.schema.table(finding.table)
    return (
        finding.kind == "dangling reference"
        and bool(finding.allow)
        and table is not None
        and not any(", ".join(key.columns) == finding.column for key in table.foreign_keys)
    )


def is_stale_view(finding: Finding, evidence: Evidence) -> bool:
    """Tell whether a view or trigger names what the migration took away."""
    del evidence
    return finding.kind in {"view broken", "trigger broken"}


CAUSES: tuple[tuple[str, Question], ...] = (
    ("transform", is_transform),
    ("create table as", is_create_as),
    ("left out of rebuild", is_left_out_of_rebuild),
    ("another create table", is_other_create),
    ("sequence", is_lowered_by_rebuild),
    ("cascade", is_cascade),
    ("renamed first", is_renamed_first),
    ("missing key", is_missing_key),
    ("new key", is_new_key),
    ("stale view", is_stale_view),
    ("select star", is_select_star),
    ("affinity", is_affinity),
    ("quoted text", is_quoted_text),
    ("replace", is_replace),
    ("ignore", is_ignore),
    ("inner join", is_inner_join),
    ("trigger", is_trigger),
)
