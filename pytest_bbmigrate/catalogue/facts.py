"""What a migration's SQL says: its checksum, literals, and the objects it drops by name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue.asked_values import expected_literals, taken_literals
from pytest_bbmigrate.catalogue.column_reads import ASKED_OF_ROWS, column_reads
from pytest_bbmigrate.catalogue.joined_texts import joined_texts
from pytest_bbmigrate.catalogue.literals import assigned_literals, checksum_forms, distinct
from pytest_bbmigrate.catalogue.row_values import (
    ReadRows,
    StatementReader,
    literals_of,
    shapes,
)
from pytest_bbmigrate.catalogue.value_links import read_links
from pytest_bbmigrate.sql.schema_clauses import Drop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pytest_bbmigrate.catalogue.column_reads import ColumnRead
    from pytest_bbmigrate.catalogue.joined_texts import JoinedText
    from pytest_bbmigrate.catalogue.literals import Literal
    from pytest_bbmigrate.catalogue.row_values import Read
    from pytest_bbmigrate.sql import Statement
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
    reader = StatementReader()
    read_up = [_read_into(digest, reader, statement) for statement in up]
    digest.update(b"\0/")
    read_down = [_read_into(digest, reader, statement) for statement in down]
    digest.update(b"\0/")
    up_shapes = shapes(read_up)
    links = read_links(read_up)
    return StatementFacts(
        digest.hexdigest(),
        distinct(literal for read in (*read_up, *read_down) for literal in literals_of(read)),
        frozenset(drop for read in up_shapes for drop in explicit_drops(read.command)),
        expected_literals(read_up, links),
        assigned_literals(up_shapes),
        taken_literals(read_up, links),
        frozenset(
            [
                *(found for read in up_shapes for found in column_reads(read)),
                *(
                    found
                    for read in shapes(read_down)
                    for found in column_reads(read)
                    if found.kind not in ASKED_OF_ROWS
                ),
            ]
        ),
        frozenset(joined for read in up_shapes for joined in joined_texts(read)),
    )


def _read_into(digest: hashlib._Hash, reader: StatementReader, statement: Statement) -> Read:
    """Return a statement, read, and have its tokens in ``digest``."""
    read, of_rows = reader.read(statement.text)
    if isinstance(read, ReadRows):
        forms = [read.of.checksum_form, *of_rows]
    else:
        forms = checksum_forms(read)
    digest.update("\0".join(forms).encode() + b"\0;")
    return read


def explicit_drops(command: Command) -> Iterator[tuple[str, str]]:
    """Yield (kind, folded name) of what a DROP INDEX, DROP TRIGGER or DROP VIEW drops."""
    if isinstance(command, Drop) and command.kind in DROPPED and command.name.name:
        yield command.kind, command.name.folded
