"""What stands in one folder, by name: each name is looked at once, however many ask for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.names import (
    FlywayName,
    flyway_name,
    has_doubled_dots,
    is_never_migration,
    name_fault,
    pair_version,
    split_name,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

UP, DOWN = ".up.sql", ".down.sql"


@dataclass(frozen=True)
class Neighbours:
    """The ``names`` of all files and folders in one folder; ``runner`` as the rules have it.

    ``elsewhere`` is what to say of the files for other databases that it has as well.
    """

    names: frozenset[str]
    runner: str = ""
    elsewhere: str = ""

    def fault(self, file_name: str) -> tuple[str, str] | None:
        """Return what is doubtful about the name of one of them, and the remedy, or None."""
        if not split_name(file_name)[1] or is_never_migration(file_name):
            return None
        return name_fault(file_name, self._folded, runner=self.runner, beside_pairs=self._has_pairs)

    def called(self, stem: str, *endings: str) -> tuple[str, ...]:
        """Return the files whose name is ``stem`` and one of ``endings``."""
        return tuple(file for ending in endings for file in self._by_parts.get((stem, ending), ()))

    def of_version(self, name: FlywayName) -> tuple[tuple[str, FlywayName], ...]:
        """Return the files that Flyway takes to be of the version in ``name``, in their order."""
        return self._by_flyway.get(name.version, ())

    def other_half(self, file_name: str) -> str | None:
        """Return the one other half with the version of a half, where its own name has none.

        To golang-migrate and sqlx two files are a pair when they have one version, whatever is
        called behind it.
        """
        version = pair_version(file_name)
        ending = split_name(file_name)[1]
        halves = self._halves.get(version, ()) if version is not None else ()
        others = [half for half in halves if split_name(half)[1] != ending]
        return others[0] if len(others) == 1 and len(halves) == len(others) + 1 else None

    def refused_beside(self, file_name: str) -> bool:
        """Return whether the name of a file is refused that may be the other half of this one."""
        version = pair_version(file_name)
        stem = _beginning(file_name)
        return stem in self._refused or (version is not None and version in self._refused)

    def notes(self) -> tuple[str, ...]:
        """Return what is worth saying of names that not every tool reads as they are read here."""
        doubled = [name for name in sorted(self.names) if is_half(name) and has_doubled_dots(name)]
        said = [
            f"{name} is a half of a pair, as golang-migrate reads its doubled dot; to sqlx it is a "
            "migration of its own, and others pass it over (bb_runs_as says which tool runs it)"
            for name in doubled
            if not self.runner
        ]
        ups = [name for name in sorted(self.names) if split_name(name)[1] == UP]
        said += [
            f"{down} is the way back of {up}, by its number alone"
            for up in ups
            if not self.called(split_name(up)[0], DOWN) and (down := self.other_half(up))
        ]
        return (*filter(None, [self.elsewhere]), *said)

    @cached_property
    def _has_pairs(self) -> bool:
        """Whether there is a half of a pair."""
        return any(is_half(name) for name in self.names)

    @cached_property
    def has_flyway(self) -> bool:
        """Whether a file is named in Flyway's way."""
        return bool(self._by_flyway)

    @cached_property
    def has_unversioned(self) -> bool:
        """Whether U is refinery's, for what runs like V, and not Flyway's, for what undoes one.

        None has the number of a V, which refinery refuses, and one may be a slip beside V.
        """
        kinds = [{read.kind for _, read in files} for files in self._by_flyway.values()]
        found = [read for files in self._by_flyway.values() for _, read in files]
        versions = [read.version for read in found if read.kind == "u"]
        is_alone = not any({"u", "v"} <= each for each in kinds)
        is_meant = len(versions) > 1 or not any("v" in each for each in kinds)
        in_its_way = is_alone and is_meant and all(len(version) == 1 for version in versions)
        return bool(versions) and in_its_way and self.runner != "flyway"

    @cached_property
    def programs(self) -> tuple[str, ...]:
        """The Python files, without those that the others import."""
        return tuple(
            name
            for name in sorted(self.names)
            if name.lower().endswith(".py") and not is_never_migration(name)
        )

    @cached_property
    def _folded(self) -> frozenset[str]:
        """All names in lower case."""
        return frozenset(name.lower() for name in self.names)

    @cached_property
    def _by_parts(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        found: dict[tuple[str, str], tuple[str, ...]] = defaultdict(tuple)
        for name in sorted(self.names):
            found[split_name(name)] += (name,)
        return found

    @cached_property
    def _by_flyway(self) -> Mapping[tuple[int, ...], tuple[tuple[str, FlywayName], ...]]:
        found: dict[tuple[int, ...], tuple[tuple[str, FlywayName], ...]] = defaultdict(tuple)
        for name in sorted(self.names):
            if read := flyway_name(name):
                found[read.version] += ((name, read),)
        return found

    @cached_property
    def _halves(self) -> Mapping[tuple[int, ...], tuple[str, ...]]:
        """The halves of pairs, by their version."""
        found: dict[tuple[int, ...], tuple[str, ...]] = defaultdict(tuple)
        for name in sorted(self.names):
            version = pair_version(name)
            if version is not None and is_half(name):
                found[version] += (name,)
        return found

    @cached_property
    def _refused(self) -> frozenset[str | tuple[int, ...] | None]:
        """What the names that are refused begin with, and their versions."""
        refused = [name for name in self.names if self.fault(name)]
        return frozenset({*map(_beginning, refused), *map(pair_version, refused)})


def _beginning(file_name: str) -> str:
    return file_name.partition(".")[0].lower()


def is_half(file_name: str) -> bool:
    """Return whether a file of this name is a half of a pair."""
    return split_name(file_name)[1] in (UP, DOWN)
