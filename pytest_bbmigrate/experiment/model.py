"""What one experiment on one migration showed: states, diffs and the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.own_rows import NOBODYS, RowOwner
from pytest_bbmigrate.experiment.pages import Pages, join_pages
from pytest_bbmigrate.runner.profiles import UNDECIDED, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment.derivations import Derivation
    from pytest_bbmigrate.rows import Differences, Layout, RowDifference
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Renames, Schema, SchemaDifference
    from pytest_bbmigrate.seeding.model import Unfilled
    from pytest_bbmigrate.sql.values import Cell


@dataclass(frozen=True)
class SeededState:
    """The database after the first ``position`` migrations, filled with data, or a real one.

    A real one is a file: ``pages`` is () and nothing is generated.

    ``empty_pages`` is the result of the same migrations on an empty database, None if they failed
    there. ``unfilled`` lists what got no generated rows or values, and why. ``own`` tells which
    rows may be the user's own.
    """

    position: int
    pages: Pages
    empty_pages: Pages | None
    schema: Schema
    row_counts: Mapping[str, int]
    unfilled: tuple[Unfilled, ...]
    layout: Layout
    own: RowOwner = NOBODYS

    @property
    def image(self) -> bytes:
        """The database, as bytes."""
        return join_pages(self.pages)

    @property
    def empty(self) -> bytes | None:
        """The database without generated rows, as bytes."""
        return None if self.empty_pages is None else join_pages(self.empty_pages)


@dataclass(frozen=True)
class Refused:
    """A run of up that failed, and the requirement under which it then came further.

    The ``requirement`` is as a contract words it, 'unique t(a)'; '' where there is none. ``state``
    is what it ran on.
    """

    up: Run
    state: SeededState
    requirement: str = ""


@dataclass(frozen=True)
class Narrowed:
    """Which rows up ran on, where it does not run on all that were generated.

    ``refused`` are the runs before, the first on all of them. ``left_out`` is how many rows were
    left out in the end, by table, with those that refer to them, and ``is_cut_short`` whether some
    of these were not tried; with ``is_empty`` up runs on the empty database alone.
    """

    refused: tuple[Refused, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    is_cut_short: bool = False
    is_empty: bool = False


@dataclass(frozen=True)
class Dangling:
    """Rows of ``table`` whose ``columns`` refer to no row of ``parent``, with some ``values``."""

    table: str
    columns: tuple[str, ...]
    parent: str
    count: int
    values: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Mismatch:
    """A foreign key whose parent table or parent key does not exist.

    ``missing`` is 'table', 'column' or 'unique key'.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    missing: str


@dataclass(frozen=True)
class Renumbered:
    """The one ``column`` of a key that has other values in rows that are otherwise the same.

    ``values`` are some of them, as (before, after); ``lost`` the rows that are gone beside that,
    told by their other columns.
    """

    column: str
    values: tuple[tuple[Cell, Cell], ...]
    lost: Differences | None = None


@dataclass(frozen=True)
class TableDiff:
    """What has become of one table: its name ``after`` (None: gone), and what differs in its rows.

    ``key`` are the columns that identify its rows, () for none. ``columns`` maps each column before
    that still exists to its name after. ``blank_columns`` are the changed ones (by name before)
    that hold only NULL or their default after. ``met`` of a difference are the contract's ``where``
    texts that the row before met. ``renumbered`` is set if the very same rows have other keys,
    unless there are too many to compare again. ``copied_to`` is the new table that rows of one that
    is gone were copied to, '' for none or several, without the columns ``not_copied``, and
    ``copies`` are all that hold rows of it which can be told apart; ``differences`` are what the
    copies lack, and ``found_by`` the columns by which alone its rows were found there, () where all
    of each row is there as it was.
    ``is_kept_aside`` is whether the copies have no key, though it had one, as CREATE TABLE .. AS
    makes them. ``spelled`` has the names of columns before as they were declared; everywhere else
    they are folded. ``real_to_numeric`` are those of REAL affinity that have NUMERIC affinity
    now. ``derived`` are those whose values the contract derives, which are judged by that.
    """

    table: str
    after: str | None
    key: tuple[str, ...]
    columns: Mapping[str, str]
    lost_columns: tuple[str, ...]
    blank_columns: frozenset[str]
    rows_before: int
    rows_after: int
    values_compared: int
    differences: Differences
    renumbered: Renumbered | None = None
    copied_to: str = ""
    not_copied: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    is_kept_aside: bool = False
    spelled: Mapping[str, str] = field(default_factory=dict)
    real_to_numeric: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()

    @property
    def is_as_it_was(self) -> bool:
        """Whether all of its cells were compared, row by row by their key, and none differs."""
        return (
            bool(self.key)
            and self.values_compared == self.rows_before * len(self.columns)
            and not (self.differences or self.lost_columns or self.renumbered)
            and self.rows_before == self.rows_after
            and all(new == old for old, new in self.columns.items())
        )


@dataclass(frozen=True)
class AffectedView:
    """An unchanged view that shows other values, because columns of ``tables`` have changed.

    ``columns`` (folded) are those of the view with other values; () if it has other rows.
    """

    view: str
    columns: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True)
