"""Which migrations a rollback takes back, and whether it takes anything else with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.errors import SettingsError, StepFailed
from pytest_bbmigrate.history.plan import Status, compare_with_history
from pytest_bbmigrate.history.table import last_batch
from pytest_bbmigrate.visible import first_lines

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.history.plan import MigrationStatus
    from pytest_bbmigrate.history.table import Applied

COUNT = re.compile(r"[1-9][0-9]*")
WAY_OUT = "--bb-restore puts a backup back instead"


def plan_rollback(
    history: tuple[Applied, ...], catalogue: Catalogue, which: str | None = None
) -> tuple[Migration, ...]:
    """Return the migrations to take back, the one applied last first; () when there is none.

    Without ``which`` they are those of the last apply. A number such as ``2`` (no zero before it)
    is how many. Anything else names the migration, as its name, file or number (``003``), to go
    back to: it stays, and whatever was applied after it is taken back.

    Raises: SettingsError when ``which`` names nothing applied; StepFailed when one of them cannot
        be taken back, naming all that cannot.
    """
    chosen = _chosen(history, catalogue, which or "")
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    places = {place.applied_as: place for place in statuses.entries if place.applied_as is not None}
    obstacles = {
        applied.name: obstacle
        for applied in chosen
        if (obstacle := _obstacle(places.get(applied.name)))
    }
    if obstacles:
        lines = [f"{name} {obstacle}" for name, obstacle in obstacles.items()]
        first = f"cannot be rolled back: {', '.join(first_lines(list(obstacles)))}"
        raise StepFailed("\n".join([first, *lines, WAY_OUT]))
    return tuple(places[applied.name].migration for applied in chosen)


def _chosen(history: tuple[Applied, ...], catalogue: Catalogue, which: str) -> tuple[Applied, ...]:
    """Return what is to be taken back, last first."""
    if not which:
        batch = last_batch(history)
        return tuple(applied for applied in reversed(history) if applied.batch == batch)
    if not COUNT.fullmatch(which):
        kept = _position(history, catalogue, which)
        return tuple(reversed(history[kept + 1 :]))
    count = int(which)
    if count > len(history):
        raise SettingsError(
            f"--bb-rollback={which}: {_applied(len(history))}; to go back to the migration "
            f"with that number, write its name"
        )
    return tuple(reversed(history[len(history) - count :]))


def _position(history: tuple[Applied, ...], catalogue: Catalogue, which: str) -> int:
    """Return the index in ``history`` of the migration that ``which`` names.

    It may have no file any more, or a file of another name.
    """
    names = [applied.name for applied in history]
    if which in names:
        return names.index(which)
    try:
        migration = catalogue.migrations[catalogue.position(which)]
    except LookupError as error:
        raise SettingsError(
            f"--bb-rollback={which}: {error.args[0]}; or give how many to take back, at "
            f"most {len(history)}"
        ) from error
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    place = next(place for place in statuses.entries if place.migration is migration)
    if place.applied_as is None:
        raise SettingsError(
            f"--bb-rollback={which}: {migration.name} is not applied, so there is no going back to "
            "it; --bb-status shows what is"
        )
    return names.index(place.applied_as)


def _obstacle(place: MigrationStatus | None) -> str:
    """Return why a migration cannot be taken back, '' when it can."""
    if place is None:
        return "has no file any more; put its file back into the folder"
    migration = place.migration
    if place.status is Status.CHANGED:
        return f"says something else since it was applied; put {migration.path} back as it was"
    if migration.contract.irreversible is not None:
        reason = migration.contract.irreversible
        return f"is declared irreversible{f' because {reason}' if reason else ''}"
    if isinstance(migration.up, ScriptPart):
        return "is a script, and those have no way back"
    if migration.down is None:
        return f"has no down part; write one into or beside {migration.path}"
    return ""


def _applied(count: int) -> str:
    return f"{count} migration{' is' if count == 1 else 's are'} applied"
