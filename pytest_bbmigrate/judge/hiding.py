"""Hide values of the user's own rows in verdicts, before these leave the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.experiment.own_rows import NOBODYS, own_after
from pytest_bbmigrate.masking import known_names, mask_own_rows
from pytest_bbmigrate.private import Known

if TYPE_CHECKING:
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.project import Project
    from pytest_bbmigrate.verdict import Verdict


def hide_own_rows(verdict: Verdict, evidence: Evidence, project: Project) -> Verdict:
    """Return ``verdict`` without values of the user's own rows, unless they are wanted."""
    before = evidence.state
    if not project.hides_own or not before.own:
        return verdict
    after = evidence.schema_after or before.schema
    own = own_after(before.own, evidence.migration, evidence.up, before.schema, after)
    schemas = (before.schema, after)
    return mask_own_rows(verdict, own, schemas, known_names(schemas) | shown_in_files(project))


def hide_in_contracts(verdict: Verdict, project: Project) -> Verdict:
    """Return a ``verdict`` on the folder without values that a condition met in own rows."""
    if not project.hides_own:
        return verdict
    return mask_own_rows(verdict, NOBODYS, (), shown_in_files(project))


def shown_in_files(project: Project) -> Known:
    """Return the texts of the migrations and settings: what is in them may be shown."""
    invariants = (text for both in project.settings.invariants for text in both)
    return Known(texts=(*project.catalogue.shown_texts, *invariants))
