"""Fixtures and markers for tests of migrations.

Imported in every session: nothing here may import the core before a fixture is used.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from faker import Faker
    from sqlite_utils import Database

    from pytest_bbmigrate.plugin.testing import Databases, MigrationUnderTest, Snapshot, Subject

_MARKERS = (
    "bb_migration(name): test of one migration, which the fixture bb_migration runs",
    "bb_smoke: smoke test of the app on the migrated database",
)


def add_markers(config: pytest.Config) -> None:
    """Make our markers known to pytest."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def bb_faker(pytestconfig: pytest.Config) -> Faker:
    """Return a Faker with providers for a household's money, seeded with bb_seed."""
    from pytest_bbmigrate.plugin.options import settings_of
    from pytest_bbmigrate.seeding.values.household import make_faker

    with _clear_errors():
        return make_faker(settings_of(pytestconfig).seed)


@pytest.fixture
def bb_head(pytestconfig: pytest.Config) -> Iterator[Database]:
    """Return a database of the test's own: after the last migration, with data."""
    with _databases(pytestconfig) as databases:
        with _clear_errors():
            database = databases.open(databases.head_image())
        yield database


@pytest.fixture
def bb_at(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Database]]:
    """Return a function from a migration's name to the database after it, with data."""
    with _databases(pytestconfig) as databases:
        yield databases.at


@pytest.fixture
def bb_head_path(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[Path]:
    """Return a file with the database after the last migration, with data, to start an app on.

    In the step smoke of an apply it is a copy of the migrated real one, removed after the test.
    """
    from pytest_bbmigrate.plugin.smoke.child_plugin import copy_for_test, working_copy

    if (migrated := working_copy(pytestconfig)) is not None:
        with copy_for_test(migrated, tmp_path) as path:
            yield path
        return
    with _databases(pytestconfig) as databases, _clear_errors():
        path = tmp_path / databases.project.settings.database.name
        path.write_bytes(databases.head_image())
    yield path


@pytest.fixture
def bb_snapshot() -> Callable[[Subject], Snapshot]:
    """Return a function that takes a database's content, for assert_preserved to compare."""
    from pytest_bbmigrate.plugin.testing import take_snapshot

    return take_snapshot


@pytest.fixture
def bb_migration(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config
) -> Iterator[MigrationUnderTest]:
    """Return the migration that the marker names, to be run by ``up()`` and ``down()``."""
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest

    name = _marked_name(request)
    with _databases(pytestconfig) as databases:
        try:
            position = databases.project.catalogue.position(name)
        except LookupError as error:
            from pytest_bbmigrate.visible import visible

            message = visible(f"bb_migration({name!r}): {error.args[0]}")
            raise pytest.fail.Exception(message, pytrace=False) from None
        with _clear_errors():
            migration = MigrationUnderTest(databases, position)
        yield migration


def _marked_name(request: pytest.FixtureRequest) -> str:
    """Return the name that the test's marker gives."""
    marker = request.node.get_closest_marker("bb_migration")
    write = '@pytest.mark.bb_migration("NAME")'
    if marker is None:
        pytest.fail(f"bb_migration needs a migration: mark the test {write}", pytrace=False)
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
        pytest.fail(f"bb_migration takes one name: mark the test {write}", pytrace=False)
    return marker.args[0]


@contextmanager
def _databases(config: pytest.Config) -> Iterator[Databases]:
    from pytest_bbmigrate.plugin.judging import judge_of
    from pytest_bbmigrate.plugin.session import project_of
    from pytest_bbmigrate.plugin.testing import Databases

    with _clear_errors():
        project, judge = project_of(config), judge_of(config)
    with Databases(project, judge) as databases:
        yield databases


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Fail with the message alone, without a traceback, for errors of ours and wrong settings."""
    from pytest_bbmigrate.errors import BBMigrateError

    try:
        yield
    except (BBMigrateError, pytest.UsageError) as error:
        # From None, or pytest shows the errors that led to this one.
        raise pytest.fail.Exception(str(error), pytrace=False) from None
