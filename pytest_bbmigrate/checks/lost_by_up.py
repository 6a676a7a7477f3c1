"""What down cannot bring back, rows and numbers, told where it is lost: in up."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.definitions import SEQUENCES, locate_drop, locate_sequence
from pytest_bbmigrate.checks.locate import LOSES_ROWS, locate
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.explain.causes.context import table_diff_of
from pytest_bbmigrate.explain.causes.lost_by_up import is_lost_by_up, names_of
from pytest_bbmigrate.explain.causes.statements import commands_of, read_statements
from pytest_bbmigrate.explain.contract_line import contract_line
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.verdict import Finding

LOST_SEQUENCE = (
    "up has lost the number already, as DROP TABLE deletes the table's row in sqlite_sequence, and "
    "down alone cannot bring it back: carry the number over in up first, and then in down as well "
    "where that rebuilds the table"
)


def told_at_up(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding``, one on rows that up deleted for good at the statement which does so.

    A table that up drops and down makes again may come back empty where the drop is declared. Of a
    sequence it is where up lowered that.
    """
    if finding.kind == "sequence lowered":
        return sequence_told_at_up(finding, evidence)
    diff = table_diff_of(evidence.up_diff, fold_name(finding.table))
    if diff is None or not is_lost_by_up(finding, evidence):
        return finding
    migration = evidence.migration
    names = names_of(finding.table, commands_of(evidence.up.executed))
    back = table_diff_of(evidence.down_diff, fold_name(finding.table))
    is_dropped = diff.after is None
    place = (
        locate_drop(migration.up, finding.table)
        if is_dropped
        else locate(migration.up, tuple(sorted(names)), LOSES_ROWS)
    )
    line = contract_line(migration, f"drops {bare_or_quoted(finding.table)}")
    comes_back_empty = is_dropped and back is not None and not back.rows_after
    return replace(
        finding,
        path=place.path,
        line=place.line,
        lies_in="up",
        allow=line if comes_back_empty else finding.allow,
    )


def sequence_told_at_up(finding: Finding, evidence: Evidence) -> Finding:
    """Return ``finding``, one on a sequence, at what lowered it before down ran, if up did.

    Up dropped the table perhaps, whose rows stand under another name: DROP takes the number along.
    """
    diff, name = evidence.up_diff, fold_name(finding.table)
    lowered = {fold_name(table) for table, _, _ in diff.sequences} if diff else set()
    if diff is None or (name not in lowered and not is_dropped_uncounted(name, evidence)):
        return finding
    after = diff.renames.tables.get(name, "")
    place = locate_sequence(evidence.migration.up, finding.table, after)
    return replace(finding, path=place.path, line=place.line, lies_in="up", cause=LOST_SEQUENCE)


def is_dropped_uncounted(table: str, evidence: Evidence) -> bool:
    """Return whether up dropped ``table`` (folded), and no statement of it looks at a sequence."""
    diff = table_diff_of(evidence.up_diff, table)
    executed = read_statements(evidence.up.executed)
    is_dropped = diff is not None and diff.after is None
    return is_dropped and not any(SEQUENCES in words for words in executed)
