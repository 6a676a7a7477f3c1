"""--bb-adopt: which migrations a database without history has, recorded if that is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.adopt import MatchingVersions, recognise
from pytest_bbmigrate.apply.adoption import (
    decided_version,
    describe_recognition,
    describe_unknown_base,
    migrations_to_record,
    told_version,
)
from pytest_bbmigrate.apply.base_text import schema_text, write_base
from pytest_bbmigrate.apply.record_version import record_version
from pytest_bbmigrate.apply.take_back import TakenBack, take_back
from pytest_bbmigrate.counting import counted
from pytest_bbmigrate.errors import SettingsError, StepFailed
from pytest_bbmigrate.history.table import read_history
from pytest_bbmigrate.plugin.options import IS_POSIX, argument_path
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.runner.connection_hook import called_if_possible
from pytest_bbmigrate.runner.ledger_entries import Recorded, read_ledgers, recorded_in
from pytest_bbmigrate.runner.ledgers import tables_of_tools
from pytest_bbmigrate.runner.profiles import PROFILES
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import app_connections
from pytest_bbmigrate.sqlite_files.reading import read_database
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import pytest

    from pytest_bbmigrate.apply.reporter import Reporter
    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.runner.ledger_entries import LedgerEntries
    from pytest_bbmigrate.schema import Schema
    from pytest_bbmigrate.settings import Settings


IS_THERE = re.compile("already exists|duplicate column name")
NOTHING_TAKEN = TakenBack(None, 0)


@dataclass(frozen=True)
class _Looked:
    """What a database holds: ``schema`` and ``text`` are without the tables of other tools."""

    history: tuple[Applied, ...]
    whole: Schema
    schema: Schema
    text: str
    ledgers: tuple[LedgerEntries, ...]


@dataclass(frozen=True)
class _Found:
    """Which versions a database can be at; ``matching`` is None where nothing tells.

    ``taken`` is what was taken back from today's schema, where neither ``bb_base`` nor the
    migrations make what they start from.
    """

    matching: MatchingVersions | None
    recorded: tuple[Recorded, ...]
    taken: TakenBack = NOTHING_TAKEN


def adopt_database(config: pytest.Config, settings: Settings, reporter: Reporter) -> Sequence[str]:
    """Say which migrations the database has, and do what is wanted beside; return lines on it.

    Raises: StepFailed when nothing can be written or recorded, and why; SettingsError.
    """
    project = project_of(config)
    base_file = _file_to_write(config, settings)
    wanted, database = config.getoption("bb_adopt"), settings.database
    shown = Path(shown_path(database, config))
    hook = called_if_possible(project.environment.prepare_connection)
    folder = backup_folder(settings)
    with app_connections(hook):
        looked = read_database(database, _look, hook, folder)
        if looked.history and not looked.ledgers:
            recorded = counted(len(looked.history), "migration")
            raise StepFailed(
                f"{database} has a history already, of {recorded}: "
                "--bb-status shows it, and --bb-apply goes on from there"
            )
        found = _find(looked, project)
        lines = _describe(found, project, shown)
        if base_file is not None:
            _refuse_to_write(found, lines)
        if wanted:
            if found.matching is None or (found.taken.text and base_file is None):
                raise StepFailed("\n".join([*lines, *_next_step(found, project)]))
            migrations = migrations_to_record(
                found.matching, project.catalogue, wanted, shown, found.recorded
            )
            migrations = _not_recorded_yet(migrations, looked.history, lines)
        if base_file is not None:
            lines += _write(base_file, found, project, config)
        if not wanted:
            return [*lines, *_next_step(found, project, is_written=base_file is not None)]
    kept = record_version(database, folder, migrations, reporter, hook, schema=looked.whole)
    lines.append(
        f"{counted(len(migrations), 'migration')} recorded as applied; {_from_here(found)}"
    )
    return [*lines, *([f"backup: {shown_path(kept, config)}"] if kept else [])]


def _not_recorded_yet(
    migrations: Sequence[Migration], history: Sequence[Applied], lines: Sequence[str]
) -> tuple[Migration, ...]:
    """Return those of ``migrations`` that the history does not have: another tool has run them.

    Raises: StepFailed when there is none, or the history has others.
    """
    recorded = {applied.name for applied in history}
    new = tuple(migration for migration in migrations if migration.name not in recorded)
    if others := sorted(recorded - {migration.name for migration in migrations}):
        why = f"the history has {', '.join(others)} beside; nothing was recorded"
        raise StepFailed("\n".join([*lines, why]))
    if recorded and not new:
        raise StepFailed("\n".join([*lines, "the history has them already; nothing was recorded"]))
    return new


def _look(db: sqlite3.Connection) -> _Looked:
    schema, others = read_schema(db), tables_of_tools(db)
    return _Looked(
        read_history(db), schema, schema.without(others), schema_text(db, others), read_ledgers(db)
    )


def _find(looked: _Looked, project: Project) -> _Found:
    """Return what the database is at: from the base that is set, else from what it shows itself."""
    catalogue = project.catalogue
    recorded = tuple(recorded_in(entries, catalogue) for entries in looked.ledgers)
    told = told_version(recorded[0], catalogue) if len(recorded) == 1 else None
    with TemporaryDirectory(prefix="bbmigrate-") as parts:
        environment = replace(project.environment, parts=Path(parts) if IS_POSIX else None)
        matching = recognise(looked.schema, catalogue, environment, project.base, told)
        if matching.positions or project.settings.base is not None:
            return _Found(matching, recorded)
        taken = take_back(looked.text, catalogue, environment)
    if not taken.text and not matching.stopped and matching.nearest:
        return _Found(matching, recorded)  # they make their tables themselves
    return _Found(taken.matching, recorded, taken)


def _describe(found: _Found, project: Project, shown: Path) -> list[str]:
    catalogue = project.catalogue
    if found.matching is None:
        return describe_unknown_base(found.taken, catalogue, shown)
    lines = describe_recognition(found.matching, catalogue, shown, found.recorded)
    if found.matching.stopped and project.settings.python is not None:
        lines.append("they ran by pytest's own Python and SQLite, and not by those of bb_python")
    if project.settings.base is not None and IS_THERE.search(found.matching.stopped):
        lines.append(
            "is bb_base from before the first migration? without it, --bb-adopt finds out what was "
            "there"
        )
    return lines


def _file_to_write(config: pytest.Config, settings: Settings) -> Path | None:
    """Return the file to write the base into, which is not there yet.

    Raises: SettingsError.
    """
    given = config.getoption("bb_write_base")
    if given is None:
        return None
    path = argument_path(config, given)
    if not given or path.exists():
        why = "it is there already, and is not written over" if given else "name a file"
        raise SettingsError(f"--bb-write-base={given}: {why}")
    if path.suffix != ".sql" or path.is_relative_to(settings.migrations):
        raise SettingsError(
            f"--bb-write-base={given}: name a .sql file outside the folder of the migrations, for "
            "there it would be one of them"
        )
    return path


def _refuse_to_write(found: _Found, lines: Sequence[str]) -> None:
    """Make sure that there is a base to write, and one that was proved.

    Raises: StepFailed.
    """
    if found.taken is NOTHING_TAKEN and found.matching is not None and found.matching.positions:
        why = "no base is needed: the migrations make what they start from, or bb_base has it"
        raise StepFailed("\n".join([*lines, f"{why}; no file was written"]))
    if not found.taken.text:
        raise StepFailed("\n".join([*lines, "no file was written"]))


def _write(path: Path, found: _Found, project: Project, config: pytest.Config) -> list[str]:
    try:
        write_base(path, found.taken.text)
    except OSError as error:
        why = error.strerror or error
        raise SettingsError(f"--bb-write-base={path}: it cannot be written ({why})") from error
    root = config.rootpath
    name = path.relative_to(root) if path.is_relative_to(root) else path
    quote = '"' if config.inipath is not None and config.inipath.suffix == ".toml" else ""
    settings = {"bb_base": name.as_posix()}
    runners = {each.ledger.runner for each in found.recorded} & set(PROFILES)
    if len(runners) == 1 and not project.environment.profile.name:
        settings["bb_runs_as"] = runners.pop()
    file = config.inipath.name if config.inipath is not None else "pytest.ini, below [pytest]"
    written = "; ".join(f"{key} = {quote}{value}{quote}" for key, value in settings.items())
    return [
        f"wrote {shown_path(path, config)}, from which the migrations make this schema exactly",
        f"set in {file}: {written}",
    ]


def _next_step(found: _Found, project: Project, *, is_written: bool = False) -> list[str]:
    nothing = "nothing was recorded" if is_written else "nothing was written"
    if found.matching is None:
        return [nothing]
    decided = decided_version(found.matching, project.catalogue, found.recorded)
    name = "auto" if decided is not None else "NAME"
    if found.taken.text and not is_written:
        start = "what the migrations start from is made by none of them"
        return [
            f"{start}: --bb-write-base=base.sql writes it, and bb_base names it then",
            f"--bb-adopt={name} --bb-write-base=base.sql does both; {nothing}",
        ]
    if decided is not None:
        return [f"--bb-adopt=auto records that; {nothing}"]
    if found.recorded and found.matching.positions:
        return [f"--bb-adopt=NAME records what the schema has, whatever else is said; {nothing}"]
    return [nothing]


def _from_here(found: _Found) -> str:
    for recorded in found.recorded:
        runner, table = recorded.ledger
        return (
            f"--bb-rehearse rehearses what is pending, and {runner} applies it; --bb-apply does "
            f"where {table} is dropped, for {runner} would not know of it"
        )
    return "--bb-apply goes on from there"


def shown_path(path: Path, config: pytest.Config) -> str:
    """Return ``path`` as a user would type it."""
    start = config.invocation_params.dir
    return visible_line(str(path.relative_to(start) if path.is_relative_to(start) else path))
