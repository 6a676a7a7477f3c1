"""What is wrong with the values that a contract derives: findings, with rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.locate import WRITES_VALUES, locate
from pytest_bbmigrate.contract.derives import derives_line
from pytest_bbmigrate.verdict import Example, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.experiment import DatabaseDiff
    from pytest_bbmigrate.experiment.derivations import Derivation
    from pytest_bbmigrate.rows import Key
    from pytest_bbmigrate.verdict import Cells

DECLARED = "declared"


def find_underived(diff: DatabaseDiff, migration: Migration) -> tuple[Finding, ...]:
    """Return where a column does not hold what the contract derives for it."""
    return tuple(
        finding for derivation in diff.derivations for finding in findings_of(derivation, migration)
    )


def unusable_finding(derivation: Derivation, migration: Migration) -> Finding:
    """Return the finding that nothing can be compared with what the contract derives."""
    declared = derivation.declared
    return Finding(
        "derivation fails",
        "contract",
        declared.path or migration.path,
        declared.line,
        table=declared.table,
        column=declared.column,
        name=declared.source or declared.table,
        observed=derivation.unusable,
    )


def findings_of(derivation: Derivation, migration: Migration) -> Iterator[Finding]:
    """Yield what is wrong with one column."""
    if derivation.unusable:
        yield unusable_finding(derivation, migration)
        return
    place = locate(migration.up, (derivation.table,), WRITES_VALUES)

    def finding(kind: str, count: int, total: int, examples: tuple[Example, ...]) -> Finding:
        return Finding(
            kind,
            "up",
            place.path,
            place.line,
            table=derivation.table,
            column=derivation.declared.column,
            name=derivation.source,
            count=count,
            total=total,
            expected=derives_line(derivation.declared),
            observed=derivation.error if kind == "derivation fails" else "",
            examples=examples,
        )

    def named(key: Key) -> Cells:
        return tuple(zip(derivation.key, key, strict=True))

    if derivation.failed:
        examples = tuple(Example(named(key)) for key in derivation.failed_keys)
        yield finding("derivation fails", derivation.failed, derivation.source_rows, examples)
    if derivation.wrong:
        column = derivation.declared.column
        examples = tuple(
            Example(named(cell.key), ((DECLARED, cell.declared),), ((column, cell.found),))
            for cell in derivation.wrong_cells
        )
        yield finding("values not derived", derivation.wrong, derivation.judged, examples)
    if derivation.missing:
        examples = tuple(
            Example(named(cell.key), ((DECLARED, cell.declared),))
            for cell in derivation.missing_cells
        )
        yield finding("rows not derived", derivation.missing, derivation.source_rows, examples)
