"""What up may do to real rows and did to none of the generated ones: nothing was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.checks.declared import drops_column, drops_table
from pytest_bbmigrate.checks.ruled_out import is_ruled_out, is_sure
from pytest_bbmigrate.explain.causes.context import FindingContext
from pytest_bbmigrate.sql.clauses import Delete, Update
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name, fold_text
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Change, Contract, Derive
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.schema import Table

ALWAYS = frozenset({("1",), ("true",), ("1", "=", "1")})


class UntestedStatement(NamedTuple):
    """A statement that may concern a table's rows, and concerned none of the generated ones.

    ``how`` follows 'no generated row': 'meets', 'is changed by' or 'is left out by'.
    ``is_declared`` is whether the contract says what it does.
    """

    table: str
    how: str
    sql: str
    is_declared: bool = False


def idle_statements(evidence: Evidence) -> Iterator[UntestedStatement]:
    """Yield the statements of up of which nothing was seen, though their tables hold rows.

    Nothing undeclared was seen on the rows: a DELETE or UPDATE that met none, and, where it would
    have to be declared, an UPDATE that met some and changed none, the WHERE or LIMIT of a rebuild
    that left none out. What they mean for real rows that are not like the generated ones is not
    known, unless the contract ``requires`` that there are none that they mean.
    """
    met_none = evidence.up.met_no_row
    for sql in dict.fromkeys((*evidence.up.idle, *evidence.up.shapes)):
        command = read_command(sql)
        if not isinstance(command, Update | Delete):
            continue
        if sql not in met_none and not (isinstance(command, Update) and command.where):
            continue
        table = table_written(evidence, command)
        if table is None or (sql in met_none and cannot_be_met(command, table, evidence)):
            continue
        contract = evidence.migration.contract
        how = "meets" if sql in met_none else "is changed by"
        if is_undeclared(contract, table, command):
            yield UntestedStatement(table.name, how, " ".join(sql.split()))
        elif sql in met_none and writes_what_stays(contract, table, command):
            yield UntestedStatement(table.name, how, " ".join(sql.split()), is_declared=True)
    yield from harmless_copies(evidence)


def cannot_be_met(command: Update | Delete, table: Table, evidence: Evidence) -> bool:
    """Return whether the contract ``requires`` that no row meets the WHERE of a statement."""
    if not command.where or (isinstance(command, Update) and command.sources):
        return False
    condition = condition_text(fold_tokens(command.where))
    return is_ruled_out(condition, table, evidence.migration.contract.requires)


def condition_text(tokens: tuple[str, ...]) -> str:
    """Return a condition on one table as text, without the table before a dot."""
    dots = {place for place, word in enumerate(tokens) if word == "."}
    left_out = dots | {place - 1 for place in dots}
    return " ".join(word for place, word in enumerate(tokens) if place not in left_out)


def writes_what_stays(contract: Contract, table: Table, command: Update | Delete) -> bool:
    """Return whether a statement works on rows, or on columns that were there and stay."""
    name = fold_name(table.name)
    if drops_table(contract, name):
        return False
    if isinstance(command, Delete):
        return True
    return any(
        table.column(column) and not drops_column(contract, name, column)
        for column in command.columns
    )


def table_written(evidence: Evidence, command: Update | Delete) -> Table | None:
    """Return the table of ``command`` as it was before; None if it held no rows."""
    old_names = {new: old for old, new in evidence.up.renamed_tables}
    name = command.table.folded
    table = evidence.state.schema.table(old_names.get(name, name))
    if table is None or not evidence.state.row_counts[fold_name(table.name)]:
        return None
    return table


def is_undeclared(contract: Contract, table: Table, command: Update | Delete) -> bool:
    """Return whether the contract is silent on what the statement does to ``table``.

    Writing to a column that up itself adds, or to what is declared to go, needs no word.
    """
    name = fold_name(table.name)
    if drops_table(contract, name):
        return False
    if isinstance(command, Delete):
        return all(fold_name(delete.table) != name for delete in contract.deletes)
    lines: tuple[Change | Derive, ...] = (*contract.changes, *contract.derives)
    declared = {fold_name(line.column) for line in lines if fold_name(line.table) == name}
    return any(
        table.column(column) and column not in declared and not drops_column(contract, name, column)
        for column in map(fold_name, command.columns)
    )


def harmless_copies(evidence: Evidence) -> Iterator[UntestedStatement]:
    """Yield the copies of a table into what it became that may leave rows out, and left out none.

    Several copies of one table may share its rows out among them.
    """
    if not any("select" in fold_text(sql) for sql in evidence.up.shapes):
        return
    contract, counts = evidence.migration.contract, evidence.state.row_counts
    for table in evidence.state.schema.tables:
        name = fold_name(table.name)
        if not counts[name] or any(fold_name(d.table) == name for d in contract.deletes):
            continue
        lost = Finding("rows lost", "up", evidence.migration.up.path, table=table.name)
        copies = FindingContext(lost, evidence).copies
        if len(copies) != 1:
            continue
        where = copies[0].where
        chosen = where and not copies[0].joins and where not in ALWAYS
        if chosen and "limit" not in copies[0].features:
            chosen = not is_sure(condition_text(where), table, contract.requires)
        if chosen or "limit" in copies[0].features:
            sql = evidence.up.executed[copies[0].position]
            yield UntestedStatement(table.name, "is left out by", " ".join(sql.split()))
