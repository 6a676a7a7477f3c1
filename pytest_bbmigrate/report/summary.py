"""A session's results in words: its header, its summary, and how a result travels to them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.verdict import CATALOGUE_CHECK, CHECKS, DOWN_CHECKS
from pytest_bbmigrate.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.runner.profiles import Profile
    from pytest_bbmigrate.verdict import Verdict

UP_CHECKS = tuple(check for check in CHECKS if check not in DOWN_CHECKS)

_MOST_NAMES = 4
_MOST_LINES = 8
_WIDTH = 118  # of a line beside groups of findings

Properties = list[tuple[str, object]]

TOLD = "bb_told"  # attribute of a check's report: what it has found


@dataclass(frozen=True)
class Result:
    """The result of one check; ``outcome`` is 'passed', 'failed' or 'skipped'."""

    subject: str
    check: str
    outcome: str
    reason: str = ""
    rows: int = 0
    values: int = 0
    notes: tuple[str, ...] = ()
    is_cached: bool = False


def result_properties(subject: str, check: str, verdict: Verdict | None = None) -> Properties:
    """Return an item's user properties: plain values that a worker can send and JUnit can show."""
    properties: Properties = [("bb_migration", visible_line(subject)), ("bb_check", check)]
    if verdict is not None:
        properties += [("bb_verdict", verdict.outcome.value)]
        properties += [("bb_rows", verdict.rows), ("bb_values", verdict.values)]
        properties += [("bb_note", visible(note)) for note in verdict.notes]
    return properties


def read_result(
    properties: Iterable[tuple[str, object]], outcome: str, reason: str
) -> Result | None:
    """Return the result in an item's properties; None for an item that is no check."""
    values = dict(properties)
    if "bb_check" not in values:
        return None
    return Result(
        subject=str(values["bb_migration"]),
        check=str(values["bb_check"]),
        outcome=outcome,
        reason=reason,
        rows=int(str(values.get("bb_rows", 0))),
        values=int(str(values.get("bb_values", 0))),
        notes=tuple(str(value) for name, value in properties if name == "bb_note"),
        is_cached="bb_cached" in values,
    )


def describe_header(
    folder: Path,
    migrations: int,
    rows: int,
    seed: int,
    sqlite: str,
    runner: str,
    judged: int | None = None,
) -> str:
    """Return the line that says what is about to be checked, by whose rules, and on what.

    ``judged`` is how many of the migrations are, None for all; ``runner`` and ``sqlite``, by which
    they run, are in words.
    """
    of_them = "" if judged is None else f"{judged:,} of them to be judged, "
    return (
        f"bbmigrate: {folder}, {_count(migrations, 'migration')}, {of_them}"
        f"{_count(rows, 'row')} in each table, seed {seed}, {sqlite}, {runner}"
    )


def describe_runner(profile: Profile, *, foreign_keys: bool | None) -> str:
    """Return by whose rules the files run, in words; ``foreign_keys`` is what the settings say."""
    known = profile.foreign_keys if foreign_keys is None else foreign_keys
    keys = f"foreign keys {'on' if known else 'off'}"
    if not profile.name:
        said = "" if foreign_keys is None else f", {keys}"
        return f"runner unknown: set bb_runs_as{said}"
    asked = " (bb_foreign_keys = on where its connection has them on)" if known is None else ""
    return f"run as {profile.name}, {keys}{asked}"


def describe_smoke_tests(*, is_rollback: bool) -> str:
    """Return the line that says where the smoke tests are when a real database is changed."""
    if is_rollback:
        return "bbmigrate: tests marked bb_smoke are left out: they are of the newest version"
    return "bbmigrate: tests marked bb_smoke run in the step smoke, on copies of the real rows"


def describe_results(
    results: Sequence[Result],
    unjudged: int = 0,
    *,
    says: str = "",
    in_groups: bool = False,
) -> tuple[str, ...]:
    """Return the summary, a line each; ``unjudged`` is how many migrations ran without checks.

    What ``says`` so is a setting, or it is '' because the database has them. With ``in_groups``
    what failed stands in groups elsewhere.
    """
    lines = [*_proofs(results), *_amount(results), *_cached(results)]
    if unjudged and says:
        lines.append(f"{_count(unjudged, 'earlier migration')} ran unjudged, as {says} says")
    elif unjudged:
        lines.append(f"{_count(unjudged, 'applied migration')} ran unjudged")
    failures = _failures(results)
    lines += _in_one(results, len(failures)) if in_groups else failures
    lines += _skips(results)
    lines += _notes(results)
    return tuple(lines)


