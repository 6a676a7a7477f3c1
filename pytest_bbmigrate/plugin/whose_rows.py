"""Whose rows a session's checks run on, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.report import GENERATED, beside_own

if TYPE_CHECKING:
    from pytest_bbmigrate.project import Project


def whose_rows(project: Project) -> str:
    """Return the words for the rows that the checks of ``project`` run on."""
    if not project.holds_own:
        return GENERATED
    settings = {"bb_base": project.base_has_rows, "bb_rows_from": bool(project.recipe.own_rows)}
    return beside_own(
        [name for name, has_own in settings.items() if has_own], hidden=project.hides_own
    )
