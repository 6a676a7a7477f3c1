"""The options on the command line and in the configuration; their values as settings.

Imported in every session: nothing here may import the core before it is needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.settings import GivenValue, Settings

DEFAULT_FOLDER = "migrations"
OLDEST_SQLITE = (3, 38)  # the oldest that the tests are run with
SMOKE_VARIABLE = "PYTEST_BBMIGRATE_SMOKE"  # the folder with the order; every child inherits it
IS_POSIX = os.name == "posix"  # signals, process groups, and the locks that an apply relies on

_SETTINGS = pytest.StashKey["Settings"]()
_WANTED = pytest.StashKey[bool]()


class _Option(NamedTuple):
    """One setting: its field in Settings, and what the configuration and command line call it.

    ``earlier_name`` is what the configuration may still call it.
    """

    field: str
    kind: Literal["string", "int", "bool", "linelist"]
    help: str
    flag: str = ""
    metavar: str = ""
    earlier_name: str = ""

    @property
    def ini(self) -> str:
        """The name in the configuration, and where the command line's value is kept."""
        return f"bb_{self.field}"


class _Command(NamedTuple):
    """One thing to do to a database; ``metavar`` names its optional value, given as FLAG=VALUE.

    ``earlier_flag`` is what the command line may still call it.
    """

    flag: str
    help: str
    metavar: str = ""
    earlier_flag: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """Every way to give it."""
        return (self.flag, self.earlier_flag) if self.earlier_flag else (self.flag,)

    @property
    def dest(self) -> str:
        """Where the command line's value is kept: None for not given, '' without a value."""
        return self.flag.removeprefix("--").replace("-", "_")


_OPTIONS = (
    _Option(
        "migrations",
        "string",
        "Folder of the migrations (default: migrations)",
        "--bb-migrations",
        "DIR",
    ),
    _Option(
        "database",
        "string",
        "Database that the migrations are for (default: budget_buddy.db)",
        "--bb-db",
        "FILE",
    ),
    _Option("rows", "int", "Rows to generate in each table (default: 200)", "--bb-rows", "N"),
    _Option(
        "seed",
        "int",
        "Seed of the generated rows (default: 20260101)",
        "--bb-seed",
        "N",
    ),
    _Option(
        "base",
        "string",
        "SQL file or database that the first migration starts from",
        earlier_name="bb_baseline",
    ),
    _Option("invariants", "linelist", "Lines 'name: SELECT ..' whose result may never change"),
    _Option("connection", "string", "'package.module:function' called with every connection"),
    _Option("rows_from", "string", "Folder of TABLE.json, .csv or .sql files to use as rows"),
    _Option("check_from", "string", "First migration to judge; earlier ones run unjudged"),
    _Option("strict", "bool", "Fail a check that could not be asked for want of rows"),
    _Option(
        "backup_dir",
        "string",
        "Folder for backups (default: the database's own)",
        "--bb-backup-dir",
        "DIR",
    ),
    _Option("keep_backups", "int", "How many of the backups it made an apply keeps (default: all)"),
    _Option("smoke_seconds", "int", "How long the smoke tests of an apply may take (default: 300)"),
)

# What is done to a real database: one of them at a time. The first two are sessions.
_DEEDS = (
    _Command(
        "--bb-apply", "Prove the migrations, then apply the pending ones to the real database"
    ),
    _Command(
        "--bb-rollback", "Undo the last apply, or the last N, or what came after NAME", "N|NAME"
    ),
    _Command("--bb-restore", "Put a backup back, the latest one or the one named", "BACKUP"),
    _Command("--bb-backup", "Make a verified backup"),
    _Command(
        "--bb-adopt",
        "Say which version a database without history is; record it with NAME or auto",
        "NAME",
        earlier_flag="--bb-baseline",
    ),
    _Command("--bb-status", "Show which migrations are applied and which are pending, and exit"),
)
_MODIFIERS = (
    ("--bb-rehearse", "Do all of --bb-apply but publish"),
    ("--bb-create", "Let --bb-apply make the database file"),
    ("--bb-allow-late", "Apply migrations that come before an applied one, now"),
    ("--bb-skip-way-back", "Do not rehearse the way back on the real rows"),
    ("--bb-show-values", "Show values of your own rows in failures"),
    ("--bb-discard-changes", "Let a restore or a rollback lose what was written since"),
)


