"""The result of a run on the real database, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.what_is_left import typed_path
from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.visible import typed, visible_line

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

    ``database_state`` says what the database holds where nothing was published; ``command`` is how
    another command on the same project begins; ``restore_obstacle`` says why the backup can no
    longer be restored, '' if it can. ``file_found`` is what was found on the disk at the end of a
    run that had the lock; ``unexpected_error`` is the kind of an error of ours that ended the run,
    or ''. ``names_paths_in_full`` is whether what is to be typed works in any folder.
    """

    database: Path
    database_state: str
    command: str
    rehearsed: bool = False
    is_rollback: bool = False
    restore_obstacle: str = ""
    file_found: FileFound | None = None
    unexpected_error: str = ""
    names_paths_in_full: bool = False

    @property
    def stopped_by(self) -> str:
        """What has stopped the run, in words; '' where another line says it."""
        return f" by an unexpected {self.unexpected_error}" if self.unexpected_error else ""


def describe_preflight(preflight: Preflight, database: Path) -> str:
    """Return what the preflight found, in a line; notes are lines of their own."""
    applied, count = len(preflight.statuses.applied), len(preflight.pending)
    if preflight.is_rollback:
        first = (
            f"{counted(applied, 'migration')} applied, {count:,} to roll back: {_names(preflight)}"
        )
    elif not count:
        later = len(preflight.statuses.pending)
        rest = f"{later:,} later ones pending" if later else "nothing pending"
        done = counted(applied, "migration")
        first = f"{database.name} has what is asked for: {done} applied, {rest}"
    else:
        first = f"{counted(applied, 'migration')} applied, {count:,} pending: {_names(preflight)}"
    return "\n".join([first, *preflight.notes])


def describe_done(
    summary: SummaryInput,
    steps: Sequence[tuple[str, str, str]],
    result: ApplyResult | None,
    preflight: Preflight | None,
) -> tuple[str, ...]:
    """Return the summary, a line each; the first stands alone.

    ``steps`` are those so far: name, 'passed' or 'failed', and the step's text.
    """
    outcomes = {step: outcome for step, outcome, _ in steps}
    lines = [_first_line(summary, outcomes, result, preflight)]
    lines += describe_changes(result.changes) if result is not None else []
    is_whole = summary.file_found is None or summary.file_found.is_ours
    if outcomes.get("publish") == "passed" and is_whole and outcomes.get("verify") != "failed":
        lines += _undo(summary, steps, result, preflight)
    if result is not None:
        lines += [f"{'pruned':<{WIDTH}}{path.name}" for path in result.pruned]
        lines += [f"{'note':<{WIDTH}}{note}" for note in result.notes]
    if preflight is not None:
        lines += [f"{'note':<{WIDTH}}{note}" for note in preflight.notes]
    if summary.file_found is not None:
        shows_backup = any(line.startswith("backup ") for line in lines)
        lines += describe_file_found(
            summary.file_found,
            summary.command,
            shows_backup=shows_backup,
            in_full=summary.names_paths_in_full,
        )
    return tuple(lines)


def describe_file_found(
    file_found: FileFound, command: str, *, shows_backup: bool = False, in_full: bool = False
) -> list[str]:
    """Return the notes on what a run has left on the disk, and how to restore the backup.

    ``command`` is how another command on the same project begins; ``shows_backup`` is whether
    another line names the backup; ``in_full`` whether paths are to be typed as in any folder.
    """
    lines = [f"{'note':<{WIDTH}}{file_found.database.name}: {note}" for note in file_found.notes]
    if file_found.backup is None or shows_backup:
        return lines
    lines.append(f"{'backup':<{WIDTH}}{typed_path(file_found.backup, in_full=in_full)}")
    if not file_found.is_as_it_was:
        restore = file_found.restore_command(command, in_full=in_full)
        lines.append(f"{'restore':<{WIDTH}}{restore}")
    return lines


