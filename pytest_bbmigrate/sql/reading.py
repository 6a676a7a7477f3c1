"""Read statements into their clauses (https://sqlite.org/lang.html), each text once.

The text is expected to be what SQLite accepts. For any other the result is arbitrary, but no error:
SQLite will say what is wrong with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from pytest_bbmigrate.sql.clauses import Control, OtherCommand, Pragma, Query, Write
from pytest_bbmigrate.sql.cursor import Cursor
from pytest_bbmigrate.sql.plain_rows import shape_of
from pytest_bbmigrate.sql.schema_changes import read_alter, read_create, read_drop
from pytest_bbmigrate.sql.schema_clauses import Altered, Created, Drop
from pytest_bbmigrate.sql.statements import split_statements
from pytest_bbmigrate.sql.tokens import KEPT_STATEMENTS, UnreadableSql, tokenize
from pytest_bbmigrate.sql.writes import read_body_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.sql.cursor import Tokens

Command = Query | Write | Created | Altered | Drop | Pragma | Control | OtherCommand
C = TypeVar("C", bound=Command)

LONG_STATEMENT = 10_000  # characters; of longer statements, only a few results are cached


def read_command(sql: str) -> Command:
    """Return the clauses of ``sql``, one statement; results are cached.

    A text that cannot be tokenized, such as one with half a string, gives an OtherCommand.
    """
    return _read_long(sql) if len(sql) > LONG_STATEMENT else _read_short(sql)


def read_shape(sql: str) -> Command:
    """Return the clauses of ``sql``; of an INSERT of literals alone with zeros in their place.

    So it is read once for all that differ in their values alone, of which a dump is full.
    """
    return read_command(shape_of(sql))


def read_as(kind: type[C], sql: str) -> C:
    """Return the clauses of ``sql``, a statement of a known ``kind``.

    Raises: TypeError when it is of another kind.
    """
    command = read_command(sql)
    if not isinstance(command, kind):
        raise TypeError(f"{kind.__name__} was expected: {sql}")
    return command


def read_commands(sql: str) -> tuple[Command, ...]:
    """Return the clauses of each statement in ``sql``; () if it cannot be tokenized.

    That can happen: SQLite accepts some text that we do not, or has run only a part of it.
    """
    try:
        return tuple(read_command(statement.text) for statement in split_statements(sql))
    except UnreadableSql:
        return ()


def command_of(tokens: Tokens) -> Command:
    """Return the clauses of one statement, given as tokens, with or without a final semicolon."""
    end = len(tokens)
    while end and tokens[end - 1].text == ";":
        end -= 1
    cursor = Cursor(tokens[:end])
    if command := read_body_command(cursor):
        return command
    verb = cursor.word()
    read = OTHERS.get(verb) if not cursor.position else None
    return (read and read(cursor)) or OtherCommand(verb)


def _read(sql: str) -> Command:
    try:
        return command_of(tokenize(sql))
    except UnreadableSql:
        return OtherCommand("")


_read_short = lru_cache(maxsize=KEPT_STATEMENTS)(_read)
_read_long = lru_cache(maxsize=8)(_read)


def _read_pragma(cursor: Cursor) -> Pragma:
    cursor.take()
    name = cursor.take_object()
    value = cursor.take_rest() if cursor.take_symbol("=") else cursor.take_group()
    if value is None:
        return Pragma(name)
    return Pragma(name, "".join(token.name for token in value if token.text != "+"))


def _read_control(cursor: Cursor) -> Control:
    verb = cursor.take_one_of(OTHERS).replace("end", "commit")
    if verb == "savepoint":
        return Control(verb, cursor.take_name())
    if verb == "rollback":
        cursor.take_until(lambda at: at.word() == "to")  # TRANSACTION
    if verb == "release" or (verb == "rollback" and cursor.take_words("to")):
        cursor.take_words("savepoint")
        return Control(verb, cursor.take_name())
    return Control(verb)


OTHERS: dict[str, Callable[[Cursor], Command | None]] = {
    "create": read_create,
    "alter": read_alter,
    "drop": read_drop,
    "pragma": _read_pragma,
    **dict.fromkeys(("begin", "commit", "end", "rollback", "savepoint", "release"), _read_control),
}
