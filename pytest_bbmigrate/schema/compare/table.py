"""Compare a table before and after: columns, constraints and options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.checks import compare_checks
from pytest_bbmigrate.schema.compare.indexes import compare_indexes, has_other_key_terms
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.schema.compare.table_pair import is_part_of
from pytest_bbmigrate.schema.read.defaults import default_words, stored_default
from pytest_bbmigrate.schema.read.table import place_text
from pytest_bbmigrate.schema.read.tokens import equal_under, readable
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_bbmigrate.schema.compare.table_pair import TablePair
    from pytest_bbmigrate.schema.model import Column, ForeignKey, Table


def compare_tables(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield every difference of ``pair``."""
    if pair.before.virtual is not None or pair.after.virtual is not None:
        yield from _compare_virtual(pair)
        return
    yield from _compare_columns(pair)
    yield from _compare_order(pair)
    yield from _compare_primary_key(pair)
    yield from compare_checks(pair)
    yield from compare_indexes(pair)
    yield from _compare_foreign_keys(pair)
    yield from _compare_options(pair)


def _compare_virtual(pair: TablePair) -> Iterator[SchemaDifference]:
    old, new = pair.before.virtual, pair.after.virtual
    if old is None or new is None or not equal_under(pair.words, old, new):
        before, after = (
            "an ordinary table" if tokens is None else f"USING {readable(tokens)}"
            for tokens in (old, new)
        )
        yield pair.difference("virtual table", "", before, after)


def _compare_columns(pair: TablePair) -> Iterator[SchemaDifference]:
    for column in pair.before.columns:
        new = pair.after.column(pair.columns.get(fold_name(column.name), ""))
        if new is None:
            table = pair.before.name
            text = wording.column_text(column)
            yield SchemaDifference("column lost", column.name, table, column.name, text, "")
        else:
            yield from _compare_column(pair, column, new)
    for column in pair.after.columns:
        if fold_name(column.name) in pair.added:
            table = pair.after.name
            text = wording.column_text(column)
            yield SchemaDifference("column added", column.name, table, column.name, "", text)


def _compare_column(pair: TablePair, old: Column, new: Column) -> Iterator[SchemaDifference]:
    if old == new and old.expression is None:
        return  # no rename is in it
    for kind, is_same, text in COLUMN_ASPECTS:
        if not is_same(pair, old, new):
            yield SchemaDifference(kind, old.name, pair.before.name, old.name, text(old), text(new))


def _same_type(_pair: TablePair, old: Column, new: Column) -> bool:
    """Return whether both affinities are the same; each type of STRICT tables has its own.

    See https://sqlite.org/datatype3.html, 3.1, and https://sqlite.org/stricttables.html.
    """
    return old.affinity == new.affinity


def _same_not_null(pair: TablePair, old: Column, new: Column) -> bool:
    """Return whether both refuse NULL or neither does; a rowid is never NULL, declared or not."""
    aliases = (pair.before.rowid_alias, pair.after.rowid_alias)
    return old.not_null == new.not_null or old.name == aliases[0] or new.name == aliases[1]


def _same_default(pair: TablePair, old: Column, new: Column) -> bool:
    if default_words(old) == default_words(new):
        return True
    stored = stored_default(old, strict=pair.before.strict)
    return stored is not None and stored == stored_default(new, strict=pair.after.strict)


def _same_collation(_pair: TablePair, old: Column, new: Column) -> bool:
    return same_name(old.collation, new.collation)


def _same_generated(pair: TablePair, old: Column, new: Column) -> bool:
    return old.generated == new.generated and equal_under(
        pair.words, old.expression or (), new.expression or ()
    )


COLUMN_ASPECTS: tuple[
    tuple[str, Callable[[TablePair, Column, Column], bool], Callable[[Column], str]], ...
] = (
    ("column type", _same_type, lambda column: column.type),
    (
        "column not null",
        _same_not_null,
        lambda column: "NOT NULL" if column.not_null else "",
    ),
    ("column default", _same_default, wording.default_text),
    ("column collation", _same_collation, lambda column: f"COLLATE {column.collation}"),
    ("column generated", _same_generated, wording.generated_text),
)


def _compare_order(pair: TablePair) -> Iterator[SchemaDifference]:
    old = [name for name in pair.before.ordered_names if name in pair.columns]
    new = [name for name in pair.after.ordered_names if name not in pair.added]
    if [pair.columns[name] for name in old] != new:
        yield pair.difference("column order", "", ", ".join(old), ", ".join(new))


def _compare_primary_key(pair: TablePair) -> Iterator[SchemaDifference]:
    old = [fold_name(name) for name in pair.before.primary_key]
    new = [fold_name(name) for name in pair.after.primary_key]
    same = [pair.columns.get(name) for name in old] == new
    if same and pair.before.without_rowid == pair.after.without_rowid:
        # Whether the key is the rowid: INTEGER PRIMARY KEY is, INT PRIMARY KEY is not.
        same = (pair.before.rowid_alias is None) == (
            pair.after.rowid_alias is None
        ) and not has_other_key_terms(pair)
    lost_with_column = len(old) == 1 and old[0] in pair.lost and not new
    added_with_column = len(new) == 1 and new[0] in pair.added and not old
    if not same and not lost_with_column and not added_with_column:
        column = pair.before.primary_key[0] if len(old) == 1 else ""
        before, after = (wording.primary_key_text(t) for t in (pair.before, pair.after))
        yield pair.difference("primary key", column, before, after)


