"""What one table lost, changed or gained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.schema.compare import wording
from pytest_bbmigrate.schema.compare.correspondence import column_names
from pytest_bbmigrate.schema.compare.indexes import compare_indexes, has_other_key_terms
from pytest_bbmigrate.schema.compare.kinds import SchemaDifference
from pytest_bbmigrate.schema.compare.table_pair import is_part_of, only
from pytest_bbmigrate.schema.read.defaults import default_words, stored_default
from pytest_bbmigrate.schema.read.table import place_text
from pytest_bbmigrate.schema.read.tokens import equal_under, spelled
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_bbmigrate.schema.compare.table_pair import TablePair
    from pytest_bbmigrate.schema.model import CheckConstraint, Column, ForeignKey, Table


def compare_tables(pair: TablePair) -> Iterator[SchemaDifference]:
    """Yield every difference of ``pair``."""
    if pair.before.virtual is not None or pair.after.virtual is not None:
        yield from _compare_virtual(pair)
        return
    yield from _compare_columns(pair)
    yield from _compare_order(pair)
    yield from _compare_primary_key(pair)
    yield from _compare_checks(pair)
    yield from compare_indexes(pair)
    yield from _compare_foreign_keys(pair)
    yield from _compare_options(pair)


def _compare_virtual(pair: TablePair) -> Iterator[SchemaDifference]:
    was, now = pair.before.virtual, pair.after.virtual
    if was is None or now is None or not equal_under(pair.words, was, now):
        before, after = (
            "an ordinary table" if tokens is None else f"USING {spelled(tokens)}"
            for tokens in (was, now)
        )
        yield pair.difference("virtual table", "", before, after)


def _compare_columns(pair: TablePair) -> Iterator[SchemaDifference]:
    for column in pair.before.columns:
        now = pair.after.column(pair.columns.get(fold_name(column.name), ""))
        if now is None:
            table = pair.before.name
            text = wording.column_text(column)
            yield SchemaDifference("column lost", column.name, table, column.name, text, "")
        else:
            yield from _compare_column(pair, column, now)
    for column in pair.after.columns:
        if fold_name(column.name) in pair.added:
            table = pair.after.name
            text = wording.column_text(column)
            yield SchemaDifference("column added", column.name, table, column.name, "", text)


def _compare_column(pair: TablePair, was: Column, now: Column) -> Iterator[SchemaDifference]:
    for kind, is_same, text in COLUMN_ASPECTS:
        if not is_same(pair, was, now):
            yield SchemaDifference(kind, was.name, pair.before.name, was.name, text(was), text(now))


def _same_type(_pair: TablePair, was: Column, now: Column) -> bool:
    """Return whether both affinities are the same; of the types of STRICT tables no two share one.

    See https://sqlite.org/datatype3.html, 3.1, and https://sqlite.org/stricttables.html.
    """
    return was.affinity == now.affinity


def _same_not_null(pair: TablePair, was: Column, now: Column) -> bool:
    """Return whether NULL is kept out as before; a rowid is never NULL, declared or not."""
    aliases = (pair.before.rowid_alias, pair.after.rowid_alias)
    return was.not_null == now.not_null or was.name == aliases[0] or now.name == aliases[1]


def _same_default(pair: TablePair, was: Column, now: Column) -> bool:
    if default_words(was) == default_words(now):
        return True
    stored = stored_default(was, strict=pair.before.strict)
    return stored is not None and stored == stored_default(now, strict=pair.after.strict)


def _same_collation(_pair: TablePair, was: Column, now: Column) -> bool:
    return same_name(was.collation, now.collation)


def _same_generated(pair: TablePair, was: Column, now: Column) -> bool:
    return was.generated == now.generated and equal_under(
        pair.words, was.expression or (), now.expression or ()
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
    was = [name for name in column_names(pair.before) if name in pair.columns]
    now = [name for name in column_names(pair.after) if name not in pair.added]
    if [pair.columns[name] for name in was] != now:
        yield pair.difference("column order", "", ", ".join(was), ", ".join(now))


def _compare_primary_key(pair: TablePair) -> Iterator[SchemaDifference]:
    was = [fold_name(name) for name in pair.before.primary_key]
    now = [fold_name(name) for name in pair.after.primary_key]
    same = [pair.columns.get(name) for name in was] == now
    if same and pair.before.without_rowid == pair.after.without_rowid:
        # Whether the key is the rowid: INTEGER PRIMARY KEY is, INT PRIMARY KEY is not.
        same = (pair.before.rowid_alias is None) == (
            pair.after.rowid_alias is None
        ) and not has_other_key_terms(pair)
    gone_with_column = len(was) == 1 and was[0] in pair.lost and not now
    come_with_column = len(now) == 1 and now[0] in pair.added and not was
    if not same and not gone_with_column and not come_with_column:
        column = pair.before.primary_key[0] if len(was) == 1 else ""
        before, after = (wording.primary_key_text(t) for t in (pair.before, pair.after))
        yield pair.difference("primary key", column, before, after)


def _compare_checks(pair: TablePair) -> Iterator[SchemaDifference]:
    added = list(pair.after.checks)
    for check in pair.before.checks:
        match = next((c for c in added if equal_under(pair.words, check.tokens, c.tokens)), None)
        if match is not None:
            added.remove(match)
            continue
        columns = _columns_of(check, pair.before)
        if not is_part_of(columns, pair.lost):
            text = wording.check_text(check)
            yield pair.difference("check lost", only(columns), text, "")
    for check in added:
        columns = _columns_of(check, pair.after)
        if not is_part_of(columns, pair.added):
            yield pair.addition("check added", only(columns), wording.check_text(check))


def _columns_of(check: CheckConstraint, table: Table) -> list[str]:
    return [column.name for column in table.columns if fold_name(column.name) in check.tokens]


def _compare_foreign_keys(pair: TablePair) -> Iterator[SchemaDifference]:
    lost, added = _unmatched_references(pair)
    for key in lost:
        now = next((other for other in added if _is_same_reference(pair, key, other)), None)
        text, columns = wording.foreign_key_text(key), ", ".join(key.columns)
        if now is not None:
            added.remove(now)
            yield pair.difference(
                "foreign key changed", columns, text, wording.foreign_key_text(now)
            )
        elif not is_part_of(key.columns, pair.lost):
            yield pair.difference("foreign key lost", columns, text, "")
    for key in added:
        if not is_part_of(key.columns, pair.added):
            text = wording.foreign_key_text(key)
            yield pair.addition("foreign key added", ", ".join(key.columns), text)


def _unmatched_references(pair: TablePair) -> tuple[list[ForeignKey], list[ForeignKey]]:
    """Return the foreign keys that only one side has, actions and all: before, after."""
    lost, added = [], list(pair.after.foreign_keys)
    for key in pair.before.foreign_keys:
        same = (other for other in added if _is_same_reference(pair, key, other))
        now = next((other for other in same if _actions(other) == _actions(key)), None)
        if now is None:
            lost.append(key)
        else:
            added.remove(now)
    return lost, added


def _actions(key: ForeignKey) -> tuple[str, str, bool]:
    return key.on_update, key.on_delete, key.deferred


def _is_same_reference(pair: TablePair, was: ForeignKey, now: ForeignKey) -> bool:
    """Return whether both go from the same columns to the same columns of the same table.

    Where nothing is known of the parent's key, on either side, its name is all there is.
    """
    parent = fold_name(was.parent)
    in_parent = pair.names.columns.get(parent, {})
    wanted = [in_parent.get(fold_name(name), fold_name(name)) for name in was.parent_columns]
    return (
        [pair.columns.get(fold_name(name)) for name in was.columns]
        == [fold_name(name) for name in now.columns]
        and pair.names.tables.get(parent, parent) == fold_name(now.parent)
        and (
            not was.parent_columns
            or not now.parent_columns
            or wanted == [fold_name(name) for name in now.parent_columns]
        )
    )


def _compare_options(pair: TablePair) -> Iterator[SchemaDifference]:
    for kind, was, now in (
        ("strict", pair.before.strict, pair.after.strict),
        ("without rowid", pair.before.without_rowid, pair.after.without_rowid),
        ("autoincrement", pair.before.autoincrement, pair.after.autoincrement),
    ):
        if was != now:
            yield pair.difference(kind, "", kind.upper() * was, kind.upper() * now)
    yield from _compare_conflicts(pair)


def _compare_conflicts(pair: TablePair) -> Iterator[SchemaDifference]:
    """Compare ON CONFLICT by what it stands at: a NOT NULL, a key, a UNIQUE that has no index."""
    before = _conflicts(pair.before, pair.columns)
    after = _conflicts(pair.after, None)
    for key in before | after:
        was, now = before.get(key, ("", "")), after.get(key, ("", ""))
        if not was[1] and _was_there(pair, *key):
            was = (now[0].removesuffix(now[1]) + "ABORT", "")  # which is what it did till then
        if was[1] != now[1]:
            yield pair.difference("on conflict", "", was[0], now[0])


def _was_there(pair: TablePair, kind: str, *columns: str) -> bool:
    """Return whether the constraint of this kind, by its columns' names after, was there before."""
    if kind == "NOT NULL":
        kept = [column for column in pair.before.columns if column.not_null]
        return any(pair.columns.get(fold_name(column.name)) in columns for column in kept)
    key = [pair.columns.get(fold_name(name)) for name in pair.before.primary_key]
    return tuple(key) == columns


def _conflicts(
    table: Table, columns: Mapping[str, str] | None
) -> dict[tuple[str, ...], tuple[str, str]]:
    """Return text and action by what they stand at, in names after; of lost columns none."""
    texts = dict(text.rsplit(" ON CONFLICT ", 1) for text in table.conflicts)
    places: list[tuple[str, tuple[str, ...]]]
    places = [("NOT NULL", (column.name,)) for column in table.columns]
    places += [("PRIMARY KEY", table.primary_key), ("UNIQUE", table.primary_key)]
    found = {}
    for kind, names in places:
        place = place_text(kind, names)
        folded = [fold_name(name) for name in names]
        mapped = [name if columns is None else columns.get(name, "") for name in folded]
        if place in texts and all(mapped):
            action = texts[place]
            found[kind, *mapped] = (f"{place} ON CONFLICT {action}", action)
    return found
