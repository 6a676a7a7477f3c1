"""What the schema and the recipe together say about each table and column."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.schema import CheckConstraint
from pytest_bbmigrate.seeding.filling.column_facts import ColumnFacts, profile_of
from pytest_bbmigrate.seeding.filling.mentioned import mentioned_values
from pytest_bbmigrate.seeding.values.expressions import columns_mentioned
from pytest_bbmigrate.sql import Kind, UnreadableSql, folded, tokenize
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.schema import Column, ForeignKey, IndexColumn, Schema, Table
    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.seeding.filling.mentioned import MentionedValues
    from pytest_bbmigrate.seeding.model import Recipe
    from pytest_bbmigrate.seeding.values.pools import ColumnProfile
    from pytest_bbmigrate.sql import Token
    from pytest_bbmigrate.sql.values import Cell


@dataclass(frozen=True)
class Context:
    """A schema, and the recipe for filling it; the names in mappings are folded."""

    schema: Schema
    recipe: Recipe

    @cached_property
    def mentioned(self) -> MentionedValues:
        """What the migrations' text says of values."""
        return mentioned_values(self.recipe)

    @cached_property
    def children(self) -> dict[str, list[tuple[Table, ForeignKey]]]:
        """The foreign keys that refer to each table."""
        children: dict[str, list[tuple[Table, ForeignKey]]] = {}
        for table in self.schema.tables:
            for key in table.foreign_keys:
                children.setdefault(fold_name(key.parent), []).append((table, key))
        return children

    @cached_property
    def child_columns(self) -> dict[tuple[str, str], list[tuple[Table, str]]]:
        """The columns that refer to each (table, column)."""
        columns: dict[tuple[str, str], list[tuple[Table, str]]] = {}
        for name, children in self.children.items():
            for table, key in children:
                for own, parent in zip(key.columns, key.parent_columns, strict=False):
                    columns.setdefault((name, fold_name(parent)), []).append((table, own))
        return columns

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
            <= table.column_names
        ]

    def asks_for_children(self, table: Table, requirement: Requirement) -> bool:
        """Return whether ``requirement`` on ``table`` reads a table whose rows refer to it."""
        children = {
            fold_name(child.name) for child, _ in self.children.get(fold_name(table.name), ())
        }
        children.discard(fold_name(table.name))
        return any(
            fold_name(each.name) in children for each in _tokens(requirement.expression or "")
        )

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
        name = fold_name(table.name)
        if name not in self._uniques:
            self._uniques[name] = self._find_uniques(table)
        return self._uniques[name]

    @cached_property
    def _uniques(self) -> dict[str, list[tuple[str, ...]]]:
        """What has been found so far, by table."""
        return {}

    def _find_uniques(self, table: Table) -> list[tuple[str, ...]]:
        requirements = self.requirements(table)
        names = [tuple(one.unique) for one in requirements if one.unique]
        names += [told for one in requirements if (told := _told_apart(table, one))]
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
        return columns_mentioned(column.expression or (), table.column_names)

    def profile(self, table: Table, column: Column) -> ColumnProfile:
        """Return what decides the values of ``column`` of ``table``."""
        name, primary = fold_name(column.name), _folded_names(table.primary_key)
        uniques, checks = self.uniques(table), self.checks(table)
        referring = self.child_columns.get((fold_name(table.name), name), ())
        return profile_of(
            self.mentioned,
            ColumnFacts(
                column,
                table.name,
                strict=table.strict,
                virtual=bool(table.virtual),
                own_checks=tuple(c for c in checks if _about(table, c) == {name}),
                child_checks=tuple(_child_checks(referring)) if referring else (),
                children=tuple(_other_names(referring, column)) if referring else (),
                primary=name in primary,
                null_key=primary == (name,)
                and not column.not_null
                and self._may_have_null_key(table, name),
                distinct=(name,) in uniques,
                in_unique=any(name in one for one in uniques),
            ),
        )

    def expected(self, table: Table, column: Column) -> tuple[Cell, ...]:
        """Return the literals that migrations look for in a unique column, or set in it."""
        names = self._names_of_children(table, column)
        return self.mentioned.expected(names, column, unique=True)

    def _names_of_children(self, table: Table, column: Column) -> list[str]:
        """Return the (folded) columns of other names that refer to ``column``."""
        name = fold_name(column.name)
        return _other_names(self.child_columns.get((fold_name(table.name), name), ()), column)

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


def _other_names(referring: Iterable[tuple[Table, str]], column: Column) -> list[str]:
    """Return the (folded) names of the columns ``referring`` that are not called as ``column``."""
    return [fold_name(own) for _, own in referring if not same_name(own, column.name)]


def _child_checks(referring: Iterable[tuple[Table, str]]) -> Iterable[Tokens]:
    """Yield the defaults and CHECKs of the columns ``referring`` to another one."""
    for child, own in referring:
        if column := child.column(own):
            yield folded(column.default or "")
            for check in child.checks:
                if _about(child, check) == {fold_name(own)}:
                    yield check.tokens


def _quoted_names(requirement: Requirement) -> frozenset[str]:
    """Return the names in double quotes: SQLite takes one that is no column for a text.

    See https://sqlite.org/quirks.html#dblquote. An expression that cannot be read counts as one.
    """
    tokens = _tokens(requirement.expression or "")
    if requirement.expression and not tokens:
        return frozenset({requirement.expression})
    return frozenset(fold_name(token.name) for token in tokens if token.kind is Kind.QUOTED)


def _told_apart(table: Table, requirement: Requirement) -> tuple[str, ...]:
    """Return the columns in which no two rows of ``table`` may agree in some form; () for none.

    That is what a requirement says as it is offered for ``lower(name)``:
    NOT EXISTS (SELECT 1 FROM t AS o WHERE o.id < t.id AND lower(o.name) = lower(t.name)).
    """
    words = [fold_name(token.name) or token.text for token in _tokens(requirement.expression or "")]
    start = ["not", "exists", "(", "select", "1", "from", fold_name(table.name), "as"]
    other, where, pair = words[8:9], words[9:10], words[14:]
    is_of_pairs = words[:8] == start and where == ["where"] and words[13:14] == ["<"]
    if not is_of_pairs or "select" in pair:
        return ()
    columns = [
        name
        for place, name in enumerate(pair)
        if pair[max(place - 2, 0) : place] == [*other, "."] and name in table.column_names
    ]
    return tuple(dict.fromkeys(columns))


def _tokens(sql: str) -> tuple[Token, ...]:
    """Return the tokens of ``sql``, or none if it cannot be read."""
    try:
        return tokenize(sql)
    except UnreadableSql:
        return ()


def _about(table: Table, check: CheckConstraint) -> frozenset[str]:
    """Return the columns (folded) of ``table`` that ``check`` names."""
    return columns_mentioned(check.tokens, table.column_names)


def _folded_names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(fold_name(name) for name in names)
