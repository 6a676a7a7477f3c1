"""Commands that collect nothing: --bb-status and --bb-new."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.catalogue.scaffold import write_new
from pytest_bbmigrate.database import open_image, read_image
from pytest_bbmigrate.errors import BBMigrateError
from pytest_bbmigrate.history import read_history
from pytest_bbmigrate.options import settings_of
from pytest_bbmigrate.plan import take_stock
from pytest_bbmigrate.status import describe_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_bbmigrate.history import Applied
    from pytest_bbmigrate.settings import Settings


def run_command(config: pytest.Config) -> int:
    """Run the command that the command line names; return pytest's exit code.

    Raises: pytest.UsageError, which pytest writes to stderr and ends with 4, when the folder, the
    database or a setting is at fault.
    """
    new, status = config.getoption("bb_new"), config.getoption("bb_status")
    if new is not None and status:
        raise pytest.UsageError("--bb-status and --bb-new are two commands; give one of them")
    settings = settings_of(config)
    try:
        lines = _new(config, settings, new) if new is not None else _status(config, settings)
    except BBMigrateError as error:
        raise pytest.UsageError(str(error)) from error
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return pytest.ExitCode.OK


def _new(config: pytest.Config, settings: Settings, name: str) -> Sequence[str]:
    path = write_new(settings.migrations, name)
    return [f"wrote {_shown(path, config)}"]


def _status(config: pytest.Config, settings: Settings) -> Sequence[str]:
    catalogue = read_catalogue(settings.migrations)
    history = _history(settings.database)
    shown = _shown(settings.database, config)
    if not settings.database.exists():
        shown += " is not there yet"
    elif not history:
        shown += " has no history"
    stock = take_stock(catalogue, {applied.name: applied.checksum for applied in history})
    verbose = config.getoption("verbose") > 0
    return describe_status(stock, history, shown, statements=verbose)


def _history(database: Path) -> tuple[Applied, ...]:
    """Return what is recorded in ``database``; nothing is, in one that is not there."""
    if not database.exists():
        return ()
    with closing(open_image(read_image(database))) as db:
        return read_history(db)


def _shown(path: Path, config: pytest.Config) -> str:
    """Return ``path`` as a user would type it."""
    start = config.invocation_params.dir
    return str(path.relative_to(start)) if path.is_relative_to(start) else str(path)
