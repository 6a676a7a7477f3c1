"""Commands that collect nothing: status, new, backup, restore and adopt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.backup_condition import backup_problems
from pytest_bbmigrate.apply.backups import back_up_now
from pytest_bbmigrate.apply.choose_backup import choose_backup, newer_backups
from pytest_bbmigrate.apply.restore import restore_backup
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.catalogue.scaffold import write_new
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.history.plan import compare_with_history
from pytest_bbmigrate.history.status import describe_status
from pytest_bbmigrate.history.table import has_history, lacks_history, read_history
from pytest_bbmigrate.plugin.adopt_command import adopt_database, shown_path
from pytest_bbmigrate.plugin.invocation import command_of
from pytest_bbmigrate.plugin.options import app_python_of, settings_of
from pytest_bbmigrate.private import showing_values
from pytest_bbmigrate.processes.signals import terminated_like_interrupted
from pytest_bbmigrate.project import backup_folder, reading_rules
from pytest_bbmigrate.report.applied import describe_file_found
from pytest_bbmigrate.runner.connection_hook import (
    called_if_possible,
    late_connection_hook,
    load_connection_hook,
)
from pytest_bbmigrate.sqlite_files.reading import read_database
from pytest_bbmigrate.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_bbmigrate.apply.what_is_left import FileFound
    from pytest_bbmigrate.history.table import Applied
    from pytest_bbmigrate.settings import Settings
    from pytest_bbmigrate.sqlite_files import Hook


ADOPT_FIRST = "--bb-adopt says which of them this database has, and records it"
_REPORTER = pytest.StashKey["LineReporter"]()


def run_command(config: pytest.Config) -> int:
    """Run the command that the command line names; return pytest's exit code.

    Raises: pytest.UsageError, which pytest writes to stderr and ends with 4, when the folder, the
    database or a setting is at fault.
    """
    settings = settings_of(config)
    run = next(command for option, command in COMMANDS.items() if _is_given(config, option))
    reporter = config.stash[_REPORTER] = LineReporter()
    try:
        with (
            terminated_like_interrupted(),
            showing_values(everything=config.getoption("bb_show_values")),
        ):
            lines = run(config, settings)
    except StepFailed as error:
        sys.stderr.write(f"ERROR: {error}\n")
        _write_file_found(config, reporter.file_found)
        return pytest.ExitCode.TESTS_FAILED
    except BBMigrateError as error:
        raise pytest.UsageError(str(error)) from error
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what was not yet reported as done was not done\n")
        _write_file_found(config, reporter.file_found)
        return pytest.ExitCode.INTERRUPTED
    except BaseException:
        _write_file_found(config, reporter.file_found)
        raise
    sys.stdout.writelines(f"{visible(line)}\n" for line in lines)
    for note in reporter.file_found.notes if reporter.file_found is not None else ():
        _write_note(note)
    return pytest.ExitCode.OK


def _write_file_found(config: pytest.Config, left: FileFound | None) -> None:
    """Write what was found on the disk after a command that failed, if anybody looked."""
    if left is not None:
        command = command_of(config)
        lines = (str(left), *describe_file_found(left, command))
        sys.stderr.writelines(f"{visible(line)}\n" for line in lines)


def _is_given(config: pytest.Config, option: str) -> bool:
    return config.getoption(option) not in (None, False)


def _new(config: pytest.Config, settings: Settings) -> Sequence[str]:
    path = write_new(settings.migrations, config.getoption("bb_new"))
    return [f"wrote {shown_path(path, config)}"]


def _status(config: pytest.Config, settings: Settings) -> Sequence[str]:
    rules = reading_rules(settings)
    catalogue = read_catalogue(settings.migrations, rules=rules, python=app_python_of(config))
    has_table, lacks, history = _history(settings.database)
    shown = shown_path(settings.database, config)
    if not settings.database.exists():
        shown += " is not there yet"
    elif not has_table:
        shown += " has no history"
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    verbose = config.getoption("verbose") > 0
    problems = backup_problems(settings.database, backup_folder(settings))
    lines = describe_status(statuses, history, shown, statements=verbose, problems=problems)
    return [*lines, *([ADOPT_FIRST] if lacks else [])]


def _back_up(config: pytest.Config, settings: Settings) -> Sequence[str]:
    target, note = back_up_now(settings.database, backup_folder(settings), lambda _: None)
    return [f"backed up to {shown_path(target, config)}", *([note] if note else [])]


def _restore(config: pytest.Config, settings: Settings) -> Sequence[str]:
    folder, hook = backup_folder(settings), _hook(settings)
    named = config.getoption("bb_restore")
    start = config.invocation_params.dir
    discard = config.getoption("bb_discard_changes")
    choice = choose_backup(settings.database, folder, named, start, hook, discard=discard)
    backup = choice.backup
    for note in choice.notes:
        _write_note(note)
    for newer in () if named else newer_backups(settings.database, folder, backup):
        _write_note(
            f"{newer.name} is newer, and not recorded by an apply: --bb-restore={newer.name} puts "
            f"that one back, and not {backup.name}"
        )
    reporter = config.stash[_REPORTER]
    kept = restore_backup(settings.database, folder, choice, reporter, discard=discard, hook=hook)
    lines = [
        f"{shown_path(settings.database, config)} holds what {shown_path(backup, config)} holds"
    ]
    return [*lines, *(f"what it held before is in {shown_path(path, config)}" for path in kept)]


def _write_note(text: str) -> None:
    sys.stdout.write(f"{'note':<10}{visible(text)}\n")


def _adopt(config: pytest.Config, settings: Settings) -> Sequence[str]:
    return adopt_database(config, settings, config.stash[_REPORTER])


def _hook(settings: Settings) -> Hook | None:
    if settings.python is not None:
        return called_if_possible(late_connection_hook(settings.connection, settings.root))
    return load_connection_hook(settings.connection, settings.root)


class LineReporter:
    """Writes a line for each step that is done."""

    def __init__(self) -> None:
        self.file_found: FileFound | None = None

    def begin(self) -> None:
        """Nothing is to be seen of a step that begins."""

    def progress(self, _: str, __: float | str, /) -> None:
        """Nor of how far it is."""

    def end(self, step: str, detail: str) -> None:
        """Write the result of a step."""
        sys.stdout.write(f"{step:<10}{visible(detail) or 'done'}\n")
        sys.stdout.flush()

    def fail(self, step: str, _: StepFailed, /) -> None:
        """Write which step failed; the reason follows on stderr."""
        sys.stdout.write(f"{step:<10}failed\n")
        sys.stdout.flush()

    def conclude(self, left: FileFound) -> None:
        """Keep what was found on the disk, to be written last."""
        self.file_found = left


COMMANDS: dict[str, Callable[[pytest.Config, Settings], Sequence[str]]] = {
    "bb_new": _new,
    "bb_status": _status,
    "bb_backup": _back_up,
    "bb_restore": _restore,
    "bb_adopt": _adopt,
}


def _history(database: Path) -> tuple[bool, bool, tuple[Applied, ...]]:
    """Return whether ``database`` has a history, whether it lacks one, and what it records.

    An empty database lacks none, and an empty history is one.
    """
    if not database.exists():
        return False, False, ()
    return read_database(
        database, lambda db: (has_history(db), lacks_history(db), read_history(db))
    )
