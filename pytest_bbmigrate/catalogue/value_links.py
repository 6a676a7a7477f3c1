"""How values get from one column to another in a migration: by comparisons, copies and lists.

``CREATE TEMP TABLE renames (old, new)``, filled with values and compared with a column, asks of
that column what a condition would. Columns are known by their names alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.literals import column_at, literal_of
from pytest_bbmigrate.catalogue.row_values import ReadRows, shapes
from pytest_bbmigrate.sql.clauses import Insert, Query, Update
from pytest_bbmigrate.sql.cursor import Cursor, closings, keyword, split_at_commas
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.queries import read_query
from pytest_bbmigrate.sql.schema_clauses import CreateTable, CreateView, Drop

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pytest_bbmigrate.catalogue.literals import Literal, ReadStatement
    from pytest_bbmigrate.catalogue.row_values import Read
    from pytest_bbmigrate.sql.clauses import CommonTable
    from pytest_bbmigrate.sql.cursor import Tokens

Pair = tuple[str, str]
COMPARING = frozenset({"=", "is", "in"})  # as they are folded


@dataclass(frozen=True)
class ValueLinks:
    """Which columns (folded) hold one another's values.

    ``local`` are the tables that the migration makes for itself alone; ``asked`` and ``taken`` are
    the literals in these and in lists of a WITH, by the columns of others that they are compared
    with or assigned to.
    """

    pairs: frozenset[Pair]
    local: frozenset[str]
    asked: tuple[Literal, ...]
    taken: tuple[Literal, ...]

    def is_local(self, read: Read) -> bool:
        """Return whether a statement only fills a table that the migration made for itself."""
        command = read.command
        if not isinstance(command, Insert) or not command.rows:
            return False
        return command.table.folded in self.local

    def spread(self, literals: Iterable[Literal]) -> Iterator[Literal]:
        """Yield each of ``literals``, then the same for the column that its column is a copy of."""
        sources = _grouped(self.pairs)
        for column, value in literals:
            yield column, value
            yield from ((source, value) for source in sources.get(column, ()))


def read_links(every: Sequence[Read]) -> ValueLinks:
    """Return the links in all of the statements ``every``."""
    statements = shapes(every)
    local = local_tables(statements)
    lists = [*_lists(every, local)]
    listing = {column for column, _ in lists}
    compared = dict.fromkeys(pair for read in statements for pair in _compared(read))
    assigned = dict.fromkeys(pair for read in statements for pair in _assigned(read))
    others = _grouped((*compared, *((other, one) for one, other in compared)))
    columns = _grouped((source, column) for column, source in assigned)
    asked: list[Literal] = []
    taken: list[Literal] = []
    for name, value in lists:
        asked += ((other, value) for other in others.get(name, ()) if other not in listing)
        taken += ((column, value) for column in columns.get(name, ()))
    copies = (pair for read in statements for pair in _copied(read))
    return ValueLinks(frozenset(copies), local, tuple(asked), tuple(taken))


def local_tables(statements: Sequence[ReadStatement]) -> frozenset[str]:
    """Return the tables that are made only for a while: temporary ones, and those dropped again."""
    made: set[str] = set()
    local: set[str] = set()
    for read in statements:
        command = read.command
        if isinstance(command, CreateTable):
            made.add(command.name.folded)
            if command.is_temporary or command.name.is_temporary:
                local.add(command.name.folded)
        elif isinstance(command, Drop) and command.name.folded in made:
            local.add(command.name.folded)
    return frozenset(local)


def select_depths(tokens: Tokens) -> list[int]:
    """Return, for each token, how many subqueries it is in."""
    depths, open_groups = [], [0]
    for position, token in enumerate(tokens):
        if token.text == ")" and len(open_groups) > 1:
            open_groups.pop()
        depths.append(open_groups[-1])
        if token.text == "(":
            following = keyword(tokens[position + 1]) if position + 1 < len(tokens) else ""
            open_groups.append(open_groups[-1] + (following == "select"))
    return depths


def _lists(
    statements: Sequence[Read], local: Collection[str]
) -> Iterator[tuple[str, str | int | float]]:
    """Yield the literals in local tables and in the VALUES of a WITH, by their own columns."""
    columns_of: dict[str, tuple[str, ...]] = {}
    for read in statements:
        command = read.command
        if isinstance(command, CreateTable):
            columns_of[command.name.folded] = command.stored_columns
        if isinstance(command, Insert) and command.table.folded in local:
            names = command.columns or columns_of.get(command.table.folded, ())
            if isinstance(read, ReadRows):
                yield from (
                    (fold_name(names[place]), value)
                    for place, value in read.values
                    if place < len(names)
                )
            else:
                yield from _listed(names, command.rows)
        for table in getattr(command, "with_tables", ()):
            yield from _listed(table.columns, _rows_of(table))


def _rows_of(table: CommonTable) -> tuple[tuple[Tokens, ...], ...]:
    query = read_query(Cursor(table.body))
    if query.is_values:
        return query.selects[0].rows
    return tuple(tuple(column.expression for column in one.columns) for one in query.selects)


def _listed(
    names: Sequence[str], rows: Iterable[Sequence[Tokens]]
) -> Iterator[tuple[str, str | int | float]]:
    for row in rows:
        for name, cell in zip(names, row, strict=False):
            if cell and (value := literal_of(cell)) is not None:
                yield fold_name(name), value


def _grouped(pairs: Iterable[Pair]) -> dict[str | None, list[str]]:
    """Return the second of each pair by the first."""
    grouped: dict[str | None, list[str]] = {}
    for one, other in pairs:
        grouped.setdefault(one, []).append(other)
    return grouped


def _compared(read: ReadStatement) -> Iterator[Pair]:
    """Yield the columns that a statement compares: ``a = t.b``, ``a IN (SELECT b FROM ..)``."""
    if read.words.isdisjoint(COMPARING):
        return
    tokens, clauses = read.tokens, read.clauses
    closed, followed = closings(tokens), (*tokens, *tokens[-1:])
    for index, token in enumerate(tokens):
        compares = token.text in ("=", "==") or keyword(token) == "is"
        if not (compares or keyword(token) == "in") or clauses[index] == "set":
            continue
        before = _column_before(tokens, index)
        if not before:
            continue
        if compares:
            column, end = column_at(followed, index + 1)
            if column and keyword(tokens[index + 1]) != "not" and end <= len(tokens):
                yield before, column
        elif tokens[index + 1 : index + 2]:
            group = tokens[index + 2 : closed.get(index + 1, index + 2)]
            yield from ((before, column) for column in _first_columns(group))


def _column_before(tokens: Tokens, index: int) -> str:
    """Return the bare column that ends before ``index``; NOT before an IN is passed over."""
    place = index - 1
    if place > 0 and keyword(tokens[place]) == "not":
        place -= 1
    if place < 0:
        return ""
    column, end = column_at(tokens, place)
    return column if end == place + 1 else ""


def _first_columns(tokens: Tokens) -> Iterator[str]:
    """Yield the first result column of a query where it is a bare column."""
    if tokens and keyword(tokens[0]) in ("select", "with", "values"):
        query = read_query(Cursor(tokens))
        for select in query.selects:
            if select.columns and (column := _bare(select.columns[0].expression)):
                yield column


def _bare(expression: Tokens) -> str:
    """Return the column that is all of ``expression``, '' where it is anything else."""
    if not expression:
        return ""
    column, end = column_at((*expression, expression[0]), 0)
    return column if end == len(expression) else ""


def _assigned(read: ReadStatement) -> Iterator[Pair]:
    """Yield (column, where its value is from) of an UPDATE: ``a = (SELECT b ..)``, ``a = l.b``."""
    if not isinstance(read.command, Update):
        return
    for assignment in read.command.assignments:
        expression = assignment.expression
        sources: Iterable[str] = (_bare(expression),)
        if expression and expression[0].text == "(":
            group = Cursor(expression).take_group() or ()
            sources = (
                _first_columns(group)
                if keyword(group[0] if group else None) == "select"
                else map(_bare, split_at_commas(group))
            )
        yield from (
            (fold_name(column), source)
            for column, source in zip(assignment.columns, sources, strict=False)
            if source
        )


def _copied(read: ReadStatement) -> Iterator[Pair]:
    """Yield (copy, column) where a statement copies a column under another name."""
    command = read.command
    query: Query | None = None
    names: tuple[str, ...] = ()
    if isinstance(command, Insert):
        query, names = command.query, command.columns
    elif isinstance(command, CreateTable | CreateView):
        query = command.query
        names = command.columns if isinstance(command, CreateView) else ()
    for select in query.selects if query else ():
        for position, column in enumerate(select.columns):
            copy = names[position] if position < len(names) else column.alias
            if copy and (source := _bare(column.expression)) and source != fold_name(copy):
                yield fold_name(copy), source
