"""What rows are made of before each migration of a folder: all that later ones ask of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.expected_values import read_expected_values, values_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_bbmigrate.catalogue import JoinedText, Migration
    from pytest_bbmigrate.contract import Requirement
    from pytest_bbmigrate.seeding.expected_values import ExpectedValue, Literal
    from pytest_bbmigrate.seeding.model import Recipe


@dataclass(frozen=True)
class FolderRecipe:
    """All that the rows of a folder's states are made of; nothing else of its files is.

    ``common`` is the same for all states. ``joined``, ``assigned`` and ``requires`` are where
    migrations look for texts around values, what they set and what they require, each with the
    position of its migration.
    """

    common: Recipe
    expected: tuple[ExpectedValue, ...]
    taken: tuple[ExpectedValue, ...]
    joined: tuple[tuple[int, JoinedText], ...]
    assigned: tuple[tuple[int, Literal], ...]
    requires: tuple[tuple[int, Requirement], ...]

    def at(self, position: int) -> Recipe:
        """Return the recipe of the state that the migration at ``position`` begins with."""
        return replace(
            self.common,
            expected_literals=values_at(position, self.expected),
            taken_literals=values_at(position, self.taken),
            joined_texts=frozenset(each for number, each in self.joined if number >= position),
            assigned_literals=tuple(each for number, each in self.assigned if number >= position),
            requires=tuple(each for number, each in self.requires if number >= position),
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
        requires=tuple(
            (position, requirement)
            for position, migration in enumerate(migrations)
            for requirement in migration.contract.requires
            if not requirement.allows_no_row
        ),
    )
