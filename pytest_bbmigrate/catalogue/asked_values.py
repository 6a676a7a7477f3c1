"""Which values a migration asks for in rows that are there before, and which it takes for itself.

What it writes itself need not be there. A table that it has written to holds such values from then
on, and so does one that is made of that table; any other still has to bring its own.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.literals import (
    ASKING,
    distinct,
    indexed_literals,
    literal_of,
    overwriting,
)
from pytest_bbmigrate.catalogue.value_links import (
    ValueLinks,
    read_links,
    select_depths,
)
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import clause_words, keyword
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import CreateTable, CreateView, Drop, RenameTable
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_bbmigrate.catalogue.literals import Literal, ReadStatement
    from pytest_bbmigrate.sql.cursor import Tokens

NAMES = (Kind.WORD, Kind.QUOTED)
END_RESULT = frozenset({"", "when", "else", "end"})


def expected_literals(
    statements: Sequence[ReadStatement], written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return the values that conditions of ``statements`` ask of rows, as (column, value).

    Without those that are there because one of them has written them, or that are in ``written``:
    rows need not hold them before.
    """
    links = read_links(statements)
    asked = _Asked(links, written)
    for read in statements:
        asked.add(read)
    return distinct(
        literal
        for literal in links.spread(asked.conditions)
        if literal[1] not in asked.written_anywhere
    )


def taken_literals(
    statements: Sequence[ReadStatement], written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return what the UPDATEs among ``statements`` set that a row may hold already.

    Not what one of them asks for or inserts, nor what is in ``written``: whoever does so has
    thought of that row.
    """
    links = read_links(statements)
    known = set(written)
    taken: list[Literal] = [*links.taken]
    for read in statements:
        known.update(_known_values(read, links))
        if isinstance(read.command, Update) and read.command.conflict != "ignore":
            for assignment in read.command.assignments:
                is_one = len(assignment.columns) == 1
                values = [*result_literals(assignment.expression)] if is_one else []
                taken += ((fold_name(assignment.columns[0]), value) for value in values)
    return distinct(literal for literal in taken if literal[1] not in known)


class _Asked:
    """What conditions ask for, statement by statement, and which tables hold what was written."""

    def __init__(self, links: ValueLinks, written: Iterable[object]) -> None:
        self.links = links
        self.conditions: list[Literal] = [*links.asked]
        self.written_anywhere = set(written)
        self._holders: dict[object, set[str]] = {}

    def add(self, read: ReadStatement) -> None:
        """Read the next statement."""
        if read.verb in ASKING:
            self._add_values(read)
        for tables in self._holders.values():
            _follow(read, tables)

    def _add_values(self, read: ReadStatement) -> None:
        self.conditions += (overwritten := overwriting(read))
        clauses, depths = clause_words(read.tokens), select_depths(read.tokens)
        target, names = _target(read), _names_read(read)
        written_here: set[object] = set()
        asked: list[tuple[Literal, int]] = []
        for index, (column, value) in indexed_literals(read):
            if column is None or clauses[index] in ("set", "values"):
                written_here.update({value} - {value for _, value in overwritten})
            else:
                asked.append(((column, value), depths[index]))
        if self.links.is_local(read):
            return
        is_copy = target and _copies(read)
        for literal, depth in asked:
            is_own = literal[1] in written_here and (depth or not is_copy)
            if not is_own and not self._holders.get(literal[1], set()) & names:
                self.conditions.append(literal)
        if is_copy:
            for literal_value in written_here:
                self._holders.setdefault(literal_value, set()).add(target)
        else:
            self.written_anywhere |= written_here


def _follow(read: ReadStatement, tables: set[str]) -> None:
    """Change ``tables``, which hold some value, as a statement makes, renames or drops tables."""
    command = read.command
    if isinstance(command, RenameTable) and command.table.folded in tables:
        tables.add(fold_name(command.new))
    elif isinstance(command, Drop):
        tables.discard(command.name.folded)
    elif (target := _target(read)) and tables & _names_read(read):
        tables.add(target)


def _copies(read: ReadStatement) -> bool:
    """Return whether a statement writes to rows of a table from rows, rather than from nothing."""
    command = read.command
    if isinstance(command, Update):
        return True
    query = command.query if isinstance(command, Insert | CreateTable) else None
    return query is not None and any(select.sources for select in query.selects)


def _target(read: ReadStatement) -> str:
    """Return the table (folded) that a statement writes to, or that it makes of others; else ''."""
    command = read.command
    if isinstance(command, Insert | Update):
        return command.table.folded
    if isinstance(command, CreateTable | CreateView) and command.query is not None:
        return command.name.folded
    return ""


def _names_read(read: ReadStatement) -> set[str]:
    """Return every name in a statement, but for the table that it adds rows to."""
    counts = Counter(fold_name(token.name) for token in read.tokens if token.kind in NAMES)
    if isinstance(read.command, Insert | CreateTable | CreateView):
        counts[_target(read)] -= 1
    return {name for name, count in counts.items() if count > 0}


def _known_values(read: ReadStatement, links: ValueLinks) -> Iterator[object]:
    """Yield what a statement compares something with, or inserts."""
    if read.verb not in ASKING or links.is_local(read):
        return
    clauses = clause_words(read.tokens)
    for index, (column, value) in indexed_literals(read):
        if isinstance(read.command, Insert) or (column and clauses[index] != "set"):
            yield value
    yield from (value for _, value in overwriting(read))


def result_literals(expression: Tokens) -> Iterator[str | int | float]:
    """Yield the literals that an expression may come to: itself, or after its THEN and ELSE."""
    if len(expression) in (1, 2) and keyword(expression[0]) != "case":
        if (value := literal_of(expression)) is not None:
            yield value
        return
    if not expression or keyword(expression[0]) != "case":
        return
    for position, token in enumerate(expression[:-1]):
        if keyword(token) in ("then", "else"):
            following = expression[position + 2] if position + 2 < len(expression) else None
            if keyword(following) in END_RESULT - {""}:
                value = literal_of(expression[position + 1 : position + 2])
                if value is not None:
                    yield value
