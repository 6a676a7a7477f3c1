"""Which migrations a rollback rolls back, and why it may not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.errors import SettingsError, StepFailed
from pytest_bbmigrate.history.plan import OUTSIDE, Status, compare_with_history
from pytest_bbmigrate.history.table import last_batch
from pytest_bbmigrate.visible import first_lines

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.history.plan import MigrationStatus
    from pytest_bbmigrate.history.table import Applied

COUNT = re.compile(r"[1-9][0-9]*")
OTHER_WAY = "--bb-restore restores a backup instead"


def plan_rollback(
    history: tuple[Applied, ...], catalogue: Catalogue, which: str | None = None
) -> tuple[Migration, ...]:
    """Return the migrations to roll back, the one applied last first; () when there is none.

    Without ``which`` they are those of the last apply. A number without leading zeros, such as
    ``2``, is how many. Anything else is the name, file or number (``003``) of the migration to
    roll back to: it stays, and whatever was applied after it is rolled back.

    Raises: SettingsError when ``which`` names nothing applied; StepFailed that names all of them
        that cannot be rolled back.
    """
    chosen = _chosen(history, catalogue, which or "")
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    by_name = {
        entry.applied_as: entry for entry in statuses.entries if entry.applied_as is not None
    }
    obstacles = {
        applied.name: obstacle
        for applied in chosen
        if (obstacle := _obstacle(by_name.get(applied.name)))
    }
    if obstacles:
        lines = [f"{name} {obstacle}" for name, obstacle in obstacles.items()]
        first = f"cannot be rolled back: {', '.join(first_lines(list(obstacles)))}"
        raise StepFailed("\n".join([first, *lines, OTHER_WAY]))
    return tuple(by_name[applied.name].migration for applied in chosen)


def _chosen(history: tuple[Applied, ...], catalogue: Catalogue, which: str) -> tuple[Applied, ...]:
    """Return what is to be rolled back, last first."""
    if not which:
        batch = last_batch(history)
        return tuple(applied for applied in reversed(history) if applied.batch == batch)
    if not COUNT.fullmatch(which):
        kept = _position(history, catalogue, which)
        return tuple(reversed(history[kept + 1 :]))
    count = int(which)
    if count > len(history):
        raise SettingsError(
            f"--bb-rollback={which}: {_applied(len(history))}; to roll back to the migration "
            f"with that number, write its name"
        )
    return tuple(reversed(history[len(history) - count :]))


def _position(history: tuple[Applied, ...], catalogue: Catalogue, which: str) -> int:
    """Return the index in ``history`` of the migration that ``which`` names.

    Its file may be gone, or have another name now.
    """
    names = [applied.name for applied in history]
    if which in names:
        return names.index(which)
    try:
        migration = catalogue.migrations[catalogue.position(which)]
    except LookupError as error:
        raise SettingsError(
            f"--bb-rollback={which}: {error.args[0]}; or give how many to roll back, at "
            f"most {len(history)}"
        ) from error
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    entry = next(entry for entry in statuses.entries if entry.migration is migration)
    if entry.applied_as is None:
        raise SettingsError(
            f"--bb-rollback={which}: {migration.name} is not applied, so nothing can be rolled "
            "back to it; --bb-status shows what is"
        )
    return names.index(entry.applied_as)


def _obstacle(entry: MigrationStatus | None) -> str:
    """Return why a migration cannot be rolled back, '' when it can."""
    if entry is None:
        return "has no file any more; bring its file back into the folder"
    migration = entry.migration
    if entry.says_otherwise == OUTSIDE:
        return f"is applied, and {OUTSIDE} is something else since; bring these lines back"
    if entry.status is Status.CHANGED:
        return f"says something else since it was applied; bring {migration.path} back as it was"
    if migration.contract.irreversible is not None:
        reason = migration.contract.irreversible
        return f"is declared irreversible{f' because {reason}' if reason else ''}"
    if isinstance(migration.up, ScriptPart):
        return "is a script, and scripts have no down part"
    if migration.down is None:
        return f"has no down part; write one into or beside {migration.path}"
    return ""


def _applied(count: int) -> str:
    return f"{count} migration{' is' if count == 1 else 's are'} applied"
