"""What a run on the real database came to, in words. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.apply.model import Preflight, TableChange
    from pytest_bbmigrate.apply.run import Done

WIDTH = 10


def describe_preflight(found: Preflight, database: Path) -> str:
    """Return what the preflight found, in a line; notes are lines of their own."""
    applied, count = len(found.stock.applied), len(found.pending)
    if found.goes_back:
        first = f"{_migrations(applied)} applied, {count:,} to take back: {_names(found)}"
    elif not count:
        first = f"{database.name} is up to date: {_migrations(applied)} applied, nothing pending"
    else:
        first = f"{_migrations(applied)} applied, {count:,} pending: {_names(found)}"
    return "\n".join([first, *found.notes])


def describe_done(
    details: Sequence[tuple[str, str, str]],
    done: Done | None,
    database: Path,
    found: Preflight | None,
    standing: str,
    *,
    rehearsed: bool,
) -> tuple[str, ...]:
    """Return the summary, a line each; the first stands alone.

    ``details`` are the steps so far: name, 'passed' or 'failed', what it came to; ``standing`` says
    what the database is like where nothing was published.
    """
    failed = next((step for step, outcome, _ in details if outcome == "failed"), "")
    passed = [step for step, outcome, _ in details if outcome == "passed"]
    if done is None and not failed and passed[-1:] in (["publish"], ["verify"]):
        failed = f"stopped after {passed[-1]}"
    lines = [_first_line(failed, done, database, found, standing, rehearsed=rehearsed)]
    if done is not None:
        lines += describe_changes(done.changes)
        if done.backup is not None:
            backup = os.path.relpath(done.backup)
            lines += [
                f"{'backup':<{WIDTH}}{backup}",
                f"{'undo':<{WIDTH}}{_undo(found)} --bb-restore={backup}",
            ]
        lines += [f"{'pruned':<{WIDTH}}{path.name}" for path in done.pruned]
    if found is not None:
        lines += [f"{'note':<{WIDTH}}{note}" for note in found.notes]
    return tuple(lines)


def _first_line(
    failed: str,
    done: Done | None,
    database: Path,
    found: Preflight | None,
    standing: str,
    *,
    rehearsed: bool,
) -> str:
    what = "rolled back" if found is not None and found.goes_back else "applied"
    if failed.startswith("stopped") and found is not None:
        looked_at = "" if failed.endswith("verify") else ", but not verified"
        return f"{what} {_names(found)}{looked_at}: the run was stopped after that"
    if failed in {"publish", "verify"}:
        return f"{failed} failed: read above what {database.name} holds now"
    if failed:
        return f"not {what}: {failed} failed; {standing}"
    if found is not None and not found.pending:
        nothing = "has nothing to take back" if found.goes_back else "is up to date"
        return f"{database.name} {nothing}: nothing was touched"
    if done is None or found is None:
        return f"not {what}: the run was stopped; {standing}"
    if rehearsed:
        return f"rehearsed {_names(found)}; {standing}"
    return f"{what} {_names(found)}"


def _undo(found: Preflight | None) -> str:
    goes_back = found is not None and found.goes_back
    return "pytest" if goes_back else "pytest --bb-rollback, or pytest"


def describe_changes(changes: Iterable[TableChange]) -> list[str]:
    """Return a line for each table that is not what it was."""
    return [f"{'changed':<{WIDTH}}{_change(change)}" for change in changes] or [
        f"{'changed':<{WIDTH}}no table, row or value"
    ]


def _change(change: TableChange) -> str:
    if change.rows_before is None:
        return f"{change.table}: made, {_rows(change.rows_after or 0)}"
    if change.rows_after is None:
        return f"{change.table}: dropped with {_rows(change.rows_before)}"
    parts = []
    if change.rows_after != change.rows_before:
        parts.append(f"{change.rows_before:,} rows, now {change.rows_after:,}")
    if change.columns_added:
        parts.append(f"new {', '.join(change.columns_added)}")
    if change.columns_lost:
        parts.append(f"without {', '.join(change.columns_lost)}")
    if change.values_changed:
        values = f"{change.values_changed:,} value"
        parts.append(f"{values}{'' if change.values_changed == 1 else 's'} changed")
    return f"{change.table}: {'; '.join(parts) or 'rebuilt, every row as it was'}"


def _names(found: Preflight) -> str:
    names = [migration.name for migration in found.pending]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return ", ".join(names)


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _migrations(count: int) -> str:
    return f"{count:,} migration{'' if count == 1 else 's'}"
