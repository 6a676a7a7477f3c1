"""What up gives in another time zone: for a migration that calls for the zone, and for no other."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.experiment.model import OtherZone
from pytest_bbmigrate.experiment.observe import diff_against
from pytest_bbmigrate.rows import RowAdded, RowLost, ValueChanged, same_cell
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.zones import DEFAULT_ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment.model import DatabaseDiff, TableDiff
    from pytest_bbmigrate.experiment.snapshot import Snapshot
    from pytest_bbmigrate.rows.differences import Kind
    from pytest_bbmigrate.runner import Run, RunEnvironment
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.sql.values import Cell

UTC = "UTC"
MODIFIERS = frozenset({"'localtime'", "'utc'"})  # https://sqlite.org/lang_datefunc.html, 3
# What Python asks of the zone: time.timezone, time.localtime(), datetime.now(), date.today().
READS_ZONE = re.compile(
    rb"\b(?:localtime|timezone|altzone|tzname|daylight|tzset|mktime|ctime|now|today|fromtimestamp"
    rb"|astimezone|tzlocal|get_localzone)\b"
)
QUARTER = 900  # seconds: clocks of two zones differ by a multiple of that
SLACK = 60  # seconds that may go by between two runs
FIRST_SECOND = 100_000_000  # a number from which on it may count seconds since 1970


def run_in_other_zone(
    migration: Migration, up: Run, before: Snapshot, after: Snapshot, environment: RunEnvironment
) -> OtherZone | None:
    """Run ``migration`` up in another zone, if it calls for one; return what differs, or None.

    What differs between two runs in one zone as well is left out, unless by hours.
    """
    if not hasattr(time, "tzset") or not calls_for_zone(migration, up, before.schema):
        return None
    zone = DEFAULT_ZONE if time.timezone == 0 and not time.daylight else UTC
    with in_zone(zone):
        run, image = run_part(migration, migration.up, before.image, environment)
    name = "another zone" if zone == DEFAULT_ZONE else zone
    if run.failure:
        return OtherZone(name, run.statements, fails=True)
    _, elsewhere = diff_against(after, image)
    if not any(table.differences for table in elsewhere.tables) and not elsewhere.schema:
        return None
    again, image_again = run_part(migration, migration.up, before.image, environment)
    repeated = diff_against(after, image_again)[1] if again.succeeded else elsewhere
    columns = tuple(zoned_columns(elsewhere, repeated))
    if not columns and not elsewhere.schema:
        return None
    return OtherZone(name, run.statements, columns)


def calls_for_zone(migration: Migration, up: Run, schema: Schema) -> bool:
    """Return whether SQL of a migration, of a trigger, or Python asks for the zone or the clock."""
    words = {word.lower() for sql in up.shapes for word in folded(sql)}
    words |= {token.lower() for trigger in schema.triggers for token in trigger.tokens}
    if words & MODIFIERS:
        return True
    if isinstance(migration.up, SqlPart):
        return False
    return any(READS_ZONE.search(text) for text in migration.up.texts.values())


@contextmanager
def in_zone(zone: str) -> Iterator[None]:
    """In the block, have this process, and what it starts, tell the time in ``zone``."""
    own = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if own is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = own
        time.tzset()


def zoned_columns(elsewhere: DatabaseDiff, repeated: DatabaseDiff) -> Iterator[tuple[str, str]]:
    """Yield (table, column) of what another zone gives otherwise, '' for whole rows."""
    chance = {
        (fold_name(table.table), name) for table in repeated.tables for name in differing(table)
    }
    for table in elsewhere.tables:
        for column, pairs in differing(table).items():
            by_chance = (fold_name(table.table), column) in chance
            if not by_chance or any(is_hours_apart(*pair) for pair in pairs):
                yield table.table, table.spelled.get(column, column)


def differing(table: TableDiff) -> dict[str, list[tuple[Cell, Cell]]]:
    """Return the columns (folded) that differ, with some pairs of values; '' for whole rows."""
    groups = table.differences.groups
    examples = [difference for group in groups for _, difference in group.examples]
    counts: Counter[Kind] = Counter()
    for group in groups:
        counts[group.kind] += group.count
    pairs = [
        (one.column, one.before, one.after) for one in examples if isinstance(one, ValueChanged)
    ]
    lost = [one.row for one in examples if isinstance(one, RowLost)]
    added = [one.row for one in examples if isinstance(one, RowAdded)]
    for before, after in zip(lost, added, strict=False):
        pairs += [(name, cell, after.get(name)) for name, cell in before.items()]
    found: dict[str, list[tuple[Cell, Cell]]] = {}
    if counts[RowLost] != counts[RowAdded]:
        found[""] = []
    for name, cell, other in pairs:
        if not same_cell(cell, other):
            found.setdefault(fold_name(name), []).append((cell, other))
    return found


def is_hours_apart(one: Cell, other: Cell) -> bool:
    """Return whether two values are one moment as the clocks of two zones show it."""
    apart = abs(seconds_of(one) - seconds_of(other))
    return apart >= QUARTER - SLACK and min(apart % QUARTER, -apart % QUARTER) <= SLACK


def seconds_of(cell: Cell) -> float:
    """Return the seconds of a day, or a number of seconds; 0 for anything else."""
    if isinstance(cell, str):
        try:
            return datetime.fromisoformat(cell.strip()).replace(tzinfo=None).timestamp()
        except (ValueError, OverflowError, OSError):
            return 0
    return cell if isinstance(cell, int | float) and cell >= FIRST_SECOND else 0