def _undo(
    summary: SummaryInput,
    steps: Sequence[tuple[str, str, str]],
    result: ApplyResult | None,
    preflight: Preflight | None,
) -> Iterator[str]:
    """Yield where the backup is, and the command that undoes what was done."""
    backup_name = next((text for step, _, text in steps if step == "backup"), "").split(";")[0]
    backup = typed(backup_name) if backup_name else ""
    last_known = result or summary.file_found
    if last_known is not None:
        backup = typed_path(last_known.backup) if last_known.backup else ""
    if summary.restore_obstacle:
        yield f"{'backup':<{WIDTH}}{summary.restore_obstacle}"
    elif backup:
        undo = f"{summary.command} --bb-restore={backup}"
        pending = () if preflight is None or summary.is_rollback else preflight.pending
        if pending and all(map(_can_go_down, pending)):
            undo = f"{summary.command} --bb-rollback, or {undo}"
        yield f"{'backup':<{WIDTH}}{backup}"
        yield f"{'undo':<{WIDTH}}{undo}"


def _can_go_down(migration: Migration) -> bool:
    return migration.down is not None and migration.contract.irreversible is None


def _first_line(
    summary: SummaryInput,
    outcomes: Mapping[str, str],
    result: ApplyResult | None,
    preflight: Preflight | None,
) -> str:
    verb = "rolled back" if summary.is_rollback else "applied"
    failed = next((step for step, outcome in outcomes.items() if outcome == "failed"), "")
    if failed in {"publish", "verify"}:
        return f"{failed} failed; {summary.database_state}"
    if failed:
        return f"not {verb}: {failed} failed; {summary.database_state}"
    if preflight is not None and not preflight.pending:
        later = len(preflight.statuses.pending)
        nothing = "has nothing to roll back" if summary.is_rollback else "is up to date"
        if later and not summary.is_rollback:
            nothing = f"has every migration up to there, and {later:,} later ones pending"
        return f"{summary.database.name} {nothing}: nothing was touched"
    if preflight is not None and result is None and outcomes.get("publish") == "passed":
        verified = "" if outcomes.get("verify") == "passed" else ", but not verified"
        holds = (
            f"; {summary.database_state}"
            if summary.file_found and not summary.file_found.is_ours
            else ""
        )
        stopped = f"the run was stopped after that{summary.stopped_by}"
        return f"{verb} {_names(preflight)}{verified}: {stopped}{holds}"
    if result is None or preflight is None:
        return f"not {verb}: the run was stopped{summary.stopped_by}; {summary.database_state}"
    if summary.rehearsed:
        return f"rehearsed {_names(preflight)}; {summary.database_state}"
    return f"{verb} {_names(preflight)}"


def describe_changes(changes: Iterable[TableChange]) -> list[str]:
    """Return a line for each table that was changed."""
    return [f"{'changed':<{WIDTH}}{_change(change)}" for change in changes] or [
        f"{'changed':<{WIDTH}}no table, row or value"
    ]


def _change(change: TableChange) -> str:
    table = visible_line(change.table)
    if change.rows_before is None:
        return f"{table}: made, {counted(change.rows_after or 0, 'row')}"
    if change.rows_after is None:
        return f"{table}: dropped with {counted(change.rows_before, 'row')}"
    parts = []
    if change.rows_after != change.rows_before:
        parts.append(f"{change.rows_before:,} rows, now {change.rows_after:,}")
    if change.columns_added:
        parts.append(f"new {', '.join(change.columns_added)}")
    if change.columns_lost:
        parts.append(f"without {', '.join(change.columns_lost)}")
    parts += [f"{old} is {new} now" for old, new in change.columns_renamed]
    if change.rows_lost and change.rows_came:
        parts.append(
            f"{counted(change.rows_lost, 'row')} gone, and {counted(change.rows_came, 'row')} made"
        )
    if change.values_changed:
        parts.append(f"{counted(change.values_changed, 'value')} changed")
    return f"{table}: {'; '.join(parts) or 'rebuilt, every row as it was'}"


def _names(preflight: Preflight) -> str:
    names = [visible_line(migration.name) for migration in preflight.pending]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return ", ".join(names)
