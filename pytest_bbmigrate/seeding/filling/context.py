"""What the schema and the recipe say about each table and column, made ready for filling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema import CheckConstraint
from pytest_bbmigrate.seeding.model import exact, storable
from pytest_bbmigrate.seeding.values.accepted import Gate
from pytest_bbmigrate.seeding.values.expressions import columns_mentioned, dates_like
from pytest_bbmigrate.seeding.values.meaning import (
    AMOUNTS,
    FREE_TEXT,
    TEMPORAL,
    Family,
    length_limit,
    read_family,
    read_meaning,
)
from pytest_bbmigrate.seeding.values.pools import Facts
from pytest_bbmigrate.sql import Kind, UnreadableSql, folded, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Column, ForeignKey, IndexColumn, Schema, Table
    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.seeding.model import Cell, Recipe
    from pytest_bbmigrate.sql import Token


@dataclass(frozen=True)
class Context:
    """A schema and a recipe, with what both say together; names in mappings are case-folded."""

    schema: Schema
    recipe: Recipe

    @cached_property
    def literals(self) -> dict[str | None, tuple[Cell, ...]]:
        """The migrations' literals by the column they are about, None for any."""
        return _by_column(self.recipe.literals)

    @cached_property
    def sought(self) -> dict[str | None, tuple[Cell, ...]]:
        """What the migrations expect to find in rows, by column."""
        return _by_column(self.recipe.sought)

    @cached_property
    def assigned(self) -> dict[str | None, tuple[Cell, ...]]:
        """What the migrations' UPDATEs set, by column."""
        return _by_column(self.recipe.assigned)

    @cached_property
    def children(self) -> dict[str, list[tuple[Table, ForeignKey]]]:
        """The foreign keys that refer to each table."""
        found: dict[str, list[tuple[Table, ForeignKey]]] = {}
        for table in self.schema.tables:
            for key in table.foreign_keys:
                found.setdefault(fold_name(key.parent), []).append((table, key))
        return found

    def requirements(self, table: Table) -> list[Requirement]:
        """Return the recipe's requirements on ``table`` that name nothing yet to come.

        There are none for a table that has the user's own rows: those are used as they are, and
        show what the migration would meet.
        """
        name = fold_name(table.name)
        if name in self.recipe.own_rows:
            return []
        return [
            one
            for one in self.recipe.requires
            if fold_name(one.table) == name
            and _quoted_names(one).union(_folded_names(one.unique)) <= _names_of(table)
        ]

    def checks(self, table: Table) -> list[CheckConstraint]:
        """Return the CHECKs of ``table`` and the expressions that its rows are required to meet."""
        required = [
            CheckConstraint(folded(one.expression), one.expression)
            for one in self.requirements(table)
            if one.expression is not None
        ]
        return [*table.checks, *required]

    def uniques(self, table: Table) -> list[tuple[str, ...]]:
        """Return which columns, case-folded, are unique together in all rows of ``table``."""
        names = [tuple(one.unique) for one in self.requirements(table) if one.unique]
        names += [table.primary_key] if table.primary_key else []
        for index in table.indexes:
            terms = [self._term(table, column) for column in index.columns]
            columns = tuple(name for term in terms for name in term)
            if index.unique and index.where is None and len(columns) == len(terms):
                names.append(columns)
        return [tuple(fold_name(name) for name in columns) for columns in names]

    def _term(self, table: Table, column: IndexColumn) -> Collection[str]:
        """Return the columns that a term of an index is made of."""
        if column.name is not None:
            return (column.name,)
        return columns_mentioned(column.expression or (), _names_of(table))

    def facts(self, table: Table, column: Column) -> Facts:
        """Return what decides the values of ``column`` of ``table``."""
        name = fold_name(column.name)
        family = Family.TEXT if table.virtual else read_family(column.type, column.affinity)
        meaning = read_meaning(table.name, column.name, column.type)
        alone = [check for check in self.checks(table) if self._about(table, check) == {name}]
        referring = [*self._referring(table, name)]
        key = name in _folded_names(table.primary_key) or bool(referring)
        distinct = (name,) in self.uniques(table)
        gate = Gate(
            column.name if alone else "value",
            column.type,
            column.affinity,
            column.collation.upper(),
            table.strict,
            tuple(check.text for check in alone),
        )
        return Facts(
            gate=gate,
            family=family,
            meaning=meaning,
            seed=self.recipe.seed,
            nullable=not column.not_null and name not in _folded_names(table.primary_key),
            key=key,
            null_key=not column.not_null and self._may_lack_a_key(table, name),
            distinct=distinct,
            default=column.default,
            limit=length_limit(column.type),
            check_tokens=(*(check.tokens for check in alone), *referring),
            literals=tuple(
                (exact(value), value)
                for value in self._spoken(name, family, meaning, avoided=key or distinct)
            ),
            sought=self._expected(column, family, meaning),
            assigned=tuple(
                (exact(value), value) for value in _suited(self.assigned.get(name, ()), family)
            ),
        )

    def _may_lack_a_key(self, table: Table, name: str) -> bool:
        """Return whether a row may have NULL in column ``name``, which is all of its primary key.

        SQLite lets it, but for the rowid, in tables without one and in STRICT ones
        (https://sqlite.org/quirks.html, 5). A column of a foreign key is left to that, and a table
        in which a requirement looks for values is left without: no value is missing from a list
        that holds a NULL.
        """
        asked = {
            fold_name(token.name)
            for one in self.recipe.requires
            for token in _tokens(one.expression or "")
        }
        return (
            _folded_names(table.primary_key) == (name,)
            and not (table.rowid_alias or table.without_rowid or table.strict)
            and all(name not in _folded_names(key.columns) for key in table.foreign_keys)
            and fold_name(table.name) not in asked
        )

    def _about(self, table: Table, check: CheckConstraint) -> frozenset[str]:
        return columns_mentioned(check.tokens, _names_of(table))

    def _referring(self, table: Table, name: str) -> Iterable[Tokens]:
        """Yield the CHECKs and defaults of columns that refer to column ``name`` of ``table``."""
        for child, key in self.children.get(fold_name(table.name), ()):
            for own, parent in zip(key.columns, key.parent_columns, strict=False):
                if fold_name(parent) == name and (column := child.column(own)):
                    yield folded(column.default or "")
                    for check in child.checks:
                        if self._about(child, check) == {fold_name(own)}:
                            yield check.tokens

    def expected(self, column: Column) -> tuple[Cell, ...]:
        """Return what migrations expect to find in a column, the first one if they do not say."""
        found = self.sought.get(fold_name(column.name), ())
        return found if column.position else found + self.sought.get("rowid", ())

    def _expected(self, column: Column, family: Family, meaning: str) -> tuple[Cell, ...]:
        """Return what migrations expect to find in a column, as it may hold it."""
        values = _suited(self.expected(column), family)
        is_day = meaning in TEMPORAL and family is Family.TEXT
        return dates_like(values, meaning) if is_day else values

    def _spoken(
        self, name: str, family: Family, meaning: str, *, avoided: bool
    ) -> tuple[Cell, ...]:
        """Return the literals that the column may hold, or those that it had better avoid."""
        own, others = self.literals.get(name, ()), self.literals.get(None, ())
        if avoided:
            return own + tuple(value for value in others if isinstance(value, str))
        if meaning in TEMPORAL and family is Family.TEXT:
            return dates_like(own + others, meaning)
        if meaning in TEMPORAL or family is Family.BLOB:
            return ()
        return _suited(own, family) + _suited(others, family, meaning)


