"""What is declared dropped and goes on elsewhere: worth a note where nothing proves its values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.declared import drops_table
from pytest_bbmigrate.contract.derives import derives_line
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.explain.suggest_derives import derived_of, is_read_by, writes_anew
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Derive
    from pytest_bbmigrate.experiment import Evidence, TableDiff


def dropped_value_notes(evidence: Evidence) -> tuple[str, ...]:
    """Return a note for each dropped column whose values are put elsewhere, unproved, or nowhere.

    A down part that was tried proves them: it needs what up has put elsewhere. Nowhere is worth a
    note where up fills a column that it adds to the table, and reads the dropped one for nothing.
    """
    diff = evidence.up_diff
    tables = diff.tables if diff else ()
    return (
        *(
            note
            for table in tables
            for column in declared_dropped(evidence, table)
            if (note := note_on(evidence, table, column))
        ),
        *(note for table in tables if (note := copy_note(evidence, table))),
    )


def copy_note(evidence: Evidence, table: TableDiff) -> str:
    """Return a note that a table that is declared dropped is all in another, '' where it is not.

    Nor where it is in several: with ``renames`` the rows of one of them alone would be looked at.
    """
    if table.copies != (table.copied_to,) or table.is_kept_aside or table.differences:
        return ""
    if not drops_table(evidence.migration.contract, table.table):
        return ""
    old, new = bare_or_quoted(table.table), bare_or_quoted(table.copied_to)
    return (
        f"the rows of {old} are in {new}: with `renames {old} -> {new}` in place of the drop, "
        "every value of them is looked at"
    )


def declared_dropped(evidence: Evidence, table: TableDiff) -> Iterator[str]:
    """Yield the columns (folded) of ``table`` that are gone and are declared dropped."""
    for drop in evidence.migration.contract.drops:
        is_here = drop.table is not None and same_name(drop.table, table.table)
        if is_here and fold_name(drop.name) in table.lost_columns:
            yield fold_name(drop.name)


def note_on(evidence: Evidence, table: TableDiff, column: str) -> str:
    """Return the note on one column, '' where there is nothing to say."""
    shown = dotted(table.table, table.spelled.get(column, column))
    found = derived_of(table.table, column, evidence)
    if found is not None:
        is_proved = evidence.down_diff is not None or any(
            is_about(found, line) for line in evidence.migration.contract.derives
        )
        line = derives_line(found)
        return "" if is_proved else f"what {shown} held goes on unproved: `{line}` would prove it"
    if writes_anew(table, evidence) and not is_read_by(evidence.up.shapes, column):
        return f"nothing took over what {shown} held"
    return ""


def is_about(found: Derive, line: Derive) -> bool:
    """Return whether ``line`` says what the column is to hold that ``found`` is about."""
    return same_name(found.table, line.table) and same_name(found.column, line.column)
