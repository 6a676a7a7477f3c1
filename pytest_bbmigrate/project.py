"""What the settings name: the migrations, what they start from, and where they run."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import (
    Catalogue,
    Importing,
    ReadingRules,
    importing_of,
    read_catalogue,
)
from pytest_bbmigrate.catalogue.literals import distinct
from pytest_bbmigrate.catalogue.since import NOTHING_PAST, Past
from pytest_bbmigrate.errors import CatalogueError, DatabaseError, SettingsError
from pytest_bbmigrate.private import Known, safe_message, showing_values
from pytest_bbmigrate.processes.app_python import app_python
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.choose import choose_profile, runner_told
from pytest_bbmigrate.runner.connection_hook import (
    late_connection_hook,
    load_connection_hook,
    refuse_other_files,
)
from pytest_bbmigrate.runner.limits import DEFAULT_SECONDS
from pytest_bbmigrate.schema.read.row_presence import has_rows
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.seeding.own_rows import read_own_rows
from pytest_bbmigrate.sql import UnreadableSql, first_word, split_statements
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTable
from pytest_bbmigrate.sqlite_files import (
    HEADER_STRING,
    open_image,
    page_size,
    read_image,
    take_image,
)
from pytest_bbmigrate.sqlite_files.soundness import examine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.processes.app_python import AppPython
    from pytest_bbmigrate.runner.connection_hook import ConnectionHook
    from pytest_bbmigrate.settings import Settings
    from pytest_bbmigrate.sql import Statement


@dataclass(frozen=True)
class Project:
    """What the settings name: the migration folder as read, and what its migrations start from.

    ``past`` are the migrations that run unjudged as old history; ``judged`` are the only ones to
    be, by name, where a database is to be changed, None elsewhere. ``importing`` is where the
    migrations' Python finds modules of the project, ``rules`` how the folder was read, and
    ``began`` the time, in nanoseconds, before which all of it was written; ``base_has_rows`` is
    whether there are rows in the base, which are the user's own, and ``shows_values`` whether such
    may be shown.
    """

    settings: Settings
    reading: Catalogue | CatalogueError
    environment: RunEnvironment
    base: bytes
    recipe: Recipe
    past: Past
    importing: Importing
    rules: ReadingRules
    began: int
    judged: frozenset[str] | None = None
    base_has_rows: bool = False
    shows_values: bool = False

    @property
    def unjudged(self) -> frozenset[str]:
        """The migrations that run unjudged, where a database is to be changed."""
        if self.judged is None:
            return frozenset()
        return frozenset(migration.name for migration in self.catalogue.migrations) - self.judged

    @property
    def catalogue(self) -> Catalogue:
        """The migrations.

        Raises: CatalogueError when the folder does not read.
        """
        if isinstance(self.reading, CatalogueError):
            raise self.reading
        return self.reading

    def in_order(self, order: Sequence[str], judged: Iterable[str]) -> Project:
        """Return the project with its migrations in ``order``, of which only ``judged`` are judged.

        Raises: CatalogueError when the folder does not read.
        """
        by_name = {migration.name: migration for migration in self.catalogue.migrations}
        ordered = replace(self.catalogue, migrations=tuple(by_name[name] for name in order))
        return replace(self, reading=ordered, judged=frozenset(judged))

    @property
    def holds_own(self) -> bool:
        """Whether some rows are the user's own, of the base or given."""
        return self.base_has_rows or bool(self.recipe.own_rows)

    @property
    def hides_own(self) -> bool:
        """Whether some rows are the user's own, and not to be shown."""
        return self.holds_own and not self.shows_values

    @property
    def holds_nothing(self) -> bool:
        """Whether the folder is missing or empty, rather than one that cannot be read."""
        return isinstance(self.reading, CatalogueError) and all(
            problem.path == self.settings.migrations for problem in self.reading.problems
        )


def read_project(
    settings: Settings,
    *,
    fixes_modules: bool = False,
    shows_values: bool = False,
    runs_migrations: bool = False,
) -> Project:
    """Return what ``settings`` name.

    With ``runs_migrations`` this process is run by the Python that ``bb_python`` names, where one
    does; else nothing of the app's is imported here before it is needed.

    With ``fixes_modules`` the project's own modules that migrations import are read as well: the
    whole run uses that text.

    Raises: SettingsError, DatabaseError or SeedingError when one of these cannot be read. The error
    of a migration folder is kept instead, for a check reports it.
    """
    began = time.time_ns()
    importing = Importing((settings.migrations,))
    if fixes_modules:
        modules = [settings.connection.partition(":")[0]] if settings.connection else []
        importing = importing_of(settings.migrations, settings.root, sys.path, modules)
    python = None
    if settings.python is None or runs_migrations:
        hook = load_connection_hook(settings.connection, settings.root)
    else:
        python = app_python(settings.python)
        hook = late_connection_hook(settings.connection, settings.root)
    with showing_values(everything=shows_values):
        own_rows = read_own_rows(settings.rows_from) if settings.rows_from else {}
        base = (
            _read_base(settings.base, hook) if python is None else _read_for(python, settings, hook)
        )
    rules = reading_rules(settings, base)
    try:
        reading: Catalogue | CatalogueError = read_catalogue(
            settings.migrations, importing, rules, python
        )
    except CatalogueError as error:
        reading = error
    catalogue = reading if isinstance(reading, Catalogue) else None
    migrations = catalogue.migrations if catalogue else ()
    literals = distinct(literal for migration in migrations for literal in migration.literals)
    return Project(
        settings=settings,
        reading=reading,
        environment=RunEnvironment(
            settings.database,
            settings.root,
            hook,
            connection_hook=settings.connection or None,
            seconds=settings.seconds or DEFAULT_SECONDS,
            memory=settings.memory,
            profile=choose_profile(
                settings.runs_as, settings.migrations, settings.root, catalogue, base
            ),
            foreign_keys=settings.foreign_keys,
        ),
        base=base,
        recipe=Recipe(
            rows=settings.rows,
            seed=settings.seed,
            literals=literals,
            own_rows=own_rows,
        ),
        past=_past(settings.check_from, reading),
        importing=importing,
        rules=rules,
        began=began,
        base_has_rows=has_rows(base),
        shows_values=shows_values,
    )


