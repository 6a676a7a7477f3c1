"""rolls_back: taking a migration back gives the schema from before it, and keeps every real row.

What its up part added goes with it. Where that holds values they are counted, never lost unsaid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.definitions import locate_column, locate_sequence
from pytest_bbmigrate.checks.discards import Discarded, Versions, find_discarded, split_inserted
from pytest_bbmigrate.checks.down_restores import difference_finding
from pytest_bbmigrate.checks.foreign_keys_hold import dangling_finding, mismatch_finding
from pytest_bbmigrate.checks.judging import conclude
from pytest_bbmigrate.checks.locate import SHAPES, locate
from pytest_bbmigrate.checks.row_findings import find_in_rows
from pytest_bbmigrate.checks.up_applies import conflict_findings, failure_finding
from pytest_bbmigrate.contract import Change, Contract, Rename
from pytest_bbmigrate.experiment.run import up_result_of
from pytest_bbmigrate.explain.nearest_name import with_nearest
from pytest_bbmigrate.schema import apart, compare_schemas
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.experiment import DatabaseDiff, Snapshot
    from pytest_bbmigrate.experiment.run import UpResult
    from pytest_bbmigrate.runner import Run
    from pytest_bbmigrate.schema import Schema, SchemaDifference
    from pytest_bbmigrate.sqlite_files import Content
    from pytest_bbmigrate.verdict import Verdict

CHECK = "rolls_back"
STEP = "down"


@dataclass(frozen=True)
class RollbackJudgement:
    """Whether taking a migration back does what it should, and what of the real data goes by it."""

    verdict: Verdict
    discarded: tuple[Discarded, ...]


def look_back(migration: Migration, run: Run, before: Snapshot, content: Content) -> UpResult:
    """Return the step that running the down part made of ``before``, looked at closely."""
    return up_result_of(backwards(migration), run, before, content)


def backwards(migration: Migration) -> Migration:
    """Return ``migration`` with its down part as its up part, and its contract turned round."""
    contract = migration.contract
    renames = tuple(
        Rename(r.new_table, r.new_column, r.table, r.column, r.line) for r in contract.renames
    )
    moved = [
        Change(r.new_table, r.new_column or change.column, None, change.line)
        for change in contract.changes
        for r in contract.renames
        if same_name(r.table, change.table)
        and (r.column is None or same_name(r.column, change.column))
    ]
    derived = [Change(d.table, d.column, None, d.line) for d in contract.derives]
    changes = (*(replace(change, where=None) for change in contract.changes), *moved, *derived)
    turned = Contract(changes=changes, renames=renames)
    return replace(migration, up=migration.down or migration.up, contract=turned)


def judge_rollback(migration: Migration, step: UpResult, versions: Versions) -> RollbackJudgement:
    """Return what ``step``, of ``look_back``, came to on the real rows.

    ``versions`` say what the migration adds, which goes: everything else is to stay. Rows may go
    from a table that it declares ``inserts`` in; they are counted, for who wrote them cannot be
    told. In a column that it declares ``changes`` values may change. What the database had
    otherwise than ``versions.applied`` before is not held against down, but is to stay.
    """
    part, run, diff = migration.down or migration.up, step.up, step.up_diff
    if run.failure is not None or diff is None:
        findings = [Finding("does not run", STEP, part.path)]
        if run.failure is not None:
            failed = failure_finding(run.failure, STEP, run.printed)
            findings = [with_nearest(failed, run.failure, step.before.schema, run.executed)]
        return RollbackJudgement(conclude(CHECK, migration.name, Answer(tuple(findings))), ())
    discarded = find_discarded(migration.contract, diff, step.before, versions)
    findings = [
        *find_damage(migration, step),
        *find_lost(migration, diff, versions),
        *find_broken_references(migration, diff),
    ]
    known = {finding_key(finding) for finding in findings}
    findings += [
        finding
        for finding in find_unrestored(part, step, versions)
        if finding_key(finding) not in known
    ]
    answer = Answer(tuple(findings), rows=diff.rows_compared, values=diff.values_compared)
    return RollbackJudgement(conclude(CHECK, migration.name, answer), discarded)


def finding_key(finding: Finding) -> tuple[str, str, str]:
    """Return what a finding is about; names are folded."""
    return finding.kind, fold_name(finding.table), fold_name(finding.column)


def find_damage(migration: Migration, step: UpResult) -> Iterator[Finding]:
    """Yield what SQLite finds wrong after down and did not before."""
    path = (migration.down or migration.up).path
    for message in step.integrity:
        yield Finding("integrity", STEP, path, observed=message)
    for finding in conflict_findings(step.up):
        yield replace(finding, step=STEP)


def find_lost(migration: Migration, diff: DatabaseDiff, versions: Versions) -> Iterator[Finding]:
    """Yield the tables, columns, rows and values that are not what they were and should be."""
    part = migration.down or migration.up
    for table in diff.tables:
        after = table.after or ""
        place = locate(part, (table.table, after), SHAPES)
        rows = table.rows_before
        if table.after is None:
            if not versions.adds_table(table.table):
                yield Finding(
                    "table lost", STEP, place.path, place.line, table=table.table, count=rows
                )
            continue
        for column in table.lost_columns:
            if not versions.adds_column(table.table, column, table.after):
                place = locate_column(part, table.table, column, after)
                yield Finding(
                    "column lost",
                    STEP,
                    place.path,
                    place.line,
                    table=table.table,
                    column=column,
                    count=rows,
                    total=rows,
                )
        differences, _ = split_inserted(migration.contract, table, diff.renames)
        yield from find_in_rows(differences, table, part, STEP)
    for name, was, became in diff.sequences:
        place = locate_sequence(part, name)
        yield Finding(
            "sequence lowered",
            STEP,
            place.path,
            place.line,
            table=name,
            expected=str(was),
            observed=str(became),
        )


def find_broken_references(migration: Migration, diff: DatabaseDiff) -> Iterator[Finding]:
    """Yield the references that lead nowhere since."""
    turned = backwards(migration)
    for dangling in diff.dangling:
        yield replace(dangling_finding(dangling, turned), step=STEP)
    for mismatch in diff.mismatches:
        yield replace(mismatch_finding(mismatch, turned), step=STEP)


def find_unrestored(part: Part, step: UpResult, versions: Versions) -> Iterator[Finding]:
    """Yield what of the structure is not as it is without the migration.

    What the database had otherwise before, an index made by hand, say, is to be there still.
    """
    known = tuple(apart(compare_schemas(versions.applied, step.before.schema)))
    found = compare_schemas(versions.target, step.after.schema)
    for difference in found:
        sides = tuple(apart((difference,)))
        unknown = tuple(side for side in sides if side not in known)
        for each in (difference,) if unknown == sides else unknown:
            yield difference_finding(each, part, STEP)
    there = tuple(apart(found))
    for difference in known:
        if difference not in there and is_own_addition(difference, versions.target):
            kind = difference.kind.replace(" added", " lost")
            lost = replace(difference, kind=kind, before=difference.after, after="")
            yield difference_finding(lost, part, STEP)


def is_own_addition(difference: SchemaDifference, target: Schema) -> bool:
    """Return whether something was added by hand, to what is there without the migration."""
    if not difference.kind.endswith(" added"):
        return False
    return not difference.table or target.table(difference.table) is not None
