"""What the schema and the recipe together say about each table and column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema import CheckConstraint
from pytest_bbmigrate.seeding.model import exact_key, storable
from pytest_bbmigrate.seeding.values.accepted import ColumnProbe
from pytest_bbmigrate.seeding.values.expressions import columns_mentioned, dates_like
from pytest_bbmigrate.seeding.values.flags import flag_texts
from pytest_bbmigrate.seeding.values.meaning import (
    AMOUNTS,
    FREE_TEXT,
    TEMPORAL,
    Family,
    length_limit,
    read_family,
    read_meaning,
)
from pytest_bbmigrate.seeding.values.pools import ColumnProfile
from pytest_bbmigrate.sql import Kind, UnreadableSql, folded, tokenize
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Column, ForeignKey, IndexColumn, Schema, Table
    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.seeding.model import Recipe
    from pytest_bbmigrate.sql import Token
    from pytest_bbmigrate.sql.values import Cell


@dataclass(frozen=True)
class Context:
    """A schema, and the recipe for filling it; the names in mappings are folded."""

    schema: Schema
    recipe: Recipe

    @cached_property
    def literals(self) -> dict[str | None, tuple[Cell, ...]]:
        """The migrations' literals by the column that they are about, None for any."""
        return _by_column(self.recipe.literals)

    @cached_property
    def expected_literals(self) -> dict[str | None, tuple[Cell, ...]]:
        """The literals that conditions of the migrations look for, by column."""
        return _by_column(self.recipe.expected_literals)

    @cached_property
    def assigned_literals(self) -> dict[str | None, tuple[Cell, ...]]:
        """The literals that UPDATEs of the migrations set, by column."""
        return _by_column(self.recipe.assigned_literals)

    @cached_property
    def children(self) -> dict[str, list[tuple[Table, ForeignKey]]]:
        """The foreign keys that refer to each table."""
        children: dict[str, list[tuple[Table, ForeignKey]]] = {}
        for table in self.schema.tables:
            for key in table.foreign_keys:
                children.setdefault(fold_name(key.parent), []).append((table, key))
        return children

    def requirements(self, table: Table) -> list[Requirement]:
        """Return the recipe's requirements on ``table``, those on later columns left out.

        A table with the user's own rows has none: the rows are used as they are, and show what the
        migration would meet.
        """
        name = fold_name(table.name)
        if name in self.recipe.own_rows:
            return []
        return [
            requirement
            for requirement in self.recipe.requires
            if fold_name(requirement.table) == name
            and _quoted_names(requirement).union(_folded_names(requirement.unique))
            <= _names_of(table)
        ]

    def checks(self, table: Table) -> list[CheckConstraint]:
        """Return the CHECKs of ``table``, and the requirements on its rows as such."""
        required = [
            CheckConstraint(folded(requirement.expression), requirement.expression)
            for requirement in self.requirements(table)
            if requirement.expression is not None
        ]
        return [*table.checks, *required]

    def uniques(self, table: Table) -> list[tuple[str, ...]]:
        """Return which columns (folded) are unique together in all rows of ``table``."""
        requirements = self.requirements(table)
        names = [tuple(one.unique) for one in requirements if one.unique]
        names += [table.primary_key] if table.primary_key else []
        for index in table.indexes:
            terms = [self._term(table, column) for column in index.columns]
            columns = tuple(name for term in terms for name in term)
            if index.unique and index.where is None and len(columns) == len(terms):
                names.append(columns)
        return [tuple(fold_name(name) for name in columns) for columns in names]

    def _term(self, table: Table, column: IndexColumn) -> Collection[str]:
        """Return the columns in one term of an index."""
        if column.name is not None:
            return (column.name,)
        return columns_mentioned(column.expression or (), _names_of(table))

    def profile(self, table: Table, column: Column) -> ColumnProfile:
        """Return what decides the values of ``column`` of ``table``."""
        name = fold_name(column.name)
        family = Family.TEXT if table.virtual else read_family(column.type, column.affinity)
        meaning = read_meaning(table.name, column.name, column.type)
        own_checks = [check for check in self.checks(table) if _about(table, check) == {name}]
        child_checks = [*self._child_checks(table, name)]
        key = name in _folded_names(table.primary_key) or bool(child_checks)
        distinct = (name,) in self.uniques(table)
        probe = ColumnProbe(
            column.name if own_checks else "value",
            column.type,
            column.affinity,
            column.collation.upper(),
            table.strict,
            tuple(check.text for check in own_checks),
        )
        return ColumnProfile(
            probe=probe,
            family=family,
            meaning=meaning,
            seed=self.recipe.seed,
            nullable=not column.not_null and name not in _folded_names(table.primary_key),
            key=key,
            null_key=not column.not_null and self._may_have_null_key(table, name),
            distinct=distinct,
            default=column.default,
            limit=length_limit(column.type),
            check_tokens=(*(check.tokens for check in own_checks), *child_checks),
            literals=tuple(
                (exact_key(value), value)
                for value in self._mentioned(name, family, meaning, avoided=key or distinct)
            ),
            expected=self._expected(column, family, meaning),
            assigned=tuple(
                (exact_key(value), value)
                for value in _suited(self.assigned_literals.get(name, ()), family)
            ),
        )

    def _may_have_null_key(self, table: Table, name: str) -> bool:
        """Return whether a row may have NULL in column ``name``, which is the whole primary key.

        SQLite allows it, but not for a rowid, WITHOUT ROWID or in STRICT tables
        (https://sqlite.org/quirks.html, 5). Not for a column of a foreign key. Nor for a table that
        a requirement selects from: ``x IN (list with a NULL)`` is never false, so that a missing
        value would go unnoticed.
        """
        selected_from = {
            fold_name(token.name)
            for requirement in self.recipe.requires
            for token in _tokens(requirement.expression or "")
        }
        return (
            _folded_names(table.primary_key) == (name,)
            and not (table.rowid_alias or table.without_rowid or table.strict)
            and all(name not in _folded_names(key.columns) for key in table.foreign_keys)
            and fold_name(table.name) not in selected_from
        )

    def _child_checks(self, table: Table, name: str) -> Iterable[Tokens]:
        """Yield the defaults and CHECKs of the columns that refer to column ``name``."""
        for child, key in self.children.get(fold_name(table.name), ()):
            for own, parent in zip(key.columns, key.parent_columns, strict=False):
                if fold_name(parent) == name and (column := child.column(own)):
                    yield folded(column.default or "")
                    for check in child.checks:
                        if _about(child, check) == {fold_name(own)}:
                            yield check.tokens

    def expected(self, column: Column) -> tuple[Cell, ...]:
        """Return the literals that migrations look for in a column; by rowid, in the first one."""
        literals = self.expected_literals.get(fold_name(column.name), ())
        by_rowid = () if column.position else self.expected_literals.get("rowid", ())
        return literals + by_rowid

    def _expected(self, column: Column, family: Family, meaning: str) -> tuple[Cell, ...]:
        """Return the literals that migrations look for in a column, in the form that it has."""
        looked_for = self.expected(column)
        values = _suited(looked_for, family)
        if meaning == "flag" and family is Family.INTEGER:
            values += flag_texts(looked_for)
        is_day = meaning in TEMPORAL and family is Family.TEXT
        return dates_like(values, meaning) if is_day else values

    def _mentioned(
        self, name: str, family: Family, meaning: str, *, avoided: bool
    ) -> tuple[Cell, ...]:
        """Return the literals that the column may hold, or with ``avoided`` must not hold."""
        own, others = self.literals.get(name, ()), self.literals.get(None, ())
        if avoided:
            return own + tuple(value for value in others if isinstance(value, str))
        if meaning in TEMPORAL and family is Family.TEXT:
            return dates_like(own + others, meaning)
        if meaning in TEMPORAL or family is Family.BLOB:
            return ()
        flags = flag_texts(own) if meaning == "flag" and family is Family.INTEGER else ()
        return flags + _suited(own, family) + _suited(others, family, meaning)