def describe_briefly(results: Sequence[Result]) -> str:
    """Return the summary in one line."""
    parts = _proofs(results)
    failed = sum(result.outcome == "failed" for result in results)
    if failed:
        parts.append(f"{_count(failed, 'check')} failed")
    return "; ".join([*parts, *_amount(results), *_cached(results)])


def _proofs(results: Sequence[Result]) -> list[str]:
    """Return how many migrations were proved; one of whose checks only some ran is not."""
    migrations: dict[str, dict[str, str]] = {}
    for result in results:
        if result.check != CATALOGUE_CHECK:
            migrations.setdefault(result.subject, {})[result.check] = result.outcome
    complete = [outcomes for outcomes in migrations.values() if set(UP_CHECKS) <= set(outcomes)]
    forward = [outcomes for outcomes in complete if _all_passed(outcomes, UP_CHECKS)]
    back = [outcomes for outcomes in forward if _all_passed(outcomes, DOWN_CHECKS)]
    lines = []
    if complete:
        of_all = "" if len(forward) == len(complete) else f"{len(forward):,} of "
        of_them = f", {len(back):,} of them back" if forward else ""
        lines.append(f"{of_all}{_count(len(complete), 'migration')} proved forward{of_them}")
    partly = len(migrations) - len(complete)
    if partly:
        lines.append(f"{_count(partly, 'migration')} asked in part")
    return lines or ["no migration was asked about"]


def _all_passed(outcomes: dict[str, str], checks: Iterable[str]) -> bool:
    return all(outcomes.get(check) == "passed" for check in checks)


def _amount(results: Sequence[Result]) -> list[str]:
    """Return how many rows and values were compared, if any."""
    rows = max((result.rows for result in results), default=0)
    values = sum(result.values for result in results)
    return [f"on up to {_count(rows, 'row')}, {_count(values, 'value')} compared"] if rows else []


def _cached(results: Sequence[Result]) -> list[str]:
    """Return how many verdicts an earlier run has reached, if any."""
    cached = sum(result.is_cached for result in results)
    of_all = "" if cached == len(results) else f" of {len(results):,}"
    return [f"cached: {_count(cached, 'check')}{of_all}"] if cached else []


def _failures(results: Sequence[Result]) -> list[str]:
    failed: dict[str, list[str]] = {}
    for result in results:
        if result.outcome == "failed":
            failed.setdefault(result.subject, []).append(result.check)
    return [f"failed: {subject}: {', '.join(checks)}" for subject, checks in failed.items()]


def _in_one(results: Sequence[Result], migrations: int) -> list[str]:
    """Return in one line how many checks failed, of how many migrations."""
    failed = sum(result.outcome == "failed" for result in results)
    return [f"failed: {_count(failed, 'check')} of {_count(migrations, 'migration')}"]


def _skips(results: Sequence[Result]) -> list[str]:
    """Return the reasons for skips, each with the migrations that it holds for."""
    reasons: dict[str, dict[str, None]] = {}
    for result in results:
        if result.outcome == "skipped":
            reasons.setdefault(result.reason, {})[result.subject] = None
    return _at_most(
        [f"skipped: {reason}: {_names(list(names))}" for reason, names in reasons.items()],
        "reason",
    )


def _notes(results: Sequence[Result]) -> list[str]:
    notes: dict[str, dict[str, None]] = {}
    for result in results:
        for note in result.notes:
            notes.setdefault(note, {})[result.subject] = None
    return _at_most(
        [f"note: {_names(list(names))}: {note}" for note, names in notes.items()], "note"
    )


def _names(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMES + 1:
        return ", ".join(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def _at_most(lines: list[str], kind: str) -> list[str]:
    """Return ``lines``, or the first few and how many more there are."""
    if len(lines) <= _MOST_LINES + 1:
        return lines
    beyond = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"and {_count(beyond, f'more {kind}')}; --junitxml lists all"]


def cut(line: str) -> str:
    """Return ``line``, its end left out where it is longer than fits."""
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]} .."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
