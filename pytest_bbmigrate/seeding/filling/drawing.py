"""Rows to insert into a table, drawn from a source for each of its columns."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.parents import (
    FromParents,
    Reference,
    notable_parents,
    sources_of,
)
from pytest_bbmigrate.seeding.filling.queries import select
from pytest_bbmigrate.seeding.filling.references import (
    missing_parent,
    nullable_columns,
    parent_keys,
)
from pytest_bbmigrate.seeding.filling.roomy_keys import lone_keys, make_room
from pytest_bbmigrate.seeding.filling.row_sources import RowSources
from pytest_bbmigrate.seeding.filling.some_parents import thinned, told_apart, with_child
from pytest_bbmigrate.seeding.filling.sources import (
    FromPool,
    OneByOne,
    Placeholders,
    placeholders,
    row_numbers,
)
from pytest_bbmigrate.seeding.model import Unfilled
from pytest_bbmigrate.seeding.values.accepted import accepted_values
from pytest_bbmigrate.seeding.values.pools import build_pool
from pytest_bbmigrate.seeding.values.unique import unique_values
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Collection, Iterator, Sequence

    from pytest_bbmigrate.schema import Column, ForeignKey, Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.sources import Source
    from pytest_bbmigrate.seeding.values.pools import ColumnProfile
    from pytest_bbmigrate.sql.values import Cell

HIGHEST_EXPECTED = 2**31
HIGHEST = 2**62  # a row number after which numbering starts over at 1


def find_sources(
    db: sqlite3.Connection,
    context: Context,
    table: Table,
    pending: Collection[ForeignKey],
    count: int,
    rng: random.Random,
    *,
    only: Collection[str] | None = None,
) -> RowSources:
    """Return the sources of ``count`` further rows of ``table``.

    The parents of the foreign keys ``pending`` come later. ``only`` are the columns (folded) that
    are wanted, None for all.
    """
    return _SourceFinder(db, context, table, count, rng).find(pending, only)


def keys_about(keys: Sequence[ForeignKey], columns: Collection[str]) -> list[ForeignKey]:
    """Return those of ``keys`` with any of ``columns`` (folded), or with one that these have."""
    names = set(columns)
    found: list[ForeignKey] = []
    while joined := [
        key
        for key in keys
        if key not in found and not names.isdisjoint(map(fold_name, key.columns))
    ]:
        found += joined
        names.update(fold_name(name) for key in joined for name in key.columns)
    return [key for key in keys if key in found]


class _SourceFinder:
    """Finds the source of each column of one table."""

    def __init__(
        self,
        db: sqlite3.Connection,
        context: Context,
        table: Table,
        count: int,
        rng: random.Random,
    ) -> None:
        self.db = db
        self.context = context
        self.table = table
        self.count = count
        self.rng = rng
        self.columns = [column for column in table.columns if not column.generated]
        self.position = {
            fold_name(column.name): position for position, column in enumerate(self.columns)
        }
        self.unfilled: list[Unfilled] = []
        self.by_meaning: dict[str, int] = {}
        self.profiles: dict[int, ColumnProfile] = {}
        self.holds_rows = bool(self._select("1", "LIMIT 1"))

    def find(self, pending: Collection[ForeignKey], only: Collection[str] | None) -> RowSources:
        """Return the sources of all columns, first those that may run out of values.

        Or of those ``only``, and of those that share a foreign key with them.
        """
        keys = [
            key
            for key in self.table.foreign_keys
            if all(fold_name(name) in self.position for name in key.columns)
        ]
        if only is not None:
            keys = keys_about(keys, only)
        references = [self._reference(key) for key in keys if key not in pending]
        sources: list[Source] = [*sources_of(references)]
        served = {position for source in sources for position in source.positions}
        later = []
        for key in keys:
            if key in pending and (free := self._free(key, served)):
                sources.append(self._placeholders(free))
                served.update(free)
                later.append((key, tuple(self.columns[position].name for position in free)))
        for position, column in enumerate(self.columns):
            if position not in served and (only is None or fold_name(column.name) in only):
                sources.append(self._of_values(position, column))
        sources = make_room(sources, self._crowded(), self.profiles, self.count, self.rng)
        names = tuple(column.name for column in self.columns)
        if self.table.virtual is not None:  # a full-text index, in which rows have only a rowid
            numbers = row_numbers(self._first_row_number("rowid"), ())
            sources.append(OneByOne(len(names), numbers))
            names += ("rowid",)
        return RowSources(
            self.table,
            names,
            tuple(sorted(sources, key=lambda source: source.repeatable)),
            tuple(later),
            self._merchant(),
            tuple(self._keys(sources)),
            tuple(self.unfilled),
        )

    def _reference(self, key: ForeignKey) -> Reference:
        """Return ``key`` with the parents that it can refer to."""
        positions = tuple(self.position[fold_name(name)] for name in key.columns)
        nullable = {self.position[fold_name(name)] for name in nullable_columns(self.table, key)}
        lone = [
            names
            for names in self.context.uniques(self.table)
            if {self.position.get(name) for name in names} <= set(positions)
        ]
        once = bool(lone)
        if reason := missing_parent(self.context.schema, key):
            column = key.columns[0] if nullable else ""
            self.unfilled.append(Unfilled(self.table.name, column, reason))
            return Reference(positions, [], nullable, once=once)
        parents = parent_keys(self.db, key, self.context.schema.table(key.parent))
        if not parents and not nullable:
            reason = f"{key.parent}, which {', '.join(key.columns)} must refer to, is empty"
            self.unfilled.append(Unfilled(self.table.name, "", reason))
        if len(positions) == 1:
            parents, accepts_null = self._accepted(positions[0], parents)
            nullable = nullable if accepts_null else set()
        if once and self.holds_rows:
            taken = set(self._select(", ".join(quote_name(name) for name in key.columns)))
            parents = [parent for parent in parents if parent not in taken]
        if not once:
            parents = thinned(self.context, key, parents, self.count)
        for names in lone:
            parents = told_apart(key, names, parents)
        notable = notable_parents(self.context, self.table, key, parents)
        reference = Reference(
            positions, with_child(parents, self.count, self.rng, once=once), nullable, once=once
        )
        reference.notable = notable
        return reference

    def _accepted(self, position: int, parents: list[Key]) -> tuple[list[Key], bool]:
        """Return the keys that meet the column's own CHECKs, and whether NULL does."""
        probe = self.context.profile(self.table, self.columns[position]).probe
        if not probe.checks:
            return parents, True
        keys, nulls = accepted_values(probe, [[key for (key,) in parents], [None]])
        return [(key,) for key in keys], bool(nulls)

    def _free(self, key: ForeignKey, served: Collection[int]) -> tuple[int, ...]:
        """Return the positions that are ``key``'s to set: no other key's, not the row's own key."""
        return tuple(
            self.position[fold_name(child_column)]
            for child_column, parent_column in zip(key.columns, key.parent_columns, strict=False)
            if self.position[fold_name(child_column)] not in served
            and not (same_name(key.parent, self.table.name) and child_column == parent_column)
        )

    def _placeholders(self, positions: tuple[int, ...]) -> Placeholders:
        primary = {fold_name(name) for name in self.table.primary_key}
        columns = [self.columns[position] for position in positions]
        return Placeholders(
            positions,
            [
                placeholders(
                    nullable=not column.not_null and fold_name(column.name) not in primary,
                    text=column.affinity == "TEXT",
                )
                for column in columns
            ],
        )

    def _of_values(self, position: int, column: Column) -> Source:
        """Return the source of a column that is in no foreign key."""
        profile = self.context.profile(self.table, column)
        if column.name == self.table.rowid_alias and not profile.probe.checks:
            expected = self._expected_numbers(column)
            avoided = {*self._mentioned_numbers(column), *expected}
            numbers = row_numbers(self._first_row_number(column.name), avoided)
            return OneByOne(
                position, chain(expected, numbers), self.context.expected(self.table, column)
            )
        if profile.distinct:
            rows = self._select(quote_name(column.name)) if self.holds_rows else []
            values = unique_values(profile, self.count, [value for (value,) in rows], self.rng)
            self._report(column, profile, values)
            return OneByOne(position, iter(values), profile.expected)
        pool = build_pool(profile)
        self._report(column, profile, pool.realistic)
        self.by_meaning.setdefault(profile.meaning, position)
        self.profiles[position] = profile
        return FromPool(position, pool) if pool.realistic else OneByOne(position, iter(()))

    def _report(self, column: Column, profile: ColumnProfile, values: Sequence[Cell]) -> None:
        """Note a column that has no value, or none but NULL, because of its CHECKs."""
        checks = " and ".join(f"CHECK ({text})" for text in profile.probe.checks)
        if checks and all(value is None for value in values):
            name = column.name if values else ""
            reason = f"no value made for {column.name} meets {checks}"
            self.unfilled.append(Unfilled(self.table.name, name, reason))

    def _first_row_number(self, column: str) -> int:
        """Return a row number above all there are, and with AUTOINCREMENT all there ever were."""
        (highest,) = self._select(f"max({quote_name(column)})")[0]
        if self.table.autoincrement:
            sequence = "SELECT seq FROM main.sqlite_sequence WHERE name = ?"
            for (number,) in select(self.db, sequence, (self.table.name,)):
                highest = max(int(highest or 0), int(number or 0))
        return int(highest or 0) + 1 if int(highest or 0) < HIGHEST else 1

    def _mentioned_numbers(self, column: Column) -> Collection[Cell]:
        """Return the row numbers in the migrations' text, which a migration may yet INSERT."""
        literals = self.context.mentioned.literals
        return (*literals.get(fold_name(column.name), ()), *literals.get("rowid", ()))

    def _expected_numbers(self, column: Column) -> list[Cell]:
        """Return the row numbers that migrations look for, and those next to them.

        They are for up to half of the rows.
        """
        expected = [v for v in self.context.expected(self.table, column) if isinstance(v, int)]
        if not expected:
            return []
        taken = {number for (number,) in self._select(quote_name(column.name))}
        numbers: list[Cell] = [
            number
            for value in expected
            for number in (value, value + 1, value - 1)
            if 0 < number <= HIGHEST_EXPECTED and number not in taken
        ]
        return list(dict.fromkeys(numbers))[: self.count // 2]

    def _unique_sets(self) -> Iterator[tuple[int, ...]]:
        """Yield the positions of the columns of each key that has more than one."""
        for names in self.context.uniques(self.table):
            if len(names) > 1 and all(name in self.position for name in names):
                yield tuple(self.position[name] for name in names)

    def _crowded(self) -> Iterator[tuple[int, ...]]:
        """Yield the positions of columns that together, or to other tables, need many values."""
        yield from self._unique_sets()
        for name in lone_keys(self.context, self.table):
            if name in self.position:
                yield (self.position[name],)

    def _keys(self, sources: Sequence[Source]) -> Iterator[tuple[int, ...]]:
        """Yield the positions of each unique set of columns, and of those that make a group.

        That is a column in which migrations look for more than one value, with all that refers to
        parents: the settings of one user, told apart by their names.
        """
        yield from self._unique_sets()
        parents = [
            position
            for source in sources
            if isinstance(source, FromParents) and source.repeatable
            for position in source.positions
        ]
        for source in sources:
            if parents and isinstance(source, FromPool) and len(source.pool.expected) > 1:
                yield (*parents, *source.positions)

    def _merchant(self) -> tuple[int, int] | None:
        if "merchant" in self.by_meaning and "category" in self.by_meaning:
            return self.by_meaning["merchant"], self.by_meaning["category"]
        return None

    def _select(self, what: str, rest: str = "") -> list[Key]:
        return select(self.db, f"SELECT {what} FROM main.{quote_name(self.table.name)} {rest}")
