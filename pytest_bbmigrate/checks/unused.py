"""What a contract declares of rows and values, and no row made use of: nothing was seen of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.ruled_out import is_ruled_out
from pytest_bbmigrate.contract.derives import derives_line
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.sqlite_files.in_time import given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.experiment import DatabaseDiff, Evidence, TableDiff


CANNOT_BE_ASKED = "its condition cannot be asked"


@dataclass(frozen=True)
class Unused:
    """A declaration that no row used: as the contract has it, and its line and file there.

    ``column`` is '' where it is about rows, ``where`` None for none; ``why`` is what is known of
    the reason, and ``is_unusable`` is whether no row at all could use it.
    """

    text: str
    table: str
    column: str
    where: str | None
    line: int
    path: Path | None = None
    why: str = ""
    is_unusable: bool = False


def unused_declarations(evidence: Evidence) -> Iterator[Unused]:
    """Yield what is declared of rows and values of which none came, went or changed."""
    contract, diff = evidence.migration.contract, evidence.up_diff
    tables = {fold_name(table.table): table for table in diff.tables} if diff else {}
    for change in contract.changes:
        table = tables.get(fold_name(change.table))
        if table is None or not has_changed(table, fold_name(change.column)):
            text = f"changes {dotted(change.table, change.column)}{condition(change.where)}"
            yield Unused(text, change.table, change.column, change.where, change.line, change.path)
    for insert in contract.inserts:
        name = fold_name(insert.table)
        if not has(tables.get(name), RowAdded) and name not in evidence.grown_on_empty:
            text = f"inserts {bare_or_quoted(insert.table)}"
            yield Unused(text, insert.table, "", None, insert.line, insert.path)
    for delete in contract.deletes:
        if not has(tables.get(fold_name(delete.table)), RowLost):
            text = f"deletes {bare_or_quoted(delete.table)}{condition(delete.where)}"
            yield Unused(text, delete.table, "", delete.where, delete.line, delete.path)
    yield from unused_derivations(evidence)


def unused_derivations(evidence: Evidence) -> Iterator[Unused]:
    """Yield the values that are derived for no row at all."""
    for derivation in evidence.up_diff.derivations if evidence.up_diff else ():
        declared = derivation.declared
        if not derivation.judged:
            why = derivation.unusable or (
                f"no row of {derivation.table} has its row in {derivation.source}"
                if derivation.source_rows
                else f"{derivation.source} has none"
            )
            text = derives_line(declared)
            yield Unused(
                *(text, declared.table, declared.column, None, declared.line, declared.path, why),
                is_unusable=bool(derivation.unusable),
            )


def unproved_declarations(evidence: Evidence) -> Iterator[Unused]:
    """Yield the unused declarations that generated rows should have shown.

    Somebody's own rows need not be like those that a migration is for. What was not there before,
    or goes altogether, has no rows to show it with; a full-text index that holds none of its own
    shows those of another table; and what ``requires`` rules out cannot be met.
    """
    diff = evidence.up_diff
    if evidence.on_real_rows or diff is None:
        return
    for unused in unused_declarations(evidence):
        if unused.why:
            yield unused
            continue
        table = evidence.state.schema.table(unused.table)
        if table is None or (unused.column and table.column(unused.column) is None):
            continue
        if not is_kept(unused, diff) or table.external_content:
            continue
        contract = evidence.migration.contract
        if unused.where is not None and is_ruled_out(unused.where, table, contract.requires):
            continue
        yield unused


def is_kept(unused: Unused, diff: DatabaseDiff) -> bool:
    """Return whether the table, or the column, that a declaration is about is still there."""
    table = fold_name(unused.table)
    if table in diff.untouched:
        return True
    if not unused.column:
        return table in diff.renames.tables
    return (table, fold_name(unused.column)) in diff.renames.columns


def why_unused(unused: Unused, evidence: Evidence) -> str:
    """Return why no generated row used a declaration, as far as that can be told."""
    if unused.why:
        return unused.why
    if not evidence.state.row_counts.get(fold_name(unused.table)):
        return f"{unused.table} has none"
    if unused.where is None:
        return "none came, went or changed by it"
    query = f"SELECT count(*) FROM {quote_name(unused.table)} WHERE ({unused.where}\n)"
    with closing(open_image(evidence.state.image)) as db:
        try:
            with given_up_in_time(db):
                (met,) = db.execute(query).fetchone()
        except sqlite3.Error:
            return CANNOT_BE_ASKED
    return (
        f"{met:,} meet its condition, and stay as they are" if met else "none meets its condition"
    )


def has_changed(table: TableDiff, column: str) -> bool:
    """Return whether a value of ``column`` changed; without a key, rows come and go instead."""
    return any(
        alike.kind is ValueChanged and fold_name(alike.column) == column
        for alike in table.differences.groups
    ) or (not table.key and has(table, RowLost) and has(table, RowAdded))


def has(table: TableDiff | None, kind: type[RowLost | RowAdded]) -> bool:
    """Return whether rows of ``table`` came or went; with a table that is gone, all of them did."""
    if table is None:
        return False
    if table.after is None:
        return kind is RowLost
    return any(alike.kind is kind for alike in table.differences.groups)


def condition(where: str | None) -> str:
    """Return a ``where`` as the contract has it."""
    return f" where {where}" if where else ""
