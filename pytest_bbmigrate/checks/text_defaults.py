"""Bare words after DEFAULT, which look like a column and are a text to SQLite.

``DEFAULT seq`` is the text 'seq' (https://sqlite.org/quirks.html, 8 and 11): nothing refuses it,
and every row that is added from then on has the word in it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.checks.locate import locate
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.cursor import keyword, outline
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.reading import read_command
from pytest_bbmigrate.sql.schema_clauses import AddColumn, CreateTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.experiment import Evidence
    from pytest_bbmigrate.sql.cursor import Tokens

MEANT = frozenset({"null", "true", "false", "current_time", "current_date", "current_timestamp"})


def text_defaults(evidence: Evidence) -> Iterator[str]:
    """Yield a note for each word after DEFAULT in a statement of up that SQLite took for a text."""
    for sql in evidence.up.shapes:
        command = read_command(sql)
        definitions: list[tuple[str, Tokens]] = []
        table = ""
        if isinstance(command, AddColumn):
            table = command.table.name
            definitions = [(command.column, command.definition)]
        elif isinstance(command, CreateTable):
            table = command.name.name
            definitions = [(column.name, column.definition) for column in command.columns]
        for name, definition in definitions:
            for word in words_as_texts(definition):
                place = locate(evidence.migration.up, (table,), ("alter", "create"))
                where = f"{place.path.name}:{place.line}" if place.line else place.path.name
                yield (
                    f"{where}: DEFAULT {word} of {table}.{name} is the text '{word}', not what"
                    " something of that name holds"
                )


def words_as_texts(definition: Tokens) -> Iterator[str]:
    """Yield the bare or double-quoted word after DEFAULT that is no keyword."""
    tokens = [token for _, token in outline(definition)]
    for default, token in pairwise(tokens[1:]):
        if keyword(default) != "default":
            continue
        is_word = token.kind is Kind.WORD and fold_name(token.text) not in MEANT
        if is_word or (token.kind is Kind.QUOTED and token.text[0] == '"'):
            yield token.name
