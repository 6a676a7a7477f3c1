"""The options on the command line and in the configuration; their values as settings.

Imported in every session: nothing here may import the core before it is needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.option_table import DATABASE_COMMANDS, MODIFIERS, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.processes.app_python import AppPython
    from pytest_bbmigrate.settings import GivenValue, Settings

DEFAULT_FOLDER = "migrations"
SMOKE_VARIABLE = "PYTEST_BBMIGRATE_SMOKE"  # the folder with the order; every child inherits it
IS_POSIX = os.name == "posix"  # signals, process groups, and the locks that an apply relies on

_SETTINGS = pytest.StashKey["Settings"]()
_WANTED = pytest.StashKey[bool]()


def gives_value(config: pytest.Config) -> bool:
    """Return whether the command line gives a setting, which is then validated in any session."""
    return any(option.flag and config.getoption(option.ini) is not None for option in OPTIONS)


def attach_values(args: list[str]) -> None:
    """Change ``args`` so that an option with an optional value gets one as FLAG=VALUE only.

    Else argparse would take the next argument, a path to collect, as the value.
    """
    bare = {flag for command in DATABASE_COMMANDS if command.metavar for flag in command.flags}
    bare.update(modifier.flag for modifier in MODIFIERS if modifier.may_be_bare)
    args[:] = [f"{argument}=" if argument in bare else argument for argument in args]


def is_watched(config: pytest.Config) -> bool:
    """Return whether another process is to watch this session, which is not configured yet.

    It is when the session checks migrations or changes a database. The smoke tests' pytest is
    watched by the one that runs it.
    """
    if not IS_POSIX or SMOKE_VARIABLE in os.environ:
        return False
    given = config.known_args_namespace
    if given.bb_check_migrations or given.bb_rehearse:
        return True
    if any(getattr(given, command.dest) not in (None, False) for command in DATABASE_COMMANDS):
        return True
    folder = _folder_of(config, given.bb_migrations)
    named = given.file_or_dir or config.getini("testpaths")
    return any(argument_path(config, each).is_relative_to(folder) for each in named)


def commands_given(config: pytest.Config) -> tuple[str, ...]:
    """Return the flags of the commands on a database that the command line gives."""
    given = [
        command.flag
        for command in DATABASE_COMMANDS
        if config.getoption(command.dest) not in (None, False)
    ]
    return tuple(given)


def writes_database(config: pytest.Config) -> bool:
    """Return whether this session changes a real database once its checks have passed."""
    return config.getoption("bb_apply") or config.getoption("bb_rollback") is not None


def applies_here(config: pytest.Config) -> bool:
    """Return whether this process changes a real database; under xdist the controller does."""
    return writes_database(config) and not hasattr(config, "workerinput")


def complete_command(config: pytest.Config) -> None:
    """Set the options that the command implies, and refuse commands that cannot be combined.

    Raises: pytest.UsageError.
    """
    if config.getoption("bb_rehearse"):
        config.option.bb_apply = True
    given = [
        flag for flag in commands_given(config) if flag != "--bb-apply" or config.option.bb_apply
    ]
    if config.getoption("bb_new") is not None:
        given.append("--bb-new")
    if len(given) > 1:
        raise pytest.UsageError(f"{' and '.join(given)} are two commands; give one of them")
    if not _asks_for_help(config):
        _refuse_idle(config, given)
        _refuse_beside(config, given)
    if not IS_POSIX and given and _writes_anything(config):
        raise pytest.UsageError(
            f"{given[0]}: no database is written on Windows, whose locks are none that this relies "
            "on: check the migrations here, and run this on Linux or macOS, where the database is"
        )
    if writes_database(config):
        config.option.bb_check_migrations = True


def _refuse_idle(config: pytest.Config, commands: list[str]) -> None:
    """Refuse an option that does nothing beside ``commands``: it was meant to do something.

    Raises: pytest.UsageError.
    """
    for modifier in MODIFIERS:
        if config.getoption(modifier.dest) in (None, False) or not modifier.commands:
            continue
        if not set(modifier.commands).intersection(commands):
            needed = " or ".join(modifier.commands)
            raise usage_error(f"{modifier.flag} does nothing here: it goes with {needed}")


OF_CHECK_RUNS = {
    "--bb-draft-contracts": ("have the lines drafted by a check run, read them, and apply then"),
    "--bb-since": "what is pending is judged there, whatever git has",
}


def _refuse_beside(config: pytest.Config, commands: list[str]) -> None:
    """Refuse options of a check run in what is none. Raises: pytest.UsageError."""
    selects = any(
        argument_path(config, argument).is_relative_to(migrations_folder(config))
        for argument in config.args
    )
    for flag, instead in OF_CHECK_RUNS.items():
        if config.getoption(flag.removeprefix("--").replace("-", "_")) is None:
            continue
        if commands:
            raise usage_error(f"{flag} and {commands[0]} cannot be combined: {instead}")
        if not (selects or config.getoption("bb_check_migrations")):
            raise usage_error(f"{flag} does nothing here: it goes with --bb-check-migrations")


def refuse_unknown_settings(config: pytest.Config) -> None:
    """Refuse settings called ``bb_..`` that there are not: one misspelt would have no effect.

    Raises: pytest.UsageError that names the nearest there is.
    """
    from pytest_bbmigrate.nearest import similar_to
    from pytest_bbmigrate.plugin.configured_names import configured_names

    known = [name for option in OPTIONS for name in (option.ini, option.earlier_name) if name]
    for name in sorted(configured_names(config)):
        if name.startswith("bb_") and name not in known:
            near = similar_to(name, known)
            hint = f"; did you mean {near}?" if near else f"; there are {', '.join(known)}"
            raise usage_error(f"{name}: no such setting{hint}")


def _writes_anything(config: pytest.Config) -> bool:
    """Return whether a given command writes to a database."""
    if config.getoption("bb_adopt") == "":
        return False  # without a NAME it only says which version the database is
    read_only = {"--bb-status", "--bb-new"}
    return not read_only.issuperset(commands_given(config))


def names_command(config: pytest.Config) -> bool:
    """Return whether the command line asks for a command that runs no session.

    With --help or --version beside it, pytest answers that, and the command is not run.
    """
    if _asks_for_help(config):
        return False
    return not writes_database(config) and (
        bool(commands_given(config)) or config.getoption("bb_new") is not None
    )


def _asks_for_help(config: pytest.Config) -> bool:
    """Return whether pytest is to say what it can do, or which it is, and do nothing else."""
    return bool(config.getoption("help") or config.getoption("version"))


def migrations_folder(config: pytest.Config) -> Path:
    """Return the folder of the migrations, absolute; it need not exist."""
    return _folder_of(config, config.getoption("bb_migrations"))


def _folder_of(config: pytest.Config, given: str | None) -> Path:
    if given is not None:
        return _absolute(config.invocation_params.dir, given)
    return _absolute(config.rootpath, config.getini("bb_migrations") or DEFAULT_FOLDER)


def argument_path(config: pytest.Config, argument: str) -> Path:
    """Return the path of a command line argument such as ``migrations/003.sql::data_survives``."""
    return _absolute(config.invocation_params.dir, argument.partition("[")[0].split("::")[0])


def checks_are_wanted(config: pytest.Config) -> bool:
    """Return whether this session checks migrations: by the option, or by a path it was given."""
    if _WANTED not in config.stash:
        folder = migrations_folder(config)
        config.stash[_WANTED] = config.getoption("bb_check_migrations") or any(
            argument_path(config, argument).is_relative_to(folder) for argument in config.args
        )
    return config.stash[_WANTED]


def settings_of(config: pytest.Config) -> Settings:
    """Return the session's settings, validated once.

    Raises: pytest.UsageError naming the option, its value and what is allowed.
    """
    if _SETTINGS not in config.stash:
        from pytest_bbmigrate.errors import SettingsError
        from pytest_bbmigrate.settings import read_settings

        try:
            config.stash[_SETTINGS] = read_settings(config.rootpath, dict(_given(config)))
        except SettingsError as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_SETTINGS]


def app_python_of(config: pytest.Config) -> AppPython | None:
    """Return the interpreter that ``bb_python`` names, asked which it is; None for pytest's own.

    Raises: pytest.UsageError when it is none that can be used.
    """
    program = settings_of(config).python
    if program is None:
        return None
    from pytest_bbmigrate.errors import SettingsError
    from pytest_bbmigrate.processes.app_python import app_python

    try:
        return app_python(program)
    except SettingsError as error:
        raise usage_error(str(error)) from error


def _given(config: pytest.Config) -> Iterator[tuple[str, GivenValue]]:
    from pytest_bbmigrate.settings import GivenValue

    for option in OPTIONS:
        typed = config.getoption(option.ini) if option.flag else None
        if typed is not None:
            yield option.field, GivenValue(option.flag, typed, config.invocation_params.dir)
            continue
        configured = {
            name: value
            for name in filter(None, (option.ini, option.earlier_name))
            if (value := _configured(config, name, option.kind)) is not None
        }
        if len(configured) > 1:
            raise usage_error(f"{' and '.join(configured)} are one setting; give {option.ini}")
        for name, value in configured.items():
            yield option.field, GivenValue(name, value, config.rootpath)


def _configured(config: pytest.Config, name: str, kind: str) -> str | int | tuple[str, ...] | None:
    """Return what the configuration has under ``name``, None where it has nothing.

    Raises: pytest.UsageError where that is not of the ``kind``.
    """
    try:
        value = config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:
        wanted = {"int": "an integer", "bool": "true or false"}.get(kind, "text")
        raise usage_error(f"{name}: {wanted} is wanted ({error})") from error
    return tuple(value) if isinstance(value, list) else value


def refuse_old_sqlite() -> None:
    """Refuse an SQLite that is too old for the checks to be relied on.

    Raises: pytest.UsageError.
    """
    import sqlite3

    from pytest_bbmigrate.processes.app_python import OLDEST_SQLITE

    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise usage_error(
            f"SQLite {sqlite3.sqlite_version} is too old to rely on here: run pytest with a Python "
            f"that has SQLite {oldest} or newer"
        )


def usage_error(message: str) -> pytest.UsageError:
    """Return ``message`` as the error that pytest writes to stderr and ends with."""
    from pytest_bbmigrate.visible import visible

    return pytest.UsageError(visible(message))


def _absolute(folder: Path, path: str) -> Path:
    # resolve() would follow symbolic links, which pytest does not.
    return Path(os.path.abspath(folder / path))  # noqa: PTH100
