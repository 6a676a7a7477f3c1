"""What a run on the real database came to, in words. Pure."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.what_is_left import shown
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pytest_bbmigrate.apply.model import Preflight, TableChange
    from pytest_bbmigrate.apply.run import ApplyResult
    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.catalogue import Migration

WIDTH = 10


@dataclass(frozen=True)
class SummaryInput:
    """What a summary is about.

    ``standing`` says what the database is like where nothing was published; ``command`` is how
    another command on the same project begins; ``lost_backup`` says why the backup is none any
    more, '' where it is. ``left`` is what was found on the disk at the end of a run that had the
    lock; ``broken_by`` is the kind of the error that nobody expected and that ended it, or ''.
    """

    database: Path
    standing: str
    command: str
    rehearsed: bool = False
    goes_back: bool = False
    lost_backup: str = ""
    left: FileFound | None = None
    broken_by: str = ""

    @property
    def by_what(self) -> str:
        """What has stopped the run, in words; '' where that is told elsewhere."""
        return f" by an unexpected {self.broken_by}" if self.broken_by else ""


def describe_preflight(found: Preflight, database: Path) -> str:
    """Return what the preflight found, in a line; notes are lines of their own."""
    applied, count = len(found.statuses.applied), len(found.pending)
    if found.goes_back:
        first = f"{_migrations(applied)} applied, {count:,} to take back: {_names(found)}"
    elif not count:
        later = len(found.statuses.pending)
        rest = f"{later:,} later ones pending" if later else "nothing pending"
        first = f"{database.name} has what is asked for: {_migrations(applied)} applied, {rest}"
    else:
        first = f"{_migrations(applied)} applied, {count:,} pending: {_names(found)}"
    return "\n".join([first, *found.notes])


def describe_done(
    told: SummaryInput,
    details: Sequence[tuple[str, str, str]],
    done: ApplyResult | None,
    found: Preflight | None,
) -> tuple[str, ...]:
    """Return the summary, a line each; the first stands alone.

    ``details`` are the steps so far: name, 'passed' or 'failed', what it came to.
    """
    outcomes = {step: outcome for step, outcome, _ in details}
    lines = [_first_line(told, outcomes, done, found)]
    lines += describe_changes(done.changes) if done is not None else []
    is_whole = told.left is None or told.left.is_ours
    if outcomes.get("publish") == "passed" and is_whole and outcomes.get("verify") != "failed":
        lines += _way_back(told, details, done, found)
    if done is not None:
        lines += [f"{'pruned':<{WIDTH}}{path.name}" for path in done.pruned]
        lines += [f"{'note':<{WIDTH}}{note}" for note in done.notes]
    if found is not None:
        lines += [f"{'note':<{WIDTH}}{note}" for note in found.notes]
    if told.left is not None:
        shows_backup = any(line.startswith("backup ") for line in lines)
        lines += describe_left(told.left, told.command, shows_backup=shows_backup)
    return tuple(lines)


def describe_left(left: FileFound, command: str, *, shows_backup: bool = False) -> list[str]:
    """Return what is worth knowing of what is left on the disk, and how to restore the backup.

    ``command`` is how another command on the same project begins; ``shows_backup`` is whether the
    backup is named already.
    """
    lines = [f"{'note':<{WIDTH}}{left.database.name}: {note}" for note in left.notes]
    if left.backup is None or shows_backup:
        return lines
    lines.append(f"{'backup':<{WIDTH}}{shown(left.backup)}")
    if not left.is_as_it_was:
        lines.append(f"{'restore':<{WIDTH}}{left.restores(command)}")
    return lines


def _way_back(
    told: SummaryInput,
    details: Sequence[tuple[str, str, str]],
    done: ApplyResult | None,
    found: Preflight | None,
) -> Iterator[str]:
    """Yield where the backup is, and the command that undoes what was done."""
    named = next((text for step, _, text in details if step == "backup"), "").split(";")[0]
    backup = shlex.quote(named) if named else ""
    if done is not None:
        backup = shown(done.backup) if done.backup else ""
    if told.lost_backup:
        yield f"{'backup':<{WIDTH}}{told.lost_backup}"
    elif backup:
        undo = f"{told.command} --bb-restore={backup}"
        pending = () if found is None or told.goes_back else found.pending
        if pending and all(map(_has_way_back, pending)):
            undo = f"{told.command} --bb-rollback, or {undo}"
        yield f"{'backup':<{WIDTH}}{backup}"
        yield f"{'undo':<{WIDTH}}{undo}"


def _has_way_back(migration: Migration) -> bool:
    return migration.down is not None and migration.contract.irreversible is None


def _first_line(
    told: SummaryInput,
    outcomes: Mapping[str, str],
    done: ApplyResult | None,
    found: Preflight | None,
) -> str:
    what = "rolled back" if told.goes_back else "applied"
    failed = next((step for step, outcome in outcomes.items() if outcome == "failed"), "")
    if failed in {"publish", "verify"}:
        return f"{failed} failed; {told.standing}"
    if failed:
        return f"not {what}: {failed} failed; {told.standing}"
    if found is not None and not found.pending:
        later = len(found.statuses.pending)
        nothing = "has nothing to take back" if told.goes_back else "is up to date"
        if later and not told.goes_back:
            nothing = f"has every migration up to there, and {later:,} later ones pending"
        return f"{told.database.name} {nothing}: nothing was touched"
    if found is not None and done is None and outcomes.get("publish") == "passed":
        looked_at = "" if outcomes.get("verify") == "passed" else ", but not verified"
        holds = f"; {told.standing}" if told.left and not told.left.is_ours else ""
        stopped = f"the run was stopped after that{told.by_what}"
        return f"{what} {_names(found)}{looked_at}: {stopped}{holds}"
    if done is None or found is None:
        return f"not {what}: the run was stopped{told.by_what}; {told.standing}"
    if told.rehearsed:
        return f"rehearsed {_names(found)}; {told.standing}"
    return f"{what} {_names(found)}"


def describe_changes(changes: Iterable[TableChange]) -> list[str]:
    """Return a line for each table that is not what it was."""
    return [f"{'changed':<{WIDTH}}{_change(change)}" for change in changes] or [
        f"{'changed':<{WIDTH}}no table, row or value"
    ]


def _change(change: TableChange) -> str:
    table = visible_line(change.table)
    if change.rows_before is None:
        return f"{table}: made, {_rows(change.rows_after or 0)}"
    if change.rows_after is None:
        return f"{table}: dropped with {_rows(change.rows_before)}"
    parts = []
    if change.rows_after != change.rows_before:
        parts.append(f"{change.rows_before:,} rows, now {change.rows_after:,}")
    if change.columns_added:
        parts.append(f"new {', '.join(change.columns_added)}")
    if change.columns_lost:
        parts.append(f"without {', '.join(change.columns_lost)}")
    parts += [f"{old} is {new} now" for old, new in change.columns_renamed]
    if change.rows_lost and change.rows_came:
        parts.append(f"{_rows(change.rows_lost)} gone, and {_rows(change.rows_came)} made")
    if change.values_changed:
        values = f"{change.values_changed:,} value"
        parts.append(f"{values}{'' if change.values_changed == 1 else 's'} changed")
    return f"{table}: {'; '.join(parts) or 'rebuilt, every row as it was'}"


def _names(found: Preflight) -> str:
    names = [visible_line(migration.name) for migration in found.pending]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return ", ".join(names)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _migrations(count: int) -> str:
    return f"{count:,} migration{'' if count == 1 else 's'}"
