"""One moment of an experiment, and what of it is proven to be as it was at another."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.database import open_image, open_pair
from pytest_bbmigrate.rows import count_rows, untouched_tables
from pytest_bbmigrate.schema import read_schema

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from pytest_bbmigrate.schema import Schema


@dataclass(frozen=True)
class Stage:
    """One moment of an experiment: a database's image, its schema and how many rows it holds."""

    image: bytes
    schema: Schema
    row_counts: Mapping[str, int]
    known: Stage | None = field(default=None, repr=False, compare=False)
    unchanged: frozenset[str] = frozenset()


def stage_of(image: bytes, known: Stage | None = None) -> Stage:
    """Return the stage that ``image`` is.

    Tables proven to hold what they held in the ``known`` stage are not counted again.
    """
    if known is not None and known.image == image:
        return known
    if known is None:
        with closing(open_image(image)) as db:
            schema = read_schema(db)
            return Stage(image, schema, count_tables(db, schema, {}))
    with closing(open_pair(known.image, image)) as pair:
        return stage_in(pair, known, image)


def stage_in(pair: sqlite3.Connection, known: Stage, image: bytes) -> Stage:
    """Return the stage that ``image`` is, ``pair`` being a connection to it and the known one."""
    schema = read_schema(pair)
    names = [table.name.casefold() for table in known.schema.tables]
    unchanged = untouched_tables(known.image, image, names, pair)
    counted = {name: known.row_counts[name] for name in unchanged}
    return Stage(image, schema, count_tables(pair, schema, counted), known, unchanged)


def count_tables(
    db: sqlite3.Connection, schema: Schema, counted: Mapping[str, int]
) -> dict[str, int]:
    """Return how many rows each table (folded name) holds, but for those ``counted`` already."""
    names = {table.name.casefold(): table.name for table in schema.tables}
    return {
        folded: counted[folded] if folded in counted else count_rows(db, name)
        for folded, name in names.items()
    }


def unchanged_tables(before: Stage, after: Stage) -> frozenset[str]:
    """Return the tables (folded names) that are proven to hold in ``after`` what they held."""
    names = [table.name.casefold() for table in before.schema.tables]
    if after is before:
        return frozenset(names)
    if after.known is before:
        return after.unchanged
    return untouched_tables(before.image, after.image, names)
