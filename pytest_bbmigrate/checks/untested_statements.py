"""What up may do to real rows and did to none of the generated ones: nothing was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.checks.data_survives import drops_column, drops_table
from pytest_bbmigrate.explain.causes.context import FindingContext
from pytest_bbmigrate.sql.clauses import Delete, Update
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.schema import Table

ALWAYS = frozenset({("1",), ("true",), ("1", "=", "1")})


class UntestedStatement(NamedTuple):
    """A statement that may concern a table's rows, and concerned none of the generated ones.

    ``how`` follows 'no generated row': 'meets', 'is changed by' or 'is left out by'.
    """

    table: str
    how: str
    sql: str


def idle_statements(evidence: Evidence) -> Iterator[UntestedStatement]:
    """Yield the statements of up of which nothing was seen, though their tables hold rows.

    Only those that would have to be declared, and nothing undeclared was seen on the rows: a
    DELETE or UPDATE that met none, an UPDATE that met some and changed none, the WHERE or LIMIT of
    a rebuild that left none out. What they mean for real rows that are not like the generated ones
    is not known.
    """
    met_none = frozenset(evidence.up.idle)
    for sql in dict.fromkeys((*evidence.up.idle, *evidence.up.executed)):
        command = read_command(sql)
        if not isinstance(command, Update | Delete):
            continue
        if sql not in met_none and not (isinstance(command, Update) and command.where):
            continue
        table = table_written(evidence, command)
        if table is not None and is_undeclared(evidence.migration.contract, table, command):
            how = "meets" if sql in met_none else "is changed by"
            yield UntestedStatement(table.name, how, " ".join(sql.split()))
    yield from harmless_copies(evidence)


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
    declared = {fold_name(c.column) for c in contract.changes if fold_name(c.table) == name}
    return any(
        table.column(column) and column not in declared and not drops_column(contract, name, column)
        for column in map(fold_name, command.columns)
    )


def harmless_copies(evidence: Evidence) -> Iterator[UntestedStatement]:
    """Yield the copies of a table into what it became that may leave rows out, and left out none.

    Several copies of one table may share its rows out among them.
    """
    if not any("select" in fold_name(sql) for sql in evidence.up.executed):
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
        chosen = copies[0].where and not copies[0].joins and copies[0].where not in ALWAYS
        if chosen or "limit" in copies[0].features:
            sql = evidence.up.executed[copies[0].position]
            yield UntestedStatement(table.name, "is left out by", " ".join(sql.split()))