def _compare_foreign_keys(pair: TablePair) -> Iterator[SchemaDifference]:
    lost, added = _unmatched_references(pair)
    for key in lost:
        new = next((other for other in added if _is_same_reference(pair, key, other)), None)
        text, columns = wording.foreign_key_text(key), ", ".join(key.columns)
        if new is not None:
            added.remove(new)
            yield pair.difference(
                "foreign key changed", columns, text, wording.foreign_key_text(new)
            )
        elif not is_part_of(key.columns, pair.lost):
            yield pair.difference("foreign key lost", columns, text, "")
    for key in added:
        if not is_part_of(key.columns, pair.added):
            text = wording.foreign_key_text(key)
            yield pair.addition("foreign key added", ", ".join(key.columns), text)


def _unmatched_references(pair: TablePair) -> tuple[list[ForeignKey], list[ForeignKey]]:
    """Return the foreign keys that only one side has with these actions: (before, after)."""
    lost, added = [], list(pair.after.foreign_keys)
    for key in pair.before.foreign_keys:
        same = (other for other in added if _is_same_reference(pair, key, other))
        new = next((other for other in same if _actions(other) == _actions(key)), None)
        if new is None:
            lost.append(key)
        else:
            added.remove(new)
    return lost, added


def _actions(key: ForeignKey) -> tuple[str, str, bool]:
    return key.on_update, key.on_delete, key.deferred


def _is_same_reference(pair: TablePair, old: ForeignKey, new: ForeignKey) -> bool:
    """Return whether both go from the same columns to the same columns of the same table.

    If the parent columns of either are not known, the table alone decides.
    """
    parent = fold_name(old.parent)
    parent_names = pair.names.columns.get(parent, {})
    parent_columns = [
        parent_names.get(fold_name(name), fold_name(name)) for name in old.parent_columns
    ]
    return (
        [pair.columns.get(fold_name(name)) for name in old.columns]
        == [fold_name(name) for name in new.columns]
        and pair.names.tables.get(parent, parent) == fold_name(new.parent)
        and (
            not old.parent_columns
            or not new.parent_columns
            or parent_columns == [fold_name(name) for name in new.parent_columns]
        )
    )


def _compare_options(pair: TablePair) -> Iterator[SchemaDifference]:
    for kind, old, new in (
        ("strict", pair.before.strict, pair.after.strict),
        ("without rowid", pair.before.without_rowid, pair.after.without_rowid),
        ("autoincrement", pair.before.autoincrement, pair.after.autoincrement),
    ):
        if old != new:
            yield pair.difference(kind, "", kind.upper() * old, kind.upper() * new)
    yield from _compare_conflicts(pair)


def _compare_conflicts(pair: TablePair) -> Iterator[SchemaDifference]:
    """Compare ON CONFLICT clauses of NOT NULL, of keys and of UNIQUE without its own index."""
    before = _conflicts(pair.before, pair.columns)
    after = _conflicts(pair.after, None)
    for key in before | after:
        old, new = before.get(key, ("", "")), after.get(key, ("", ""))
        if not old[1] and _existed_before(pair, *key):
            old = (new[0].removesuffix(new[1]) + "ABORT", "")  # the default
        if old[1] != new[1]:
            yield pair.difference("on conflict", "", old[0], new[0])


def _existed_before(pair: TablePair, kind: str, *columns: str) -> bool:
    """Return whether there was such a constraint before; ``columns`` are named as after."""
    if kind == "NOT NULL":
        not_null = [column for column in pair.before.columns if column.not_null]
        return any(pair.columns.get(fold_name(column.name)) in columns for column in not_null)
    key = [pair.columns.get(fold_name(name)) for name in pair.before.primary_key]
    return tuple(key) == columns


def _conflicts(
    table: Table, columns: Mapping[str, str] | None
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Return (text, action) by the kind and columns, in names after, of each ON CONFLICT clause.

    ``columns`` gives the names after, None where names are those already. Clauses on lost columns
    are left out.
    """
    texts = dict(text.rsplit(" ON CONFLICT ", 1) for text in table.conflicts)
    constraints: list[tuple[str, tuple[str, ...]]]
    constraints = [("NOT NULL", (column.name,)) for column in table.columns]
    constraints += [("PRIMARY KEY", table.primary_key), ("UNIQUE", table.primary_key)]
    clauses = {}
    for kind, names in constraints:
        place = place_text(kind, names)
        folded = [fold_name(name) for name in names]
        mapped = [name if columns is None else columns.get(name, "") for name in folded]
        if place in texts and all(mapped):
            action = texts[place]
            clauses[kind, *mapped] = (f"{place} ON CONFLICT {action}", action)
    return clauses
