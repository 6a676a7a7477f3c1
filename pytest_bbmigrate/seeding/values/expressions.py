"""What the expression of a constraint tells about the values that meet it. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterable, Iterator

    from pytest_bbmigrate.schema.model import Tokens
    from pytest_bbmigrate.sql.values import Cell

_INTEGER = re.compile(r"\d+")
_REAL = re.compile(r"\d*\.\d+(?:e[-+]?\d+)?|\d+\.?(?:e[-+]?\d+)?")
PATTERNS = frozenset({"glob", "like", "regexp", "match"})
_DAY = re.compile(r"((?:19|20)\d\d)(?:-([01]\d))?(?:-([0-3]\d))?([ T]\d\d:\d\d.*)?(?!\d)")
_DAYS = {
    "date": "{}-{}-{}",
    "month": "{}-{}",
    "month_start": "{}-{}-01",
    "timestamp": "{}-{}-{} 12:00:00",
}
TYPES = frozenset({"integer", "real", "text", "blob", "null"})
LONGEST = 200  # a number in a CHECK up to which texts of that length are worth a try


def columns_mentioned(tokens: Tokens, columns: Collection[str]) -> frozenset[str]:
    """Return which of ``columns`` (folded) an expression names; a function's name is no column."""
    return frozenset(
        token
        for token, after in zip(tokens, (*tokens[1:], ""), strict=False)
        if token in columns and after != "("
    )


def literals_in(tokens: Tokens, *, numbers: bool) -> list[Cell]:
    """Return the strings in an expression, and with ``numbers`` each number and those next to it.

    Patterns, and names of types beside ``typeof``, are left out.
    """
    literals: list[Cell] = []
    for before, token in zip(("", *tokens), tokens, strict=False):
        if token.startswith("'"):
            if before not in PATTERNS and not ("typeof" in tokens and unquoted(token) in TYPES):
                literals.append(unquoted(token))
        elif numbers and (number := _number(token)) is not None:
            number = -number if before == "-" else number
            literals += [number, number + 1, number - 1]
    return literals


def dates_like(values: Iterable[Cell], meaning: str) -> tuple[Cell, ...]:
    """Return the days that ``values`` stand for, in the form of a column with this ``meaning``.

    ``'2019-%'`` and ``'2019'`` stand for a day in that year.
    """
    dates: list[Cell] = []
    for value in values:
        day = _DAY.match(value) if isinstance(value, str) else None
        if day and meaning in _DAYS:
            year, month, number, rest = day.groups()
            if not (rest and meaning == "timestamp"):
                value = _DAYS[meaning].format(year, month or "06", number or "15")
            dates.append(value)
    return tuple(dates)


def is_day(value: Cell) -> bool:
    """Return whether ``value`` is, or begins with, a day, a month or a year of our time."""
    return isinstance(value, str) and bool(_DAY.match(value))


def texts_for(tokens: Tokens, rng: random.Random) -> Iterator[str]:
    """Yield texts that may meet the patterns and lengths in an expression."""
    for before, token in zip(("", *tokens), tokens, strict=False):
        if token.startswith("'") and before == "glob":
            yield from (_like_glob(unquoted(token), rng) for _ in range(20))
        elif token.startswith("'") and before == "like":
            yield re.sub("%+", "some", unquoted(token)).replace("_", "a")
    sizes = sizes_for(tokens)
    yield from (letters * size for letters in "xX7" for size in sizes)


def sizes_for(tokens: Tokens) -> list[int]:
    """Return the lengths that an expression may ask of a text or a blob, and those next to them."""
    if "length" not in tokens and "octet_length" not in tokens:
        return []
    numbers = [int(token) for token in tokens if _INTEGER.fullmatch(token)]
    return [
        size
        for number in numbers
        if number <= LONGEST
        for size in range(max(number - 1, 0), number + 2)
    ]


def unquoted(token: str) -> str:
    """Return the text of a string token."""
    return token[1:-1].replace("''", "'")


def _number(token: str) -> int | float | None:
    if _INTEGER.fullmatch(token):
        return int(token)
    return float(token) if _REAL.fullmatch(token) else None


def _like_glob(pattern: str, rng: random.Random) -> str:
    """Return a text that matches ``pattern`` (https://sqlite.org/lang_expr.html#glob)."""

    def one_of_set(match: re.Match[str]) -> str:
        return rng.choice(_members(match[1]))

    pattern = re.sub(r"[*]+", "", pattern).replace("?", "a")
    return re.sub(r"\[([^\]]+)\]", one_of_set, pattern)


def _members(inside: str) -> str:
    """Return some of the characters in a set such as 0-9a-f or ^0-9."""
    if inside.startswith("^"):
        excluded = _members(inside[1:])
        return "".join(letter for letter in "aA0_-" if letter not in excluded) or "~"
    spans = re.findall(r"(.)-(.)", inside)
    single = re.sub(r".-.", "", inside)
    return single + "".join(
        "".join(map(chr, range(ord(first), ord(last) + 1))) for first, last in spans
    )
