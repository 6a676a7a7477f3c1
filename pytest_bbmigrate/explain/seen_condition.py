"""The condition of the UPDATEs of a table under which its values were seen to change.

It is wider than what they say where that cannot be asked of the rows before: a column that is new
by then is left out. A trigger may have changed the values, and a rebuild may come after it, so it
is only offered where every row that changed was seen to meet it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.contract.spelling import dotted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.explain.statement_where import LONGEST, note_names, plain_condition
from pytest_bbmigrate.rows import ValueChanged
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.clauses import Update
from pytest_bbmigrate.sql.cursor import split_at_and
from pytest_bbmigrate.sql.names import same_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment import Evidence, TableDiff
    from pytest_bbmigrate.verdict import Finding


def with_seen_condition(finding: Finding, evidence: Evidence) -> Finding:
    """Return a finding on changed values with the line that allows them under a condition.

    As it was where its line is another, where there is no condition, and where a row that changed
    does not meet it.
    """
    line = contract_line(evidence.migration, f"changes {dotted(finding.table, finding.column)}")
    if finding.kind != "values changed" or finding.allow != line or evidence.on_real_rows:
        return finding
    condition = condition_of_updates(evidence.migration, finding.table, finding.column)
    tables = evidence.up_diff.tables if evidence.up_diff else ()
    diffs = [diff for diff in tables if same_name(diff.table, finding.table)]
    if not condition or not all(is_met(condition, finding.column, d, evidence) for d in diffs):
        return finding
    return replace(finding, allow=f"{line} where {condition}")


def condition_of_updates(migration: Migration, table: str, column: str) -> str:
    """Return the conditions of the UPDATEs that set a ``column``, or else of all of the table.

    '' where one of them has none that the rows before can be asked.
    """
    if not isinstance(migration.up, SqlPart):
        return ""
    touched: set[str] = set()
    before: dict[str, str] = {}
    found: list[tuple[bool, str]] = []
    for statement in migration.up.statements:
        command = read_shape(statement.text)
        if isinstance(command, Update) and same_name(command.table.name, table):
            parts = (
                plain_condition(replace(command, where=part), touched, before)
                for part in split_at_and(command.where)
            )
            found.append((command.sets(column), " AND ".join(filter(None, parts))))
        note_names(command, table, touched, before)
    of_column = [condition for sets, condition in found if sets]
    conditions = list(dict.fromkeys(of_column or [condition for _, condition in found]))
    if not all(conditions):
        return ""
    joined = conditions[0] if len(conditions) == 1 else " OR ".join(f"({c})" for c in conditions)
    return joined if len(joined) <= LONGEST else ""


def is_met(condition: str, column: str, diff: TableDiff, evidence: Evidence) -> bool:
    """Return whether each row of which ``column`` was changed met ``condition`` before up."""
    changed = [
        difference
        for difference in diff.differences
        if isinstance(difference, ValueChanged) and same_name(difference.column, column)
    ]
    with closing(open_image(evidence.state.image)) as db:
        for difference in changed:
            names = diff.key if len(diff.key) == len(difference.key) else ("rowid",)
            named = " AND ".join(f"{quote_name(name)} IS ?" for name in names)
            query = f"SELECT ({condition}) FROM {quote_name(diff.table)} WHERE {named}"
            try:
                rows = db.execute(query, tuple(difference.key)).fetchall()
            except sqlite3.Error:
                return False
            if not rows or not all(met for (met,) in rows):
                return False
    return bool(changed)