def reading_rules(settings: Settings, base: bytes = b"") -> ReadingRules:
    """Return how the migration folder is to be read, and by whom it is run as far as that is told.

    ``base`` is the image of the database that the first migration starts from.
    """
    told = runner_told(settings.runs_as, settings.migrations, settings.root, base)
    return replace(settings.reading_rules, runner=told)


def backup_folder(settings: Settings) -> Path:
    """Return the folder for backups: the configured one, or the database's own."""
    return settings.backup_dir or settings.database.resolve().parent


def _past(check_from: str, reading: Catalogue | CatalogueError) -> Past:
    if not check_from or isinstance(reading, CatalogueError):
        return NOTHING_PAST
    try:
        first = reading.position(check_from)
    except LookupError as error:
        raise SettingsError(f"bb_check_from = {check_from}: {error.args[0]}") from error
    names = frozenset(migration.name for migration in reading.migrations[:first])
    return Past(names, "bb_check_from")


def _read_base(path: Path | None, hook: ConnectionHook | None) -> bytes:
    """Return the image that the first migration starts from; empty without a base."""
    if path is None:
        return b""
    content = path.read_bytes()
    if content.startswith(HEADER_STRING):
        return _refuse_damage(path, read_image(path), hook)
    statements = _base_statements(path, content)
    with closing(open_image(b"")) as db:
        if hook is not None:
            hook(db)
        db.set_authorizer(refuse_other_files)
        for statement in statements:
            if _is_of_sqlite(statement):
                continue
            try:
                db.execute(statement.text)
            except sqlite3.Error as error:
                refused = "; ATTACH and VACUUM INTO are refused" * ("auth" in str(error))
                raise SettingsError(
                    f"bb_base = {path}:{statement.line}: "
                    f"{safe_message(error, _shown_in(statement))}{refused}"
                ) from error
        db.set_authorizer(None)
        if db.in_transaction:
            raise SettingsError(f"bb_base = {path}: its BEGIN has no COMMIT")
        return take_image(db)


def _read_for(python: AppPython, settings: Settings, hook: ConnectionHook | None) -> bytes:
    """Return the image that the first migration starts from, where ``python`` runs them.

    This process's SQLite reads it, too, and the app's hook is called only where it has to be.
    """
    try:
        return _read_base(settings.base, None)
    except (SettingsError, DatabaseError):
        if hook is not None:
            return _read_base(settings.base, hook)
        if python.sqlite == sqlite3.sqlite_version:
            raise
        fault = sys.exception()
        raise SettingsError(
            f"{fault}; SQLite {sqlite3.sqlite_version} of pytest's Python reads it as well as "
            f"SQLite {python.sqlite} of the app's (bb_python)"
        ) from fault


def _refuse_damage(path: Path, image: bytes, hook: ConnectionHook | None) -> bytes:
    """Return ``image``; old values that break a CHECK, a NOT NULL or a type are no damage.

    Raises: DatabaseError when it is damaged: of a table that is cut off rows would be missing.
    """
    with closing(open_image(image)) as db:
        if hook is not None:
            hook(db)
        try:
            damage = [*examine(db).damage]
        except sqlite3.Error as error:
            damage = [safe_message(error)]
    if path.stat().st_size % page_size(image):
        damage.append("its end is cut off")
    if damage:
        raise DatabaseError(path, f"is damaged ({damage[0]}); bb_base wants a sound copy")
    return image


def _shown_in(statement: Statement) -> Known:
    """Return what may be shown of a statement: those that make something hold no row."""
    makes = first_word(statement.text) in {"create", "alter", "drop", "pragma"}
    words = statement.text if makes else statement.text.partition("(")[0]
    return Known(texts=(words,))


def _is_of_sqlite(statement: Statement) -> bool:
    """Return whether ``.schema`` of the sqlite3 shell shows this, and SQLite makes it by itself."""
    command = read_command(statement.text)
    return isinstance(command, CreateTable) and command.name.folded.startswith("sqlite_")


def _base_statements(path: Path, content: bytes) -> tuple[Statement, ...]:
    try:
        return split_statements(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"bb_base = {path}: neither an SQLite database nor SQL in UTF-8 ({error})"
        ) from error
    except UnreadableSql as error:
        raise SettingsError(
            f"bb_base = {path}:{error.line}: {error.message}; {error.remedy}"
        ) from error