def add_options(parser: pytest.Parser) -> None:
    """Add the options to pytest's own."""
    group = parser.getgroup("bbmigrate", "SQLite migrations")
    group.addoption(
        "--bb-check-migrations",
        action="store_true",
        help="Prove every migration on realistic data, forward and back",
    )
    for option in _OPTIONS:
        parser.addini(option.ini, option.help, type=option.kind, default=None)
        if option.earlier_name:
            earlier = f"The earlier name of {option.ini}"
            parser.addini(option.earlier_name, earlier, type=option.kind, default=None)
        if option.flag:
            group.addoption(option.flag, dest=option.ini, metavar=option.metavar, help=option.help)
    for deed in _DEEDS:
        if deed.metavar:
            group.addoption(
                *deed.flags,
                dest=deed.dest,
                nargs="?",
                const="",
                metavar=deed.metavar,
                help=deed.help,
            )
        else:
            group.addoption(deed.flag, action="store_true", help=deed.help)
    for flag, meaning in _MODIFIERS:
        group.addoption(flag, action="store_true", help=meaning)
    group.addoption("--bb-to", metavar="NAME", help="Last migration that --bb-apply applies")
    group.addoption(
        "--bb-new",
        metavar="NAME",
        help="Write the next numbered migration from a template, and exit",
    )


def gives_value(config: pytest.Config) -> bool:
    """Return whether the command line gives one of our values, which then must be right."""
    return any(option.flag and config.getoption(option.ini) is not None for option in _OPTIONS)


def keep_values_apart(args: list[str]) -> None:
    """Change ``args`` so that an option with an optional value takes it as FLAG=VALUE only.

    argparse would take the next argument for it, which is a path to collect.
    """
    bare = {flag for deed in _DEEDS if deed.metavar for flag in deed.flags}
    args[:] = [f"{argument}=" if argument in bare else argument for argument in args]


def is_to_be_watched(config: pytest.Config) -> bool:
    """Return whether a session that has not begun checks migrations, or changes a database.

    The smoke tests' pytest is watched by the one that runs it.
    """
    if not IS_POSIX or SMOKE_VARIABLE in os.environ:
        return False
    given = config.known_args_namespace
    if given.bb_check_migrations or given.bb_rehearse:
        return True
    if any(getattr(given, deed.dest) not in (None, False) for deed in _DEEDS):
        return True
    folder = _folder_of(config, given.bb_migrations)
    named = given.file_or_dir or config.getini("testpaths")
    return any(argument_path(config, each).is_relative_to(folder) for each in named)


def deeds(config: pytest.Config) -> tuple[str, ...]:
    """Return the flags of what is to be done to a database, as given."""
    given = [deed.flag for deed in _DEEDS if config.getoption(deed.dest) not in (None, False)]
    return tuple(given)


def writes_database(config: pytest.Config) -> bool:
    """Return whether this session is to change a real database when its checks have passed."""
    return config.getoption("bb_apply") or config.getoption("bb_rollback") is not None


def applies_here(config: pytest.Config) -> bool:
    """Return whether this process is to change a real database: under xdist, the controller."""
    return writes_database(config) and not hasattr(config, "workerinput")


def imply_options(config: pytest.Config) -> None:
    """Have a session that changes a database check migrations, and refuse what does not combine.

    Raises: pytest.UsageError.
    """
    if config.getoption("bb_rehearse"):
        config.option.bb_apply = True
    given = [flag for flag in deeds(config) if flag != "--bb-apply" or config.option.bb_apply]
    if config.getoption("bb_new") is not None:
        given.append("--bb-new")
    if len(given) > 1:
        raise pytest.UsageError(f"{' and '.join(given)} are two commands; give one of them")
    if not IS_POSIX and given and _writes_anything(config):
        raise pytest.UsageError(
            f"{given[0]}: no database is written on Windows, whose locks are none that this relies "
            "on: check the migrations here, and run this on Linux or macOS, where the database is"
        )
    if writes_database(config):
        config.option.bb_check_migrations = True


def _writes_anything(config: pytest.Config) -> bool:
    """Return whether the command line asks for more than to look at a database."""
    if config.getoption("bb_adopt") == "":
        return False  # which says what version it is
    looks = {"--bb-status", "--bb-new"}
    return not looks.issuperset(deeds(config))


def names_command(config: pytest.Config) -> bool:
    """Return whether the command line asks for something else than a session.

    Whoever asks for help, or for the version, is told, and nothing is done.
    """
    if config.getoption("help") or config.getoption("version"):
        return False
    return not writes_database(config) and (
        bool(deeds(config)) or config.getoption("bb_new") is not None
    )


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


def _given(config: pytest.Config) -> Iterator[tuple[str, GivenValue]]:
    from pytest_bbmigrate.settings import GivenValue

    for option in _OPTIONS:
        typed = config.getoption(option.ini) if option.flag else None
        if typed is not None:
            yield option.field, GivenValue(option.flag, typed, config.invocation_params.dir)
            continue
        names = [name for name in (option.ini, option.earlier_name) if name]
        values = {name: _configured(config, name, option.kind) for name in names}
        set_ones = [name for name, value in values.items() if value is not None]
        if len(set_ones) > 1:
            raise usage_error(f"{' and '.join(set_ones)} are one setting; give {option.ini}")
        for name in set_ones:
            yield option.field, GivenValue(name, values[name], config.rootpath)


def _configured(config: pytest.Config, name: str, kind: str) -> Any:
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
    """Refuse to judge, or to write, with an SQLite that may not tell what is asked of it.

    Raises: pytest.UsageError.
    """
    import sqlite3

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
