"""What a database's history makes of a catalogue: applied, pending, or in between. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import Catalogue
from pytest_bbmigrate.errors import BBMigrateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_bbmigrate.catalogue import Migration


class PlanError(BBMigrateError):
    """Raised when the history and the files disagree; ``problems`` holds each, with its way out."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Status(Enum):
    """How a migration stands to a history."""

    APPLIED = "applied"
    CHANGED = "changed"  # applied, and its file says something else since
    RENAMED = "renamed"  # applied, under a name that no file has any more
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"  # pending, and one that comes after it is applied


WAS_APPLIED = frozenset({Status.APPLIED, Status.CHANGED, Status.RENAMED})


@dataclass(frozen=True)
class MigrationStatus:
    """A migration, how it stands, and the name the history has it under (None when pending)."""

    migration: Migration
    status: Status
    applied_as: str | None


@dataclass(frozen=True)
class MigrationStatuses:
    """Every migration of a catalogue, in its order, and the applied names that have no file.

    ``folder`` is the catalogue's.
    """

    entries: tuple[MigrationStatus, ...]
    missing: tuple[str, ...]
    folder: Path = Path()

    def having(self, *standings: Status) -> tuple[Migration, ...]:
        """Return the migrations that stand so, in the catalogue's order."""
        return tuple(place.migration for place in self.entries if place.status in standings)

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that the database has, changed and renamed ones too."""
        return self.having(*WAS_APPLIED)

    @property
    def pending(self) -> tuple[Migration, ...]:
        """The migrations that the database does not have, those out of order too."""
        return self.having(Status.PENDING, Status.OUT_OF_ORDER)

    @property
    def changed(self) -> tuple[Migration, ...]:
        """The applied migrations whose file says something else since."""
        return self.having(Status.CHANGED)

    @property
    def renamed(self) -> tuple[Migration, ...]:
        """The applied migrations that the history knows by another name."""
        return self.having(Status.RENAMED)

    @property
    def out_of_order(self) -> tuple[Migration, ...]:
        """The pending migrations that come before an applied one."""
        return self.having(Status.OUT_OF_ORDER)


def compare_with_history(catalogue: Catalogue, applied: Mapping[str, str]) -> MigrationStatuses:
    """Return how each migration stands to ``applied``: names to checksums, in the order applied."""
    names = {migration.name for migration in catalogue.migrations}
    without_file = {name: checksum for name, checksum in applied.items() if name not in names}
    places = []
    for migration in catalogue.migrations:
        former = _former_name(migration, applied, without_file)
        if former is not None:
            del without_file[former]
        places.append(_place(migration, applied, former))
    return MigrationStatuses(_mark_out_of_order(places), tuple(without_file), catalogue.folder)


def _former_name(
    migration: Migration, applied: Mapping[str, str], without_file: Mapping[str, str]
) -> str | None:
    """Return the name without a file that the history has this very migration under, or None."""
    if migration.name in applied:
        return None
    same = (name for name, checksum in without_file.items() if checksum == migration.checksum)
    return next(same, None)


def _place(migration: Migration, applied: Mapping[str, str], former: str | None) -> MigrationStatus:
    if former is not None:
        return MigrationStatus(migration, Status.RENAMED, former)
    if migration.name not in applied:
        return MigrationStatus(migration, Status.PENDING, None)
    unchanged = applied[migration.name] == migration.checksum
    return MigrationStatus(
        migration, Status.APPLIED if unchanged else Status.CHANGED, migration.name
    )


def _mark_out_of_order(places: list[MigrationStatus]) -> tuple[MigrationStatus, ...]:
    """Return ``places`` with every pending one out of order that an applied one comes after."""
    marked = []
    one_applied = False
    for place in reversed(places):
        if one_applied and place.status is Status.PENDING:
            marked.append(MigrationStatus(place.migration, Status.OUT_OF_ORDER, None))
        else:
            marked.append(place)
        one_applied = one_applied or place.status in WAS_APPLIED
    return tuple(reversed(marked))


def plan_run(
    statuses: MigrationStatuses, *, to: str = "", allow_late: bool = False
) -> tuple[Migration, ...]:
    """Return the migrations to run, in the order in which they will really run.

    Late ones run now, after all that is applied, and before the pending ones they come before.
    With ``to`` (a migration's name, file or number) nothing after it runs; () where the database
    is at it already. Late ones are refused unless ``allow_late``.

    Raises: PlanError with every problem found.
    """
    problems = [*history_problems(statuses)]
    last = len(statuses.entries) - 1
    if to:
        try:
            last = _target(statuses, to)
        except PlanError as error:
            problems += error.problems
    wanted = statuses.entries[: last + 1]
    if not allow_late:
        problems += _late_problems(wanted, statuses)
    if problems:
        raise PlanError(problems)
    return tuple(place.migration for place in wanted if place.status not in WAS_APPLIED)


def history_problems(statuses: MigrationStatuses) -> Iterator[str]:
    """Yield what of the history the files no longer say: changed and missing migrations."""
    for migration in statuses.changed:
        yield (
            f"{migration.name} is applied, and {migration.path} says something else since: bring "
            "the file back as it was when it was applied, and write what is to change as a "
            "migration of its own"
        )
    pending = [migration.name for migration in statuses.pending]
    for name in statuses.missing:
        alike = get_close_matches(name, pending, n=1)
        hint = (
            f"; if {alike[0]} is this one renamed, it was changed as well: bring its statements "
            "back as they were"
            if alike
            else ""
        )
        yield (
            f"{name} is applied, and no file in {statuses.folder} has it: bring the file back, or, "
            f"if the database is ahead of these files, use the version of them that has it{hint}"
        )


def _late_problems(wanted: Sequence[MigrationStatus], statuses: MigrationStatuses) -> Iterator[str]:
    """Yield the pending migrations among ``wanted`` that come before one that is applied."""
    for at, place in enumerate(wanted):
        if place.status is Status.OUT_OF_ORDER:
            later = next(p for p in statuses.entries[at + 1 :] if p.status in WAS_APPLIED)
            yield (
                f"{place.migration.name} is pending, and {later.migration.name}, which comes after "
                f"it, is applied: give {place.migration.path.name} a number after the last applied "
                "one, or run it now, in the order that makes, with --bb-allow-late"
            )


def _target(statuses: MigrationStatuses, to: str) -> int:
    """Return the position of the migration that ``--bb-to`` names.

    Raises: PlanError when there is none, or the database is past it.
    """
    migrations = tuple(place.migration for place in statuses.entries)
    try:
        position = Catalogue(statuses.folder, migrations).position(to)
    except LookupError as error:
        raise PlanError([f"--bb-to={to}: {error.args[0]}"]) from error
    place = statuses.entries[position]
    past = [p.migration.name for p in statuses.entries[position + 1 :] if p.status in WAS_APPLIED]
    if place.status in WAS_APPLIED and past:
        problem = (
            f"--bb-to={to}: {place.migration.name} is applied already, and so is {past[-1]} after "
            f"it: an apply only goes forward; --bb-rollback={place.migration.name} goes back"
        )
        raise PlanError([problem])
    return position
