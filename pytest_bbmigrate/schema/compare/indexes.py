"""What indexes and UNIQUE constraints a table lost, changed or gained.

What counts is what an index does, not what it is called: one whose name is gone is not lost where
another does the same, be it the index of a UNIQUE constraint or of the primary key.
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
    """Yield what indexes and UNIQUE constraints ``pair`` lost, changed or gained."""
    yield from _lost_and_changed(pair)
    yield from _added(pair)
    yield from _compare_conflicts(pair)


def _lost_and_changed(pair: TablePair) -> Iterator[SchemaDifference]:
    names, there = _by_name(pair.after), _all_there(pair.after)
    for index in pair.before.indexes:
        namesake = names.get(fold_name(index.name or ""))
        if namesake is not None:
            if not _does_the_same(pair, index, namesake):
                yield _changed(pair, index, namesake)
        elif not any(_does_the_same(pair, index, other) for other in there):
            columns = _columns_of(index, pair.before)
            if not is_part_of(columns, pair.lost):
                yield _difference(pair.before, index, columns, lost=True)


def _added(pair: TablePair) -> Iterator[SchemaDifference]:
    names, there = _by_name(pair.before), _all_there(pair.before)
    for index in pair.after.indexes:
        is_known = fold_name(index.name or "") in names
        if not is_known and not any(_does_the_same(pair, other, index) for other in there):
            columns = _columns_of(index, pair.after)
            if not is_part_of(columns, pair.added):
                yield _difference(pair.after, index, columns, lost=False)


def has_other_key_terms(pair: TablePair) -> bool:
    """Return whether the primary keys' own indexes, where both have one, differ."""
    was, now = pair.before.key, pair.after.key
    return was is not None and now is not None and not _does_the_same(pair, was, now)


def _by_name(table: Table) -> dict[str, Index]:
    return {fold_name(index.name): index for index in table.indexes if index.name is not None}


def _all_there(table: Table) -> list[Index]:
    """Return the indexes of ``table``, those of its primary key and its rowid among them."""
    there = list(table.indexes)
    if table.key is not None:
        there.append(table.key)
    if table.rowid_alias is not None:
        rowid = IndexColumn(table.rowid_alias, None, descending=False, collation="BINARY")
        there.append(Index(None, table.name, unique=True, columns=(rowid,), where=None))
    return there


def _does_the_same(pair: TablePair, was: Index, now: Index) -> bool:
    return (
        was.unique == now.unique
        and len(was.columns) == len(now.columns)
        and all(map(lambda a, b: _same_term(pair, a, b), was.columns, now.columns))
        and equal_under(pair.words, was.where or (), now.where or ())
    )


def _same_term(pair: TablePair, was: IndexColumn, now: IndexColumn) -> bool:
    if was.descending != now.descending:
        return False
    same_collation = same_name(was.collation, now.collation)
    if was.name is None or now.name is None:
        # Of a plain column there is no expression, which none is equal to.
        same = equal_under(pair.words, was.expression or (), now.expression or ())
        return same and same_collation
    if pair.columns.get(fold_name(was.name)) != fold_name(now.name):
        return False
    return same_collation or (
        _is_columns_own(pair.before, was) and _is_columns_own(pair.after, now)
    )


def _is_columns_own(table: Table, term: IndexColumn) -> bool:
    """Return whether a term has its column's collation: what changed is that of the column."""
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


def _changed(pair: TablePair, was: Index, now: Index) -> SchemaDifference:
    return SchemaDifference(
        kind="index changed",
        name=was.name or "",
        table=pair.before.name,
        column=only(_columns_of(was, pair.before)),
        before=wording.index_text(was),
        after=wording.index_text(now),
    )


def _compare_conflicts(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield where a UNIQUE that is there before and after has another ON CONFLICT."""
    for was in pair.before.indexes:
        same = [now for now in pair.after.indexes if _does_the_same(pair, was, now)]
        if was.conflict and same and all(now.conflict != was.conflict for now in same):
            yield _other_conflict(pair, was, was.conflict, same[0].conflict)
    for now in pair.after.indexes:
        same = [was for was in pair.before.indexes if _does_the_same(pair, was, now)]
        if now.conflict and same and not any(was.conflict for was in same):
            yield _other_conflict(pair, same[0], "ABORT", now.conflict)  # what it did till then


def _other_conflict(pair: TablePair, was: Index, before: str, after: str) -> SchemaDifference:
    column = only(_columns_of(was, pair.before))
    texts = (f"ON CONFLICT {action}" if action else "" for action in (before, after))
    return pair.difference("on conflict", column, *texts)
