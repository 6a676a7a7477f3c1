"""The options that there are, on the command line and in the configuration.

Imported in every session: nothing here may import the core.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import pytest


class Option(NamedTuple):
    """One setting: its field in Settings, and its names in the configuration and command line.

    ``earlier_name`` is a name that the configuration may still use.
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


class Command(NamedTuple):
    """One thing to do to a database; ``metavar`` names its optional value, given as FLAG=VALUE.

    ``earlier_flag`` is a flag that the command line may still use.
    """

    flag: str
    help: str
    metavar: str = ""
    earlier_flag: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """All spellings of the flag."""
        return (self.flag, self.earlier_flag) if self.earlier_flag else (self.flag,)

    @property
    def dest(self) -> str:
        """Where the command line's value is kept: None for not given, '' without a value."""
        return self.flag.removeprefix("--").replace("-", "_")


OPTIONS = (
    Option(
        "migrations",
        "string",
        "Folder of the migrations (default: migrations)",
        "--bb-migrations",
        "DIR",
    ),
    Option(
        "database",
        "string",
        "Database that the migrations are for (default: budget_buddy.db)",
        "--bb-db",
        "FILE",
    ),
    Option("rows", "int", "Rows to generate in each table (default: 200)", "--bb-rows", "N"),
    Option(
        "seed",
        "int",
        "Seed of the generated rows (default: 20260101)",
        "--bb-seed",
        "N",
    ),
    Option(
        "base",
        "string",
        "SQL file or database that the first migration starts from",
        earlier_name="bb_baseline",
    ),
    Option("invariants", "linelist", "Lines 'name: SELECT ..' whose result may never change"),
    Option("connection", "string", "'package.module:function' called with every connection"),
    Option("python", "string", "Interpreter of the app that runs the migrations, such as a venv's"),
    Option(
        "runs_as",
        "string",
        "Tool by whose rules the files run (default: as the folder's form says)",
        "--bb-runs-as",
        "TOOL",
    ),
    Option("foreign_keys", "string", "Whether foreign keys are on while files run: on or off"),
    Option("placeholders", "linelist", "Lines 'name = value': what ${name} is in SQL files"),
    Option("order", "string", "File that lists the migrations in their order, one a line"),
    Option("contracts", "string", "TOML file with contract lines of files not to be touched"),
    Option("steps", "string", "TOML file with the SQL that steps in other languages amount to"),
    Option("ignore", "linelist", "Patterns of files in the migration folder to pass over: *.sh"),
    Option("rows_from", "string", "Folder of TABLE.json, .csv or .sql files to use as rows"),
    Option("check_from", "string", "First migration to judge; earlier ones run unjudged"),
    Option("strict", "bool", "Fail a check that could not be asked for want of rows"),
    Option(
        "backup_dir",
        "string",
        "Folder for backups (default: the database's own)",
        "--bb-backup-dir",
        "DIR",
    ),
    Option("keep_backups", "int", "How many of the backups it made an apply keeps (default: all)"),
    Option("zone", "string", "Time zone that the checks run in (default: one with half hours)"),
    Option("seconds", "int", "How long one run of a migration's part may take (default: 300)"),
    Option("memory", "string", "Memory that a Python migration may hold: 512MB (default: 2GB)"),
    Option("smoke_seconds", "int", "How long the smoke tests of an apply may take (default: 300)"),
)

# What is done to a real database: one of them at a time. The first two are sessions.
DATABASE_COMMANDS = (
    Command("--bb-apply", "Prove the migrations, then apply the pending ones to the real database"),
    Command(
        "--bb-rollback",
        "Roll back the last apply, or the last N, or what came after NAME",
        "N|NAME",
    ),
    Command("--bb-restore", "Restore a backup, the latest one or the one named", "BACKUP"),
    Command("--bb-backup", "Make a verified backup"),
    Command(
        "--bb-adopt",
        "Say which version a database without history is; record it with NAME or auto",
        "NAME",
        earlier_flag="--bb-baseline",
    ),
    Command("--bb-status", "Show which migrations are applied and which are pending, and exit"),
)


class Modifier(NamedTuple):
    """What changes how a command is done; without one of ``commands`` it would do nothing.

    With () it has its use in any session. ``metavar`` names its value, '' for none; with
    ``may_be_bare`` it may be left out.
    """

    flag: str
    help: str
    commands: tuple[str, ...] = ()
    metavar: str = ""
    may_be_bare: bool = False

    @property
    def dest(self) -> str:
        """Where the command line's value is kept."""
        return self.flag.removeprefix("--").replace("-", "_")


MODIFIERS = (
    Modifier("--bb-rehearse", "Do all of --bb-apply but publish"),
    Modifier("--bb-create", "Let --bb-apply make the database file", ("--bb-apply",)),
    Modifier(
        "--bb-allow-late", "Apply migrations that come before an applied one, now", ("--bb-apply",)
    ),
    Modifier(
        "--bb-skip-way-back", "Do not rehearse the down parts on the real rows", ("--bb-apply",)
    ),
    Modifier("--bb-show-values", "Show values of your own rows in failures"),
    Modifier("--bb-in-process", "Run migrations in pytest's own process, for a debugger"),
    Modifier("--bb-no-cache", "Try every check anew, and keep no verdict for the next run"),
    Modifier(
        "--bb-discard-changes",
        "Let a restore or a rollback lose what was written since",
        ("--bb-restore", "--bb-rollback"),
    ),
    Modifier(
        "--bb-draft-contracts",
        "Write the contract lines for what fails (default: where bb_contracts has them)",
        metavar="FILE",
        may_be_bare=True,
    ),
    Modifier("--bb-since", "Judge the migrations that a git REF does not have", metavar="REF"),
    Modifier("--bb-to", "Last migration that --bb-apply applies", ("--bb-apply",), "NAME"),
    Modifier(
        "--bb-write-base",
        "Write the schema that --bb-adopt finds to lie before the first migration",
        ("--bb-adopt",),
        "FILE",
    ),
)


def add_options(parser: pytest.Parser) -> None:
    """Add the options to pytest's own."""
    group = parser.getgroup("bbmigrate", "SQLite migrations")
    group.addoption(
        "--bb-check-migrations",
        action="store_true",
        help="Prove every migration on realistic data, forward and back",
    )
    for option in OPTIONS:
        parser.addini(option.ini, option.help, type=option.kind, default=None)
        if option.earlier_name:
            earlier = f"The earlier name of {option.ini}"
            parser.addini(option.earlier_name, earlier, type=option.kind, default=None)
        if option.flag:
            group.addoption(option.flag, dest=option.ini, metavar=option.metavar, help=option.help)
    for command in DATABASE_COMMANDS:
        if command.metavar:
            group.addoption(
                *command.flags,
                dest=command.dest,
                nargs="?",
                const="",
                metavar=command.metavar,
                help=command.help,
            )
        else:
            group.addoption(command.flag, action="store_true", help=command.help)
    for modifier in MODIFIERS:
        _add_modifier(group, modifier)
    group.addoption(
        "--bb-new",
        metavar="NAME",
        help="Write the next numbered migration from a template, and exit",
    )


def _add_modifier(group: pytest.OptionGroup, modifier: Modifier) -> None:
    if modifier.may_be_bare:
        group.addoption(
            modifier.flag, nargs="?", const="", metavar=modifier.metavar, help=modifier.help
        )
    elif modifier.metavar:
        group.addoption(modifier.flag, metavar=modifier.metavar, help=modifier.help)
    else:
        group.addoption(modifier.flag, action="store_true", help=modifier.help)
