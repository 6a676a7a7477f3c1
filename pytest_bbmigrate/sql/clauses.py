"""Statements as values: what each does, to what, with which clauses.

Names are as spelled. An expression is its tokens; what stands in parentheses is not taken apart.
``reading.read_command`` makes these values from text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.cursor import ObjectName, Tokens

NUMBER = re.compile("0x([0-9a-f]{1,8})|[0-9]{1,10}")
TRUE_WORDS = frozenset({"on", "yes", "true"})


@dataclass(frozen=True)
class ResultColumn:
    """One result column of a SELECT; ``alias`` is '' when it has none."""

    expression: Tokens
    alias: str = ""


@dataclass(frozen=True)
class Source:
    """One term of a FROM.

    ``table`` is None for a subquery, a table-valued function or parentheses. ``join`` joins it to
    the terms before: '' for the first, else ',', 'join', 'left join', 'cross join' and so on.
    """

    table: ObjectName | None
    join: str
    alias: str
    on: Tokens


@dataclass(frozen=True)
class Select:
    """One SELECT, or VALUES with its ``rows`` of expressions.

    ``operator`` joins it to the SELECT before: '' for the first, else 'union', 'union all',
    'except' or 'intersect'.
    """

    operator: str = ""
    is_distinct: bool = False
    columns: tuple[ResultColumn, ...] = ()
    sources: tuple[Source, ...] = ()
    where: Tokens = ()
    group_by: Tokens = ()
    having: Tokens = ()
    windows: Tokens = ()
    rows: tuple[tuple[Tokens, ...], ...] = ()


@dataclass(frozen=True)
class CommonTable:
    """One table of a WITH; ``body`` is what stands in its parentheses."""

    name: str
    columns: tuple[str, ...]
    body: Tokens


@dataclass(frozen=True)
class Query:
    """A SELECT or VALUES, or a compound of several; ``selects`` is never empty."""

    selects: tuple[Select, ...]
    with_tables: tuple[CommonTable, ...] = ()
    order_by: Tokens = ()
    limit: Tokens = ()

    @property
    def is_values(self) -> bool:
        """Whether it is a single VALUES, which reads no table."""
        return len(self.selects) == 1 and bool(self.selects[0].rows)


@dataclass(frozen=True)
class Assignment:
    """``column = expression``, or ``(column, ..) = expression``."""

    columns: tuple[str, ...]
    expression: Tokens


@dataclass(frozen=True)
class Upsert:
    """One ON CONFLICT of an INSERT.

    ``target`` are the terms in its parentheses, () if it is for any conflict. ``assignments`` are
    those of DO UPDATE, () for DO NOTHING.
    """

    target: tuple[Tokens, ...]
    assignments: tuple[Assignment, ...]
    where: Tokens = ()


@dataclass(frozen=True)
class Insert:
    """INSERT or REPLACE; ``query`` is None for DEFAULT VALUES.

    ``conflict`` is its OR clause: 'replace', 'ignore', 'abort', 'fail' or 'rollback', '' for none;
    for REPLACE it is 'replace'.
    """

    table: ObjectName
    columns: tuple[str, ...]
    query: Query | None
    conflict: str = ""
    alias: str = ""
    upserts: tuple[Upsert, ...] = ()
    returning: Tokens = ()
    with_tables: tuple[CommonTable, ...] = ()

    @property
    def rows(self) -> tuple[tuple[Tokens, ...], ...]:
        """The rows of a plain VALUES; () for anything else."""
        return self.query.selects[0].rows if self.query and self.query.is_values else ()


@dataclass(frozen=True)
class Update:
    """UPDATE; ``conflict`` as in Insert."""

    table: ObjectName
    assignments: tuple[Assignment, ...]
    sources: tuple[Source, ...] = ()
    where: Tokens = ()
    conflict: str = ""
    alias: str = ""
    limit: Tokens = ()
    returning: Tokens = ()
    with_tables: tuple[CommonTable, ...] = ()

    def sets(self, column: str) -> bool:
        """Return whether it sets ``column``."""
        return any(same_name(name, column) for name in self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it sets, in their order."""
        return tuple(name for assignment in self.assignments for name in assignment.columns)


@dataclass(frozen=True)
class Delete:
    """DELETE; without ``where`` it deletes all rows."""

    table: ObjectName
    where: Tokens = ()
    alias: str = ""
    limit: Tokens = ()
    returning: Tokens = ()
    with_tables: tuple[CommonTable, ...] = ()


@dataclass(frozen=True)
class Pragma:
    """PRAGMA; ``value`` is what it is set to or called with, unquoted; None if it only reads."""

    name: ObjectName
    value: str | None = None

    def is_called(self, name: str) -> bool:
        """Return whether it is the pragma ``name``, of whichever schema."""
        return same_name(self.name.name, name)

    @property
    def is_on(self) -> bool:
        """Whether its value turns a boolean pragma on (https://sqlite.org/pragma.html)."""
        value = fold_name(self.value or "")
        return value in TRUE_WORDS or bool(_small_number(value))


def _small_number(text: str) -> int:
    """Return the number that ``text`` begins with, as one byte, as SQLite reads it; 0 for none."""
    match = NUMBER.match(text)
    if match is None:
        return 0
    number = int(match[1], 16) if match[1] else int(match[0])
    return number % 256 if number < 2**31 else 0


@dataclass(frozen=True)
class Control:
    """A statement that begins or ends a transaction or savepoint.

    ``verb`` is 'begin', 'commit' (also for END), 'rollback', 'savepoint' or 'release'.
    ``savepoint`` is the name of the savepoint, '' for the whole transaction.
    """

    verb: str
    savepoint: str = ""


@dataclass(frozen=True)
class OtherCommand:
    """Any other statement, or unreadable text; ``verb`` is its first word, folded."""

    verb: str


Write = Insert | Update | Delete
BodyCommand = Query | Write  # what may stand in the body of a trigger
