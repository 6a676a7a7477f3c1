"""Why values are not what they were; each is seen in the values themselves."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.rows import CHANGED, LOST
from pytest_bbmigrate.explain.causes.statements import holds
from pytest_bbmigrate.sql import Kind, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.sql.values import Cell

EXACT = 2**53  # up to here REAL holds every whole number (https://sqlite.org/floatingpoint.html)
SECONDS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
FINER = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?")
WHOLE = re.compile(r"[1-9]\d*")


def all_changed(context: FindingContext, fits: Callable[[Cell, Cell], bool]) -> bool:
    """Return whether every example shows a change of the kind that ``fits`` tells."""
    return (
        context.finding.kind in CHANGED
        and bool(context.values)
        and all(fits(was, now) for was, now in context.values)
    )


def calls(context: FindingContext, *functions: str) -> bool:
    """Return whether a statement calls one of ``functions``."""
    return any(
        holds(tokens, function, "(") for tokens in context.statements for function in functions
    )


def is_by_position(context: FindingContext) -> bool:
    """Tell whether INSERT .. SELECT put values where they stand, not where they belong."""
    if context.finding.kind not in CHANGED | LOST | {"rows added"}:
        return False
    keyless = context.table_before is not None and not context.table_before.primary_key
    for copy in context.copies:
        got = context.expressions(copy)
        swapped = {
            column
            for column, item in got.items()
            if len(item) == 1 and item[0] != column and item[0] in got
        }
        if context.column_at_end in swapped or (swapped and keyless and not context.column):
            return True
    return False


def is_affinity(context: FindingContext) -> bool:
    """Tell whether a value was stored in a column of another type, and became a number or text."""
    before = context.table_before.column(context.column) if context.table_before else None
    after = context.table_at_end.column(context.column_at_end) if context.table_at_end else None
    return (
        before is not None
        and after is not None
        and before.affinity != after.affinity
        and all_changed(context, is_conversion)
    )


def is_conversion(was: Cell, now: Cell) -> bool:
    """Return whether the same number is stored as another type."""
    number, other = number_in(was), number_in(now)
    return number is not None and number == other and (type(was), was) != (type(now), now)


def number_in(cell: Cell) -> float | None:
    """Return the number that a cell is, or that it is the text of."""
    try:
        return None if cell is None or isinstance(cell, bytes) else float(cell)
    except ValueError:
        return None


def is_quoted_text(context: FindingContext) -> bool:
    """Tell whether a name in double quotes that is no column was taken for a text."""
    values = {now for _, now in context.values}
    if len(values) != 1 or context.finding.kind not in CHANGED:
        return False
    (value,) = values
    tables = context.schema_before.tables if context.schema_before else ()
    if not isinstance(value, str) or any(table.column(value) for table in tables):
        return False
    return any(
        token.kind is Kind.QUOTED and token.text[0] == '"' and token.name == value
        for sql in context.executed
        for token in tokenize(sql)
    )


def is_cut_at_nul(context: FindingContext) -> bool:
    """Tell whether a function took a NUL character for the end of the text."""
    return all_changed(
        context, lambda was, now: isinstance(was, str) and "\0" in was and now == was.split("\0")[0]
    )


def is_trimmed(context: FindingContext) -> bool:
    """Tell whether a text lost blanks at its ends to trim(), ltrim() or rtrim()."""
    return calls(context, "trim", "ltrim", "rtrim") and all_changed(
        context,
        lambda was, now: isinstance(was, str) and now in {was.strip(), was.lstrip(), was.rstrip()},
    )


def is_other_case(context: FindingContext) -> bool:
    """Tell whether upper() or lower() changed the letters A to Z."""
    return calls(context, "upper", "lower") and all_changed(
        context,
        lambda was, now: isinstance(was, str) and now in {ascii_case(was, 97), ascii_case(was, 65)},
    )


def ascii_case(text: str, first: int) -> str:
    """Return ``text`` with the 26 letters from character ``first`` in the other letter case."""
    other = 65 + 97 - first
    return text.translate({first + letter: other + letter for letter in range(26)})


def is_rounded_integer(context: FindingContext) -> bool:
    """Tell whether a large whole number went through a REAL, which holds 53 bits of it."""
    return all_changed(
        context,
        lambda was, now: (
            isinstance(was, int)
            and abs(was) > EXACT
            and isinstance(now, int | float)
            and float(now) == float(was)
        ),
    )


def is_whole_seconds(context: FindingContext) -> bool:
    """Tell whether datetime() left out fractions of a second, and turned the time into UTC."""
    return calls(context, "datetime", "strftime", "time") and all_changed(
        context,
        lambda was, now: (
            isinstance(was, str)
            and isinstance(now, str)
            and bool(FINER.fullmatch(was) and SECONDS.fullmatch(now))
        ),
    )


def is_integer_division(context: FindingContext) -> bool:
    """Tell whether an integer was divided by an integer, which gives an integer."""
    divisors = {
        int(following)
        for tokens in context.statements
        for word, following in pairwise(tokens)
        if word == "/" and WHOLE.fullmatch(following)
    }
    return bool(divisors) and all_changed(
        context,
        lambda was, now: (
            isinstance(was, int | float)
            and isinstance(now, int | float)
            and any(now in {math.trunc(was), math.trunc(was / d) * d} for d in divisors)
        ),
    )


def is_cut_by_cast(context: FindingContext) -> bool:
    """Tell whether CAST cut a product such as 0.29 * 100, which is a little less than 29."""
    statements = (*context.statements, *(context.up_statements if context.is_back else ()))
    return any(
        holds(tokens, "cast", "(")
        and "*" in tokens
        and holds(tokens, "as", "integer", ")")
        and "round" not in tokens
        for tokens in statements
    ) and all_changed(
        context,
        lambda was, now: (
            isinstance(was, int | float)
            and isinstance(now, int | float)
            and abs(now) < abs(was)
            and math.isclose(was, now, abs_tol=1)
        ),
    )


def is_like(context: FindingContext) -> bool:
    """Tell whether LIKE chose rows that differ from its pattern in letter case."""
    patterns = {
        following.strip("'")
        for tokens in context.statements
        for word, following in pairwise(tokens)
        if word == "like" and not {"%", "_"} & set(following)
    }
    return all_changed(
        context,
        lambda was, _: (
            isinstance(was, str)
            and any(was != pattern and was.lower() == pattern.lower() for pattern in patterns)
        ),
    )
