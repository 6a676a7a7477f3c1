"""INSERT .. SELECT and CREATE TABLE .. AS SELECT: which rows and columns they take where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.clauses import Insert
from pytest_bbmigrate.sql.cursor import fold_tokens
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import CreateTable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_bbmigrate.sql.clauses import Query, ResultColumn
    from pytest_bbmigrate.sql.reading import Command

Item = tuple[str, ...]  # folded tokens of one result column
OUTER = {"left", "right", "full", "outer"}


@dataclass(frozen=True)
class Copy:
    """One statement that copies rows; all names and tokens are folded.

    ``position`` counts the statements before it; ``columns`` are those named for the target, ()
    for none; ``items`` the result columns of the (first) SELECT without their aliases; ``source``
    the first table in FROM, '' when that is no table. ``features`` are what can keep a row from
    being copied or copy it twice: 'or ignore', 'or replace', 'on conflict', 'distinct', 'union',
    'union all', 'except', 'intersect', 'join', 'left join', 'where', 'group', 'limit'.
    """

    position: int
    target: str
    columns: tuple[str, ...]
    items: tuple[Item, ...]
    source: str
    features: frozenset[str]
    where: Item = ()
    grouped: Item = ()
    creates: bool = False

    def expressions(
        self, target_columns: Sequence[str], source_columns: Sequence[str]
    ) -> dict[str, Item]:
        """Return what each column of the target gets, {} where the two sides do not fit.

        The columns are those that hold values of their own, folded, in their order in the tables.
        """
        items: list[Item] = []
        for item in self.items:
            if item == ("*",):
                items += [(name,) for name in source_columns]
            else:
                items.append(item)
        columns = self.columns or tuple(target_columns)
        if "*" in {name for item in self.items for name in item[:1]} and self.joins:
            return {}
        return dict(zip(columns, items, strict=True)) if len(columns) == len(items) else {}

    @property
    def joins(self) -> bool:
        """Whether it reads more than one table."""
        return bool({"join", "left join"} & self.features)


def read_copy(position: int, sql: str) -> Copy | None:
    """Return the copy that ``sql`` makes; None for another statement."""
    return copy_of(position, read_command(sql))


def copy_of(position: int, command: Command) -> Copy | None:
    """Return the copy that ``command`` makes; None for one that copies nothing."""
    if isinstance(command, Insert):
        target, with_tables = command.table, command.with_tables
        conflict = {f"or {command.conflict}"} if command.conflict else set()
        conflict |= {"on conflict"} if command.upserts else set()
        columns = tuple(map(fold_name, command.columns))
    elif isinstance(command, CreateTable):
        target, with_tables, conflict, columns = command.name, (), set(), ()
    else:
        return None
    query = command.query
    if query is None or query.selects[0].rows:
        return None
    creates = isinstance(command, CreateTable)
    return Copy(
        position,
        target.folded,
        created_by(query) if creates else columns,
        tuple(expression_of(column) for column in query.selects[0].columns),
        source_of(query, {fold_name(each.name) for each in (*with_tables, *query.with_tables)}),
        frozenset(conflict | features_of(query)),
        next((fold_tokens(select.where) for select in query.selects if select.where), ()),
        next((fold_tokens(select.group_by) for select in query.selects if select.group_by), ()),
        creates,
    )


def features_of(query: Query) -> set[str]:
    """Return what ``query`` does to the rows that are copied."""
    selects = query.selects
    features = {source.join for select in selects for source in select.sources if source.join}
    features = {"left join" if OUTER & set(join.split()) else "join" for join in features}
    return (
        features
        | {select.operator for select in selects if select.operator}
        | {
            feature
            for feature, is_there in (
                ("distinct", selects[0].is_distinct),
                ("where", any(select.where for select in selects)),
                ("group", any(select.group_by for select in selects)),
                ("limit", query.limit),
            )
            if is_there
        }
    )


def source_of(query: Query, with_tables: Collection[str]) -> str:
    """Return the first table in a FROM, folded.

    '' for a subquery, a function, or a table that is ``with_tables`` by WITH.
    """
    sources = next((select.sources for select in query.selects if select.sources), ())
    table = sources[0].table if sources else None
    return "" if table is None or table.folded in with_tables else table.folded


def created_by(query: Query) -> tuple[str, ...]:
    """Return the columns, folded, that CREATE TABLE .. AS makes; () where that is not known."""
    names = tuple(map(name_of, query.selects[0].columns))
    return () if "" in names or "*" in names else names


def expression_of(column: ResultColumn) -> Item:
    """Return what a result column is, for a plain column without its table."""
    item = fold_tokens(column.expression)
    return item[2:] if item[1:2] == (".",) and not item[3:] else item


def name_of(column: ResultColumn) -> str:
    """Return the name that CREATE TABLE .. AS gives a result column, '' when it makes one up."""
    expression = expression_of(column)
    return fold_name(column.alias) or (expression[0] if not expression[1:] else "")


def created_columns(sql: str) -> tuple[str, ...]:
    """Return the columns (folded) of a CREATE TABLE that hold values of their own."""
    command = read_command(sql)
    columns = command.stored_columns if isinstance(command, CreateTable) else ()
    return tuple(map(fold_name, columns))
