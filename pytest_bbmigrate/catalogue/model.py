"""The values a migration folder is read into."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_bbmigrate.nearest import nearest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_bbmigrate.catalogue.column_reads import ColumnRead
    from pytest_bbmigrate.catalogue.joined_texts import JoinedText
    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.sql import Statement

NUMBER_ALONE = re.compile(r"[vV]?([0-9]+(?:[-_.][0-9]+)*)")


@dataclass(frozen=True)
class SqlPart:
    """Statements to run one by one; empty for a legal, comment-only part.

    ``not_single`` is the first that no breakpoint of drizzle's parts from the one before it, or
    where there is none between two breakpoints one without text.
    """

    path: Path
    statements: tuple[Statement, ...]
    in_transaction: bool = True
    not_single: Statement | None = field(default=None, compare=False)


class Call(Enum):
    """What a Python part is given, or what of its file runs."""

    DATABASE = "a sqlite_utils.Database"
    CONNECTION = "a plain connection"
    STEPS = "the steps of yoyo"
    ROLLBACKS = "the rollbacks of yoyo's steps, last first"


@dataclass(frozen=True)
class PythonPart:
    """A function ``function(db)`` of a Python file; ``line`` is where it is defined.

    ``call`` says what it is given; of yoyo's steps ``function`` is what is shown, ``steps``.

    ``texts`` are the bytes of it and of the modules that it imports, by their real paths, when the
    catalogue was read: these run, whatever the files hold by then.
    """

    path: Path
    function: str
    line: int
    in_transaction: bool = True
    texts: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    call: Call = Call.DATABASE


@dataclass(frozen=True)
class ScriptPart:
    """A Python program that opens the database by itself; ``texts`` as a PythonPart has them."""

    path: Path
    texts: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)


Part = SqlPart | PythonPart | ScriptPart


@dataclass(frozen=True)
class Migration:
    """One step of the schema.

    ``path`` is the file its node id shows; ``number`` its leading number as integers, or None.
    ``literals`` are the strings and numbers its own text mentions, as (column or None, value).
    ``expected_literals`` are those that it expects rows to have: conditions of its up part ask for
    them, and it writes them nowhere. ``assigned_literals`` are those that its UPDATEs set,
    ``taken_literals`` those of them that a row may hold already. ``column_reads`` are what its
    statements read in columns, ``joined_texts`` where its up part looks for rows by a text around
    another table's key.
    ``explicit_drops`` are the (kind, folded name) pairs of the DROP INDEX, TRIGGER and VIEW in it.
    ``checksum`` covers the statements (of a Python file: its code), not comments or line ends; it
    ends with + and a digest where lines outside the file change how, or when, it runs.
    ``function`` is the one of its file that it is, where that holds several; '' for a whole file.
    """

    name: str
    path: Path
    number: tuple[int, ...] | None
    up: Part
    down: Part | None
    contract: Contract
    checksum: str
    literals: tuple[tuple[str | None, str | int | float], ...] = ()
    explicit_drops: frozenset[tuple[str, str]] = frozenset()
    expected_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    assigned_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    taken_literals: tuple[tuple[str | None, str | int | float], ...] = ()
    column_reads: frozenset[ColumnRead] = frozenset()
    joined_texts: frozenset[JoinedText] = frozenset()
    function: str = ""


@dataclass(frozen=True)
class Catalogue:
    """The migrations of a folder, in the order in which they run.

    ``texts`` are the bytes of every file that was read for them, by its real path: their own, and
    the modules that their Python imports. ``contracts_file`` is among them, which has contract
    lines of migrations; None where their own files have all. ``notes`` are worth saying of the
    files' names.
    """

    folder: Path
    migrations: tuple[Migration, ...]
    texts: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)
    contracts_file: Path | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def shown_texts(self) -> tuple[str, ...]:
        """The text of each file of the migrations, comments included, and of their contracts.

        Not of what they import.
        """
        parts = (part for m in self.migrations for part in (m.up, m.down) if part is not None)
        paths = dict.fromkeys(os.path.realpath(part.path) for part in parts)
        if self.contracts_file is not None:
            paths[os.path.realpath(self.contracts_file)] = None
        return tuple(
            self.texts[path].decode("utf-8", "replace") for path in paths if path in self.texts
        )

    def position(self, name: str) -> int:
        """Return the index of the migration called ``name``, or whose file or number is ``name``.

        Raises: LookupError that names the nearest names there are.
        """
        if (index := self._positions.get(name)) is not None:
            return index
        match = NUMBER_ALONE.fullmatch(name)
        number = tuple(map(int, re.split("[-_.]", match[1]))) if match else None
        for index, migration in enumerate(self.migrations):
            if number is not None and migration.number == number:
                return index
        names = [migration.name for migration in self.migrations]
        nearest = " or ".join(nearest_of(name, names, most=3))
        raise LookupError(f"no migration is called '{name}'; the nearest there is: {nearest}")

    @cached_property
    def _positions(self) -> dict[str, int]:
        """The index of each migration by its name, and by its file; the first one's for a name."""
        positions: dict[str, int] = {}
        for index, migration in enumerate(self.migrations):
            for name in (migration.name, self.file_name(migration)):
                positions.setdefault(name, index)
        return positions

    @cached_property
    def _paths(self) -> dict[Path, str]:
        """The path of each migration's file within the folder."""
        return {each.path: self._within(each.path) for each in self.migrations}

    def _within(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def file_name(self, migration: Migration) -> str:
        """Return the path of a migration's file within the folder, with its function in a set."""
        path = self._paths.get(migration.path) or self._within(migration.path)
        return f"{path}::{migration.function}" if migration.function else path
