"""What a session that changes a database judges: the migrations that it applies or takes back.

The others are applied already, or come later: they run, and nothing is asked of them, so that no
old fault stands in the way of a rollback.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.plugin.options import argument_path, usage_error
from pytest_bbmigrate.plugin.session import project_of, take_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_bbmigrate.catalogue import Catalogue

ORDER_INPUT = "bb_apply_order"  # of xdist's workerinput
MARKER = "bb_migration"
SMOKE_MARKER = "bb_smoke"


def judge_in_order(config: pytest.Config, order: Sequence[str], judged: Sequence[str]) -> None:
    """Have this session run the migrations in ``order``, and judge those of them ``judged``."""
    project = project_of(config)
    by_name = {migration.name: migration for migration in project.catalogue.migrations}
    ordered = replace(project.catalogue, migrations=tuple(by_name[name] for name in order))
    take_project(config, replace(project, reading=ordered, judged=frozenset(judged)))


def take_order(config: pytest.Config) -> None:
    """Take over the order that the controller's apply has, in a worker."""
    order = getattr(config, "workerinput", {}).get(ORDER_INPUT)
    if order is not None:
        judge_in_order(config, *order)


def refuse_unjudged(config: pytest.Config) -> None:
    """Make sure that no migration is asked for by its path that is not judged here.

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
    """Deselect the tests of migrations that are not judged here."""
    project = project_of(config)
    if project.judged is None:
        return
    left_out = [item for item in items if is_of_other(item, project.catalogue, project.judged)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def is_of_other(item: pytest.Item, catalogue: Catalogue, judged: frozenset[str]) -> bool:
    """Return whether ``item`` is a test of a migration that is not among those ``judged``.

    A smoke test is of the newest version, whatever else it is of.
    """
    marker = item.get_closest_marker(MARKER)
    if marker is None or item.get_closest_marker(SMOKE_MARKER) is not None:
        return False
    name = marker.args[0] if len(marker.args) == 1 else None
    if not isinstance(name, str):
        return False  # the test says what is wrong with its marker
    try:
        position = catalogue.position(name)
    except LookupError:
        return False
    return catalogue.migrations[position].name not in judged
