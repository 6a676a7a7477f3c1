"""The values that migrations look for in rows, and which of them rows may have by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_bbmigrate.catalogue import Migration

    Literal = tuple[str | None, str | int | float]


class ExpectedValue(NamedTuple):
    """A ``literal``, as (column, value), that the migration at ``position`` looks for in rows.

    ``last_writer`` is the position of the last other migration that writes it, -1 for none.
    """

    position: int
    literal: Literal
    last_writer: int


def read_expected_values(
    migrations: Sequence[Migration], wanted: Sequence[Sequence[Literal]]
) -> tuple[ExpectedValue, ...]:
    """Return the values ``wanted`` in rows by each of ``migrations``, in order."""
    writers: dict[Literal, set[int]] = {}
    asked = {key for each in wanted for literal in each for key in (literal, (None, literal[1]))}
    for position, migration in enumerate(migrations):
        for literal in asked.intersection(migration.literals).difference(
            migration.expected_literals
        ):
            writers.setdefault(literal, set()).add(position)
    expected = []
    for position, literals in enumerate(wanted):
        for literal in literals:
            in_any_column = (None, literal[1])
            positions = writers.get(literal, set()) | writers.get(in_any_column, set())
            last_writer = max(positions - {position}, default=-1)
            expected.append(ExpectedValue(position, literal, last_writer))
    return tuple(expected)


def values_at(position: int, values: Iterable[ExpectedValue]) -> tuple[Literal, ...]:
    """Return what migrations from ``position`` on look for and none of them writes.

    A key that a later migration writes itself must not be generated before.
    """
    return tuple(
        expected.literal
        for expected in values
        if expected.last_writer < position <= expected.position
    )
