"""Let SQLite find the columns of a long table that differ, before any row is read.

Where every row has kept its key, this is the whole comparison, and takes a fifth of the time that
it takes to merge a million rows. Only where rows were lost or added are they merged as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.affinities import (
    columns_of_one_affinity,
    columns_with_negative_zeros,
    declared_types,
)
from pytest_bbmigrate.rows.differences import EXAMPLES_PER_GROUP, DifferenceGroup
from pytest_bbmigrate.rows.model import NO_CONDITION, ValueChanged
from pytest_bbmigrate.rows.reading import (
    AFTER,
    BEFORE,
    CONDITION_SCHEMAS,
    SCHEMAS,
    key_positions,
    mark_name,
    plain_cursor,
    satisfied_by,
)
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_bbmigrate.rows.model import Key, Pairing, Row, RowConditions

MIN_ROWS = 5000  # of a table; where fewer differ, they are read as fast as SQLite compares them
WORTH_ASKING = 50  # rows of a table of which SQLite is asked first whether all are the same
# A result may have 2,000 (https://sqlite.org/limits.html): those of both sides, and conditions.
MAX_COLUMNS = 900  # of a table; with more, its rows are compared in Python
MAX_TOGETHER = 500  # in one condition, which SQLite takes to a depth of 1,000 (limits.html)
# As a real number it stays one even in a column of INTEGER or NUMERIC.
LEAST_INTEGER = -(2**63)
ALL_KINDS: Mapping[tuple[str, str], str] = {}  # no column is known to be of one affinity


@dataclass(frozen=True)
class ChangedColumns:
    """What is left to compare of a table: a ``pairing`` of its key and the columns that differ.

    ``changed`` are these columns and in how many rows they differ, if every row has kept its key.
    It is None, and the pairing may have all columns, where rows were added or lost, or SQLite alone
    cannot decide.
    """

    pairing: Pairing
    changed: tuple[tuple[tuple[str, str], int], ...] | None = None


def changed_columns(db: sqlite3.Connection, pairing: Pairing) -> ChangedColumns:
    """Return ``pairing`` without the columns that are exactly the same in every row.

    It is returned whole if the key is not the primary key on both sides, rows were added or lost,
    SQLite has no index to find each row by, or the table is short or has too many columns.
    """
    key = _paired_key(pairing)
    is_wide = len(pairing.columns) > MAX_COLUMNS
    if is_wide or not (_has_rows(db, pairing, MIN_ROWS) and _has_key(db, pairing, key)):
        return ChangedColumns(pairing)
    types = declared_types(db, pairing)
    unsure = columns_with_negative_zeros(pairing, types)
    plain = columns_of_one_affinity(pairing, types)
    plain = {names: affinity for names, affinity in plain.items() if names not in unsure}
    differ = ", ".join(
        f"count(*) FILTER (WHERE NOT {_same(names, plain, unsure=names in unsure)})"
        for names in pairing.columns
    )
    if not _finds_by_index(db, pairing, key):
        return ChangedColumns(pairing)
    rows, rows_after = (_count(db, pairing, side) for side in (BEFORE, AFTER))
    if rows != rows_after:  # counted much faster than joined
        return ChangedColumns(pairing)
    sql = f"SELECT count(*), {differ} {_joined(pairing, key)}"
    pairs, *counts = plain_cursor(db, sql).fetchone()
    changed = tuple(
        (names, int(count)) for names, count in zip(pairing.columns, counts, strict=True) if count
    )
    differing = {names for names, _ in changed}
    if differing & set(key) or pairs != rows:
        return ChangedColumns(pairing)
    columns = tuple(names for names in pairing.columns if names in differing.union(key))
    smaller = replace(pairing, columns=columns)
    return ChangedColumns(smaller) if differing & unsure else ChangedColumns(smaller, changed)


def are_same(db: sqlite3.Connection, pairing: Pairing) -> bool:
    """Return whether SQLite alone proves that no cell of a shorter table differs, and no row.

    False where it cannot: as in ``changed_columns``, and where there may be a negative zero.
    """
    key = _paired_key(pairing)
    is_wide = len(pairing.columns) > MAX_TOGETHER
    if is_wide or not _has_rows(db, pairing, WORTH_ASKING) or _has_rows(db, pairing, MIN_ROWS):
        return False
    types = declared_types(db, pairing)
    if not _has_key(db, pairing, key) or columns_with_negative_zeros(pairing, types):
        return False
    plain = columns_of_one_affinity(pairing, types)
    same = " AND ".join(_same(names, plain) for names in pairing.columns)
    if not _finds_by_index(db, pairing, key):
        return False
    rows, rows_after = (_count(db, pairing, side) for side in (BEFORE, AFTER))
    sql = f"SELECT count(*) {_joined(pairing, key)} WHERE {same}"
    return rows == rows_after and plain_cursor(db, sql).fetchone() == (rows,)


def count_changed(db: sqlite3.Connection, columns: ChangedColumns) -> tuple[DifferenceGroup, ...]:
    """Return a group for each column that changed; ``columns.changed`` must not be None."""
    return tuple(
        DifferenceGroup(
            ValueChanged,
            names[BEFORE],
            NO_CONDITION,
            count,
            tuple(enumerate(_first_changed(db, columns.pairing, names))),
        )
        for names, count in columns.changed or ()
    )


def changed_rows(
    db: sqlite3.Connection, columns: ChangedColumns, conditions: RowConditions | None
) -> Iterator[tuple[Key, Row, Row, frozenset[str]]]:
    """Yield each row that differs: (key, row, row after, the conditions that the row satisfied).

    ``columns.changed`` must not be None.
    """
    pairing, schemas = columns.pairing, SCHEMAS
    conditions_sql: tuple[str, ...] = ()
    if conditions is not None:
        db, schemas, conditions_sql = conditions.db, CONDITION_SCHEMAS, conditions.conditions
    positions, width = key_positions(pairing), len(pairing.columns)
    satisfied = satisfied_by(conditions_sql)
    cells = [
        f"{alias}.{quote_name(names[side])}"
        for alias, side in (("b", BEFORE), ("a", AFTER))
        for names in pairing.columns
    ]
    marks = [f"b.{quote_name(mark_name(number))}" for number in range(len(conditions_sql))]
    plain = columns_of_one_affinity(pairing, declared_types(db, pairing, schemas))
    differ = " OR ".join(f"NOT {_same(names, plain)}" for names, _ in columns.changed or ())
    joined = _joined(pairing, _paired_key(pairing), schemas, conditions_sql)
    for both_rows in plain_cursor(db, f"SELECT {', '.join(cells + marks)} {joined} WHERE {differ}"):
        row, new_row = both_rows[:width], both_rows[width : 2 * width]
        key = tuple([row[position] for position in positions])
        yield key, row, new_row, satisfied(both_rows[2 * width :])


def _first_changed(
    db: sqlite3.Connection, pairing: Pairing, names: tuple[str, str]
) -> list[ValueChanged]:
    """Return the first few values of a column that changed."""
    key = _paired_key(pairing)
    key_cells = ", ".join(f"b.{quote_name(old)}" for old, _ in key)
    cells = f"b.{quote_name(names[BEFORE])}, a.{quote_name(names[AFTER])}"
    differ = f"NOT {_same(names)}"
    where = f"WHERE {differ} LIMIT {EXAMPLES_PER_GROUP}"
    rows = plain_cursor(db, f"SELECT {key_cells}, {cells} {_joined(pairing, key)} {where}")
    return [
        ValueChanged(pairing.before, tuple(of_key), names[BEFORE], old, new)
        for *of_key, old, new in rows
    ]


def _paired_key(pairing: Pairing) -> list[tuple[str, str]]:
    """Return the columns of the key, as (before, after)."""
    pairs = {fold_name(names[BEFORE]): names for names in pairing.columns}
    return [pairs[fold_name(name)] for name in pairing.key]


def _table(pairing: Pairing, side: int, schemas: tuple[str, str] = SCHEMAS) -> str:
    return f"{schemas[side]}.{quote_name((pairing.before, pairing.after)[side])}"


def _has_rows(db: sqlite3.Connection, pairing: Pairing, count: int) -> bool:
    """Return whether the table before has more than ``count`` rows."""
    row = plain_cursor(
        db, f"SELECT 1 FROM {_table(pairing, BEFORE)} LIMIT 1 OFFSET {count}"
    ).fetchone()
    return row is not None


def _has_key(db: sqlite3.Connection, pairing: Pairing, key: list[tuple[str, str]]) -> bool:
    """Return whether the columns ``key`` are exactly the primary key of both tables."""
    sql = "SELECT name FROM pragma_table_xinfo(?, ?) WHERE pk"
    return all(
        {fold_name(name) for (name,) in plain_cursor(db, sql, table, SCHEMAS[side])}
        == {fold_name(names[side]) for names in key}
        for side, table in ((BEFORE, pairing.before), (AFTER, pairing.after))
    )


def _joined(
    pairing: Pairing,
    key: list[tuple[str, str]],
    schemas: tuple[str, str] = SCHEMAS,
    conditions_sql: Sequence[str] = (),
) -> str:
    """Return FROM with each row before joined to the row after whose key SQLite takes for equal.

    For each of ``conditions_sql`` the row before has one more column, of 1 or 0. They are evaluated
    in a subquery of their own, where their names can mean no other table.
    """
    equal = " AND ".join(f"a.{quote_name(new)} = b.{quote_name(old)}" for old, new in key)
    before = _table(pairing, BEFORE, schemas)
    if conditions_sql:
        own = [f"{quote_name(pairing.before)}.{quote_name(old)}" for old, _ in pairing.columns]
        own += [
            f"CASE WHEN ({text}\n) THEN 1 ELSE 0 END AS {quote_name(mark_name(number))}"
            for number, text in enumerate(conditions_sql)
        ]
        before = f"(SELECT {', '.join(own)} FROM {before})"
    return f"FROM {before} b CROSS JOIN {_table(pairing, AFTER, schemas)} a ON {equal}"


def _same(
    names: tuple[str, str],
    plain: Mapping[tuple[str, str], str] = ALL_KINDS,
    *,
    unsure: bool = False,
) -> str:
    """Return an SQL expression: whether two cells are the same in type and every bit.

    Under BINARY, IS compares texts by their bytes, and takes 1 and 1.0, or 0.0 and -0.0, for equal
    (https://sqlite.org/datatype3.html, 4). So the types of numbers, which sort before every text,
    are compared as well, except in columns that are ``plain`` (``columns_of_one_affinity``), of
    which one of TEXT holds no number. With
    ``unsure``, where the sign of 0.0 is not known, 0.0 counts as different from itself. The unary
    plus takes affinities away.
    """
    old, new = f"b.{quote_name(names[BEFORE])}", f"a.{quote_name(names[AFTER])}"
    same_type = f"typeof({old}) = typeof({new})"
    if names in plain:
        if plain[names] == "TEXT":
            return f"+{old} IS +{new} COLLATE BINARY"
        is_exact = f"+{old} IS NOT {LEAST_INTEGER} OR {same_type}"
        return f"(+{old} IS +{new} COLLATE BINARY AND ({is_exact}))"
    if unsure:
        same_type += f" AND NOT (+{old} = 0 AND typeof({old}) = 'real')"
    return (
        f"(+{old} IS +{new} COLLATE BINARY AND "
        f"CASE WHEN +{old} < '' COLLATE BINARY THEN {same_type} ELSE 1 END)"
    )


def _finds_by_index(db: sqlite3.Connection, pairing: Pairing, key: list[tuple[str, str]]) -> bool:
    """Return whether SQLite finds each row after by an index that exists.

    That is a matter of the key alone: no index serves a condition on a cell with a unary plus.
    """
    sql = f"EXPLAIN QUERY PLAN SELECT 1 {_joined(pairing, key)}"
    plan = [detail for *_, detail in plain_cursor(db, sql)]
    return any(step.startswith("SEARCH a USING") and "AUTOMATIC" not in step for step in plan)


def _count(db: sqlite3.Connection, pairing: Pairing, side: int) -> int:
    return int(plain_cursor(db, f"SELECT count(*) FROM {_table(pairing, side)}").fetchone()[0])
