"""Read SELECT and VALUES into their clauses, and the WITH before a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bbmigrate.sql.clauses import CommonTable, Query, ResultColumn, Select, Source
from pytest_bbmigrate.sql.cursor import NAMES, Cursor, keyword, outline, split_at_commas
from pytest_bbmigrate.sql.tokens import Kind

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.cursor import Tokens

COMPOUND = frozenset({"union", "except", "intersect"})
# All are reserved, so outside parentheses none can be a name. FROM and WINDOW need a closer look.
CLAUSES = COMPOUND | {"where", "group", "having", "order", "limit", "returning"}
JOINS = frozenset({"natural", "left", "right", "full", "inner", "outer", "cross"})
LONGEST_JOIN = 3  # words before JOIN: NATURAL LEFT OUTER
NO_ALIAS = frozenset({"indexed", "not", "on", "using"})  # after the name of a table
# A word after one of these is no alias, but the operand that is still missing.
WANT_OPERAND = frozenset(
    {
        *("all", "and", "between", "case", "collate", "distinct", "else", "escape", "from", "in"),
        *("is", "not", "or", "then", "when"),
    }
)
WANT_OPERAND_INSIDE = frozenset({"glob", "like", "match", "regexp"})  # names, where they are first
END_EXPRESSION = frozenset({"isnull", "notnull", "null"})


def read_with(cursor: Cursor) -> tuple[CommonTable, ...]:
    """Take WITH, and return its tables; () when there is none."""
    if not cursor.take_words("with"):
        return ()
    cursor.take_words("recursive")
    tables = []
    while name := cursor.take_name():
        columns = cursor.take_names()
        cursor.take_words("as")
        cursor.take_words("not")
        cursor.take_words("materialized")
        tables.append(CommonTable(name, columns, cursor.take_group() or ()))
        if not cursor.take_symbol(","):
            break
    return tuple(tables)


def read_query(cursor: Cursor, with_tables: tuple[CommonTable, ...] = ()) -> Query:
    """Take a SELECT or VALUES, or a compound of them, up to an upsert or RETURNING."""
    with_tables = with_tables or read_with(cursor)
    selects = [_read_select(cursor, "")]
    while operator := cursor.take_one_of(COMPOUND):
        if operator == "union" and cursor.take_words("all"):
            operator = "union all"
        selects.append(_read_select(cursor, operator))
    order_by = _read_clause(cursor, "order", "by")
    return Query(tuple(selects), with_tables, order_by, _read_clause(cursor, "limit"))


def starts_clause(cursor: Cursor) -> bool:
    """Return whether another clause begins at the cursor, which is outside parentheses."""
    word = cursor.word()
    if word == "from":  # not IS DISTINCT FROM
        before = cursor.word(-1), cursor.word(-2)
        return before[0] != "distinct" or before[1] not in {"is", "not"}
    if word == "window":  # a column, unless a name and AS follow: not in ``window ISNULL AS a``
        is_name = (token := cursor.token(1)) is not None and token.kind in NAMES
        return is_name and cursor.word(1) not in END_EXPRESSION and cursor.word(2) == "as"
    return word in CLAUSES or starts_upsert(cursor)


def starts_upsert(cursor: Cursor) -> bool:
    """Return whether the cursor is at ON CONFLICT; do not ask where a join may have its ON."""
    return cursor.word() == "on" and cursor.word(1) == "conflict"


def read_sources(cursor: Cursor) -> tuple[Source, ...]:
    """Take the terms after FROM, and return them."""
    sources = []
    join = ""
    while True:
        group = cursor.take_group()
        table = None if group is not None else cursor.take_object()
        if cursor.take_group() is not None:  # the arguments of a function
            table = None
        alias = _read_alias(cursor)
        cursor.take_until(_ends_table)  # INDEXED BY, NOT INDEXED
        # An ON that follows a table is the join's, even before a column called conflict.
        on = cursor.take_until(_ends_source) if cursor.take_words("on") else ()
        cursor.take_until(_ends_source)  # USING
        sources.append(Source(table, join, alias, on))
        if not (join := _read_join(cursor)):
            return tuple(sources)


def _read_select(cursor: Cursor, operator: str) -> Select:
    if cursor.take_words("values"):
        return Select(operator, rows=_read_rows(cursor))
    cursor.take_words("select")
    is_distinct = cursor.take_words("distinct")
    if not is_distinct:
        cursor.take_words("all")
    columns = tuple(map(_read_column, split_at_commas(cursor.take_until(starts_clause))))
    sources = read_sources(cursor) if cursor.take_words("from") else ()
    return Select(
        operator=operator,
        is_distinct=is_distinct,
        columns=columns,
        sources=sources,
        where=_read_clause(cursor, "where"),
        group_by=_read_clause(cursor, "group", "by"),
        having=_read_clause(cursor, "having"),
        windows=_read_clause(cursor, "window"),
    )


def _read_rows(cursor: Cursor) -> tuple[tuple[Tokens, ...], ...]:
    rows = []
    while (row := cursor.take_group()) is not None:
        rows.append(tuple(split_at_commas(row)))
        if not cursor.take_symbol(","):
            break
    return tuple(rows)


def _read_column(tokens: Tokens) -> ResultColumn:
    alias = tokens[-1].name if _has_alias(tokens) else ""
    if not alias:
        return ResultColumn(tokens)
    has_as = keyword(tokens[-2]) == "as"
    return ResultColumn(tokens[: -2 if has_as else -1], alias)


def _has_alias(tokens: Tokens) -> bool:
    """Return whether a result column ends with an alias, with or without AS."""
    if len(tokens) < 2 or tokens[-1].kind not in NAMES:
        return False
    before, last = tokens[-2], keyword(tokens[-1])
    if keyword(before) == "as":
        return True
    if before.kind is Kind.SYMBOL and before.text != ")":
        return False
    if last in END_EXPRESSION or (last == "end" and _is_in_case(tokens)):
        return False
    return not _wants_operand(tokens[:-1])


def _is_in_case(tokens: Tokens) -> bool:
    """Return whether the last of ``tokens``, END, closes a CASE among them."""
    words = [keyword(token) for _, token in outline(tokens)]
    return words.count("case") >= words.count("end")


def _wants_operand(tokens: Tokens) -> bool:
    """Return whether the last of ``tokens`` is an operator that needs an operand after it."""
    word = keyword(tokens[-1])
    is_first = len(tokens) == 1 or tokens[-2].text == "."
    if word == "over":
        return not is_first and tokens[-2].text == ")"
    return word in WANT_OPERAND or (word in WANT_OPERAND_INSIDE and not is_first)


def _read_alias(cursor: Cursor) -> str:
    if cursor.take_words("as"):
        return cursor.take_name()
    if cursor.word() in NO_ALIAS or _starts_join(cursor) or starts_clause(cursor):
        return ""
    return cursor.take_name()


def _starts_join(cursor: Cursor) -> bool:
    words = 0
    while words < LONGEST_JOIN and cursor.word(words) in JOINS:
        words += 1
    return cursor.word(words) == "join" or cursor.is_symbol(",")


def _ends_table(cursor: Cursor) -> bool:
    return cursor.word() in {"on", "using"} or _ends_source(cursor)


def _ends_source(cursor: Cursor) -> bool:
    return _starts_join(cursor) or starts_clause(cursor)


def _read_join(cursor: Cursor) -> str:
    """Take the operator that joins the next table, and return it; '' when there is none."""
    if cursor.take_symbol(","):
        return ","
    if not _starts_join(cursor):
        return ""
    words = []
    while word := cursor.take_one_of(JOINS):
        words.append(word)
    cursor.take_words("join")
    return " ".join((*words, "join"))


def _read_clause(cursor: Cursor, *words: str) -> Tokens:
    return cursor.take_until(starts_clause) if cursor.take_words(*words) else ()
