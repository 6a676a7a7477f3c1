"""The names that directives speak of: tables, columns, lists of them, a WHERE after them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_bbmigrate.contract.model import ContractError
from pytest_bbmigrate.sql.names import fold_name

NAME = r'"(?:[^"]|"")+"|[\w$]+'
TARGET = re.compile(rf"({NAME})(?:\s*\.\s*({NAME}))?")
TABLE_AND_COLUMNS = re.compile(rf"({NAME})\s*\((.*)\)", re.DOTALL)
QUOTED_OR_WHERE = re.compile(r'"(?:[^"]|"")*"|\bwhere\b', re.IGNORECASE)
# A quoted name, a list in parentheses, an unfinished quote or parenthesis, or anything but a comma.
LIST_PIECE = re.compile(r'"(?:[^"]|"")*"|\([^()]*\)|["(]|[^,"(]+')

USAGE = {
    "changes": "TABLE.COLUMN",
    "inserts": "TABLE",
    "deletes": "TABLE",
    "drops": "TABLE.COLUMN",
    "renames": "OLD -> NEW",
    "alters": "TABLE.COLUMN",
    "derives": "TABLE.COLUMN = EXPRESSION",
    "requires": "unique TABLE(COLUMN, ..)",
}


@dataclass(frozen=True)
class Directive:
    """One ``bb:`` line: its first word, folded, and the rest as written."""

    line: int
    verb: str
    rest: str

    def error(self, message: str, remedy: str) -> ContractError:
        """Return the error to raise for this line."""
        return ContractError(self.line, message, remedy)


@dataclass(frozen=True)
class Target:
    """A table, or a column of one, with its text as written."""

    table: str
    column: str | None
    text: str


def read_target(directive: Directive, text: str) -> Target:
    """Return the table or column that ``text`` names. Raises: ContractError."""
    match = TARGET.fullmatch(text)
    if match is None:
        raise directive.error(
            f"'{text}' is not the name of a table or a column",
            "write table or table.column, commas between several, and double quotes around a name "
            "that holds anything but letters, digits and _",
        )
    table, column = match.groups()
    return Target(unquote(table), unquote(column) if column else None, text)


def read_targets(directive: Directive, text: str) -> tuple[Target, ...]:
    """Return the tables and columns of a list with commas. Raises: ContractError if it is empty."""
    return tuple(read_target(directive, item) for item in split_list(directive, text))


def split_list(directive: Directive, text: str) -> tuple[str, ...]:
    """Return the items between the commas of ``text``, but for commas in quotes or in (..).

    Raises: ContractError when one is empty.
    """
    if not text.strip():
        raise directive.error(
            f"'{directive.verb}' names nothing",
            f"write `bb: {directive.verb} {USAGE[directive.verb]}`",
        )
    items = [""]
    position = 0
    while position < len(text):
        if piece := LIST_PIECE.match(text, position):
            items[-1] += piece.group()
            position = piece.end()
        else:
            items.append("")
            position += 1
    if not all(item.strip() for item in items):
        raise directive.error("a name is missing beside a comma", "write a name on either side")
    return tuple(item.strip() for item in items)


def split_where(directive: Directive) -> tuple[str, str | None]:
    """Return the text before WHERE, and the expression after it (None without a WHERE).

    Raises: ContractError when nothing follows WHERE.
    """
    for match in QUOTED_OR_WHERE.finditer(directive.rest):
        if fold_name(match.group()) != "where":
            continue
        expression = directive.rest[match.end() :].strip()
        if not expression:
            raise directive.error(
                "the 'where' has no condition",
                "write behind it which rows are meant, as in SQL, or leave 'where' out",
            )
        return directive.rest[: match.start()].strip(), expression
    return directive.rest, None


def unquote(name: str) -> str:
    """Return a name without its double quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
