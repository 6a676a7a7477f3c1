"""What a database without history is said to have, and which migrations are recorded then. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import version_name
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.visible import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.apply.adopt import MatchingVersions
    from pytest_bbmigrate.apply.take_back import TakenBack
    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.runner.ledger_entries import Recorded

AUTO = "auto"
NONE = "none"  # of the migrations, to name the version before the first
HALF_WAY_OUT = "complete or undo that by hand, and run --bb-adopt again"
SHOWN_EACH = 4  # of migrations that follow one another; of more, the first and the last


def describe_recognition(
    matching: MatchingVersions,
    catalogue: Catalogue,
    database: Path,
    recorded: Sequence[Recorded] = (),
) -> list[str]:
    """Return what was recognised, in lines; the first stands alone.

    ``recorded`` is what other tools have recorded in the database.
    """
    names = [version_name(position, catalogue) for position in matching.positions]
    decided = decided_version(matching, catalogue, recorded)
    if decided is not None:
        lines = [f"{database}: it is at the version {version_name(decided, catalogue)}"]
        lines += _standing(matching, catalogue, decided)
    elif len(names) > 1:
        lines = [f"{database}: it is at one of the versions {', '.join(names)}"]
        lines += _standing(matching, catalogue, None)
        lines.append(
            f"whether {', '.join(matching.undecided)} has run cannot be seen from the schema: "
            "--bb-adopt=NAME names the last one that has"
        )
    elif names and not matching.stopped:
        lines = [f"{database}: it is at the version {names[0]}"]
        lines += _standing(matching, catalogue, matching.positions[0])
    elif names:
        lines = [f"{database}: it is at the version {names[0]}, or at one after it"]
    else:
        nearest = version_name(matching.nearest, catalogue)
        lines = [f"{database}: no version has its schema; the nearest is {nearest}"]
        lines += matching.findings
        lines += [HALF_WAY_OUT] if matching.findings else []
    if matching.extras:
        lines.append(
            f"there, and in no migration: {', '.join(first_lines(matching.extras))}; left as is"
        )
    lines += [_describe_ledger(each, matching, catalogue) for each in recorded]
    if matching.stopped:
        lines.append(matching.stopped)
    return lines


def describe_unknown_base(taken: TakenBack, catalogue: Catalogue, database: Path) -> list[str]:
    """Return why it is not known what the first migration started from, in lines."""
    last = version_name(taken.count, catalogue)
    what = "what the first migration started from is not known"
    way_out = (
        "a backup from before that tells it: --bb-db=BACKUP --bb-adopt --bb-write-base=base.sql"
    )
    return [
        f"{database}: it looks as if it were at the version {last}; {what}",
        *first_lines(taken.obstacles),
        f"{way_out}; so does a down part that says what was there",
    ]


def decided_version(
    matching: MatchingVersions, catalogue: Catalogue, recorded: Sequence[Recorded]
) -> int | None:
    """Return the version that the database is at; None when that is none, or one of several.

    Between versions that look alike, what another tool has recorded decides; where it records
    another version than the schema has, nothing is decided.
    """
    if not recorded:
        return matching.decided
    told = {told_version(each, catalogue) for each in recorded}
    only = told.pop() if len(told) == 1 else None
    return only if only in matching.positions else None


def told_version(recorded: Recorded, catalogue: Catalogue) -> int | None:
    """Return the version that another tool has recorded; None when it is none of the catalogue's.

    That is so where one was broken off or is not in the catalogue, or one before another is not
    recorded.
    """
    if recorded.fault or recorded.unknown or recorded.unfinished:
        return None
    count = len(recorded.applied)
    names = tuple(migration.name for migration in catalogue.migrations[:count])
    return count if names == recorded.applied else None


def migrations_to_record(
    matching: MatchingVersions,
    catalogue: Catalogue,
    named: str,
    database: Path,
    recorded: Sequence[Recorded] = (),
) -> tuple[Migration, ...]:
    """Return the migrations to record for ``named``: 'auto', 'none', or the last that has run.

    Raises: StepFailed when the database is at no version, or ``named`` is not one it can be at;
        for 'auto' when there are several, or another tool has recorded something else.
    """
    described = describe_recognition(matching, catalogue, database, recorded)
    if named == AUTO:
        decided = decided_version(matching, catalogue, recorded)
        if decided is None:
            raise StepFailed("\n".join([*described, "nothing was recorded"]))
        return catalogue.migrations[:decided]
    position = 0
    if named != NONE:
        try:
            position = catalogue.position(named) + 1
        except LookupError as error:
            raise StepFailed(f"--bb-adopt={named}: {error.args[0]}") from error
    if position not in matching.positions:
        described[0] = f"--bb-adopt={named}: {described[0]}"
        raise StepFailed("\n".join([*described, "nothing was recorded"]))
    return catalogue.migrations[:position]


def _standing(
    matching: MatchingVersions, catalogue: Catalogue, decided: int | None
) -> Iterator[str]:
    """Yield which migrations are there and which are not, a line for each kind of them."""
    first, last = matching.positions[0], matching.positions[-1]
    lines = {"there": list[int](), "not seen": list[int](), "not there": list[int]()}
    for index, migration in enumerate(catalogue.migrations):
        if migration.name in matching.unseen and index < last:
            lines["not seen"].append(index)
        elif index < (first if decided is None else decided):
            lines["there"].append(index)
        elif matching.stopped_at is None or index < matching.stopped_at:
            lines["not there"].append(index)
    for word, indexes in lines.items():
        if indexes:
            remark = ": the schema does not show what changes data alone" * (word == "not seen")
            yield f"{word:<11}{_ranges(indexes, catalogue)}{remark}"


def _ranges(indexes: Sequence[int], catalogue: Catalogue) -> str:
    """Return the names of migrations; of many that follow one another, the first and the last."""
    runs: list[list[int]] = []
    for index in indexes:
        if runs and index == runs[-1][-1] + 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    texts = []
    for run in runs:
        names = [catalogue.migrations[index].name for index in run]
        shown = names if len(names) <= SHOWN_EACH else [f"{names[0]} .. {names[-1]} ({len(names)})"]
        texts += shown
    return ", ".join(texts)


def _describe_ledger(recorded: Recorded, matching: MatchingVersions, catalogue: Catalogue) -> str:
    """Return what another tool has recorded, held against the schema."""
    table = f"{recorded.ledger.runner}'s table {recorded.ledger.table}"
    if recorded.fault:
        return f"{table} cannot be read: {recorded.fault}"
    what = f"it records {len(recorded.applied)} of {len(catalogue.migrations)} migrations"
    if told_version(recorded, catalogue) in matching.positions:
        return f"{table} agrees: {what}"
    if differing := tuple(_what_differs(recorded, matching, catalogue)):
        return f"{table} differs: it {'; it '.join(differing)}"
    return f"{table} is no help: {what}"


def _what_differs(
    recorded: Recorded, matching: MatchingVersions, catalogue: Catalogue
) -> Iterator[str]:
    names = [migration.name for migration in catalogue.migrations]
    places = [names.index(name) for name in recorded.applied]
    if recorded.unknown:
        yield f"records {_listed(recorded.unknown)}, of which there is no file"
    if recorded.unfinished:
        yield f"records {_listed(recorded.unfinished)} as broken off"
    if matching.positions:
        first, last = matching.positions[0], matching.positions[-1]
        if gone := [names[place] for place in places if place >= last]:
            yield f"records {_listed(gone)}, which the schema does not have"
        if unsaid := [names[place] for place in range(first) if place not in places]:
            yield f"does not record {_listed(unsaid)}, which the schema has"
    elif skipped := [
        name for name in names[: max(places, default=0)] if name not in recorded.applied
    ]:
        yield f"records later ones, and not {_listed(skipped)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(first_lines(names))
