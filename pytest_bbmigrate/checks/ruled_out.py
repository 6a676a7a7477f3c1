"""Whether what a contract ``requires`` of rows keeps every one of them from meeting a condition.

That is tried out: a table with the same columns gets rows with all combinations of a few values,
among them those that the conditions name. Those that break a requirement go. If some met the
condition before and none does now, the requirement rules it out.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import product
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.requirements import broken_condition
from pytest_bbmigrate.sql import quote_name, tokenize
from pytest_bbmigrate.sql.cursor import split_at_and
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.tokens import Kind, UnreadableSql
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.sqlite_files.in_time import given_up_in_time

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Column, Table
    from pytest_bbmigrate.sql.values import Cell

USUAL: tuple[Cell, ...] = (
    *(None, "", "a", "A", " a ", "0042", "2026-01-31", "x" * 200),
    *(0, 1, -1, 2, 37, 0.5, -0.5, 10**6 + 1, -(10**6), b"a"),
)
MOST_COLUMNS = 3  # of which all combinations are tried
COPIES = 2  # of each combination, for what asks for rows that agree


def is_ruled_out(condition: str, table: Table, requires: Sequence[Requirement]) -> bool:
    """Return whether no row of ``table`` that keeps to ``requires`` can meet ``condition``.

    What cannot be tried out, a condition on other tables, say, is not ruled out.
    """
    parts = {condition, *parts_of(condition)}
    return any(is_never(part, part, table, requires) for part in parts)


def is_sure(condition: str, table: Table, requires: Sequence[Requirement]) -> bool:
    """Return whether every row of ``table`` that keeps to ``requires`` meets ``condition``."""
    parts = parts_of(condition)
    return bool(parts) and all(
        is_never(f"NOT coalesce(({part}\n), 0)", f"NOT ({part}\n)", table, requires)
        for part in parts
    )


def parts_of(condition: str) -> tuple[str, ...]:
    """Return the conditions that ``condition`` joins by AND; () for what cannot be read."""
    try:
        tokens = tokenize(condition)
    except UnreadableSql:
        return ()
    return tuple(" ".join(t.text for t in part) for part in split_at_and(tokens))


def is_never(condition: str, plainly: str, table: Table, requires: Sequence[Requirement]) -> bool:
    """Return whether ``requires`` keeps all rows from meeting ``condition``.

    Some row must have met it ``plainly``, and not for want of a value: else nothing is known.
    """
    own = [r for r in requires if same_name(r.table, table.name)]
    texts = [r.expression or " ".join(map(quote_name, r.unique)) for r in own]
    try:
        asked = columns_in([condition], table)
        required = columns_in(texts, table)
        values = (*USUAL, *named_values([condition, *texts]))
    except UnreadableSql:
        return False
    keys = {fold_name(name) for name in table.primary_key}
    tried = [c for c in asked if fold_name(c.name) not in keys or c in required]
    tried += [column for column in required if column not in asked]
    if not own or not asked or len(tried) > MOST_COLUMNS:
        return False
    with closing(open_image(b"")) as db:
        try:
            make_rows(db, table, tried, values)
            with given_up_in_time(db):
                was_met = is_met(db, table, plainly)
                for requirement in own:
                    broken = broken_condition(table, requirement)
                    db.execute(f"DELETE FROM {quote_name(table.name)} WHERE {broken}")
                return was_met and not is_met(db, table, condition)
        except sqlite3.Error:
            return False


def columns_in(texts: Collection[str], table: Table) -> list[Column]:
    """Return the columns of ``table`` that ``texts`` name.

    Raises: UnreadableSql.
    """
    words = {fold_name(token.name) for text in texts for token in tokenize(text)}
    return [column for column in table.columns if fold_name(column.name) in words]


def named_values(texts: Collection[str]) -> Iterator[Cell]:
    """Yield the strings and whole numbers in ``texts``, and some beside them.

    Raises: UnreadableSql.
    """
    for text in texts:
        for token in tokenize(text):
            if token.kind is Kind.STRING:
                yield from (token.name, f"{token.name}x")
            elif token.kind is Kind.NUMBER and token.text.isdecimal():
                number = int(token.text)
                yield from (number, number + 1, number - 1, -number)


def make_rows(
    db: sqlite3.Connection, table: Table, tried: Sequence[Column], values: Sequence[Cell]
) -> None:
    """Make ``table`` with rows of all combinations of ``values`` in the columns ``tried``.

    Of the others, those of the key count up, and the rest are NULL. No constraint is made.

    Raises: sqlite3.Error.
    """
    names = ", ".join(
        f"{quote_name(c.name)} {c.affinity} COLLATE {quote_name(c.collation)}"
        for c in table.columns
    )
    db.execute(f"CREATE TABLE {quote_name(table.name)} ({names})")
    distinct = list({(type(value), value): value for value in values}.values())
    keys = {fold_name(name) for name in table.primary_key}
    rows = list(product(distinct, repeat=len(tried))) * COPIES
    places = {column.name: place for place, column in enumerate(tried)}
    listed = ", ".join("?" * len(table.columns))
    db.executemany(
        f"INSERT INTO {quote_name(table.name)} VALUES ({listed})",
        (
            [
                row[places[column.name]]
                if column.name in places
                else (number if fold_name(column.name) in keys else None)
                for column in table.columns
            ]
            for number, row in enumerate(rows)
        ),
    )


def is_met(db: sqlite3.Connection, table: Table, condition: str) -> bool:
    """Return whether a row meets ``condition``.

    Raises: sqlite3.Error.
    """
    query = f"SELECT 1 FROM {quote_name(table.name)} WHERE ({condition}\n) LIMIT 1"
    return db.execute(query).fetchone() is not None
