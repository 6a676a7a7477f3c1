"""catalogue_reads: every file reads, is ordered, and its contract names what exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.derived_findings import unusable_finding
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sqlite_files.in_time import TAKES_TOO_LONG
from pytest_bbmigrate.verdict import Answer, Finding

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.chain import Chain
    from pytest_bbmigrate.contract import Contract, Delete, Insert
    from pytest_bbmigrate.schema import Schema


AS_BEFORE = (
    "it is asked of the rows as they were before the migration: by the names of then, and with the "
    "functions that SQLite and bb_connection have"
)
WITHOUT_END = (
    "SQLite gives up nothing by itself, and a recursive query ends where its WHERE or LIMIT says so"
)


@dataclass(frozen=True)
class NamedObject:
    """Something that a contract line names: a table, or a column of one, or another object.

    ``is_new`` is whether the line says that it is there after, and was not before.
    """

    kind: str
    name: str
    column: str
    line: int
    path: Path | None
    is_new: bool = False


def ask_catalogue_reads(chain: Chain, known: int = 0) -> Answer:
    """Return the contract lines that name what exists neither before nor after their migration.

    Of the first ``known`` migrations an earlier run has found none.
    The names can be looked up only as far as the migrations apply. Nothing is asked of those that
    are not to be judged.

    Raises: SeedingError when the user's own rows are for a table that no version has.
    """
    findings: list[Finding] = []
    reason = ""
    for position, migration in [*enumerate(chain.catalogue.migrations)][known:]:
        before = chain.state(position).schema
        try:
            after = chain.state(position + 1).schema
        except StateUnreachable as error:
            reason = f"contracts could be looked up only as far as {migration.name}: {error}"
            break
        if migration.name not in chain.unjudged:
            unknown = tuple(unknown_names(migration, before, after))
            findings += unknown
            told = {(finding.path, finding.line) for finding in unknown}
            findings += unanswerable_conditions(migration, chain, position, told)
    else:
        chain.refuse_unused_own_rows()
        findings += silent_invariants(chain)
    notes = chain.catalogue.notes
    return Answer(tuple(findings), notes, reason="" if findings else reason)


def silent_invariants(chain: Chain) -> Iterator[Finding]:
    """Yield a finding for each invariant that can run at no version, and so guards nothing."""
    for name, error in chain.silent_invariants():
        yield Finding(
            "invariant never runs", "contract", chain.catalogue.folder, name=name, observed=error
        )


def unknown_names(migration: Migration, before: Schema, after: Schema) -> Iterator[Finding]:
    """Yield a finding for each name that is in neither schema."""
    for named in names_of(migration):
        if not (exists(named, before) or exists(named, after)):
            shown = f"{named.name}.{named.column}" if named.column else named.name
            yield Finding(
                "names nothing",
                "contract",
                named.path or migration.path,
                named.line,
                table=named.kind,
                name=shown,
                expected=", ".join(dict.fromkeys(names_there(named, before, after))),
            )


def names_of(migration: Migration) -> Iterator[NamedObject]:
    """Yield everything that a contract names, as the thing it must be."""
    contract = migration.contract
    for change in contract.changes:
        yield NamedObject("column", change.table, change.column, change.line, change.path)
    yield from names_of_derived(contract)
    of_rows: tuple[Insert | Delete, ...] = (*contract.inserts, *contract.deletes)
    for rows in of_rows:
        yield NamedObject("table", rows.table, "", rows.line, rows.path)
    for alter in contract.alters:
        kind = "column" if alter.column else "table"
        yield NamedObject(kind, alter.table, alter.column or "", alter.line, alter.path)
    for altered in contract.altered_objects:
        kind = "table" if altered.kind == "sequence" else altered.kind
        yield NamedObject(kind, altered.name, "", altered.line, altered.path)
    for drop in contract.drops:
        if drop.kind == "column":
            yield NamedObject("column", drop.table or "", drop.name, drop.line, drop.path)
        else:
            yield NamedObject(drop.kind, drop.name, "", drop.line, drop.path)
    for rename in contract.renames:
        kind = "column" if rename.column else "table"
        yield NamedObject(kind, rename.table, rename.column or "", rename.line, rename.path)
        yield NamedObject(
            kind, rename.new_table, rename.new_column or "", rename.line, rename.path, is_new=True
        )


def names_of_derived(contract: Contract) -> Iterator[NamedObject]:
    """Yield the columns whose values a contract derives, and the tables that they are read from."""
    for derive in contract.derives:
        yield NamedObject("column", derive.table, derive.column, derive.line, derive.path)
        if derive.source is not None:
            yield NamedObject("table", derive.source, "", derive.line, derive.path)


def exists(named: NamedObject, schema: Schema) -> bool:
    """Return whether ``schema`` has what is named."""
    name = fold_name(named.name)
    if named.kind == "index":
        return schema.index(named.name) is not None
    if named.kind == "trigger":
        return any(fold_name(trigger.name) == name for trigger in schema.triggers)
    if named.kind == "view":
        return any(fold_name(view.name) == name for view in schema.views)
    table = schema.table(named.name)
    if table is None or not named.column:
        return table is not None
    is_rowid = table.virtual is not None and fold_name(named.column) == "rowid"
    return is_rowid or table.column(named.column) is not None


def names_there(named: NamedObject, before: Schema, after: Schema) -> list[str]:
    """Return what could have been meant, of what is there before or after.

    What something is renamed to can only be what is there after.
    """
    if named.is_new:
        return known_names(named, after)
    return [*known_names(named, before), *known_names(named, after)]


def known_names(named: NamedObject, schema: Schema) -> list[str]:
    """Return what could have been meant: the table's columns, or all of that kind."""
    table = schema.table(named.name)
    if named.kind == "column" and table is not None:
        return [f"{table.name}.{column.name}" for column in table.columns]
    if named.kind == "trigger":
        return [trigger.name for trigger in schema.triggers]
    if named.kind == "view":
        return [view.name for view in schema.views]
    if named.kind == "index":
        return [index.name for table in schema.tables for index in table.indexes if index.name]
    return [table.name for table in schema.tables]


def unanswerable_conditions(
    migration: Migration, chain: Chain, position: int, told: Container[tuple[Path, int | None]]
) -> Iterator[Finding]:
    """Yield a finding for each condition and value that SQLite cannot evaluate before up.

    Not for a value of lines of which another finding is ``told``, which is the cause.
    """
    up_diff = chain.evidence(position).up_diff if migration.contract.derives else None
    for derivation in up_diff.derivations if up_diff else ():
        found = unusable_finding(derivation, migration)
        if derivation.unusable and (found.path, found.line) not in told:
            yield found
    for failing in chain.condition_errors(position):
        yield Finding(
            "condition fails",
            "contract",
            failing.path or migration.path,
            failing.line,
            name=failing.condition,
            observed=failing.error,
            cause=WITHOUT_END if failing.error == TAKES_TOO_LONG else AS_BEFORE,
        )
