"""What differs between two snapshots of a database, whatever happened between them, as findings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import Migration, SqlPart
from pytest_bbmigrate.checks.data_survives import ask_data_survives
from pytest_bbmigrate.checks.foreign_keys_hold import ask_foreign_keys_hold
from pytest_bbmigrate.checks.schema_survives import ask_schema_survives
from pytest_bbmigrate.experiment import Evidence, observe, snapshot_of
from pytest_bbmigrate.experiment.model import SeededState
from pytest_bbmigrate.runner import Run

if TYPE_CHECKING:
    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.verdict import Finding

KEYS_LOST = frozenset({"foreign key lost", "foreign key changed"})


def nameless(contract: Contract) -> Migration:
    """Return a migration in place of whatever happened between two snapshots."""
    nowhere = SqlPart(Path("snapshot"), ())
    return Migration("snapshot", nowhere.path, None, nowhere, None, contract, "")


def find_unpreserved(
    before: bytes, after: bytes, contract: Contract, *, schema: bool
) -> tuple[Finding, ...]:
    """Return what ``after`` has lost or changed of ``before`` that ``contract`` does not declare.

    Rows that were added are among it; of the structure, where ``schema`` is looked at, what was
    lost or changed is.
    """
    earlier = snapshot_of(before)
    later = snapshot_of(after, earlier)
    evidence = Evidence(
        nameless(contract),
        SeededState(0, (), None, earlier.schema, earlier.row_counts, (), earlier.layout),
        Run(None, 0, 0.0),
        None,
        schema_after=later.schema,
        up_diff=observe(earlier, later, contract=contract),
        on_real_rows=True,
    )
    found = ask_data_survives(evidence).findings
    if not schema:
        return found
    keys = ask_foreign_keys_hold(evidence).findings
    lost_keys = tuple(finding for finding in keys if finding.kind in KEYS_LOST)
    return found + ask_schema_survives(evidence).findings + lost_keys
