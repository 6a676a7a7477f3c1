"""What the steps of a run on the real database take and give."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.checks.discards import Discarded
    from pytest_bbmigrate.history.plan import MigrationStatuses
    from pytest_bbmigrate.verdict import Verdict


class ContentState(Enum):
    """What the content of the real database is, as far as the lock process has come."""

    UNTOUCHED = "untouched"
    PUBLISHED = "published"  # the working copy's, complete, and not yet verified
    VERIFIED = "verified"  # the working copy's
    RESTORED = "restored"  # the backup's again, which is what it was
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Preflight:
    """What the preflight found, before anything is locked.

    ``pending`` are the migrations to run, in their order; ``batch`` is this apply's number;
    ``notes`` are worth knowing, and no obstacle (old violations, hard links, an unknown file
    system); ``is_new`` is whether the database file is to be made first (--bb-create). With
    ``is_rollback`` the ``pending`` ones are those of ``applied`` to roll back, in their order.
    """

    statuses: MigrationStatuses
    pending: tuple[Migration, ...]
    batch: int
    notes: tuple[str, ...] = ()
    is_new: bool = False
    is_rollback: bool = False
    applied: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableChange:
    """What the run did to one table: rows before and after, values that are not what they were.

    ``rows_before`` is None for a table that was made, ``rows_after`` for one that is gone;
    ``former`` is the name it had before, '' when it was made. ``columns_renamed`` are those with
    another name now, as (before, after); ``columns_changed``, by their names before, those in which
    some value changed. ``rows_lost`` and ``rows_came`` add up what each migration took and made, so
    that a row that one took and another made again is in both.
    """

    table: str
    rows_before: int | None
    rows_after: int | None
    columns_added: tuple[str, ...] = ()
    columns_lost: tuple[str, ...] = ()
    values_changed: int = 0
    former: str = ""
    columns_renamed: tuple[tuple[str, str], ...] = ()
    columns_changed: tuple[str, ...] = ()
    rows_lost: int = 0
    rows_came: int = 0


@dataclass(frozen=True)
class Rehearsal:
    """The result of running the migrations on a copy of the real database.

    ``verdicts`` has one for each check of each migration, in their order, up to the first migration
    with a failure; ``digest`` is the hash of the working copy's file (``sqlite_files.digest_of``),
    '' when anything failed; ``changes`` are what differs between the backup and the working copy;
    ``printed`` is what the migrations wrote, by name; ``discarded`` says of which tables and
    columns values are lost by migrations that are rolled back, and how many. ``journal_mode`` is
    the one that the migrations leave the database in, '' when they ask for none.
    """

    verdicts: tuple[Verdict, ...]
    digest: str = ""
    changes: tuple[TableChange, ...] = ()
    printed: tuple[tuple[str, str], ...] = ()
    discarded: tuple[Discarded, ...] = ()
    journal_mode: str = ""
