"""Why values are not what they were; each is seen in the values themselves."""

from __future__ import annotations

import math
import re
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from pytest_bbmigrate.explain.causes.rows import CHANGED, LOST
from pytest_bbmigrate.explain.causes.statements import holds
from pytest_bbmigrate.schema import Column
from pytest_bbmigrate.sql import Kind, tokenize
from pytest_bbmigrate.sql.names import fold_name, same_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.explain.causes.context import FindingContext
    from pytest_bbmigrate.sql.values import Cell

EXACT = 2**53  # up to here REAL holds every whole number (https://sqlite.org/floatingpoint.html)
SECONDS = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
FINER = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?")
DERIVED = frozenset({"values not derived"})  # its rows are: as declared, as found
WHOLE = re.compile(r"[1-9]\d*")


def all_changed(
    context: FindingContext,
    fits: Callable[[Cell, Cell], bool],
    kinds: frozenset[str] = CHANGED,
) -> bool:
    """Return whether every example shows a change of the kind that ``fits`` tells."""
    return (
        context.finding.kind in kinds
        and bool(context.values)
        and all(fits(before, after) for before, after in context.values)
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
        expressions = context.expressions(copy)
        swapped = {
            column
            for column, item in expressions.items()
            if len(item) == 1 and item[0] != column and item[0] in expressions
        }
        if context.column_at_end in swapped or (swapped and keyless and not context.column):
            return True
    return False


def is_affinity(context: FindingContext) -> bool:
    """Tell whether a value was stored in a column of another type, and became a number or text."""
    if context.is_back and is_retyped_by_down(context):
        return all_changed(context, is_conversion)
    before = context.table_before.column(context.column) if context.table_before else None
    after = context.table_at_end.column(context.column_at_end) if context.table_at_end else None
    return (
        before is not None
        and after is not None
        and before.affinity != after.affinity
        and all_changed(context, is_conversion)
    )


def is_retyped_by_down(context: FindingContext) -> bool:
    """Return whether the column has another type after down than it had before up."""
    back = context.evidence.down_diff
    return any(
        difference.kind == "column type"
        and fold_name(difference.table) == context.table
        and context.column in map(fold_name, difference.column.split(", "))
        for difference in (back.schema if back else ())
    )


def is_conversion(before: Cell, after: Cell) -> bool:
    """Return whether the same number is stored as another type."""
    number, number_after = number_in(before), number_in(after)
    return (
        number is not None
        and number == number_after
        and (type(before), before) != (type(after), after)
    )


def number_in(cell: Cell) -> float | None:
    """Return the number that a cell is, or that it is the text of."""
    try:
        return None if cell is None or isinstance(cell, bytes) else float(cell)
    except ValueError:
        return None


def is_quoted_text(context: FindingContext) -> bool:
    """Tell whether a name in double quotes that is no column was taken for a text."""
    values = {after for _, after in context.values}
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
        context,
        lambda before, after: (
            isinstance(before, str) and "\0" in before and after == before.split("\0")[0]
        ),
    )


def is_trimmed(context: FindingContext) -> bool:
    """Tell whether a text lost blanks at its ends to trim(), ltrim() or rtrim()."""
    return calls(context, "trim", "ltrim", "rtrim") and all_changed(
        context,
        lambda before, after: (
            isinstance(before, str) and after in {before.strip(), before.lstrip(), before.rstrip()}
        ),
    )


def is_other_case(context: FindingContext) -> bool:
    """Tell whether upper() or lower() changed the letters A to Z."""
    return calls(context, "upper", "lower") and all_changed(
        context,
        lambda before, after: (
            isinstance(before, str) and after in {ascii_case(before, 97), ascii_case(before, 65)}
        ),
    )


def ascii_case(text: str, first: int) -> str:
    """Return ``text`` with the 26 letters from character ``first`` in the other letter case."""
    other = 65 + 97 - first
    return text.translate({first + letter: other + letter for letter in range(26)})


def is_rounded_integer(context: FindingContext) -> bool:
    """Tell whether a large whole number went through a REAL, which holds 53 bits of it."""
    return all_changed(
        context,
        lambda before, after: (
            isinstance(before, int)
            and abs(before) > EXACT
            and isinstance(after, int | float)
            and float(after) == float(before)
        ),
    )


def is_zoned(context: FindingContext) -> bool:
    """Tell whether up gives other values in another time zone."""
    other, finding = context.evidence.other_zone, context.finding
    return other is not None and any(
        same_name(finding.table, table) and same_name(finding.column, column)
        for table, column in other.columns
    )


def is_whole_seconds(context: FindingContext) -> bool:
    """Tell whether datetime() left out fractions of a second, and turned the time into UTC."""
    return calls(context, "datetime", "strftime", "time") and all_changed(
        context,
        lambda before, after: (
            isinstance(before, str)
            and isinstance(after, str)
            and bool(FINER.fullmatch(before) and SECONDS.fullmatch(after))
            and abs(days_of(after) - days_of(before)) <= 1  # a time zone is less than a day
        ),
    )


def days_of(text: str) -> int:
    """Return the number of the day in a text that begins with a date, 0 for no such day."""
    try:
        return date.fromisoformat(text[:10]).toordinal()
    except ValueError:
        return 0


def is_cast_to_a_number(context: FindingContext) -> bool:
    """Tell whether CAST to a type of NUMERIC affinity, as JSON is, made numbers of texts."""
    statements = (*context.statements, *(context.up_statements if context.is_back else ()))
    types = {
        tokens[place + 1].upper()
        for tokens in statements
        if "cast" in tokens
        for place, word in enumerate(tokens[:-2])
        if word == "as" and tokens[place + 2] in {")", "("}
    }
    return any(is_numeric(name) for name in types) and all_changed(
        context,
        lambda before, after: isinstance(before, str | bytes) and isinstance(after, int | float),
    )


def is_numeric(declared: str) -> bool:
    """Return whether a type name, in upper case, has NUMERIC affinity."""
    column = Column("", 0, declared, False, None, 0, "BINARY", "", None)  # noqa: FBT003
    return column.affinity == "NUMERIC"


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
        lambda before, after: (
            isinstance(before, int | float)
            and isinstance(after, int | float)
            and any(after in {math.trunc(before), math.trunc(before / d) * d} for d in divisors)
        ),
        CHANGED | DERIVED,
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
        lambda before, after: (
            isinstance(before, int | float)
            and isinstance(after, int | float)
            and abs(after) < abs(before)
            and math.isclose(before, after, abs_tol=1)
        ),
        CHANGED | DERIVED,
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
        lambda before, _: (
            isinstance(before, str)
            and any(before != pattern and before.lower() == pattern.lower() for pattern in patterns)
        ),
    )