class RemadeView:
    """A view that has other words than before.

    ``lost_columns`` (folded) are those it has no more; ``missing`` of the ``rows`` that it showed
    are not shown any more. ``joins`` is whether it joins more tables, so that rows without a match
    are left out; ``others`` whether any row that it shows is not one of those.
    """

    view: str
    lost_columns: tuple[str, ...]
    rows: int
    missing: int
    joins: bool
    others: bool

    @property
    def shows_none(self) -> bool:
        """Whether it shows none of the rows that it showed before."""
        return bool(self.rows) and self.missing == self.rows


@dataclass(frozen=True)
class DatabaseDiff:
    """What differs between two snapshots.

    ``untouched`` are the tables (folded names) that their pages prove to be unchanged, with
    ``rows_untouched`` rows of ``values_untouched`` cells in all; ``tables`` are the others.
    ``sequences`` holds the tables whose AUTOINCREMENT sequence fell, as (table, before, after).
    ``views``, ``remade_views`` and ``derivations`` are looked at after up only: down brings back
    what was before. ``views_passed_over`` are those that it would have taken too long to look at.
    """

    tables: tuple[TableDiff, ...]
    renames: Renames
    schema: tuple[SchemaDifference, ...]
    dangling: tuple[Dangling, ...]
    mismatches: tuple[Mismatch, ...]
    sequences: tuple[tuple[str, int, int], ...]
    untouched: frozenset[str] = frozenset()
    rows_untouched: int = 0
    values_untouched: int = 0
    views: tuple[AffectedView, ...] = ()
    remade_views: tuple[RemadeView, ...] = ()
    views_passed_over: tuple[str, ...] = ()
    derivations: tuple[Derivation, ...] = ()

    @property
    def values_compared(self) -> int:
        """How many cells were compared, those of tables proven untouched included."""
        return self.values_untouched + sum(table.values_compared for table in self.tables)

    @property
    def rows_compared(self) -> int:
        """How many rows were compared, those of tables proven untouched included."""
        return self.rows_untouched + sum(table.rows_before for table in self.tables)


@dataclass(frozen=True)
class OtherZone:
    """What up gave in another time ``zone``, where that differs.

    ``columns`` are those that hold other values, as (table, column), '' for whole rows;
    ``statements`` is how many it ran there; ``fails`` is whether it does not run there.
    """

    zone: str
    statements: int
    columns: tuple[tuple[str, str], ...] = ()
    fails: bool = False


@dataclass(frozen=True)
class WrittenRows:
    """What was written between up and down, and what down did to it; tables by their names after.

    ``counts`` are the rows added, ``differences`` what down lost or changed of them. ``edited`` are
    the cells of old rows that were given another value, as (table, column), ``edits_undone`` those
    that have not got it any more. ``deleted`` are how many old rows were deleted, ``deleted_back``
    those that are there again. ``passed_over`` is how many writes a schema refused; ``only_after``
    why down does not run with rows that only the schema after up takes, '' where it does.
    """

    counts: Mapping[str, int]
    differences: tuple[RowDifference, ...]
    unwritten: tuple[Unfilled, ...]
    edited: tuple[tuple[str, str], ...] = ()
    edits_undone: tuple[RowDifference, ...] = ()
    deleted: Mapping[str, int] = field(default_factory=dict)
    deleted_back: tuple[RowDifference, ...] = ()
    passed_over: int = 0
    only_after: str = ""


@dataclass(frozen=True)
class Invariant:
    """A query of the user's whose result must not change; a result is None if it could not run."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Evidence:
    """What the experiment showed: before, up, down, up again; and up, write rows, down.

    A field is None when that part was not run: there is no down part, or a part before it failed.
    ``schema_after`` is None when up failed. ``volatile`` is how a later run of up from the same
    state differs from the first. ``integrity`` tells what is damaged after up,
    ``integrity_after_down`` which full-text indexes are damaged after down. With ``on_real_rows``
    the rows are somebody's own: none are generated, and a statement may find none to change.
    ``grown_on_empty`` are the tables (folded names) that the contract says get rows, and that got
    some on the empty database. ``profile`` is by whose rules the parts ran, and
    ``lost_with_keys_on`` are the tables that would lose rows or references with foreign keys on,
    where nobody knows whether they are. ``other_zone`` is what up gives otherwise in another time
    zone, None where nothing. ``narrowed`` is set where ``state`` is not the one that was made for
    up, on which it does not run, but one on which it does.
    """

    migration: Migration
    state: SeededState
    up: Run
    up_on_empty: Run | None
    integrity: tuple[str, ...] = ()
    schema_after: Schema | None = None
    up_diff: DatabaseDiff | None = None
    invariants: tuple[Invariant, ...] = ()
    down: Run | None = None
    down_diff: DatabaseDiff | None = None
    integrity_after_down: tuple[str, ...] = ()
    second_up: Run | None = None
    second_up_diff: DatabaseDiff | None = None
    volatile: DatabaseDiff | None = None
    down_after_writing: Run | None = None
    written: WrittenRows | None = None
    on_real_rows: bool = False
    grown_on_empty: frozenset[str] = frozenset()
    profile: Profile = UNDECIDED
    lost_with_keys_on: tuple[str, ...] = ()
    other_zone: OtherZone | None = None
    narrowed: Narrowed | None = None
