"""Tables and columns that were renamed, with something new and blank under their old names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.verdict import Finding


def with_rename(finding: Finding, evidence: Evidence) -> Finding:
    """Return a finding on lost data with the line that declares its rename, if there was one.

    ``renames t -> t_old`` says that the data is now under another name, and is all that it takes
    where nothing of it stands under the old one.
    """
    renamed = renamed_to(finding, evidence)
    if not renamed:
        return finding
    old = dotted(finding.table, finding.column) if finding.column else bare_or_quoted(finding.table)
    line = contract_line(evidence.migration, f"renames {old} -> {renamed}")
    return replace(finding, allow=line)


def renamed_to(finding: Finding, evidence: Evidence) -> str:
    """Return what the finding's table or column is called now, if its old name holds nothing.

    '' where nothing has the old name any more: the rename was followed, and what is told is true.
    """
    after = evidence.schema_after
    table, column = fold_name(finding.table), fold_name(finding.column)
    there = after.table(table) if after else None
    if there is None or (column and there.column(column) is None):
        return ""
    if finding.kind == "rows lost" and finding.count == finding.total:
        new_table = after.table(dict(evidence.up.renamed_tables).get(table, "")) if after else None
        return bare_or_quoted(new_table.name) if new_table else ""
    if finding.kind == "values changed" and is_blank(table, column, evidence):
        new_name = dict(evidence.up.renamed_columns).get((table, column), "")
        same_table = after.table(table) if after else None
        new_column = same_table.column(new_name) if same_table else None
        return dotted(same_table.name, new_column.name) if same_table and new_column else ""
    return ""


def is_blank(table: str, column: str, evidence: Evidence) -> bool:
    """Return whether a column (both names folded) holds nothing but NULL or its default."""
    diffs = evidence.up_diff.tables if evidence.up_diff else ()
    return any(fold_name(p.table) == table and column in p.blank_columns for p in diffs)
