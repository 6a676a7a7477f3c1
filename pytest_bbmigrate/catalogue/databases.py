"""Folders with a file for each database: ``1_a.sqlite3.up.sql`` beside ``1_a.mysql.up.sql``.

The word before the ending is the database's, as pop (of Buffalo and Ory) has it: of one number it
runs the file of its own database, else the one without such a word.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.names import leading_number, split_name
from pytest_bbmigrate.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SQLITE = frozenset({"sqlite", "sqlite3"})
OTHERS = frozenset(
    {
        *("postgres", "postgresql", "pgsql", "pg", "mysql", "mariadb", "cockroach", "cockroachdb"),
        *("crdb", "mssql", "sqlserver", "oracle", "yugabyte", "yugabytedb", "tidb", "clickhouse"),
        *("h2", "db2", "duckdb", "spanner", "snowflake", "redshift"),
    }
)
AUTOCOMMIT = ".autocommit"  # Ory's word for a file that runs in no transaction


@dataclass(frozen=True)
class OtherDatabases:
    """The files of a folder that SQLite does not get.

    ``theirs`` are those of other databases, ``replaced`` those for any database of which there is
    one for SQLite alone; ``is_for_sqlite`` is whether one is.
    """

    theirs: frozenset[str] = frozenset()
    replaced: frozenset[str] = frozenset()
    is_for_sqlite: bool = True

    @property
    def names(self) -> frozenset[str]:
        """All of them."""
        return self.theirs | self.replaced

    @property
    def databases(self) -> tuple[str, ...]:
        """The other databases, as they are spelled."""
        return tuple(sorted({database_of(name) for name in self.theirs}))

    @property
    def note(self) -> str:
        """What is worth saying of what was passed over; '' where nothing was."""
        if not self.theirs or not self.is_for_sqlite:
            return ""
        count = len(self.theirs)
        replaced = f", and {len(self.replaced):,} that SQLite has a file of its own for"
        return (
            f"{count:,} file{'s' * (count > 1)} for {' and '.join(self.databases)} "
            f"{'are' if count > 1 else 'is'} passed over{replaced * bool(self.replaced)}"
        )

    def problems(self, folder: Path) -> Iterator[Problem]:
        """Yield the one problem with a ``folder`` that has files for other databases alone."""
        if self.is_for_sqlite:
            return
        first = min(self.theirs)
        patterns = " and ".join(f"*.{database}.*sql" for database in self.databases)
        yield Problem(
            folder / first,
            None,
            f"this is for {database_of(first)} by its name, as {len(self.theirs):,} files here are "
            f"for {' or '.join(self.databases)}, and none is for sqlite or sqlite3",
            "name the folder of SQLite's migrations with bb_migrations, or, if what is left runs "
            f"on SQLite, pass these over with bb_ignore = {patterns}",
        )


def other_databases(names: Iterable[str]) -> OtherDatabases:
    """Return which of ``names`` are not for SQLite: none, but where one number has two databases.

    A single ``002_to.postgres.sql`` is a name like others.
    """
    by_half: dict[tuple[object, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        stem, ending = split_name(name)
        if ending.endswith(".sql"):
            by_half[leading_number(stem) or stem.partition(".")[0], ending][database_of(name)].add(
                name
            )
    if not any(len({*map(_canonical, files)} - {""}) > 1 for files in by_half.values()):
        return OtherDatabases()
    theirs = {
        name
        for files in by_half.values()
        for database, found in files.items()
        for name in found
        if database in OTHERS
    }
    replaced = {
        name
        for files in by_half.values()
        for name in files.get("", ())
        if not SQLITE.isdisjoint(files)
    }
    is_for_sqlite = any(not SQLITE.isdisjoint(files) for files in by_half.values())
    return OtherDatabases(frozenset(theirs), frozenset(replaced), is_for_sqlite)


def database_of(file_name: str) -> str:
    """Return the word for a database before a file's ending, '' where none stands there."""
    stem = split_name(file_name)[0].lower().removesuffix(AUTOCOMMIT)
    word = stem.rpartition(".")[2] if "." in stem else ""
    return word if word in SQLITE or word in OTHERS else ""


def _canonical(database: str) -> str:
    return "sqlite" if database in SQLITE else database
