"""Compare the indexes and UNIQUE constraints of a table before and after.

What counts is what an index does, not its name: an index whose name is gone is not lost if another
one does the same that was not there before, or the primary key does. One of two that did the same
is lost all the same where it goes. Where names count, because a statement may go by them, an
explicit index is lost with its name, and a new one may stand for a UNIQUE alone, which has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.schema.compare.table_pair import is_part_of, only
from pytest_bbmigrate.schema.model import Index, IndexColumn
from pytest_bbmigrate.schema.read.tokens import equal_under
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_bbmigrate.schema.compare.table_pair import TablePair
    from pytest_bbmigrate.schema.model import Table


def compare_indexes(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield the indexes and UNIQUE constraints that are lost, changed or added."""
    yield from _lost_and_changed(pair)
    yield from _added(pair)
    yield from _compare_conflicts(pair)


def _lost_and_changed(pair: TablePair) -> Iterator[SchemaDifference]:
    by_name = _by_name(pair.after)
    lost = _unmatched(pair).before
    for index in pair.before.indexes:
        namesake = by_name.get(fold_name(index.name or ""))
        if namesake is not None:
            if not _is_equivalent(pair, index, namesake):
                yield _changed(pair, index, namesake)
        elif any(index is other for other in lost):
            columns = _columns_of(index, pair.before)
            if not is_part_of(columns, pair.lost):
                yield _difference(pair.before, index, columns, lost=True)


def _added(pair: TablePair) -> Iterator[SchemaDifference]:
    for index in _unmatched(pair).after:
        columns = _columns_of(index, pair.after)
        if not is_part_of(columns, pair.added):
            yield _difference(pair.after, index, columns, lost=False)


class _Unmatched(NamedTuple):
    """The indexes before and after that have no namesake, and none that stands for them."""

    before: list[Index]
    after: list[Index]


def _unmatched(pair: TablePair) -> _Unmatched:
    """Return what is lost and added: each index stands for one other, a primary key for any.

    A constraint holds as long as any index makes it hold.
    """
    by_name = (_by_name(pair.before), _by_name(pair.after))
    old = [index for index in pair.before.indexes if not _has_namesake(index, by_name[1])]
    new = [index for index in pair.after.indexes if not _has_namesake(index, by_name[0])]
    for kinds in ("constraints", "any"):
        for index in tuple(old):
            fitting = (
                other
                for other in new
                if _is_equivalent(pair, index, other) and _may_stand_for(pair, index, other, kinds)
            )
            if (match := next(fitting, None)) is not None:
                old = [other for other in old if other is not index]
                new = [other for other in new if other is not match]
    stand_ins = (_stand_ins(pair, pair.before), _stand_ins(pair, pair.after))
    return _Unmatched(
        [o for o in old if not any(_is_equivalent(pair, o, n) for n in stand_ins[1](o))],
        [n for n in new if not any(_is_equivalent(pair, o, n) for o in stand_ins[0](n))],
    )


def _has_namesake(index: Index, by_name: dict[str, Index]) -> bool:
    return index.name is not None and fold_name(index.name) in by_name


def _may_stand_for(pair: TablePair, old: Index, new: Index, kinds: str) -> bool:
    """Return whether ``new`` may be what ``old`` was; by ``kinds``, constraints are asked first."""
    if old.name is None and new.name is None:
        return True
    return kinds == "any" and (old.name is None or not pair.names.strictly)


def _stand_ins(pair: TablePair, table: Table) -> Callable[[Index], list[Index]]:
    """Return which indexes of ``table`` stand for a given one of the other side, however many."""

    def others(index: Index) -> list[Index]:
        if index.name is None:
            return _indexes_with_keys(table)
        return [] if pair.names.strictly else _keys_of(table)

    return others


def has_other_key_terms(pair: TablePair) -> bool:
    """Return whether both primary keys have an index of their own, and these differ."""
    old, new = pair.before.key, pair.after.key
    return old is not None and new is not None and not _is_equivalent(pair, old, new)


def _by_name(table: Table) -> dict[str, Index]:
    return {fold_name(index.name): index for index in table.indexes if index.name is not None}


def _indexes_with_keys(table: Table) -> list[Index]:
    """Return the indexes of ``table``, with that of its primary key."""
    return [*table.indexes, *_keys_of(table)]


def _keys_of(table: Table) -> list[Index]:
    """Return the index of the primary key of ``table``, even if that is the rowid; () for none."""
    keys = [] if table.key is None else [table.key]
    if table.rowid_alias is not None:
        rowid = IndexColumn(table.rowid_alias, None, descending=False, collation="BINARY")
        keys.append(Index(None, table.name, unique=True, columns=(rowid,), where=None))
    return keys


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
    for old in (index for index in pair.before.indexes if index.conflict):
        same = [new for new in pair.after.indexes if _is_equivalent(pair, old, new)]
        if same and all(new.conflict != old.conflict for new in same):
            yield _other_conflict(pair, old, old.conflict, same[0].conflict)
    for new in (index for index in pair.after.indexes if index.conflict):
        same = [old for old in pair.before.indexes if _is_equivalent(pair, old, new)]
        if same and not any(old.conflict for old in same):
            yield _other_conflict(pair, same[0], "ABORT", new.conflict)  # the default


def _other_conflict(pair: TablePair, old: Index, before: str, after: str) -> SchemaDifference:
    column = only(_columns_of(old, pair.before))
    texts = (f"ON CONFLICT {action}" if action else "" for action in (before, after))
    return pair.difference("on conflict", column, *texts)
