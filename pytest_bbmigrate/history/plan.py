"""The status of each migration by the database's history, and which of them to run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import Catalogue
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.nearest import similar_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_bbmigrate.catalogue import Migration


class PlanError(BBMigrateError):
    """Raised when the history and the files disagree; ``problems`` holds each, with its remedy."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class Status(Enum):
    """Whether a migration is applied, by the history."""

    APPLIED = "applied"
    CHANGED = "changed"  # applied, and its file has changed since
    RENAMED = "renamed"  # applied, under a name that no file has now
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"  # pending, though a later one is applied


WAS_APPLIED = frozenset({Status.APPLIED, Status.CHANGED, Status.RENAMED})


OUTSIDE = "what bb_contracts says of how it runs (foreign_keys, no_transaction, depends)"


@dataclass(frozen=True)
class MigrationStatus:
    """A migration, its status, and its name in the history (None when pending).

    ``says_otherwise`` is what says something else since it was applied, where its status is so.
    """

    migration: Migration
    status: Status
    applied_as: str | None
    says_otherwise: str = "its file"


@dataclass(frozen=True)
class MigrationStatuses:
    """Every migration of a catalogue, in its order, and the applied names that have no file.

    ``folder`` is the catalogue's.
    """

    entries: tuple[MigrationStatus, ...]
    missing: tuple[str, ...]
    folder: Path = Path()

    def with_status(self, *statuses: Status) -> tuple[Migration, ...]:
        """Return the migrations with one of ``statuses``, in the catalogue's order."""
        return tuple(entry.migration for entry in self.entries if entry.status in statuses)

    @property
    def applied(self) -> tuple[Migration, ...]:
        """The migrations that are applied, changed and renamed ones too."""
        return self.with_status(*WAS_APPLIED)

    @property
    def pending(self) -> tuple[Migration, ...]:
        """The migrations that are not applied, those out of order too."""
        return self.with_status(Status.PENDING, Status.OUT_OF_ORDER)

    @property
    def changed(self) -> tuple[Migration, ...]:
        """The applied migrations whose file has changed since."""
        return self.with_status(Status.CHANGED)

    @property
    def renamed(self) -> tuple[Migration, ...]:
        """The applied migrations that have another name in the history."""
        return self.with_status(Status.RENAMED)

    @property
    def out_of_order(self) -> tuple[Migration, ...]:
        """The pending migrations that come before an applied one."""
        return self.with_status(Status.OUT_OF_ORDER)


def compare_with_history(catalogue: Catalogue, applied: Mapping[str, str]) -> MigrationStatuses:
    """Return the status of each migration; ``applied`` has the history's names and checksums."""
    names = {migration.name for migration in catalogue.migrations}
    without_file = {name: checksum for name, checksum in applied.items() if name not in names}
    entries = []
    for migration in catalogue.migrations:
        former = _former_name(migration, applied, without_file)
        if former is not None:
            del without_file[former]
        entries.append(_status_of(migration, applied, former))
    return MigrationStatuses(_mark_out_of_order(entries), tuple(without_file), catalogue.folder)


def _former_name(
    migration: Migration, applied: Mapping[str, str], without_file: Mapping[str, str]
) -> str | None:
    """Return the migration's former name: one without a file that has its checksum; or None."""
    if migration.name in applied:
        return None
    names = (name for name, checksum in without_file.items() if checksum == migration.checksum)
    return next(names, None)


def _status_of(
    migration: Migration, applied: Mapping[str, str], former: str | None
) -> MigrationStatus:
    if former is not None:
        return MigrationStatus(migration, Status.RENAMED, former)
    if migration.name not in applied:
        return MigrationStatus(migration, Status.PENDING, None)
    recorded = applied[migration.name]
    if recorded == migration.checksum:
        return MigrationStatus(migration, Status.APPLIED, migration.name)
    changed = MigrationStatus(migration, Status.CHANGED, migration.name)
    is_of_file = recorded.partition("+")[0] != migration.checksum.partition("+")[0]
    return changed if is_of_file else replace(changed, says_otherwise=OUTSIDE)


