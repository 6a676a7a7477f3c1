"""UPDATEs and DELETEs that no contract speaks of and that met no row: nothing was seen of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.statements import folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.evidence import Evidence
    from pytest_bbmigrate.schema import Table

CLAUSES_AFTER_SET = frozenset({"from", "where", "returning", "order", "limit"})


class Idle(NamedTuple):
    """A statement that may change a table's rows, and changed none of the generated ones."""

    table: str
    sql: str


def idle_statements(evidence: Evidence) -> Iterator[Idle]:
    """Yield the statements of up that met no row, though the tables they are about hold rows.

    Only those that would have to be declared: a DELETE, or an UPDATE of a column, of what was there
    before. What a WHERE means for real rows that are not like the generated ones is not known.
    """
    old_names = {new: old for old, new in evidence.up.renamed_tables}
    for sql in evidence.up.idle:
        words = list(folded(sql))
        verb, *rest = words
        if verb == "update" and rest[0] == "or":
            del rest[:2]
        if verb == "delete":
            del rest[0]  # FROM
        if rest[1:2] == ["."]:
            del rest[:2]
        table = evidence.state.schema.table(old_names.get(rest[0], rest[0]))
        if table is None or not evidence.state.row_counts[table.name.casefold()]:
            continue
        if is_undeclared(evidence, table, verb, rest):
            yield Idle(table.name, " ".join(sql.split()))


def is_undeclared(evidence: Evidence, table: Table, verb: str, words: list[str]) -> bool:
    """Return whether the contract is silent on what the statement does; ``words`` follow its verb.

    Writing to a column that up itself adds needs no word.
    """
    contract, name = evidence.migration.contract, table.name.casefold()
    if verb == "delete":
        return all(delete.table.casefold() != name for delete in contract.deletes)
    declared = {c.column.casefold() for c in contract.changes if c.table.casefold() == name}
    return any(table.column(c) and c not in declared for c in assigned_columns(words))


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
