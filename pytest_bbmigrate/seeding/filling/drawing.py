"""The sources of a table's rows, and the rows that are drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.filling.queries import select
from pytest_bbmigrate.seeding.filling.references import (
    missing_parent,
    nullable_columns,
    parent_keys,
)
from pytest_bbmigrate.seeding.filling.sources import (
    FromParents,
    FromPool,
    OneByOne,
    Pending,
    Reference,
    pending_values,
    row_numbers,
    set_apart,
)
from pytest_bbmigrate.seeding.model import Unfilled
from pytest_bbmigrate.seeding.values.accepted import admit
from pytest_bbmigrate.seeding.values.household_words import MERCHANTS
from pytest_bbmigrate.seeding.values.pools import ENOUGH_ROWS, build_pool
from pytest_bbmigrate.seeding.values.unique import distinct_values
from pytest_bbmigrate.sql import quote_name
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    import random
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.schema import Column, ForeignKey, Table
    from pytest_bbmigrate.seeding.filling.context import Context
    from pytest_bbmigrate.seeding.filling.queries import Key
    from pytest_bbmigrate.seeding.filling.sources import Row, Source
    from pytest_bbmigrate.seeding.model import Cell
    from pytest_bbmigrate.seeding.values.pools import Facts

HIGHEST_SOUGHT = 2**31
HIGHEST = 2**62  # a row number beyond which no further ones are sought
_KNOWN_MERCHANTS = frozenset(one for some in MERCHANTS.values() for one in some)
CHILDLESS = 10  # one parent in so many has no child


@dataclass(frozen=True)
class Drawing:
    """Everything that rows of one table are drawn from, and what no value was found for.

    ``columns`` are the names of those written: all but the generated ones. ``pending`` has each
    foreign key whose parents come later, with the columns that are its to set.
    """

    table: Table
    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    pending: tuple[tuple[ForeignKey, tuple[str, ...]], ...]
    merchant: tuple[int, int] | None
    unfilled: tuple[Unfilled, ...]

    def rows(self, count: int, rng: random.Random) -> list[Row]:
        """Return up to ``count`` rows; fewer where unique values or parents run out."""
        rows: list[Row] = [[None] * len(self.columns) for _ in range(count)]
        for source in self.sources:
            del rows[source.start(rows, rng) :]
        if self.merchant:
            _pair_merchants(rows, *self.merchant, rng)
        if len(rows) >= ENOUGH_ROWS:
            self._repeat_first(rows)
        set_apart(rows, self.sources, rng)
        return rows

    def _repeat_first(self, rows: Sequence[Row]) -> None:
        """Make the last row a duplicate of the first, but for what is unique."""
        for source in self.sources:
            for position in source.positions:
                if source.repeatable:
                    rows[-1][position] = rows[0][position]


def draw(
    db: sqlite3.Connection,
    context: Context,
    table: Table,
    pending: Collection[ForeignKey],
    count: int,
    rng: random.Random,
) -> Drawing:
    """Return what ``count`` further rows of ``table`` are drawn from.

    ``pending`` are its foreign keys whose parents come later.
    """
    return _Drawer(db, context, table, count, rng).drawing(pending)


class _Drawer:
    """Finds the source of each of a table's columns."""

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
        self.position = {fold_name(column.name): at for at, column in enumerate(self.columns)}
        self.unfilled: list[Unfilled] = []
        self.meanings: dict[str, int] = {}
        self.holds_rows = bool(self._select("1", "LIMIT 1"))

    def drawing(self, pending: Collection[ForeignKey]) -> Drawing:
        """Return the sources of all columns, those that may run out of values first."""
        keys = [
            key
            for key in self.table.foreign_keys
            if all(fold_name(name) in self.position for name in key.columns)
        ]
        references = [self._reference(key) for key in keys if key not in pending]
        sources: list[Source] = [FromParents(group) for group in _sharing(references)]
        served = {position for source in sources for position in source.positions}
        later = []
        for key in keys:
            if key in pending and (free := self._free(key, served)):
                sources.append(self._pending(free))
                served.update(free)
                later.append((key, tuple(self.columns[position].name for position in free)))
        for position, column in enumerate(self.columns):
            if position not in served:
                sources.append(self._plain(position, column))
        names = tuple(column.name for column in self.columns)
        if self.table.virtual is not None:  # a full-text index, in which rows have only a rowid
            numbers = row_numbers(self._first_row_number("rowid"), ())
            sources.append(OneByOne(len(names), numbers))
            names += ("rowid",)
        return Drawing(
            self.table,
            names,
            tuple(sorted(sources, key=lambda source: source.repeatable)),
            tuple(later),
            self._merchant(),
            tuple(self.unfilled),
        )

    def _reference(self, key: ForeignKey) -> Reference:
        """Return the parents that ``key`` can refer to, some of them left without a child."""
        positions = tuple(self.position[fold_name(name)] for name in key.columns)
        nullable = {self.position[fold_name(name)] for name in nullable_columns(self.table, key)}
        once = any(
            {self.position.get(name) for name in names} <= set(positions)
            for names in self.context.uniques(self.table)
        )
        if reason := missing_parent(self.context.schema, key):
            column = key.columns[0] if nullable else ""
            self.unfilled.append(Unfilled(self.table.name, column, reason))
            return Reference(positions, [], nullable, once=once)
        parents = parent_keys(self.db, key)
        if not parents and not nullable:
            reason = f"{key.parent}, which {', '.join(key.columns)} must refer to, is empty"
            self.unfilled.append(Unfilled(self.table.name, "", reason))
        if len(positions) == 1:
            parents, may_be_null = self._admitted(positions[0], parents)
            nullable = nullable if may_be_null else set()
        if once and self.holds_rows:
            taken = set(self._select(", ".join(quote_name(name) for name in key.columns)))
            parents = [parent for parent in parents if parent not in taken]
        return Reference(positions, self._with_child(parents, once=once), nullable, once=once)

    def _with_child(self, parents: list[Key], *, once: bool) -> list[Key]:
        """Return in any order those of ``parents`` that get a child.

        Where each has but one, the last rows get none: two tables that need one another's rows
        have no other for them, and the rest come out even.
        """
        count = max(len(parents) - max(len(parents) // CHILDLESS, 1), 1)
        if once:
            del parents[count:]
        self.rng.shuffle(parents)
        return parents[:count]

    def _admitted(
        self, position: int, parents: list[tuple[Cell, ...]]
    ) -> tuple[list[tuple[Cell, ...]], bool]:
        """Return the parents' keys that the column's own CHECKs let through, and if NULL passes."""
        gate = self.context.facts(self.table, self.columns[position]).gate
        if not gate.checks:
            return parents, True
        keys, nulls = admit(gate, [[key for (key,) in parents], [None]])
        return [(key,) for key in keys], bool(nulls)

    def _free(self, key: ForeignKey, served: Collection[int]) -> tuple[int, ...]:
        """Return the positions that are ``key``'s to set: no other key's, not the row's own key."""
        return tuple(
            self.position[fold_name(ours)]
            for ours, theirs in zip(key.columns, key.parent_columns, strict=False)
            if self.position[fold_name(ours)] not in served
            and not (same_name(key.parent, self.table.name) and ours == theirs)
        )

    def _pending(self, positions: tuple[int, ...]) -> Pending:
        primary = {fold_name(name) for name in self.table.primary_key}
        columns = [self.columns[position] for position in positions]
        return Pending(
            positions,
            [
                pending_values(
                    nullable=not column.not_null and fold_name(column.name) not in primary,
                    text=column.affinity == "TEXT",
                )
                for column in columns
            ],
        )

    def _plain(self, position: int, column: Column) -> Source:
        facts = self.context.facts(self.table, column)
        if column.name == self.table.rowid_alias and not facts.gate.checks:
            sought = self._sought(column)
            avoided = {*self._own(column), *sought}
            numbers = row_numbers(self._first_row_number(column.name), avoided)
            return OneByOne(position, chain(sought, numbers), self.context.expected(column))
        if facts.distinct:
            taken = self._select(quote_name(column.name)) if self.holds_rows else []
            values = distinct_values(facts, self.count, [value for (value,) in taken], self.rng)
            self._report(column, facts, values)
            return OneByOne(position, iter(values), facts.sought)
        pool = build_pool(facts)
        self._report(column, facts, pool.realistic)
        self.meanings.setdefault(facts.meaning, position)
        return FromPool(position, pool) if pool.realistic else OneByOne(position, iter(()))

    def _report(self, column: Column, facts: Facts, values: Sequence[Cell]) -> None:
        """Note a column that got no value, or nothing but NULL."""
        checks = " and ".join(f"CHECK ({text})" for text in facts.gate.checks)
        if checks and all(value is None for value in values):
            name = column.name if values else ""
            reason = f"no value made for {column.name} meets {checks}"
            self.unfilled.append(Unfilled(self.table.name, name, reason))

    def _first_row_number(self, column: str) -> int:
        """Return a row number above all that are and, with AUTOINCREMENT, all that ever were."""
        (highest,) = self._select(f"max({quote_name(column)})")[0]
        if self.table.autoincrement:
            ever = "SELECT seq FROM main.sqlite_sequence WHERE name = ?"
            for (number,) in select(self.db, ever, (self.table.name,)):
                highest = max(int(highest or 0), int(number or 0))
        return int(highest or 0) + 1 if int(highest or 0) < HIGHEST else 1

    def _own(self, column: Column) -> Collection[Cell]:
        """Return the row numbers that migrations speak of, which had better stay theirs."""
        literals = self.context.literals
        return (*literals.get(fold_name(column.name), ()), *literals.get("rowid", ()))

    def _sought(self, column: Column) -> list[Cell]:
        """Return the row numbers that migrations expect to find, and the next ones to either side.

        For more than half of the rows there is no such number.
        """
        taken = {number for (number,) in self._select(quote_name(column.name))}
        found: list[Cell] = [
            number
            for value in self.context.expected(column)
            if isinstance(value, int)
            for number in (value, value + 1, value - 1)
            if 0 < number <= HIGHEST_SOUGHT and number not in taken
        ]
        return list(dict.fromkeys(found))[: self.count // 2]

    def _merchant(self) -> tuple[int, int] | None:
        if "merchant" in self.meanings and "category" in self.meanings:
            return self.meanings["merchant"], self.meanings["category"]
        return None

    def _select(self, what: str, rest: str = "") -> list[tuple[Cell, ...]]:
        return select(self.db, f"SELECT {what} FROM main.{quote_name(self.table.name)} {rest}")


def _sharing(references: Iterable[Reference]) -> list[list[Reference]]:
    """Return ``references`` in groups; those of two groups have no column in common."""
    groups: list[list[Reference]] = []
    for reference in references:
        touched = [
            group
            for group in groups
            if any(set(one.positions) & set(reference.positions) for one in group)
        ]
        groups = [group for group in groups if group not in touched]
        groups.append([one for group in touched for one in group] + [reference])
    return groups


def _pair_merchants(rows: Sequence[Row], merchant: int, category: int, rng: random.Random) -> None:
    """Let realistic merchants be of the row's category."""
    for row in rows:
        fitting = MERCHANTS.get(str(row[category]))
        if fitting and row[merchant] in _KNOWN_MERCHANTS:
            row[merchant] = rng.choice(fitting)
