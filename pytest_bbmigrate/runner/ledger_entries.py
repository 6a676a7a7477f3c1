"""What other tools have recorded as run, each in its own way, as migrations of a catalogue."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.private import Known, safe_message
from pytest_bbmigrate.runner.ledgers import find_ledgers
from pytest_bbmigrate.sql.names import quote_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.catalogue import Catalogue, Migration
    from pytest_bbmigrate.runner.ledgers import Ledger

# (which, whether it is run) in the order of the table; what comes later about one is what holds.
VERSIONS = "SELECT version, 1 FROM {} ORDER BY version"
QUERIES = {
    "dbmate": VERSIONS,
    "Rails": VERSIONS,
    "diesel": VERSIONS,
    "golang-migrate": "SELECT version, NOT dirty FROM {}",
    "caribou": "SELECT version, 1 FROM {}",
    "goose": "SELECT version_id, is_applied FROM {} WHERE version_id > 0 ORDER BY id",
    "sqlx": "SELECT version, success FROM {} ORDER BY version",
    "prisma": (
        "SELECT migration_name, finished_at IS NOT NULL FROM {} "
        "WHERE rolled_back_at IS NULL ORDER BY started_at"
    ),
    "drizzle": "SELECT hash, 1 FROM {} ORDER BY created_at",
    "d1": "SELECT name, 1 FROM {} ORDER BY id",
    "flyway": (
        "SELECT version, success FROM {} WHERE version IS NOT NULL AND type <> 'BASELINE' "
        "AND type NOT LIKE 'UNDO%' AND type <> 'DELETE' ORDER BY installed_rank"
    ),
    "yoyo": "SELECT migration_id, 1 FROM {} ORDER BY applied_at_utc",
    "sqlite-utils": "SELECT name, 1 FROM {} ORDER BY id",
}
BASELINE = "SELECT version FROM {} WHERE type = 'BASELINE'"  # Flyway's: what is up to it counts
UP_TO = frozenset({"golang-migrate", "caribou"})  # keep the last version alone
WITHOUT_ROWS = "-1"  # golang-migrate's version of a database that was taken back to nothing


@dataclass(frozen=True)
class LedgerEntries:
    """The rows of the ``ledger`` of another tool: (which, whether it ran to its end).

    ``up_to`` is the version up to which everything counts as run, '' for none; ``fault`` is why the
    table could not be read, '' where it could.
    """

    ledger: Ledger
    rows: tuple[tuple[str, bool], ...] = ()
    up_to: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Recorded:
    """What the ``ledger`` of another tool says of a catalogue.

    ``applied`` are the names of migrations that it records as run, in the catalogue's order,
    ``unfinished`` those that it records as broken off; ``unknown`` is what it records and the
    catalogue does not have. ``fault`` as LedgerEntries has it.
    """

    ledger: Ledger
    applied: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    fault: str = ""


def read_ledgers(db: sqlite3.Connection) -> tuple[LedgerEntries, ...]:
    """Return what the tables of other tools in ``db`` hold."""
    return tuple(_read_ledger(db, ledger) for ledger in find_ledgers(db))


def _read_ledger(db: sqlite3.Connection, ledger: Ledger) -> LedgerEntries:
    table = quote_name(ledger.table)
    query = QUERIES[ledger.runner].format(table)
    try:
        rows = tuple((str(which), bool(is_run)) for which, is_run in db.execute(query))
        lasts = [which for which, _ in rows] if ledger.runner in UP_TO else []
        if ledger.runner == "flyway":
            lasts = [str(version) for (version,) in db.execute(BASELINE.format(table))]
    except sqlite3.OperationalError as error:  # of another version of the tool, say
        return LedgerEntries(ledger, fault=safe_message(error, Known(texts=(query,))))
    return LedgerEntries(ledger, rows, lasts[-1] if lasts else "")


def recorded_in(entries: LedgerEntries, catalogue: Catalogue) -> Recorded:
    """Return which of the migrations of ``catalogue`` the ``entries`` record."""
    key_of = KEYS.get(entries.ledger.runner, _number)
    by_key = {key_of(migration, catalogue): migration.name for migration in catalogue.migrations}
    states: dict[str, bool] = {}
    unknown: dict[str, None] = {}
    if entries.up_to:
        last = _digits(entries.up_to)
        states = {name: True for key, name in by_key.items() if key and _is_up_to(key, last)}
    for which, is_run in entries.rows:
        name = by_key.get(which) or by_key.get(_digits(which))
        if name is not None:
            states[name] = is_run
        elif is_run and which not in ("0", WITHOUT_ROWS):
            unknown[which] = None
    names = [migration.name for migration in catalogue.migrations if migration.name in states]
    return Recorded(
        entries.ledger,
        tuple(name for name in names if states[name]),
        tuple(name for name in names if not states[name] and entries.ledger.runner != "goose"),
        tuple(unknown),
        entries.fault,
    )


def _is_up_to(key: object, last: object) -> bool:
    return isinstance(key, tuple) and isinstance(last, tuple) and key <= last


def _digits(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, zeros at its end left out: '1.2.0' is (1, 2)."""
    numbers = [int(part) for part in re.findall(r"[0-9]+", version)]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _number(migration: Migration, _: Catalogue) -> object:
    """Return the number that leads the name, as the tools read it that go by numbers."""
    match = re.match(r"[vV]?([0-9]+)", migration.name)
    return _digits(match[1]) if match else None


def _without_dashes(migration: Migration, _: Catalogue) -> object:
    match = re.match(r"[0-9][0-9-]*", migration.name)
    return _digits(match[0].replace("-", "")) if match else None


def _dotted(migration: Migration, _: Catalogue) -> object:
    return _digits(".".join(map(str, migration.number))) if migration.number else None


def _name(migration: Migration, _: Catalogue) -> object:
    return migration.name


def _file_name(migration: Migration, _: Catalogue) -> object:
    return migration.path.name


def _digest(migration: Migration, catalogue: Catalogue) -> object:
    text = catalogue.texts.get(os.path.realpath(migration.path), b"")
    return hashlib.sha256(text).hexdigest()


KEYS: dict[str, Callable[[Migration, Catalogue], object]] = {
    "diesel": _without_dashes,
    "flyway": _dotted,
    "prisma": _name,
    "yoyo": _name,
    "sqlite-utils": _name,
    "d1": _file_name,
    "drizzle": _digest,
}
