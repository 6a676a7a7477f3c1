"""In which columns SQLite stores equal numbers as one type, and zero without its sign."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.rows.reading import (
    AFTER,
    BEFORE,
    SCHEMAS,
    plain_cursor,
)
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from pytest_bbmigrate.rows.model import Pairing

    Types = list[dict[str, str]]  # of the columns (folded), before and after


@cache
def keeps_negative_zero() -> bool:
    """Return whether a column of numbers keeps the sign of -0.0, which SQLite stores as 0."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (real REAL, number NUMERIC)")
        db.execute("INSERT INTO t VALUES (?, ?)", (-0.0, -0.0))
        return any(math.copysign(1, cell) < 0 for cell in db.execute("SELECT * FROM t").fetchone())


def columns_with_negative_zeros(pairing: Pairing, types: Types) -> set[tuple[str, str]]:
    """Return the columns in which a real number can be -0.0: those without an affinity.

    ``types`` are the ``declared_types``. In a STRICT table ANY has none
    (https://sqlite.org/stricttables.html).
    """
    if keeps_negative_zero():
        return set(pairing.columns)
    free = [{name for name, type_ in side.items() if _has_no_affinity(type_)} for side in types]
    return {
        names
        for names in pairing.columns
        if any(fold_name(names[side]) in free[side] for side in (BEFORE, AFTER))
    }


def columns_of_one_affinity(pairing: Pairing, types: Types) -> dict[tuple[str, str], str]:
    """Return the columns whose affinity is the same before and after, and not none, with it.

    There, equal numbers are stored as one type: in a column of TEXT as text, in one of INTEGER or
    NUMERIC 5.0 as 5, and in one of REAL 5 as 5.0 (https://sqlite.org/datatype3.html, 3). The one
    exception is ``LEAST_INTEGER``. ``types`` are the ``declared_types``.
    """
    kinds = [{name: _affinity(type_) for name, type_ in side.items()} for side in types]
    return {
        names: kind
        for names in pairing.columns
        if (kind := kinds[BEFORE].get(fold_name(names[BEFORE])))
        and kind == kinds[AFTER].get(fold_name(names[AFTER]))
    }


def declared_types(
    db: sqlite3.Connection, pairing: Pairing, schemas: tuple[str, str] = SCHEMAS
) -> Types:
    """Return the type that each column (folded) is declared with, in capitals, before and after."""
    sql = "SELECT name, upper(type) FROM pragma_table_xinfo(?, ?)"
    return [
        {fold_name(name): type_ for name, type_ in plain_cursor(db, sql, *table)}
        for table in ((pairing.before, schemas[BEFORE]), (pairing.after, schemas[AFTER]))
    ]


@cache
def _affinity(declared: str) -> str:
    """Return the affinity of a declared type, '' for none (datatype3.html, 3.1)."""
    if "INT" in declared:
        return "INTEGER"
    if any(part in declared for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if _has_no_affinity(declared):
        return ""
    if any(part in declared for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _has_no_affinity(declared: str) -> bool:
    """Return whether a column of this type keeps values as they are (datatype3.html, 3.1)."""
    if any(part in declared for part in ("INT", "CHAR", "CLOB", "TEXT")):
        return False
    return declared in ("", "ANY") or "BLOB" in declared
