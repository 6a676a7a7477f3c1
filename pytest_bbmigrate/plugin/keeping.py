"""What a session takes from earlier ones and keeps for the next, in pytest's cache."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import CatalogueError
from pytest_bbmigrate.kept.entries import Entries, open_entries
from pytest_bbmigrate.plugin import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.kept_judge import KeptJudge
    from pytest_bbmigrate.judge.model import Opening
    from pytest_bbmigrate.judge.shared import SharedJudge
    from pytest_bbmigrate.project import Project

FOLDER = "bbmigrate"  # of pytest's cache
CACHED = "bb_cached"  # property of a check whose verdict was kept

_ENTRIES = pytest.StashKey[Entries | None]()


def entries_of(config: pytest.Config) -> Entries | None:
    """Return what runs keep for one another; None where this one neither takes nor keeps any.

    An apply does not, nor a session that judges in its own process, nor one without pytest's cache
    or whose cache cannot be written.
    """
    if _ENTRIES not in config.stash:
        config.stash[_ENTRIES] = None
        is_out = config.getoption("bb_no_cache") or options.writes_database(config)
        is_here = config.getoption("bb_in_process") or not options.IS_POSIX
        cache = getattr(config, "cache", None)
        if cache is not None and not (is_out or is_here):
            with suppress(OSError):
                config.stash[_ENTRIES] = open_entries(cache.mkdir(FOLDER))
    return config.stash[_ENTRIES]


def kept_judge(
    client: JudgeClient | SharedJudge,
    opening: Callable[[], Opening],
    project: Project,
    entries: Entries,
    *,
    shows_errors: bool,
) -> KeptJudge:
    """Return the judge that takes from ``entries`` what is kept there of ``project``."""
    from pytest_bbmigrate.judge.kept_judge import KeptJudge
    from pytest_bbmigrate.kept.keys import keys_of

    keys = keys_of(project, shows_errors=shows_errors)
    return KeptJudge(client, opening, project, keys, entries)


def keep_found(judge: object, *, is_over: bool) -> None:
    """Keep what a session has found, for the next one."""
    from pytest_bbmigrate.judge.kept_judge import KeptJudge

    if isinstance(judge, KeptJudge):
        judge.finish(is_over=is_over)


def what_is_not_kept(config: pytest.Config) -> str:
    """Return what a session does not keep for the next one, and why; '' for nothing."""
    from pytest_bbmigrate.kept.certainty import what_is_not_kept
    from pytest_bbmigrate.plugin.session import project_of

    project = project_of(config)
    if entries_of(config) is None or isinstance(project.reading, CatalogueError):
        return ""
    return what_is_not_kept(project)


def cached_status(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Return how the terminal shows a check whose verdict was kept, None for any other report."""
    if not isinstance(report, pytest.TestReport) or report.when != "call":
        return None
    if report.failed or CACHED not in dict(report.user_properties):
        return None
    if report.skipped:
        return "skipped", "s", ("SKIPPED (cached)", {"yellow": True})
    return "passed", ".", ("PASSED (cached)", {"green": True})