def _by_column(
    literals: Iterable[tuple[str | None, str | int | float]],
) -> dict[str | None, tuple[Cell, ...]]:
    """Return the values that SQLite can store, by the (folded) column that they are about."""
    by_column: dict[str | None, list[Cell]] = {}
    for name, value in literals:
        if storable(value):
            by_column.setdefault(name and fold_name(name), []).append(value)
    return {name: tuple(values) for name, values in by_column.items()}


def _suited(values: Sequence[Cell], family: Family, meaning: str | None = None) -> tuple[Cell, ...]:
    """Return the values of the column's kind; given a ``meaning``, only where that allows any."""
    any_meaning = meaning is None
    kinds: tuple[type, ...] = ()
    if family in (Family.TEXT, Family.ANY) and (any_meaning or meaning in FREE_TEXT):
        kinds += (str,)
    if family is not Family.TEXT and (any_meaning or meaning in AMOUNTS | FREE_TEXT):
        kinds += (int,) if family is Family.INTEGER else (int, float)
    return tuple(value for value in values if isinstance(value, kinds))


def _quoted_names(requirement: Requirement) -> frozenset[str]:
    """Return the names in double quotes: SQLite takes one that is no column for a text.

    See https://sqlite.org/quirks.html#dblquote. An expression that cannot be read counts as one.
    """
    tokens = _tokens(requirement.expression or "")
    if requirement.expression and not tokens:
        return frozenset({requirement.expression})
    return frozenset(fold_name(token.name) for token in tokens if token.kind is Kind.QUOTED)


def _tokens(sql: str) -> tuple[Token, ...]:
    """Return the tokens of ``sql``, or none if it cannot be read."""
    try:
        return tokenize(sql)
    except UnreadableSql:
        return ()


def _about(table: Table, check: CheckConstraint) -> frozenset[str]:
    """Return the columns (folded) of ``table`` that ``check`` names."""
    return columns_mentioned(check.tokens, _names_of(table))


def _names_of(table: Table) -> frozenset[str]:
    return frozenset(fold_name(column.name) for column in table.columns)


def _folded_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold_name(name) for name in names)
