"""What rows are made of before each migration of a folder: all that later ones ask of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.seeding.expected_values import read_expected_values, values_at
from pytest_bbmigrate.sql import UnreadableSql, tokenize
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_shape
from pytest_bbmigrate.sql.schema_clauses import CreateTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_bbmigrate.catalogue import JoinedText, Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.seeding.expected_values import ExpectedValue, Literal
    from pytest_bbmigrate.seeding.model import Recipe


@dataclass(frozen=True)
class FolderRecipe:
    """All that the rows of a folder's states are made of; nothing else of its files is.

    ``common`` is the same for all states. ``joined`` and ``assigned`` are where migrations look for
    texts around values, and what they set, each with the position of its migration; ``requires``
    what they require, each with the first and last position at which rows meet that.
    """

    common: Recipe
    expected: tuple[ExpectedValue, ...]
    taken: tuple[ExpectedValue, ...]
    joined: tuple[tuple[int, JoinedText], ...]
    assigned: tuple[tuple[int, Literal], ...]
    requires: tuple[tuple[int, int, Requirement], ...]

    def at(self, position: int) -> Recipe:
        """Return the recipe of the state that the migration at ``position`` begins with."""
        return replace(
            self.common,
            expected_literals=values_at(position, self.expected),
            taken_literals=values_at(position, self.taken),
            joined_texts=frozenset(each for number, each in self.joined if number >= position),
            assigned_literals=tuple(each for number, each in self.assigned if number >= position),
            requires=tuple(
                each for first, last, each in self.requires if first <= position <= last
            ),
        )


def folder_recipe(recipe: Recipe, migrations: Sequence[Migration]) -> FolderRecipe:
    """Return what rows are made of for ``migrations``, by ``recipe`` and what they say.

    A requirement that allows no row says nothing of the rows before, which earlier migrations meet.
    """
    return FolderRecipe(
        common=replace(
            recipe, reads=frozenset(read for one in migrations for read in one.column_reads)
        ),
        expected=read_expected_values(
            migrations, [migration.expected_literals for migration in migrations]
        ),
        taken=read_expected_values(
            migrations, [migration.taken_literals for migration in migrations]
        ),
        joined=tuple(
            (position, joined)
            for position, migration in enumerate(migrations)
            for joined in sorted(migration.joined_texts)
        ),
        assigned=tuple(
            (position, literal)
            for position, migration in enumerate(migrations)
            for literal in migration.assigned_literals
        ),
        requires=tuple(positioned_requirements(migrations)),
    )


def positioned_requirements(
    migrations: Sequence[Migration],
) -> Iterator[tuple[int, int, Requirement]]:
    """Yield what ``migrations`` require of rows, with the first and the last position of each."""
    made: list[set[str]] = []  # the tables that each of those before the one at hand makes
    for position, migration in enumerate(migrations):
        for requirement in migration.contract.requires:
            if not requirement.allows_no_row:
                made += map(tables_made, migrations[len(made) : position])
                yield first_position(requirement, made), position, requirement


def first_position(requirement: Requirement, made: Sequence[set[str]]) -> int:
    """Return from where on the tables that a ``requirement`` reads are those that it means.

    A table that an earlier migration has ``made`` may have the name of another before it, which is
    dropped by then.
    """
    named = words_of(requirement.expression or "") - {fold_name(requirement.table)}
    return max(
        (number for number, tables in enumerate(made, 1) if not named.isdisjoint(tables)),
        default=0,
    )


def words_of(expression: str) -> set[str]:
    """Return the names (folded) in an expression; none where it cannot be read."""
    try:
        return {fold_name(token.name) for token in tokenize(expression)} - {""}
    except UnreadableSql:
        return set()


def tables_made(migration: Migration) -> set[str]:
    """Return the tables (folded) that the SQL of ``migration`` makes."""
    if not isinstance(migration.up, SqlPart):
        return set()
    commands = (read_shape(statement.text) for statement in migration.up.statements)
    return {command.name.folded for command in commands if isinstance(command, CreateTable)}
