"""The condition of the statement that changed or deleted rows, for the line that allows just that.

It is one on the rows as they were before, as a contract's ``where`` is: where an earlier statement
of the file may have changed what it looks at, there is none to give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pytest_bbmigrate.catalogue import SqlPart
from pytest_bbmigrate.contract.spelling import bare_or_quoted
from pytest_bbmigrate.sql import Kind
from pytest_bbmigrate.sql.clauses import Delete, Insert, Update
from pytest_bbmigrate.sql.cursor import keyword, source_text
from pytest_bbmigrate.sql.names import fold_name, same_name
from pytest_bbmigrate.sql.reading import read_as, read_shape
from pytest_bbmigrate.sql.schema_clauses import (
    AddColumn,
    Creation,
    Drop,
    DropColumn,
    RenameColumn,
    RenameTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.sql import Token
    from pytest_bbmigrate.sql.clauses import Upsert
    from pytest_bbmigrate.sql.cursor import Tokens
    from pytest_bbmigrate.sql.reading import Command

OF_ANOTHER = "."  # before a column of another table
LONGEST = 200  # characters of a condition that a line repeats


class TableColumns(NamedTuple):
    """The ``key`` that tells a table's rows apart, and its ``columns`` in order; () if unknown."""

    key: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


UNKNOWN = TableColumns()


def condition_of_statements(
    migration: Migration,
    table: str,
    column: str = "",
    known: TableColumns = UNKNOWN,
    executed: Iterable[str] = (),
) -> str:
    """Return under which condition the up part sets ``column``, or deletes rows of ``table``.

    '' where it does so without one, in another way, or by what it has changed before. Where it
    writes constant rows over those that are there, the condition is that these have their keys.
    Of a Python part it is of what it ``executed``, as far as that stands in its text.
    """
    part = migration.up
    conditions: list[str] = []
    touched: set[str] = set()
    before: dict[str, str] = {}
    own: set[str] = set()
    for sql in texts_of(part, executed):
        command = read_shape(sql)
        if does(command, table, column):
            is_told = stands_in(part, sql)
            # The first of them that changes a row still finds in it what was there before.
            seen = touched if asks_others(command) else touched - own
            conditions.append(plain_condition(command, seen, before) if is_told else "")
            own |= {fold_name(column)} - touched
        elif isinstance(command, Insert) and overwrites(command, table, column):
            is_told = stands_in(part, sql)
            keys = key_condition(read_as(Insert, sql), column, known, touched) if is_told else ""
            conditions.append(keys)
        elif may_do_so_unseen(command, table, column):
            return ""
        elif not column and any(does(command, table, name) for name in known.key):
            return ""  # a row under another key is one that is lost, and one more
        note_names(command, table, touched, before)
        if isinstance(command, RenameColumn) and same_name(command.table.name, table):
            column = command.new if column and same_name(command.column, column) else column
    if not all(conditions):
        return ""
    distinct = list(dict.fromkeys(conditions))
    joined = distinct[0] if len(distinct) == 1 else " OR ".join(f"({one})" for one in distinct)
    return joined if len(joined) <= LONGEST else ""


def texts_of(part: Part, executed: Iterable[str]) -> Iterator[str]:
    """Return the statements of a part in SQL, or those that one in Python ``executed``."""
    if isinstance(part, SqlPart):
        return (statement.text for statement in part.statements)
    return iter(executed)


def stands_in(part: Part, sql: str) -> bool:
    """Return whether a part has a statement in its text, but for blanks.

    One that Python has put together may be about the rows that are there, which are others next
    time.
    """
    if isinstance(part, SqlPart):
        return True
    said = "".join(sql.split())
    texts = (text.decode("utf-8", "replace") for text in part.texts.values())
    return any(said in "".join(text.split()) for text in texts)


