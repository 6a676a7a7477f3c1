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
    literal_of,
    overwriting,
)
from pytest_bbmigrate.catalogue.row_values import ReadRows
from pytest_bbmigrate.catalogue.value_links import select_depths
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import keyword
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import CreateTable, CreateView, Drop, RenameTable
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_bbmigrate.catalogue.literals import Literal, ReadStatement
    from pytest_bbmigrate.catalogue.row_values import Read
    from pytest_bbmigrate.catalogue.value_links import ValueLinks
    from pytest_bbmigrate.sql.cursor import Tokens

NAMES = (Kind.WORD, Kind.QUOTED)
END_RESULT = frozenset({"", "when", "else", "end"})


def expected_literals(
    statements: Sequence[Read], links: ValueLinks, written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return the values that conditions of ``statements`` ask of rows, as (column, value).

    Without those that are there because one of them has written them, or that are in ``written``:
    rows need not hold them before. ``links`` are those in ``statements``.
    """
    asked = _Asked(links, written)
    for read in statements:
        asked.add(read)
    return distinct(
        literal
        for literal in links.spread(asked.conditions)
        if literal[1] not in asked.written_anywhere
    )


def taken_literals(
    statements: Sequence[Read], links: ValueLinks, written: Iterable[object] = ()
) -> tuple[Literal, ...]:
    """Return what the UPDATEs among ``statements`` set that a row may hold already.

    Not what one of them asks for or inserts, nor what is in ``written``: whoever does so has
    thought of that row.
    """
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
        self._holders = _Holders()

    def add(self, read: Read) -> None:
        """Read the next statement."""
        if isinstance(read, ReadRows):
            self._add_rows(read)
        elif read.verb in ASKING:
            self._add_values(read)
        self._holders.follow(read.shape)

    def _add_rows(self, read: ReadRows) -> None:
        """Take the values of an INSERT of literals for written."""
        overwritten = [*read.overwriting()]
        self.conditions += overwritten
        if not self.links.is_local(read):
            kept = {value for _, value in overwritten}
            self.written_anywhere.update(v for _, v in read.values if v not in kept)

    def _add_values(self, read: ReadStatement) -> None:
        self.conditions += (overwritten := overwriting(read))
        clauses, depths = read.clauses, select_depths(read.tokens)
        target = _target(read)
        written_here: set[object] = set()
        asked: list[tuple[Literal, int]] = []
        kept = {value for _, value in overwritten}
        for index, (column, value) in read.literals:
            if column is None or clauses[index] in ("set", "values"):
                written_here.update({value} - kept)
            else:
                asked.append(((column, value), depths[index]))
        if self.links.is_local(read):
            return
        is_copy = target and _copies(read)
        held = self._holders.of_tables(_names_read(read)) if self._holders else ()
        for literal, depth in asked:
            is_own = literal[1] in written_here and (depth or not is_copy)
            if not is_own and not any(literal[1] in values for values in held):
                self.conditions.append(literal)
        if is_copy:
            self._holders.add(target, written_here)
        else:
            self.written_anywhere |= written_here


class _Holders:
    """Which tables (folded) hold which of the values that were written.

    Of what one table has passed on to another, only what it got since is passed on again: the work
    does not grow with the statements and the values both.
    """

    def __init__(self) -> None:
        self._values: dict[str, set[object]] = {}
        self._arrived: dict[str, list[object]] = {}  # the same, in the order of arrival
        self._passed: dict[tuple[str, str], int] = {}  # how many the first has passed to the second

    def __bool__(self) -> bool:
        return bool(self._values)

    def of_tables(self, names: Iterable[str]) -> list[set[object]]:
        """Return what each of the tables ``names`` holds, without those that hold nothing."""
        return [self._values[name] for name in names if name in self._values]

    def add(self, table: str, values: Iterable[object]) -> None:
        """Have ``table`` hold ``values`` as well."""
        held = self._values.get(table, set())
        if fresh := [value for value in values if value not in held]:
            self._values.setdefault(table, held).update(fresh)
            self._arrived.setdefault(table, []).extend(fresh)

    def follow(self, read: ReadStatement) -> None:
        """Change what tables hold as a statement makes, renames, fills or drops tables."""
        if not self._values:
            return
        command = read.command
        if isinstance(command, RenameTable):
            self._pass_on(command.table.folded, fold_name(command.new))
        elif isinstance(command, Drop):
            if self._values.pop(command.name.folded, None):
                del self._arrived[command.name.folded]
                self._passed = {
                    pair: count
                    for pair, count in self._passed.items()
                    if command.name.folded not in pair
                }
        elif target := _target(read):
            for name in _names_read(read) & self._values.keys():
                self._pass_on(name, target)

    def _pass_on(self, source: str, target: str) -> None:
        if source == target or source not in self._values:
            return
        arrived = self._arrived[source]
        self.add(target, arrived[self._passed.get((source, target), 0) :])
        self._passed[source, target] = len(arrived)


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


def _known_values(read: Read, links: ValueLinks) -> Iterator[object]:
    """Yield what a statement compares something with, or inserts."""
    if isinstance(read, ReadRows):
        yield from () if links.is_local(read) else (value for _, value in read.values)
        return
    if read.verb not in ASKING or links.is_local(read):
        return
    for index, (column, value) in read.literals:
        if isinstance(read.command, Insert) or (column and read.clauses[index] != "set"):
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
