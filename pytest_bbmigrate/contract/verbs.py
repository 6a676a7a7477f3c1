"""The directives that declare something of a table, a column or another object, one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.contract.derives import read_derives
from pytest_bbmigrate.contract.model import (
    Alter,
    AlterObject,
    Change,
    ContractError,
    Declaration,
    Delete,
    Drop,
    Insert,
    Rename,
    Requirement,
)
from pytest_bbmigrate.contract.targets import (
    NAME,
    TABLE_AND_COLUMNS,
    Directive,
    Target,
    read_target,
    read_targets,
    split_list,
    split_where,
    unquote,
)
from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OBJECT = re.compile(r"(index|trigger|view)(?:\s+(.+))?", re.IGNORECASE | re.DOTALL)
ALTERED = re.compile(r"(index|trigger|view|sequence)(?:\s+(.+))?", re.IGNORECASE | re.DOTALL)
UNIQUE = re.compile(r"unique\b(?!\s*:)(.*)", re.IGNORECASE | re.DOTALL)
TABLE_CONDITION = re.compile(rf"({NAME})\s*:(.*)", re.DOTALL)
ARROW = re.compile(r'((?:"[^"]*"|[^"])*?)->(.*)', re.DOTALL)


def read_changes(directive: Directive) -> Sequence[Declaration]:
    """Read ``changes t.c, t.d [where ..]``."""
    text, where = split_where(directive)
    targets = read_targets(directive, text)
    _of_one_table(directive, targets, where)
    return [
        Change(target.table, _column_of(directive, target), where, directive.line)
        for target in targets
    ]


def read_inserts(directive: Directive) -> Sequence[Declaration]:
    """Read ``inserts t, u``."""
    text, where = split_where(directive)
    if where is not None:
        raise directive.error("'inserts' takes no 'where'", f"write `bb: inserts {text}`")
    return [
        Insert(_table_of(directive, target), directive.line)
        for target in read_targets(directive, text)
    ]


def read_deletes(directive: Directive) -> Sequence[Declaration]:
    """Read ``deletes t [where ..]``."""
    text, where = split_where(directive)
    targets = read_targets(directive, text)
    _of_one_table(directive, targets, where)
    return [Delete(_table_of(directive, target), where, directive.line) for target in targets]


def read_drops(directive: Directive) -> Sequence[Declaration]:
    """Read ``drops t``, ``drops t.c``, ``drops index i``, ``drops trigger t``, ``drops view v``."""
    drops: list[Declaration] = []
    kind_before = ""
    for item in split_list(directive, directive.rest):
        match = OBJECT.fullmatch(item)
        if match is None and kind_before:
            raise _without_kind(directive, item, kind_before)
        if match is None:
            drops.append(_dropped_data(directive, read_target(directive, item)))
        else:
            kind_before = fold_name(match[1])
            name = _named_object(directive, kind_before, match[2])
            drops.append(Drop(kind_before, name, None, directive.line))
    return drops


def read_renames(directive: Directive) -> Sequence[Declaration]:
    """Read ``renames t -> u``, ``renames t.c -> t.d``."""
    return [_rename(directive, item) for item in split_list(directive, directive.rest)]


def read_alters(directive: Directive) -> Sequence[Declaration]:
    """Read ``alters t.c``, ``alters t``, ``alters index i`` and the like, ``alters sequence t``."""
    alters: list[Declaration] = []
    kind_before = ""
    for item in split_list(directive, directive.rest):
        if match := ALTERED.fullmatch(item):
            kind_before = fold_name(match[1])
            name = _named_object(directive, kind_before, match[2])
            alters.append(AlterObject(kind_before, name, directive.line))
        elif kind_before:
            raise _without_kind(directive, item, kind_before)
        else:
            target = read_target(directive, item)
            alters.append(Alter(target.table, target.column, directive.line))
    return alters


def read_requires(directive: Directive) -> Sequence[Declaration]:
    """Read ``requires unique t(a, b)``, ``requires t: expression``."""
    if match := UNIQUE.fullmatch(directive.rest):
        keys = split_list(directive, match[1])
        return [_unique(directive, key) for key in keys]
    match = TABLE_CONDITION.fullmatch(directive.rest)
    if match is None or not match[2].strip():
        raise directive.error(
            f"'requires {directive.rest}' is not understood",
            "write `bb: requires unique TABLE(COLUMN, ..)` or `bb: requires TABLE: CONDITION`"
            if match is None
            else f"write behind `{match[1]}:` what every row is like, as in SQL",
        )
    return [Requirement(unquote(match[1]), (), match[2].strip(), directive.line)]


VERBS: Mapping[str, Callable[[Directive], Sequence[Declaration]]] = {
    "changes": read_changes,
    "inserts": read_inserts,
    "deletes": read_deletes,
    "drops": read_drops,
    "renames": read_renames,
    "alters": read_alters,
    "requires": read_requires,
    "derives": read_derives,
}


def _dropped_data(directive: Directive, target: Target) -> Drop:
    if target.column is None:
        return Drop("table", target.table, None, directive.line)
    return Drop("column", target.column, target.table, directive.line)


def _named_object(directive: Directive, kind: str, name: str | None) -> str:
    if name is None:
        of = "TABLE" if kind == "sequence" else "NAME"
        raise directive.error(
            f"'{directive.verb} {kind}' names no {'table' if kind == 'sequence' else kind}",
            f"write `bb: {directive.verb} {kind} {of}`, "
            f'or "{kind}" in quotes if a table is called so',
        )
    return _object_name(directive, kind, name)


def _object_name(directive: Directive, kind: str, text: str) -> str:
    target = read_target(directive, text)
    if target.column is not None:
        name = target.text.partition(".")[2].strip()
        raise directive.error(
            f"'{text}' is a column's name, not that of the {kind}",
            f"write `bb: {directive.verb} {kind} {name}`, without a table",
        )
    return target.table


def _without_kind(directive: Directive, item: str, kind_before: str) -> ContractError:
    return directive.error(
        f"'{item}' does not say what it is, after '{directive.verb} {kind_before}'",
        f"write `{kind_before} {item}`, or give it a `bb: {directive.verb}` line of its own",
    )


def _rename(directive: Directive, item: str) -> Rename:
    match = ARROW.fullmatch(item)
    if match is None:
        raise directive.error(
            f"'{item}' does not say what the new name is",
            f"write `bb: renames {item} ->`, and behind it what it is called now",
        )
    before, after = (read_target(directive, side.strip()) for side in match.groups())
    if (before.column is None) != (after.column is None):
        raise directive.error(
            f"'{item}' renames a table into a column or a column into a table",
            "write table -> new_table, or table.column -> table.new_column",
        )
    return Rename(before.table, before.column, after.table, after.column, directive.line)


def _unique(directive: Directive, key: str) -> Requirement:
    match = TABLE_AND_COLUMNS.fullmatch(key)
    if match is None:
        raise directive.error(
            f"'unique {key}' does not say which columns of which table",
            f"write its columns behind it in brackets, with commas: `unique {key}(..)`",
        )
    targets = read_targets(directive, match[2])
    return Requirement(
        unquote(match[1]),
        tuple(_bare(directive, target) for target in targets),
        None,
        directive.line,
    )


def _bare(directive: Directive, target: Target) -> str:
    if target.column is not None:
        raise directive.error(
            f"'{target.text}' names a table inside the parentheses",
            f"write the column alone, `{target.column}`",
        )
    return target.table


def _column_of(directive: Directive, target: Target) -> str:
    if target.column is None:
        raise directive.error(
            f"'{directive.verb} {target.text}' names a table, not a column",
            f"write a dot after `{target.text}`, and behind it the column, for each of them",
        )
    return target.column


def _table_of(directive: Directive, target: Target) -> str:
    if target.column is not None:
        raise directive.error(
            f"'{directive.verb} {target.text}' names a column, where whole rows are meant",
            f"write `bb: {directive.verb} {target.table}`",
        )
    return target.table


def _of_one_table(directive: Directive, targets: Sequence[Target], where: str | None) -> None:
    tables = {fold_name(target.table) for target in targets}
    if where is not None and len(tables) > 1:
        raise directive.error(
            "a 'where' after names of several tables",
            f"write one `bb: {directive.verb} .. where ..` line for each table",
        )
