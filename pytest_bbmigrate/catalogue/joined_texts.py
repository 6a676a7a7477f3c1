"""Where statements look for rows of another table by a text around its key: ``'memos/' || uid``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue.literals import NAMES, is_operator
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.cursor import Cursor, clause_words, closings, keyword
from pytest_bbmigrate.sql.names import fold_name
from pytest_bbmigrate.sql.queries import read_sources
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_bbmigrate.catalogue.literals import ReadStatement
    from pytest_bbmigrate.sql.cursor import Tokens

EQUAL = frozenset({"=", "=="})


class JoinedText(NamedTuple):
    """``column`` of ``table`` is compared with ``before || key || after`` of table ``parent``.

    All names are folded, as the database has them before the migration.
    """

    table: str
    column: str
    before: str
    parent: str
    key: str
    after: str


class _Name(NamedTuple):
    """A column with the table, or its alias, that stands before it; '' where none does."""

    owner: str
    column: str


class _Chain(NamedTuple):
    """Texts and one column with ``||`` between them, from token ``start`` up to ``end``."""

    start: int
    end: int
    before: str
    key: _Name
    after: str


def joined_texts(read: ReadStatement) -> Iterator[JoinedText]:
    """Yield what one statement compares with a text around a key.

    For a column without its table, each that the statement reads.
    """
    tokens = read.tokens
    if "||" not in read.words:
        return
    tables = _tables_by_name(read)
    for chain in _chains(tokens):
        for column in _compared_with(tokens, chain):
            for table in _owners(column, tables):
                for parent in _owners(chain.key, tables):
                    if table != parent:
                        yield JoinedText(
                            table,
                            column.column,
                            chain.before,
                            parent,
                            chain.key.column,
                            chain.after,
                        )


def _owners(name: _Name, tables: dict[str, str]) -> list[str]:
    if not name.owner:
        return sorted(set(tables.values()))
    return [tables[name.owner]] if name.owner in tables else []


def _tables_by_name(read: ReadStatement) -> dict[str, str]:
    """Return the tables of a statement by the names that it has for them, all folded."""
    tokens, command = read.tokens, read.command
    closed, tables = closings(tokens), dict[str, str]()
    if isinstance(command, Insert | Update | Delete):
        tables[fold_name(command.alias) or command.table.folded] = command.table.folded
    for index, token in enumerate(tokens):
        if keyword(token) == "from":
            for source in read_sources(Cursor(_up_to_its_end(tokens, index + 1, closed))):
                if source.table is not None and source.table.name:
                    name = source.table.folded
                    tables[fold_name(source.alias) or name] = name
    return tables


def _up_to_its_end(tokens: Tokens, start: int, closed: Mapping[int, int]) -> Tokens:
    """Return the tokens from ``start`` up to where the parentheses around them end."""
    index = start
    while index < len(tokens) and tokens[index].text != ")":
        index = closed.get(index, index) + 1
    return tokens[start:index]


def _chains(tokens: Tokens) -> Iterator[_Chain]:
    """Yield the chains of texts around one column, with the parentheses around each."""
    closed = closings(tokens)
    index = 0
    while index < len(tokens):
        chain = _chain_at(tokens, index)
        if chain is None:
            index += 1
            continue
        index = chain.end
        start, end = chain.start, chain.end
        while start and closed.get(start - 1) == end:
            start, end = start - 1, end + 1
        if not start or tokens[start - 1].text != "||":
            yield chain._replace(start=start, end=end)


def _chain_at(tokens: Tokens, start: int) -> _Chain | None:
    """Return the chain that begins at ``start``, None where there is none or other things too."""
    before, after = "", ""
    key: _Name | None = None
    place = start
    while True:
        name, end = _name_at(tokens, place)
        if place < len(tokens) and tokens[place].kind is Kind.STRING:
            end = place + 1
            before, after = (
                (before + tokens[place].name, after)
                if key is None
                else (before, after + tokens[place].name)
            )
        elif name is not None and key is None:
            key = name
        else:
            return None
        if end >= len(tokens) or tokens[end].text != "||":
            break
        place = end + 1
    return _Chain(start, end, before, key, after) if key and before + after else None


def _compared_with(tokens: Tokens, chain: _Chain) -> Iterator[_Name]:
    """Yield the columns that a chain is compared with, on its left or on its right."""
    first = chain.start - 1
    is_selected = first > 1 and keyword(tokens[first]) == "select" and tokens[first - 1].text == "("
    operator = first - 2 if is_selected else first  # of ``c IN (SELECT 'a' || b ..)``
    if operator > 0 and keyword(tokens[operator]) == "in":
        yield from _names_before(tokens, operator - (keyword(tokens[operator - 1]) == "not"))
    elif operator > 0 and tokens[operator].text in EQUAL and not _assigns(tokens, operator):
        yield from _names_before(tokens, operator)
    if chain.end < len(tokens) and tokens[chain.end].text in EQUAL:
        name, end = _name_at(tokens, chain.end + 1)
        if name is not None and (end == len(tokens) or tokens[end].text != "||"):
            yield name


def _assigns(tokens: Tokens, index: int) -> bool:
    return clause_words(tokens)[index] == "set"


def _names_before(tokens: Tokens, index: int) -> Iterator[_Name]:
    """Yield the bare column that ends before ``index``."""
    start = index - 1
    while start > 1 and tokens[start - 1].text == ".":
        start -= 2
    name, end = _name_at(tokens, start) if start >= 0 else (None, start)
    is_part = start > 0 and tokens[start - 1].text in ("||", "+", "-", "*", "/")
    if name is not None and end == index and not is_part:
        yield name


def _name_at(tokens: Tokens, index: int) -> tuple[_Name | None, int]:
    """Return the bare column at ``index``, and where it ends; None where there is none."""
    end = index
    while end + 2 < len(tokens) and tokens[end].kind in NAMES and tokens[end + 1].text == ".":
        end += 2
    if end >= len(tokens) or tokens[end].kind not in NAMES or is_operator(tokens[end]):
        return None, index
    if end + 1 < len(tokens) and tokens[end + 1].text == "(":
        return None, index
    owner = fold_name(tokens[end - 2].name) if end > index else ""
    return _Name(owner, fold_name(tokens[end].name)), end + 1