def _mark_out_of_order(entries: list[MigrationStatus]) -> tuple[MigrationStatus, ...]:
    """Return ``entries``, the pending ones before an applied one marked as out of order."""
    marked = []
    later_is_applied = False
    for entry in reversed(entries):
        if later_is_applied and entry.status is Status.PENDING:
            marked.append(MigrationStatus(entry.migration, Status.OUT_OF_ORDER, None))
        else:
            marked.append(entry)
        later_is_applied = later_is_applied or entry.status in WAS_APPLIED
    return tuple(reversed(marked))


def plan_run(
    statuses: MigrationStatuses, *, to: str = "", allow_late: bool = False
) -> tuple[Migration, ...]:
    """Return the migrations to run, in the order in which they run.

    With ``to`` (a migration's name, file or number) nothing after it runs; () if the database has
    it already. A late one, which comes before an applied one, is refused unless ``allow_late``;
    it then runs in its place among the pending ones.

    Raises: PlanError with every problem found.
    """
    problems = [*history_problems(statuses)]
    last = len(statuses.entries) - 1
    if to:
        try:
            last = _target(statuses, to)
        except PlanError as error:
            problems += error.problems
    entries = statuses.entries[: last + 1]
    if not allow_late:
        problems += _late_problems(entries, statuses)
    if problems:
        raise PlanError(problems)
    return tuple(entry.migration for entry in entries if entry.status not in WAS_APPLIED)


def history_problems(statuses: MigrationStatuses) -> Iterator[str]:
    """Yield a problem for each applied migration whose file has changed or is missing."""
    for entry in statuses.entries:
        migration = entry.migration
        if entry.says_otherwise == OUTSIDE:
            yield (
                f"{migration.name} is applied, and {OUTSIDE} is something else since: bring these "
                "lines back as they were when it was applied"
            )
        elif entry.status is Status.CHANGED:
            yield (
                f"{migration.name} is applied, and {migration.path} says something else since: "
                "bring the file back as it was when it was applied, and write what is to change as "
                "a migration of its own"
            )
    pending = [migration.name for migration in statuses.pending]
    for name in statuses.missing:
        similar = similar_to(name, pending)
        hint = (
            f"; if {similar} is this one renamed, it was changed as well: bring its statements "
            "back as they were"
            if similar
            else ""
        )
        yield (
            f"{name} is applied, and no file in {statuses.folder} has it: bring the file back, or, "
            f"if the database is ahead of these files, use the version of them that has it{hint}"
        )


def _late_problems(
    entries: Sequence[MigrationStatus], statuses: MigrationStatuses
) -> Iterator[str]:
    """Yield a problem for each migration among ``entries`` that comes before an applied one."""
    for index, entry in enumerate(entries):
        if entry.status is Status.OUT_OF_ORDER:
            later = next(e for e in statuses.entries[index + 1 :] if e.status in WAS_APPLIED)
            yield (
                f"{entry.migration.name} is pending, and {later.migration.name}, which comes after "
                f"it, is applied: give {entry.migration.path.name} a number after the last applied "
                "one, or run it now, in the order that makes, with --bb-allow-late"
            )


def _target(statuses: MigrationStatuses, to: str) -> int:
    """Return the position of the migration that ``--bb-to`` names.

    Raises: PlanError when there is none, or the database is past it.
    """
    migrations = tuple(entry.migration for entry in statuses.entries)
    try:
        position = Catalogue(statuses.folder, migrations).position(to)
    except LookupError as error:
        raise PlanError([f"--bb-to={to}: {error.args[0]}"]) from error
    entry = statuses.entries[position]
    later = [e.migration.name for e in statuses.entries[position + 1 :] if e.status in WAS_APPLIED]
    if entry.status in WAS_APPLIED and later:
        problem = (
            f"--bb-to={to}: {entry.migration.name} is applied already, and so is {later[-1]} after "
            f"it: an apply only goes forward; --bb-rollback={entry.migration.name} rolls back to it"
        )
        raise PlanError([problem])
    return position