def does(command: Command, table: str, column: str) -> bool:
    """Return whether a statement sets ``column`` of ``table``, or for '' deletes rows of it."""
    if column:
        return (
            isinstance(command, Update)
            and same_name(command.table.name, table)
            and command.sets(column)
        )
    return isinstance(command, Delete) and same_name(command.table.name, table)


def asks_others(command: Command) -> bool:
    """Return whether the WHERE of a statement looks at other rows than the one it is about."""
    return isinstance(command, Update | Delete) and "select" in map(keyword, command.where)


def may_do_so_unseen(command: Command, table: str, column: str) -> bool:
    """Return whether a statement may do the same in another way: by a conflict, a rebuild."""
    if isinstance(command, Insert):
        is_here = same_name(command.table.name, table) and not column
        return is_here and (command.conflict == "replace" or bool(command.upserts))
    if isinstance(command, Update):
        is_here = same_name(command.table.name, table)
        return is_here and not column and command.conflict == "replace"
    if isinstance(command, RenameTable):
        return same_name(command.table.name, table) or same_name(command.new, table)
    return isinstance(command, Creation | Drop) and same_name(command.name.name, table)


def overwrites(command: Insert, table: str, column: str) -> bool:
    """Return whether an INSERT may give ``column`` another value in rows of ``table``."""
    return (
        bool(column)
        and same_name(command.table.name, table)
        and (command.conflict == "replace" or bool(upserts_of(command, column)))
    )


def upserts_of(command: Insert, column: str) -> list[Upsert]:
    """Return each ON CONFLICT DO UPDATE of ``command`` that sets ``column``."""
    return [
        upsert
        for upsert in command.upserts
        if any(same_name(name, column) for each in upsert.assignments for name in each.columns)
    ]


def key_condition(command: Insert, column: str, known: TableColumns, touched: set[str]) -> str:
    """Return that a row has the key of one that ``command`` writes; '' where that cannot be told.

    ON CONFLICT updates the row that has the values of its columns; by REPLACE another row has the
    table's key, whichever rows have to go for it.
    """
    targets = {target_of(upsert) for upsert in upserts_of(command, column)}
    if command.conflict == "replace":
        targets.add(tuple(map(fold_name, known.key)))
    names = tuple(map(fold_name, command.columns or known.columns))
    key = targets.pop()
    rows = [
        [literal_in(row[names.index(name)]) for name in key]
        for row in command.rows
        if len(row) == len(names) and set(key) <= set(names)
    ]
    is_told = bool(key and rows) and len(rows) == len(command.rows) and all(map(all, rows))
    if targets or not is_told or touched & set(key):
        return ""
    spelled = {fold_name(name): name for name in (*command.columns, *known.columns, *known.key)}
    columns = [bare_or_quoted(spelled[name]) for name in key]
    if len(columns) == 1 and len(rows) > 1:
        return f"{columns[0]} IN ({', '.join(value for (value,) in rows)})"
    keys = [
        " AND ".join(f"{name} = {value}" for name, value in zip(columns, row, strict=True))
        for row in rows
    ]
    return keys[0] if len(keys) == 1 else " OR ".join(f"({one})" for one in keys)


def target_of(upsert: Upsert) -> tuple[str, ...]:
    """Return the (folded) columns that an ON CONFLICT is about, () where it names no columns."""
    is_plain = all(len(term) == 1 for term in upsert.target)
    return tuple(fold_name(term[0].name) for term in upsert.target) if is_plain else ()


def literal_in(expression: Tokens) -> str:
    """Return a text, number or blob as it is written in one line; '' for anything else."""
    *sign, token = expression
    is_literal = token.kind in (Kind.STRING, Kind.NUMBER, Kind.BLOB) and "\n" not in token.text
    is_signed = [each.text for each in sign] in ([], ["-"], ["+"])
    return source_text(expression) if is_literal and is_signed else ""


