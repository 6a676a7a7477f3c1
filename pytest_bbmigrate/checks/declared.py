"""What a contract allows: what it names, and nothing more."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged, same_cell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.evidence import TablePassage
    from pytest_bbmigrate.rows import Key, RowDifference


def undeclared_rows(passage: TablePassage, contract: Contract) -> tuple[RowDifference, ...]:
    """Return the differences of a table's rows that ``contract`` does not allow.

    Without a key, a changed row shows as a lost and an added one: such a pair counts as changed
    when the two agree in every column that is not declared ``changes``.
    """
    differences = passage.differences
    if not passage.key:
        differences = pair_up(differences, declared_columns(passage, contract))
    return tuple(d for d in differences if not is_declared(d, passage, contract))


def declared_columns(passage: TablePassage, contract: Contract) -> frozenset[str]:
    """Return the columns of the table (folded) that the contract says change."""
    return frozenset(
        change.column.casefold()
        for change in contract.changes
        if change.table.casefold() == passage.table.casefold()
    )


def is_declared(difference: RowDifference, passage: TablePassage, contract: Contract) -> bool:
    """Return whether the contract allows this one difference."""
    table = passage.table.casefold()
    if isinstance(difference, RowAdded):
        return any(insert.table.casefold() == table for insert in contract.inserts)
    if isinstance(difference, RowLost):
        key = difference.key or tuple(difference.row.values())
        return any(
            is_selected(key, passage, delete.where)
            for delete in contract.deletes
            if delete.table.casefold() == table
        )
    return any(
        is_selected(difference.key, passage, change.where)
        for change in contract.changes
        if change.table.casefold() == table
        and change.column.casefold() == difference.column.casefold()
    )


def is_selected(key: Key, passage: TablePassage, where: str | None) -> bool:
    """Return whether the row before that ``key`` tells is among those that ``where`` selects.

    In a table compared without a key, that is a rowid or the whole row.
    """
    if where is None:
        return True
    selection = passage.selections[where]
    return key in selection.keys if passage.key else key in selection.rowids | selection.rows


def pair_up(
    differences: Iterable[RowDifference], columns: frozenset[str]
) -> tuple[RowDifference, ...]:
    """Return ``differences`` with lost and added rows that differ in ``columns`` only made changes.

    The key of such a change is the whole row as it was.
    """
    differences = tuple(differences)
    if not columns:
        return differences
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
            ValueChanged(difference.table, key, column, difference.row[column], cell)
            for column, cell in partner.row.items()
            if column.casefold() in columns and not same_cell(difference.row[column], cell)
        ]
    return tuple(d for d in paired if not (isinstance(d, RowAdded) and used[id(d)]))


def fixed_part(row: RowDifference, columns: frozenset[str]) -> tuple[object, ...]:
    """Return the cells of a lost or added row outside ``columns``, with their types."""
    cells = {} if isinstance(row, ValueChanged) else row.row
    return tuple(
        (name, type(cell), repr(cell))
        for name, cell in cells.items()
        if name.casefold() not in columns
    )
