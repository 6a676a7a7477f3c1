"""What a session that changes a database judges: the migrations that it applies or rolls back.

The others are applied already, or come later: they run, and no check judges them, so that no old
fault stands in the way of a rollback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.plugin.options import argument_path, usage_error
from pytest_bbmigrate.plugin.session import project_of, replace_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_bbmigrate.catalogue import Catalogue

ORDER_INPUT = "bb_apply_order"  # of xdist's workerinput
MARKER = "bb_migration"
SMOKE_MARKER = "bb_smoke"


def judge_in_order(config: pytest.Config, order: Sequence[str], judged: Sequence[str]) -> None:
    """Make this session run the migrations in ``order``, and judge only those named ``judged``."""
    replace_project(config, project_of(config).in_order(order, judged))


def receive_order(config: pytest.Config) -> None:
    """In a worker of xdist, use the order of the migrations that the controller sent."""
    order = getattr(config, "workerinput", {}).get(ORDER_INPUT)
    if order is not None:
        judge_in_order(config, *order)


def refuse_unjudged(config: pytest.Config) -> None:
    """Refuse a path of a migration that this session does not judge.

    Raises: pytest.UsageError.
    """
    project = project_of(config)
    folder, judged = project.settings.migrations, project.judged or frozenset()
    for argument in config.args:
        path = argument_path(config, argument)
        if path == folder or not path.is_relative_to(folder):
            continue
        for migration in project.catalogue.migrations:
            if migration.path.is_relative_to(path) and migration.name not in judged:
                raise usage_error(
                    f"{argument}: {migration.name} is not what this run would change, so it is not "
                    f"judged here; pytest {argument} judges it"
                )


def leave_out_unjudged(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of migrations that this session does not judge."""
    project = project_of(config)
    if project.judged is None:
        return
    unjudged = [item for item in items if tests_unjudged(item, project.catalogue, project.judged)]
    if unjudged:
        items[:] = [item for item in items if item not in unjudged]
        config.hook.pytest_deselected(items=unjudged)


def tests_unjudged(item: pytest.Item, catalogue: Catalogue, judged: frozenset[str]) -> bool:
    """Return whether ``item`` is a test of a migration that is not among those ``judged``.

    A smoke test is one of the newest version, whatever migration it names.
    """
    marker = item.get_closest_marker(MARKER)
    if marker is None or item.get_closest_marker(SMOKE_MARKER) is not None:
        return False
    name = marker.args[0] if len(marker.args) == 1 else None
    if not isinstance(name, str):
        return False  # the fixture bb_migration reports what is wrong with the marker
    try:
        position = catalogue.position(name)
    except LookupError:
        return False
    return catalogue.migrations[position].name not in judged