def plain_condition(command: Command, touched: set[str], before: Mapping[str, str]) -> str:
    """Return the WHERE of a statement as one line, '' where rows before cannot be asked it.

    Columns that have other names now, or are others, are called what they were ``before``.
    """
    if not isinstance(command, Update | Delete) or not stands_alone(command):
        return ""
    names = names_asked(command.where)
    renamed = names & before.keys()
    if touched & (names - renamed) or not all(before[name] for name in renamed):
        return ""
    if renamed and {"select", "."} & {token.text.lower() for token in command.where}:
        return ""

    def spell(token: Token) -> str:
        if command.alias and fold_name(token.name) == fold_name(command.alias):
            return bare_or_quoted(command.table.name)
        name = fold_name(token.name) if token.kind in (Kind.WORD, Kind.QUOTED) else ""
        return bare_or_quoted(before[name]) if name in renamed else token.text

    return source_text(command.where, spell)


def stands_alone(command: Update | Delete) -> bool:
    """Return whether what a statement's WHERE says, in one line, is all that chooses its rows."""
    if isinstance(command, Update) and (command.sources or command.conflict == "replace"):
        return False
    if command.limit or command.with_tables:
        return False
    if command.alias and not is_qualifier(command.alias, command.table.name, command.where):
        return False
    return fits_one_line(command.where)


def fits_one_line(where: Iterable[Token]) -> bool:
    """Return whether a condition is said by its text alone, which goes into a line."""
    return not any(token.kind is Kind.PARAMETER or "\n" in token.text for token in where)


def is_qualifier(alias: str, table: str, where: Tokens) -> bool:
    """Return whether an ``alias`` can be called by its table's name.

    It stands before columns alone, and the ``table`` in a subquery has a name of its own.
    """
    for token, after in zip(where, (*where[1:], None), strict=True):
        if same_name(token.name, alias) and (after is None or after.text != "."):
            return False
        if same_name(token.name, table) and (after is None or keyword(after) != "as"):
            return False
    return True


def names_asked(where: Tokens) -> set[str]:
    """Return the (folded) names in a condition; those of a subquery may be another table's."""
    has_query = "select" in map(keyword, where)
    # A text is a name only where a table is expected (https://sqlite.org/quirks.html).
    named = (token for token in where if has_query or token.kind is not Kind.STRING)
    names = {fold_name(token.name) for token in named} - {""}
    return names | {f"{OF_ANOTHER}{name}" for name in names if has_query}


def note_names(command: Command, table: str, touched: set[str], before: dict[str, str]) -> None:
    """Note what a statement leaves other values in, and what columns of ``table`` were before.

    ``before`` has these by their (folded) names now, '' for what was not there, or is another.
    What an UPDATE of another table sets has OF_ANOTHER before its name: a subquery asks for it.
    """
    if isinstance(command, RenameColumn) and same_name(command.table.name, table):
        old, new = fold_name(command.column), fold_name(command.new)
        was = before.get(old, "" if old in touched else command.column)
        before |= {old: "", new: was}
    elif isinstance(command, AddColumn | DropColumn) and same_name(command.table.name, table):
        before[fold_name(command.column)] = ""
    else:
        tables, columns = names_touched(command)
        if isinstance(command, Update) and not same_name(command.table.name, table):
            columns = {f"{OF_ANOTHER}{name}" for name in columns}
        names = tables | columns
        touched |= names
        before |= dict.fromkeys(names & before.keys(), "")


def names_touched(command: Command) -> tuple[set[str], set[str]]:
    """Return the (folded) tables, and columns, in which a statement may leave other values."""
    if isinstance(command, Update):
        return {command.table.folded}, set(map(fold_name, command.columns))
    if isinstance(command, Insert | Delete):
        return {command.table.folded}, set()
    if isinstance(command, RenameTable):
        return {command.table.folded, fold_name(command.new)}, set()
    if isinstance(command, RenameColumn):
        return set(), {fold_name(command.column), fold_name(command.new)}
    if isinstance(command, AddColumn | DropColumn):
        return set(), {fold_name(command.column)}
    return {command.name.folded} if isinstance(command, Creation | Drop) else set(), set()
