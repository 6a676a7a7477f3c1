"""What broke, in one line each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.verdict import Finding


def headline(finding: Finding) -> str:
    """Return what broke, in one line."""
    write = HEADLINES.get(finding.kind)
    text = write(finding) if write else structural_headline(finding)
    return " ".join(text.split())


def structural_headline(finding: Finding) -> str:
    """Return a difference of structure in one line: what differs, of what, after which step."""
    subject = finding.name or finding.table
    kind, _, change = finding.kind.rpartition(" ")
    if finding.kind == "view changed" and finding.count:
        how = "no more" if finding.only_fewer else "not as they were"
        text = f"view {subject} shows {finding.count:,} of its {finding.total:,} rows {how}"
    elif change in STATES:
        text = f"{kind} {object_name(finding)} {STATES[change]}"
    else:
        text = f"{finding.kind} of {object_name(finding) or subject} changed"
    if change == "added" and finding.step == "down":
        return f"{kind} {object_name(finding)} is left behind by down"
    return f"{text}{after_step(finding)}"


MOST_COLUMNS = 4  # that a headline names
STATES = {
    "lost": "is gone",
    "added": "is there and was not before",
    "changed": "is not what it was",
    "broken": "no longer compiles",
}

WITHOUT_NAME = ("check ", "unique ")  # they are of columns, or of a table


def object_name(finding: Finding) -> str:
    """Return the name of what a finding is about, with its table unless that is the name."""
    table, column = finding.table, finding.column
    has_own_name = fold_name(finding.name) not in {"", fold_name(table), fold_name(column)}
    if table and has_own_name:
        return f"{finding.name} on {table}"
    if table and column:
        return columns_of(finding)
    of = "of " if finding.kind.startswith(WITHOUT_NAME) else ""
    return f"{of}{finding.name or table}"


def columns_of(finding: Finding) -> str:
    """Return the column of a finding with its table, or how many it is about."""
    count = finding.column.count(", ") + 1
    if count > MOST_COLUMNS:
        return f"{count} columns of {finding.table}"
    return f"{finding.table}.{finding.column}"


def after_step(finding: Finding) -> str:
    """Return after which step it was seen; '' for up."""
    return "" if finding.step == "up" else f" after {finding.step}"


def of_total(finding: Finding, noun: str = "row") -> str:
    """Return a count of rows, in words."""
    total = f" of {finding.total:,}" if finding.total >= finding.count else ""
    return f"{finding.count:,}{total} {noun}{'' if finding.count == 1 and not total else 's'}"


def lost_table_headline(finding: Finding) -> str:
    """Return that a table is gone, with its rows or without.

    Where rows were found elsewhere by some columns alone, of their other values nothing is said.
    """
    gone = f"table {finding.table} is gone{after_step(finding)}"
    count, total, tables = finding.count, finding.total, finding.name.split(", ")
    names = " and ".join(filter(None, tables))
    if not names:
        rows = f"its {count:,} rows are"
        return f"table {finding.table} and {rows} gone{after_step(finding)}"
    if not total:
        return f"{gone}: rows of it are in {names}"
    kept = f"its {total:,} rows" if not count else f"{total - count:,} of its {total:,} rows"
    if finding.found_by:
        return f"{gone}: {kept} are found by {finding.found_by} in {' or '.join(tables)}"
    return f"{gone}: {kept} are in {names}"


ABSENT = {
    "table": "which is not there",
    "column": "a column that is not there",
    "unique key": "which is no key there",
}


HEADLINES: dict[str, Callable[[Finding], str]] = {
    "does not run": lambda f: f"{f.step} does not run: {f.observed}",
    "set-up lacks": lambda f: f"{f.step} needs {f.name}, which is not there",
    "integrity": lambda f: f"the database is damaged after {f.step}: {f.observed}",
    "shape conflict": lambda f: f"IF NOT EXISTS met another {f.name} than the one it describes",
    "table lost": lambda f: lost_table_headline(f),
    "column lost": lambda f: f"column {f.table}.{f.column} is gone{after_step(f)}",
    "rows lost": lambda f: (
        f"up deletes {of_total(f)} of {f.table}, which no down can bring back"
        if f.lies_in
        else f"{f.table} lost {of_total(f)}{after_step(f)}"
    ),
    "rows added": lambda f: f"{f.table} has {f.count:,} new rows{after_step(f)}",
    "rows renumbered": lambda f: (
        f"{of_total(f)} of {f.table} have another {f.column}{after_step(f)}"
    ),
    "values changed": lambda f: (
        f"{columns_of(f)} changed in {'up to ' * (', ' in f.column)}{of_total(f)}{after_step(f)}"
    ),
    "values not derived": lambda f: (
        f"{f.table}.{f.column} holds another value than is declared in {of_total(f)}"
    ),
    "rows not derived": lambda f: f"{f.table} has no row for {of_total(f)} of {f.name}",
    "derivation fails": lambda f: (
        f"the value of {f.table}.{f.column} cannot be computed in {of_total(f)} of {f.name}"
        f": {f.observed}"
        if f.count
        else f"the value of {f.table}.{f.column} cannot be judged: {f.observed}"
    ),
    "depends on the zone": lambda f: (
        f"up does something else in {f.name}: its result depends on the time zone"
    ),
    "invariant broken": lambda f: f"invariant {f.name!r} does not hold",
    "changed since": lambda f: f"{f.name} was {f.observed}",
    "invariant never runs": lambda f: f"invariant {f.name!r} runs at no version: {f.observed}",
    "sequence lowered": lambda f: (
        f"the sequence of {f.table} fell from {f.expected} to {f.observed}{after_step(f)}"
    ),
    "view shows otherwise": lambda f: (
        f"view {f.name} shows other {f'values as {f.column}' if f.column else 'rows'} than before"
    ),
    "table broken": lambda f: f"table {f.name} cannot be read any more{after_step(f)}",
    "table never reads": lambda f: f"table {f.name} cannot be read",
    "view never compiles": lambda f: f"view {f.name} does not compile",
    "trigger never compiles": lambda f: f"trigger {object_name(f)} does not compile",
    "trigger writes otherwise": lambda f: (
        f"trigger {f.name} writes other values as {f.column} than before"
    ),
    "dangling reference": lambda f: (
        f"{f.count:,} rows of {f.table} refer by {f.column} to rows that {f.name} does not have"
    ),
    "mismatched reference": lambda f: (
        f"{f.table}.{f.column} refers to {f.name} ({f.expected}), {ABSENT.get(f.observed, '')}"
    ),
    "written rows lost": lambda f: f"down lost {of_total(f)} written to {f.table} after up",
    "written values changed": lambda f: (
        f"down changed {f.table}.{f.column} in {of_total(f)} written after up"
    ),
    "edits undone": lambda f: (
        f"down undid {f.count:,} of {f.total:,} edits of {f.table}.{f.column} made after up"
    ),
    "deleted rows back": lambda f: (
        f"down brought back {f.count:,} of {f.total:,} rows deleted from {f.table} after up"
    ),
    "names nothing": lambda f: f"there is no {f.table} {f.name}, before or after",
    "condition fails": lambda f: f"the condition ({f.name}) cannot be evaluated: {f.observed}",
    "no rows": lambda f: f"no generated rows in {object_name(f)}: {f.observed}",
}
