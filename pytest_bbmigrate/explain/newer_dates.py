"""Words of the date functions that an older SQLite does not know, and answers with NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue.column_reads import DAYS
from pytest_bbmigrate.sql.clauses import Insert, Update
from pytest_bbmigrate.sql.cursor import keyword
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bbmigrate.sql.cursor import Tokens

WITH_FRACTION = "write strftime('%Y-%m-%d %H:%M:%f', 'now')"


class Modifier(NamedTuple):
    """A modifier of dates: the SQLite that brought it, and how to do without, '' for not."""

    since: tuple[int, int]
    remedy: str = ""


MODIFIERS = {  # https://sqlite.org/lang_datefunc.html, https://sqlite.org/changes.html
    "auto": Modifier((3, 38)),
    "julianday": Modifier((3, 38)),
    "subsec": Modifier((3, 42), WITH_FRACTION),
    "subsecond": Modifier((3, 42), WITH_FRACTION),
    "ceiling": Modifier((3, 46)),
    "floor": Modifier((3, 46)),
}


def modifiers_given(statement: str, column: str) -> Iterator[str]:
    """Yield the modifiers, of those known, in what an INSERT or UPDATE gives ``column``."""
    for expression in given_to(statement, column):
        if any(keyword(token) in DAYS for token in expression):
            words = (token.text.strip("'").lower() for token in expression if "'" in token.text)
            yield from (word for word in words if word in MODIFIERS)


def given_to(statement: str, column: str) -> Iterator[Tokens]:
    """Yield each expression that an INSERT or UPDATE gives ``column``."""
    command = read_command(statement)
    if isinstance(command, Update):
        for each in command.assignments:
            if len(each.columns) == 1 and same_name(each.columns[0], column):
                yield each.expression
    elif isinstance(command, Insert) and command.query is not None:
        names = [*map(fold_name, command.columns)]
        position = names.index(fold_name(column)) if fold_name(column) in names else len(names)
        for select in command.query.selects:
            rows = select.rows or (tuple(each.expression for each in select.columns),)
            yield from (row[position] for row in rows if position < len(row) == len(names))
