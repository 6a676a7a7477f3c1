"""What a session that applies asks of the apply: a preflight, a run, and its smoke tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.preflight import preflight, preflight_rollback
from pytest_bbmigrate.apply.rehearsal.client import RehearsalOrder
from pytest_bbmigrate.apply.run import ApplyOrder
from pytest_bbmigrate.errors import SettingsError, StepFailed
from pytest_bbmigrate.plugin.session import project_of
from pytest_bbmigrate.plugin.session_text import freeze_text
from pytest_bbmigrate.plugin.smoke.launch import run_smoke_tests
from pytest_bbmigrate.project import backup_folder
from pytest_bbmigrate.runner.connection_hook import called_if_possible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pytest_bbmigrate.apply.model import Preflight
    from pytest_bbmigrate.catalogue import Catalogue
    from pytest_bbmigrate.settings import Settings

NODE_ID_PARAMETERS = re.compile(
    r"(?<=\w)\[.*\]"
)  # of a smoke test in its node id: it may hold values


def run_preflight(config: pytest.Config, settings: Settings, catalogue: Catalogue) -> Preflight:
    """Return what the preflight of this session's apply or rollback found.

    Raises: BBMigrateError saying why the database cannot be changed.
    """
    if config.getoption("bb_rollback") is not None:
        return preflight_rollback(
            settings.database,
            catalogue,
            which=config.getoption("bb_rollback"),
            backup_folder=backup_folder(settings),
            hook=called_if_possible(project_of(config).environment.prepare_connection),
        )
    return preflight(
        settings.database,
        catalogue,
        to=config.getoption("bb_to") or "",
        allow_late=config.getoption("bb_allow_late"),
        create=config.getoption("bb_create"),
        backup_folder=backup_folder(settings),
        hook=called_if_possible(project_of(config).environment.prepare_connection),
        publishes=not config.getoption("bb_rehearse"),
    )


def order_apply(
    config: pytest.Config, preflight_result: Preflight, check_backup: Callable[[Path], str]
) -> ApplyOrder:
    """Return the order for the run that applies, or rolls back, what the preflight found.

    ``check_backup`` is as in ``ContentChange``.
    """
    project = project_of(config)
    settings = project.settings
    return ApplyOrder(
        database=settings.database,
        backup_folder=backup_folder(settings),
        preflight=preflight_result,
        rehearsal=_order_rehearsal(config, preflight_result),
        smoke=lambda work: _run_smoke(config, work),
        publishes=not config.getoption("bb_rehearse"),
        keep_backups=settings.keep_backups,
        start=project.base,
        discards=config.getoption("bb_discard_changes"),
        fixed=freeze_text(config),
        check_backup=check_backup,
    )


def _order_rehearsal(config: pytest.Config, preflight_result: Preflight) -> RehearsalOrder:
    settings = project_of(config).settings
    return RehearsalOrder(
        migrations=settings.migrations,
        names=tuple(migration.name for migration in preflight_result.pending),
        checksums=tuple(migration.checksum for migration in preflight_result.pending),
        database=settings.database,
        root=settings.root,
        connection=settings.connection,
        invariants=settings.invariants,
        skip_down=config.getoption("bb_skip_way_back"),
        strict=settings.strict,
        batch=preflight_result.batch,
        renamed=tuple(
            (entry.applied_as, entry.migration.name)
            for entry in preflight_result.statuses.entries
            if entry.applied_as is not None and entry.applied_as != entry.migration.name
        ),
        is_rollback=preflight_result.is_rollback,
        applied=preflight_result.applied,
        start=project_of(config).base,
        fixed=freeze_text(config),
        importing=project_of(config).importing,
        rules=project_of(config).rules,
        since=project_of(config).began,
        shows_values=config.getoption("bb_show_values"),
        seconds=settings.seconds,
        memory=settings.memory,
        runs_as=project_of(config).environment.profile.name,
        foreign_keys=settings.foreign_keys,
        python=settings.python,
    )


def _run_smoke(config: pytest.Config, work: Path) -> str:
    """Run the smoke tests on copies of ``work``; return how many passed, in words.

    Raises: StepFailed when one did not pass.
    """
    result = run_smoke_tests(config, work)
    if result.fault and config.getoption("bb_show_values"):
        raise StepFailed(f"{result.fault}\n{result.output}")
    if result.fault:
        raise StepFailed(NODE_ID_PARAMETERS.sub("[..]", result.fault))
    return result.summary


def refuse_unknown_target(config: pytest.Config, catalogue: Catalogue) -> None:
    """Raise SettingsError when ``--bb-to`` names no migration of ``catalogue``."""
    wanted = config.getoption("bb_to")
    try:
        _ = wanted and catalogue.position(wanted)
    except LookupError as error:
        raise SettingsError(f"--bb-to={wanted}: {error.args[0]}") from error


def order_of(preflight_result: Preflight) -> tuple[list[str], list[str]]:
    """Return the migrations in the order that the database gets them, and those to be judged.

    Those to be judged are the ones that this run applies or rolls back.
    """
    applied = [migration.name for migration in preflight_result.statuses.applied]
    judged = [migration.name for migration in preflight_result.pending]
    names = [entry.migration.name for entry in preflight_result.statuses.entries]
    later = [name for name in names if name not in {*applied, *judged}]
    if preflight_result.is_rollback:
        return [*preflight_result.applied, *later], judged
    return [*applied, *judged, *later], judged
