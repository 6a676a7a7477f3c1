"""The answer of --bb-status, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import PythonPart, SqlPart
from pytest_bbmigrate.catalogue.model import Call
from pytest_bbmigrate.contract.derives import derives_line
from pytest_bbmigrate.contract.spelling import bare_or_quoted, dotted
from pytest_bbmigrate.history.plan import WAS_APPLIED, Status
from pytest_bbmigrate.visible import visible_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pytest_bbmigrate.catalogue import Migration
    from pytest_bbmigrate.contract import Contract, Drop, Requirement
    from pytest_bbmigrate.history.plan import MigrationStatus, MigrationStatuses
    from pytest_bbmigrate.history.table import Applied

_WIDTH = len(Status.OUT_OF_ORDER.value)
_INDENT = " " * (_WIDTH + 2)


def describe_status(
    statuses: MigrationStatuses,
    history: Iterable[Applied],
    database: str,
    *,
    statements: bool = False,
    problems: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return a line on ``database`` and one on each migration; below a pending one, its contract.

    With ``statements``, pending ones also show what they run. ``problems`` come last.
    """
    by_name = {applied.name: applied for applied in history}
    lines = [f"{database}: {_totals(statuses)}", ""]
    for entry in statuses.entries:
        lines.append(_line(entry.status.value, entry.migration.name, _remark(entry, by_name)))
        if entry.status not in WAS_APPLIED:
            lines += [_INDENT + line for line in _intent(entry.migration, statements=statements)]
    lines += [
        _line("missing", name, f"applied {by_name[name].applied_at}, and its file is gone")
        for name in statuses.missing
    ]
    lines += ["", *(f"problem: {problem}" for problem in problems)] if problems else []
    return tuple(lines)


def describe_contract(contract: Contract) -> tuple[str, ...]:
    """Return what a migration declares that it does to data, as contract lines."""
    return (
        *(f"changes {dotted(c.table, c.column)}{_where(c.where)}" for c in contract.changes),
        *(f"inserts {bare_or_quoted(insert.table)}" for insert in contract.inserts),
        *(f"deletes {bare_or_quoted(d.table)}{_where(d.where)}" for d in contract.deletes),
        *map(_drop, contract.drops),
        *(
            f"renames {_target(r.table, r.column)} -> {_target(r.new_table, r.new_column)}"
            for r in contract.renames
        ),
        *(f"alters {_target(alter.table, alter.column)}" for alter in contract.alters),
        *(f"alters {a.kind} {bare_or_quoted(a.name)}" for a in contract.altered_objects),
        *map(_requirement, contract.requires),
        *map(derives_line, contract.derives),
        *_settings(contract),
    )


def _drop(drop: Drop) -> str:
    if drop.table is not None:
        return f"drops {dotted(drop.table, drop.name)}"
    kind = "" if drop.kind == "table" else f"{drop.kind} "
    return f"drops {kind}{bare_or_quoted(drop.name)}"


def _requirement(requirement: Requirement) -> str:
    table = bare_or_quoted(requirement.table)
    if requirement.expression is not None:
        return f"requires {table}: {requirement.expression}"
    return f"requires unique {table}({', '.join(map(bare_or_quoted, requirement.unique))})"


def _settings(contract: Contract) -> Iterator[str]:
    if contract.irreversible is not None:
        because = f" because {contract.irreversible}" if contract.irreversible else ""
        yield f"irreversible{because}"
    if contract.foreign_keys is not None:
        yield f"foreign_keys {'on' if contract.foreign_keys else 'off'}"
    if contract.no_transaction:
        yield "no_transaction"


def _where(condition: str | None) -> str:
    return f" where {condition}" if condition is not None else ""


def _target(table: str, column: str | None) -> str:
    return bare_or_quoted(table) if column is None else dotted(table, column)


def _totals(statuses: MigrationStatuses) -> str:
    parts = [f"{len(statuses.applied)} of {len(statuses.entries)} migrations applied"]
    parts.append(f"{len(statuses.pending)} pending")
    for kind, count in (
        ("changed since", len(statuses.changed)),
        ("out of order", len(statuses.out_of_order)),
        ("missing", len(statuses.missing)),
    ):
        if count:
            parts.append(f"{count} {kind}")
    return ", ".join(parts)


def _line(status: str, name: str, remark: str) -> str:
    return visible_line(f"{status:<{_WIDTH}}  {name}{': ' if remark else ''}{remark}")


def _remark(entry: MigrationStatus, by_name: Mapping[str, Applied]) -> str:
    """Return a pending migration's title; else when it was applied, and how its file differs."""
    if entry.applied_as is None:
        return entry.migration.contract.headers.get("Migration", "")
    when = f"applied {by_name[entry.applied_as].applied_at}"
    if entry.status is Status.CHANGED:
        return f"{when}, and {entry.says_otherwise} says something else since"
    if entry.status is Status.RENAMED:
        return f"{when} as {entry.applied_as}"
    return by_name[entry.applied_as].applied_at


def _intent(migration: Migration, *, statements: bool) -> Iterator[str]:
    yield from describe_contract(migration.contract)
    if statements:
        for line in _steps(migration):
            yield f"  {line}"


def _steps(migration: Migration) -> Iterator[str]:
    """Yield what the up part runs, each statement after the number of its line."""
    part = migration.up
    if isinstance(part, SqlPart):
        for statement in part.statements:
            first, *others = statement.text.splitlines()
            yield f"{statement.line:>4}  {first}"
            yield from (f"      {line}" for line in others)
    elif isinstance(part, PythonPart):
        given = {Call.DATABASE: "(db)", Call.CONNECTION: "(connection)"}.get(part.call, "")
        yield f"{part.line:>4}  {part.function}{given}"
    else:
        yield f"   1  python {part.path.name}"
