"""What a migration's SQL says: its checksum, literals, and the objects it drops by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue.asked_values import expected_literals, taken_literals
from pytest_bbmigrate.catalogue.column_reads import ASKED_OF_ROWS, column_reads
from pytest_bbmigrate.catalogue.joined_texts import joined_texts
from pytest_bbmigrate.catalogue.literals import (
    assigned_literals,
    distinct,
    read_statement,
    sql_literals,
)
from pytest_bbmigrate.sql import Kind, fold, quote_name
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.schema_clauses import Drop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.column_reads import ColumnRead
    from pytest_bbmigrate.catalogue.joined_texts import JoinedText
    from pytest_bbmigrate.catalogue.literals import Literal, ReadStatement
    from pytest_bbmigrate.sql import Statement, Token
    from pytest_bbmigrate.sql.reading import Command

DROPPED = frozenset({"index", "trigger", "view"})


@dataclass(frozen=True)
class StatementFacts:
    """Facts from a migration's text, for the fields of Migration of the same names."""

    checksum: str
    literals: tuple[Literal, ...]
    explicit_drops: frozenset[tuple[str, str]]
    expected_literals: tuple[Literal, ...] = ()
    assigned_literals: tuple[Literal, ...] = ()
    taken_literals: tuple[Literal, ...] = ()
    column_reads: frozenset[ColumnRead] = frozenset()
    joined_texts: frozenset[JoinedText] = frozenset()

    def by_field(self) -> dict[str, Any]:
        """Return each fact by the name of its field in Migration."""
        return dict(vars(self))


def sql_facts(up: Iterable[Statement], down: Iterable[Statement]) -> StatementFacts:
    """Return the facts of an SQL migration.

    The checksum is the SHA-256 of the tokens of all statements, in hexadecimal: comments, white
    space, line ends and the case of words do not matter. Text in double quotes counts with its
    case, for SQLite takes it for a string where no column has that name
    (https://sqlite.org/quirks.html#dblquote).
    """
    digest = hashlib.sha256()
    literals: list[Literal] = []
    drops: set[tuple[str, str]] = set()
    up_statements: list[ReadStatement] = []
    reads: set[ColumnRead] = set()
    for part in (up, down):
        for statement in part:
            read = read_statement(statement.text)
            digest.update("\0".join(map(_checksum_form, read.tokens)).encode() + b"\0;")
            literals.extend(sql_literals(read))
            found = column_reads(read)
            reads.update(one for one in found if part is up or one.kind not in ASKED_OF_ROWS)
            if part is up:
                up_statements.append(read)
                drops.update(explicit_drops(read.command))
        digest.update(b"\0/")
    return StatementFacts(
        digest.hexdigest(),
        distinct(literals),
        frozenset(drops),
        expected_literals(up_statements),
        assigned_literals(up_statements),
        taken_literals(up_statements),
        frozenset(reads),
        frozenset(joined for read in up_statements for joined in joined_texts(read)),
    )


def explicit_drops(command: Command) -> Iterator[tuple[str, str]]:
    """Yield (kind, folded name) of what a DROP INDEX, DROP TRIGGER or DROP VIEW drops."""
    if isinstance(command, Drop) and command.kind in DROPPED and command.name.name:
        yield command.kind, command.name.folded


def _checksum_form(token: Token) -> str:
    """Return a token as the checksum covers it: equal only where the meaning is."""
    if token.kind is not Kind.QUOTED:
        return fold(token)
    name = token.name if token.text.startswith('"') else fold_name(token.name)
    return name if name.isidentifier() else quote_name(name)
