"""Find which table and column before is which after, and so what names in SQL may become."""

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
    """Case-folded names before to names after, of tables and columns that still exist.

    ``columns`` is keyed by the table before. A table that is equal after and that no rename
    concerns has no entry, since it need not be compared. ``renamed`` is whether any name has
    changed; with ``strictly``, the names of explicit indexes count as well.
    """

    tables: Mapping[str, str]
    columns: Mapping[str, Mapping[str, str]]
    renamed: bool
    strictly: bool = False


def keeps_names(renames: Renames) -> bool:
    """Return whether every table and column has the name that it had."""
    return all(old == new for old, new in renames.tables.items()) and all(
        old == new for (_, old), new in renames.columns.items()
    )


def match_names(
    before: Schema, after: Schema, renames: Renames, *, strictly: bool = False
) -> Correspondence:
    """Return the name after of each table and column: that of ``renames``, else the same one."""
    tables = _follow(
        [fold_name(table.name) for table in before.tables],
        {fold_name(table.name) for table in after.tables},
        renames.tables,
    )
    after_tables = {fold_name(table.name): table for table in after.tables}
    renamed: dict[str, dict[str, str]] = {}
    for (table_name, old), new in renames.columns.items():
        renamed.setdefault(table_name, {})[old] = new
    changed_names = {old for old, new in renames.tables.items() if old != new}
    changed_names |= {
        table_name for (table_name, old), new in renames.columns.items() if old != new
    }
    columns: dict[str, Mapping[str, str]] = {}
    for table in before.tables:
        name = fold_name(table.name)
        table_after = after_tables.get(tables.get(name, ""))
        if table_after is None or (table == table_after and not _mentions(table, changed_names)):
            continue
        columns[name] = _follow(
            table.ordered_names, table_after.column_names, renamed.get(name, {})
        )
    return Correspondence(tables, columns, bool(changed_names), strictly)


def _mentions(table: Table, names: Collection[str]) -> bool:
    """Return whether ``table`` or one that it refers to is among ``names``."""
    parents = (fold_name(key.parent) for key in table.foreign_keys)
    return any(name in names for name in (fold_name(table.name), *parents))


def _follow(
    before: Sequence[str], after: Collection[str], renamed: Mapping[str, str]
) -> dict[str, str]:
    """Return names before to names after; a rename to a name that is missing after is ignored.

    A name is not kept if something else was renamed to it: after ``DROP b`` and ``RENAME a TO b``,
    b is the old a, and the old b is lost.
    """
    followed = {name: renamed[name] for name in before if renamed.get(name) in after}
    taken = followed.keys() | set(followed.values())
    return {
        name: followed.get(name, name)
        for name in before
        if name in followed or (name in after and name not in taken)
    }


def renamed_in_table(table: Table, after: Table, names: Correspondence) -> dict[str, set[str]]:
    """Return the words that each renamed word in the expressions of ``table`` may become.

    In such an expression every name is a column, a function or a keyword. Where no column has the
    old name after, the word may also stay: then it never meant the column.
    """
    old_table = fold_name(table.name)
    words = {
        old: {new} if old in after.column_names else {new, old}
        for old, new in names.columns[old_table].items()
        if old != new
    }
    new_table = names.tables[old_table]
    if new_table != old_table:
        words[old_table] = words.get(old_table, {old_table}) | {new_table}
    return words


def renamed_in_statement(tokens: Tokens, names: Correspondence) -> dict[str, set[str]]:
    """Return the words that each renamed word in a view or trigger may become.

    Only columns of tables that it mentions count. A word may always stay, since it may mean a
    column of another table.
    """
    words: dict[str, set[str]] = {}
    mentioned = set(tokens) if names.renamed else set()
    for old, new in names.tables.items():
        if old in mentioned:
            columns = names.columns.get(old, {})
            for word, new_word in ((old, new), *columns.items()):
                if word != new_word:
                    words.setdefault(word, {word}).add(new_word)
    return words
