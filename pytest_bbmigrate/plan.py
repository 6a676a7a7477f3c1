"""What a database's history makes of a catalogue: applied, pending, or in between. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_bbmigrate.catalogue import Catalogue, Migration


class Standing(Enum):
    """How a migration stands to a history."""

    APPLIED = "applied"
    CHANGED = "changed"  # applied, and its file says something else since
    RENAMED = "renamed"  # applied, under a name that no file has any more
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"  # pending, and one that comes after it is applied


WAS_APPLIED = frozenset({Standing.APPLIED, Standing.CHANGED, Standing.RENAMED})


@dataclass(frozen=True)
class Place:
    """A migration, how it stands, and the name the history has it under (None when pending)."""

    migration: Migration
    standing: Standing
    applied_as: str | None


@dataclass(frozen=True)
class Stock:
    """Every migration of a catalogue, in its order, and the applied names that have no file."""

    places: tuple[Place, ...]
    missing: tuple[str, ...]

    def having(self, *standings: Standing) -> tuple[Migration, ...]:
        """Return the migrations that stand so, in the catalogue's order."""
        return tuple(place.migration for place in self.places if place.standing in standings)

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that the database has, changed and renamed ones too."""
        return self.having(*WAS_APPLIED)

    @property
    def pending(self) -> tuple[Migration, ...]:
        """The migrations that the database does not have, those out of order too."""
        return self.having(Standing.PENDING, Standing.OUT_OF_ORDER)

    @property
    def changed(self) -> tuple[Migration, ...]:
        """The applied migrations whose file says something else since."""
        return self.having(Standing.CHANGED)

    @property
    def renamed(self) -> tuple[Migration, ...]:
        """The applied migrations that the history knows by another name."""
        return self.having(Standing.RENAMED)

    @property
    def out_of_order(self) -> tuple[Migration, ...]:
        """The pending migrations that come before an applied one."""
        return self.having(Standing.OUT_OF_ORDER)


def take_stock(catalogue: Catalogue, applied: Mapping[str, str]) -> Stock:
    """Return how each migration stands to ``applied``: names to checksums, in the order applied."""
    names = {migration.name for migration in catalogue.migrations}
    without_file = {name: checksum for name, checksum in applied.items() if name not in names}
    places = []
    for migration in catalogue.migrations:
        former = _former_name(migration, applied, without_file)
        if former is not None:
            del without_file[former]
        places.append(_place(migration, applied, former))
    return Stock(_mark_out_of_order(places), tuple(without_file))


def _former_name(
    migration: Migration, applied: Mapping[str, str], without_file: Mapping[str, str]
) -> str | None:
    """Return the name without a file that the history has this very migration under, or None."""
    if migration.name in applied:
        return None
    same = (name for name, checksum in without_file.items() if checksum == migration.checksum)
    return next(same, None)


def _place(migration: Migration, applied: Mapping[str, str], former: str | None) -> Place:
    if former is not None:
        return Place(migration, Standing.RENAMED, former)
    if migration.name not in applied:
        return Place(migration, Standing.PENDING, None)
    unchanged = applied[migration.name] == migration.checksum
    return Place(migration, Standing.APPLIED if unchanged else Standing.CHANGED, migration.name)


def _mark_out_of_order(places: list[Place]) -> tuple[Place, ...]:
    """Return ``places`` with every pending one out of order that an applied one comes after."""
    marked = []
    one_applied = False
    for place in reversed(places):
        if one_applied and place.standing is Standing.PENDING:
            marked.append(Place(place.migration, Standing.OUT_OF_ORDER, None))
        else:
            marked.append(place)
        one_applied = one_applied or place.standing in WAS_APPLIED
    return tuple(reversed(marked))
