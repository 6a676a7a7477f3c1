"""The project of a session, read once, by every process that needs it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_bbmigrate.catalogue.since import past_since
from pytest_bbmigrate.errors import BBMigrateError, CatalogueError
from pytest_bbmigrate.plugin.options import (
    app_python_of,
    settings_of,
    usage_error,
    writes_database,
)
from pytest_bbmigrate.private import note_own_rows, showing_values
from pytest_bbmigrate.project import Project, read_project

_PROJECT = pytest.StashKey[Project]()


def project_of(config: pytest.Config) -> Project:
    """Return what this session's settings name, read once.

    Raises: pytest.UsageError with one clear line when a setting is wrong.
    """
    if _PROJECT not in config.stash:
        try:
            with showing_values(everything=may_show_errors(config)):
                project = read_project(
                    settings_of(config),
                    fixes_modules=writes_database(config),
                    shows_values=config.getoption("bb_show_values"),
                )
        except BBMigrateError as error:
            raise pytest.UsageError(str(error)) from error
        config.stash[_PROJECT] = project
        note_own_rows(hidden=project.hides_own)
    return config.stash[_PROJECT]


def may_show_errors(config: pytest.Config) -> bool:
    """Return whether errors may be shown word for word: no row of a real database is in them."""
    return config.getoption("bb_show_values") or not writes_database(config)


def replace_project(config: pytest.Config, project: Project) -> None:
    """Make ``project_of`` return ``project`` from now on."""
    config.stash[_PROJECT] = project


def leave_out_past(config: pytest.Config) -> None:
    """Have this session judge only what the git ref of --bb-since does not have.

    Raises: pytest.UsageError when that cannot be told.
    """
    ref, project = config.getoption("bb_since"), project_of(config)
    if ref is None:
        return
    if project.settings.check_from:
        raise usage_error(
            f"--bb-since={ref} and bb_check_from = {project.settings.check_from} both say what is "
            "judged; give one of them"
        )
    if isinstance(project.reading, CatalogueError):
        return  # which catalogue_reads tells
    try:
        past = past_since(ref, project.reading, project.rules, app_python_of(config))
    except BBMigrateError as error:
        raise usage_error(f"--bb-since={ref}: {error}") from error
    replace_project(config, replace(project, past=past))


def prepare_checks(config: pytest.Config) -> None:
    """Read what the checks of this session need, so that a wrong setting ends it before any test.

    Raises: pytest.UsageError when a setting is wrong, or when there is nothing to check.
    """
    project = project_of(config)
    if config.getoption("bb_check_migrations") and project.holds_nothing:
        folder = project.settings.migrations
        fault = "is not there"
        if folder.exists():
            fault = "is there, but no migration is in it" if folder.is_dir() else "is a file"
        raise usage_error(
            f"the migration folder {folder} {fault}; name another with bb_migrations or "
            "--bb-migrations=DIR, or write the first migration with --bb-new=NAME"
        )
    leave_out_past(config)
