"""What a contract allows: what it names, and nothing more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import (
    Differences,
    RowAdded,
    RowLost,
    ValueChanged,
    differences_of,
    same_cell,
)
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.experiment import TableDiff
    from pytest_bbmigrate.rows import RowDifference


def undeclared_rows(diff: TableDiff, contract: Contract) -> Differences:
    """Return the differences of a table's rows that ``contract`` does not allow.

    Without a key, a changed row shows as a lost and an added one: such a pair counts as changed
    when the two agree in every column that is not declared ``changes``.
    """
    differences = diff.differences
    columns = declared_columns(diff, contract)
    if not diff.key and columns:
        differences = differences_of(pair_up(differences, columns))
    return differences.filter_groups(lambda d: not is_declared(d, diff, contract))


def declared_columns(diff: TableDiff, contract: Contract) -> frozenset[str]:
    """Return the columns of the table (folded) that the contract says change."""
    changed = (c.column for c in contract.changes if same_name(c.table, diff.table))
    return diff.derived.union(map(fold_name, changed))


def is_declared(difference: RowDifference, diff: TableDiff, contract: Contract) -> bool:
    """Return whether the contract allows this one difference, and all that are like it."""
    table = fold_name(diff.table)
    if isinstance(difference, RowAdded):
        return any(fold_name(insert.table) == table for insert in contract.inserts)
    if isinstance(difference, RowLost):
        return any(
            delete.where is None or delete.where in difference.satisfied
            for delete in contract.deletes
            if fold_name(delete.table) == table
        )
    return fold_name(difference.column) in diff.derived or any(
        change.where is None or change.where in difference.satisfied
        for change in contract.changes
        if fold_name(change.table) == table and same_name(change.column, difference.column)
    )


def drops_table(contract: Contract, table: str) -> bool:
    """Return whether the contract says that ``table`` goes."""
    return any(drop.kind == "table" and same_name(drop.name, table) for drop in contract.drops)


def drops_column(contract: Contract, table: str, column: str) -> bool:
    """Return whether the contract says that ``table.column`` goes."""
    return any(
        drop.kind == "column"
        and drop.table is not None
        and same_name(drop.table, table)
        and same_name(drop.name, column)
        for drop in contract.drops
    )


def pair_up(
    differences: Iterable[RowDifference], columns: frozenset[str]
) -> tuple[RowDifference, ...]:
    """Return ``differences`` with lost and added rows that differ in ``columns`` only made changes.

    The key of such a change is the whole row as it was.
    """
    differences = tuple(differences)
    added: dict[tuple[object, ...], list[RowAdded]] = {}
    for difference in differences:
        if isinstance(difference, RowAdded):
            added.setdefault(fixed_part(difference, columns), []).append(difference)
    paired: list[RowDifference] = []
    used: Counter[int] = Counter()
    for difference in differences:
        partners = added.get(fixed_part(difference, columns))
        if not partners or not isinstance(difference, RowLost):
            paired.append(difference)
            continue
        partner = partners.pop()
        used[id(partner)] += 1
        key = tuple(difference.row.values())
        paired += [
            ValueChanged(
                difference.table, key, column, difference.row[column], cell, difference.satisfied
            )
            for column, cell in partner.row.items()
            if fold_name(column) in columns and not same_cell(difference.row[column], cell)
        ]
    return tuple(d for d in paired if not (isinstance(d, RowAdded) and used[id(d)]))


def fixed_part(row: RowDifference, columns: frozenset[str]) -> tuple[object, ...]:
    """Return the cells of a lost or added row outside ``columns``, with their types."""
    cells = {} if isinstance(row, ValueChanged) else row.row
    return tuple(
        (name, type(cell), repr(cell))
        for name, cell in cells.items()
        if fold_name(name) not in columns
    )