def _by_column(
    literals: Iterable[tuple[str | None, str | int | float]],
) -> dict[str | None, tuple[Cell, ...]]:
    """Return the values that SQLite can hold, by the (folded) column they are about."""
    found: dict[str | None, list[Cell]] = {}
    for name, value in literals:
        if storable(value):
            found.setdefault(name and fold_name(name), []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _suited(values: Sequence[Cell], family: Family, meaning: str | None = None) -> tuple[Cell, ...]:
    """Return the values of the column's kind; those about no column only where anything goes."""
    anything = meaning is None
    kinds: tuple[type, ...] = ()
    if family in (Family.TEXT, Family.ANY) and (anything or meaning in FREE_TEXT):
        kinds += (str,)
    if family is not Family.TEXT and (anything or meaning in AMOUNTS | FREE_TEXT):
        kinds += (int,) if family is Family.INTEGER else (int, float)
    return tuple(value for value in values if isinstance(value, kinds))


def _quoted_names(requirement: Requirement) -> frozenset[str]:
    """Return the names in quotes, which SQLite takes for texts where there is no such column.

    See https://sqlite.org/quirks.html#dblquote; all of an expression that cannot be read is one.
    """
    tokens = _tokens(requirement.expression or "")
    if requirement.expression and not tokens:
        return frozenset({requirement.expression})
    return frozenset(fold_name(token.name) for token in tokens if token.kind is Kind.QUOTED)


def _tokens(sql: str) -> tuple[Token, ...]:
    """Return the tokens of ``sql``, none where it cannot be read."""
    try:
        return tokenize(sql)
    except UnreadableSql:
        return ()


def _names_of(table: Table) -> frozenset[str]:
    return frozenset(fold_name(column.name) for column in table.columns)


def _folded_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold_name(name) for name in names)
