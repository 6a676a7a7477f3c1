"""Compare the indexes and UNIQUE constraints of a table before and after.

What counts is what an index does, not its name: an index whose name is gone is not lost if another
one does the same, be it that of a UNIQUE constraint or of the primary key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.schema.compare.table_pair import is_part_of, only
from pytest_bbmigrate.schema.model import Index, IndexColumn
from pytest_bbmigrate.schema.read.tokens import equal_under
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.schema.compare.table_pair import TablePair
    from pytest_bbmigrate.schema.model import Table


def compare_indexes(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield the indexes and UNIQUE constraints that are lost, changed or added."""
    yield from _lost_and_changed(pair)
    yield from _added(pair)
    yield from _compare_conflicts(pair)


def _lost_and_changed(pair: TablePair) -> Iterator[SchemaDifference]:
    by_name, indexes_after = _by_name(pair.after), _indexes_with_keys(pair.after)
    for index in pair.before.indexes:
        namesake = by_name.get(fold_name(index.name or ""))
        if namesake is not None:
            if not _is_equivalent(pair, index, namesake):
                yield _changed(pair, index, namesake)
        elif not any(_is_equivalent(pair, index, other) for other in indexes_after):
            columns = _columns_of(index, pair.before)
            if not is_part_of(columns, pair.lost):
                yield _difference(pair.before, index, columns, lost=True)


def _added(pair: TablePair) -> Iterator[SchemaDifference]:
    by_name, indexes_before = _by_name(pair.before), _indexes_with_keys(pair.before)
    for index in pair.after.indexes:
        has_namesake = fold_name(index.name or "") in by_name
        if not has_namesake and not any(
            _is_equivalent(pair, other, index) for other in indexes_before
        ):
            columns = _columns_of(index, pair.after)
            if not is_part_of(columns, pair.added):
                yield _difference(pair.after, index, columns, lost=False)


def has_other_key_terms(pair: TablePair) -> bool:
    """Return whether both primary keys have an index of their own, and these differ."""
    old, new = pair.before.key, pair.after.key
    return old is not None and new is not None and not _is_equivalent(pair, old, new)


def _by_name(table: Table) -> dict[str, Index]:
    return {fold_name(index.name): index for index in table.indexes if index.name is not None}


def _indexes_with_keys(table: Table) -> list[Index]:
    """Return the indexes of ``table``, with that of its primary key, even if that is the rowid."""
    indexes = list(table.indexes)
    if table.key is not None:
        indexes.append(table.key)
    if table.rowid_alias is not None:
        rowid = IndexColumn(table.rowid_alias, None, descending=False, collation="BINARY")
        indexes.append(Index(None, table.name, unique=True, columns=(rowid,), where=None))
    return indexes


def _is_equivalent(pair: TablePair, old: Index, new: Index) -> bool:
    return (
        old.unique == new.unique
        and len(old.columns) == len(new.columns)
        and all(map(lambda a, b: _same_term(pair, a, b), old.columns, new.columns))
        and equal_under(pair.words, old.where or (), new.where or ())
    )


def _same_term(pair: TablePair, old: IndexColumn, new: IndexColumn) -> bool:
    if old.descending != new.descending:
        return False
    same_collation = same_name(old.collation, new.collation)
    if old.name is None or new.name is None:
        # A plain column has no expression, and () equals none.
        same = equal_under(pair.words, old.expression or (), new.expression or ())
        return same and same_collation
    if pair.columns.get(fold_name(old.name)) != fold_name(new.name):
        return False
    return same_collation or (
        _has_column_collation(pair.before, old) and _has_column_collation(pair.after, new)
    )


def _has_column_collation(table: Table, term: IndexColumn) -> bool:
    """Return whether a term has its column's collation; then a change is one of the column."""
    column = table.column(term.name or "")
    return column is not None and same_name(column.collation, term.collation)


def _columns_of(index: Index, table: Table) -> list[str]:
    words = {word for column in index.columns for word in column.expression or ()}
    words |= {fold_name(column.name or "") for column in index.columns}
    words |= set(index.where or ())
    return [column.name for column in table.columns if fold_name(column.name) in words]


def _difference(table: Table, index: Index, columns: list[str], *, lost: bool) -> SchemaDifference:
    kind = "unique" if index.name is None else "index"
    text = wording.index_text(index)
    return SchemaDifference(
        kind=f"{kind} lost" if lost else f"{kind} added",
        name=index.name or table.name,
        table=table.name,
        column=only(columns),
        before=text if lost else "",
        after="" if lost else text,
    )


def _changed(pair: TablePair, old: Index, new: Index) -> SchemaDifference:
    return SchemaDifference(
        kind="index changed",
        name=old.name or "",
        table=pair.before.name,
        column=only(_columns_of(old, pair.before)),
        before=wording.index_text(old),
        after=wording.index_text(new),
    )


def _compare_conflicts(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield the UNIQUE constraints of both sides whose ON CONFLICT differs."""
    for old in pair.before.indexes:
        same = [new for new in pair.after.indexes if _is_equivalent(pair, old, new)]
        if old.conflict and same and all(new.conflict != old.conflict for new in same):
            yield _other_conflict(pair, old, old.conflict, same[0].conflict)
    for new in pair.after.indexes:
        same = [old for old in pair.before.indexes if _is_equivalent(pair, old, new)]
        if new.conflict and same and not any(old.conflict for old in same):
            yield _other_conflict(pair, same[0], "ABORT", new.conflict)  # the default


def _other_conflict(pair: TablePair, old: Index, before: str, after: str) -> SchemaDifference:
    column = only(_columns_of(old, pair.before))
    texts = (f"ON CONFLICT {action}" if action else "" for action in (before, after))
    return pair.difference("on conflict", column, *texts)
