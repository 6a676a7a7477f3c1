"""What up may do to real rows and did to none of the generated ones: nothing was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.checks.data_survives import drops_column, drops_table
from pytest_bbmigrate.explain.causes.context import FindingContext
from pytest_bbmigrate.sql import folded
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.verdict import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.contract import Contract
    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.schema import Table

WRITES = frozenset({"insert", "replace", "update", "delete", "select"})
CLAUSES_AFTER_SET = frozenset({"from", "where", "returning", "order", "limit"})
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
        verb, words = read_write(sql)
        is_partial = "where" in outside_parentheses(words)
        if sql not in met_none and not (verb == "update" and is_partial):
            continue
        table = table_written(evidence, words) if verb in {"update", "delete"} else None
        if table is not None and is_undeclared(evidence.migration.contract, table, verb, words):
            how = "meets" if sql in met_none else "is changed by"
            yield UntestedStatement(table.name, how, " ".join(sql.split()))
    yield from harmless_copies(evidence)


def read_write(sql: str) -> tuple[str, list[str]]:
    """Return the verb of a statement and the words after it, from the table's name on.

    What WITH puts before the verb is passed over, and what OR says of conflicts.
    """
    words = list(folded(sql))
    depth, at = 0, 0
    for at, word in enumerate(words):  # noqa: B007 -- where it stopped is what counts
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth and word in WRITES:
            break
    verb, *rest = words[at:] or [""]
    if rest[:1] == ["or"]:
        del rest[:2]
    if rest[:1] in (["from"], ["into"]):
        del rest[0]
    if rest[1:2] == ["."]:
        del rest[:2]
    return verb, rest


def outside_parentheses(words: list[str]) -> Iterator[str]:
    """Yield those of ``words`` that stand in no parentheses."""
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if not depth:
            yield word


def table_written(evidence: Evidence, words: list[str]) -> Table | None:
    """Return the table, as it was before, that ``words`` begin with; None if it held no rows."""
    old_names = {new: old for old, new in evidence.up.renamed_tables}
    table = evidence.state.schema.table(old_names.get(words[0], words[0]))
    if table is None or not evidence.state.row_counts[fold_name(table.name)]:
        return None
    return table


def is_undeclared(contract: Contract, table: Table, verb: str, words: list[str]) -> bool:
    """Return whether the contract is silent on what the statement does; ``words`` follow its verb.

    Writing to a column that up itself adds, or to what is declared to go, needs no word.
    """
    name = fold_name(table.name)
    if drops_table(contract, name):
        return False
    if verb == "delete":
        return all(fold_name(delete.table) != name for delete in contract.deletes)
    declared = {fold_name(c.column) for c in contract.changes if fold_name(c.table) == name}
    return any(
        table.column(column) and column not in declared and not drops_column(contract, name, column)
        for column in assigned_columns(words)
    )


def assigned_columns(words: list[str]) -> Iterator[str]:
    """Yield the columns that an UPDATE sets, ``(a, b) = ..`` among them; ``words`` are folded."""
    depth, is_target = 0, False
    for word in words:
        if not depth and word in CLAUSES_AFTER_SET:
            return
        if not depth and word in ("set", ","):
            is_target = True
        elif word == "=" and not depth:
            is_target = False
        elif is_target and word not in ("(", ")", ","):
            yield word
        depth += {"(": 1, ")": -1}.get(word, 0)


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
