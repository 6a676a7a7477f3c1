"""Which table and column before is which after, and what follows from that for names in text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_bbmigrate.schema.compare.kinds import Renames
    from pytest_bbmigrate.schema.model import Schema, Table, Tokens


@dataclass(frozen=True)
class Correspondence:
    """Case-folded names before to names after, of what is still there.

    ``columns`` is keyed by the table before; one that is equal after, and that no rename concerns,
    has no entry: there is nothing to ask about it. ``renamed`` is whether any name is another.
    """

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    renamed: bool


def keeps_names(renames: Renames) -> bool:
    """Return whether every table and column has the name that it had."""
    return all(old == new for old, new in renames.tables.items()) and all(
        old == new for (_, old), new in renames.columns.items()
    )


def correspond(before: Schema, after: Schema, renames: Renames) -> Correspondence:
    """Return what became of each table and column, by ``renames`` or by keeping its name."""
    tables = _follow(
        [fold_name(table.name) for table in before.tables],
        {fold_name(table.name) for table in after.tables},
        renames.tables,
    )
    after_tables = {fold_name(table.name): table for table in after.tables}
    renamed: dict[str, dict[str, str]] = {}
    for (of, old), new in renames.columns.items():
        renamed.setdefault(of, {})[old] = new
    other_names = {old for old, new in renames.tables.items() if old != new}
    other_names |= {of for (of, old), new in renames.columns.items() if old != new}
    columns: dict[str, Mapping[str, str]] = {}
    for table in before.tables:
        name = fold_name(table.name)
        now = after_tables.get(tables.get(name, ""))
        if now is not None and (table != now or _mentions(table, other_names)):
            columns[name] = _follow(column_names(table), column_names(now), renamed.get(name, {}))
    return Correspondence(tables, columns, bool(other_names))


def _mentions(table: Table, names: Collection[str]) -> bool:
    """Return whether ``table`` or one that it refers to is among ``names``."""
    parents = (fold_name(key.parent) for key in table.foreign_keys)
    return any(name in names for name in (fold_name(table.name), *parents))


def column_names(table: Table) -> list[str]:
    """Return the case-folded names of the columns of ``table``."""
    return [fold_name(column.name) for column in table.columns]


def _follow(
    before: Sequence[str], after: Collection[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return before to after; a rename whose new name is not there after did not happen.

    A name that something else was renamed to is not kept: after ``DROP b`` and ``RENAME a TO b``
    b is a, and the old b is lost.
    """
    followed = {name: renamed[name] for name in before if renamed.get(name) in after}
    taken = followed.keys() | set(followed.values())
    return {
        name: followed.get(name, name)
        for name in before
        if name in followed or (name in after and name not in taken)
    }


def renamed_in_table(table: Table, after: Table, names: Correspondence) -> dict[str, set[str]]:
    """Return what each renamed word in the expressions of ``table`` may be after.

    In such an expression every name is a column, a function or a keyword: an old name that is no
    column after can stay as it is, for then it never was the column.
    """
    old_table = fold_name(table.name)
    there = set(column_names(after))
    words = {
        old: {new} if old in there else {new, old}
        for old, new in names.columns[old_table].items()
        if old != new
    }
    new_table = names.tables[old_table]
    if new_table != old_table:
        words[old_table] = words.get(old_table, {old_table}) | {new_table}
    return words


def renamed_in_statement(tokens: Tokens, names: Correspondence) -> dict[str, set[str]]:
    """Return what each renamed word in a view or trigger may be after.

    Columns count only of tables that it mentions; the old name may stay, for it may be another
    table's.
    """
    words: dict[str, set[str]] = {}
    mentioned = set(tokens) if names.renamed else set()
    for old, new in names.tables.items():
        if old in mentioned:
            for one, other in ((old, new), *names.columns.get(old, {}).items()):
                if one != other:
                    words.setdefault(one, {one}).add(other)
    return words
