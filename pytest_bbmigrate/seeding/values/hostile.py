"""The hostile values of each family and meaning: those that break a wrong migration. Pure.

Real data holds each of them, and a hurried migration loses it. Some are equal in one way and differ
in another ('a' and 'A', 12 and '12', NULL and ''). Some do not survive a conversion (0.29 dollars
to cents, 2^53+1 to a float), others not being cut short or copied as text.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from pytest_bbmigrate.seeding.values.meaning import (
    AMOUNTS,
    FORMATTED_TEXT,
    SMALL_NUMBERS,
    STRUCTURED_TEXT,
    TEMPORAL,
    Family,
)

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell

LONG_TEXT = 4_200  # characters of a long text: more than a page of 4096 bytes holds
BEYOND_FLOAT = 2**53 + 1  # the first integer that no double holds
ACCENTS = unicodedata.normalize("NFC", "Café Zoë")
DIGITS = ("0042", "1", "7e5")
BAD_CENTS = (0.29, 1.15, 4.35, 8.2, 1.005, 19.99, 0.07, 1234567.89, -8.2, -0.01)
BAD_SUM = 0.1 + 0.2  # 17 digits, of which SQLite writes 15 when it makes a text of it

_DATES = ("2024-02-29", "2024-12-31", "2025-01-01", "2026-12-31", "1999-12-31", "2099-01-01")
_TIMESTAMPS = (
    "2024-02-29 00:00:00",
    "2025-03-30T02:30:00Z",
    "2025-06-30T23:59:59.999999+02:00",
    "2025-10-26 01:30:00.5",
    "2026-01-01T00:00:00-05:00",
    "1999-12-31 23:59:59",  # before and after all that a WHERE may ask for
    "2099-01-01 00:00:00",
)
_TEMPORAL_TEXTS: dict[str, tuple[str, ...]] = {
    "date": _DATES,
    "month": ("2024-02", "2024-12", "2025-01", "1999-12", "2099-01"),
    "month_start": ("2024-02-01", "2024-12-01", "2025-01-01", "1999-12-01", "2099-01-01"),
    "week_start": ("2024-02-26", "2024-12-30", "2025-12-29"),  # weeks across month and year ends
    "week_end": ("2024-03-03", "2025-01-05", "2026-01-04"),
    "timestamp": _TIMESTAMPS,
    "time": ("00:00:00", "23:59:59.999"),
}
_JSON = (
    "{}",
    "[]",
    "null",
    '{ "spaced" : 1.0 }',
    '{"b": 1, "a": [true, "Caf\\u00e9", "' + ACCENTS + '"]}',
    '{"big": 9007199254740993}',
    ' {"Padded": [1, 2]}  ',
)
LOOSE_TEXTS = ("", "By Hand", "by hand", "BY HAND", "  By hand ", " ")
_FLAGS = ("", "true", "false", "True", "yes", "no", "t", "0", "1", " yes ")
_LIMITS: dict[str, tuple[int, ...]] = {
    "month": (1, 2, 12),
    "month_number": (1, 2, 12),
    "day": (1, 28, 31),
    "weekday": (0, 6),
    "flag": (0, 1),
    "percent": (0, 100),
}


def hostile_values(family: Family, meaning: str, example: Cell) -> tuple[Cell, ...]:
    """Return the hostile values of a column, those that reveal most first.

    ``example`` is one of its realistic values, from which other letter cases and padding are made.
    """
    if family is Family.TEXT:
        return (None, *_texts(meaning, str(example)))
    if family is Family.INTEGER:
        return (None, *_integers(meaning))
    if family is Family.REAL:
        return (None, *_reals(meaning))
    if family is Family.BLOB:
        return (None, b"", b"\x00", b"\xff\xfe\x00\x01", b"text", bytes(range(256)))
    return (None, *_anything(meaning, example))


def hostile_keys(family: Family, meaning: str, example: Cell) -> tuple[Cell, ...]:
    """Return the hostile values that real keys have.

    NULL is not among them: ``ColumnProfile.null_key`` says whether one row may have it.
    """
    text = str(example)
    if family is Family.TEXT and meaning == "uuid":
        return (text, text.upper())
    if family is not Family.TEXT or meaning in TEMPORAL | {"currency"}:
        return ()
    decomposed = unicodedata.normalize("NFD", ACCENTS)
    padded = f" {text} "
    alone = f" {text} one  "  # without padding no row has it
    return (text, text.swapcase(), padded, alone, "", ACCENTS, decomposed, "🏖 trip", *DIGITS)


def kind_of_text(value: Cell) -> str:
    """Return in which way a text is odd, '' for one that is not, or for another value."""
    if not isinstance(value, str):
        return ""
    if not value:
        return "empty"
    if value != value.strip():
        return "padded" if value == f" {value.strip()} " else "padded alone"
    if value.isdigit():
        return "digits"
    if not value.isascii():
        return "accents"
    return "capitals" if value.isupper() else "swapped" * value[0].islower()


def _texts(meaning: str, example: str) -> tuple[str, ...]:
    if meaning in TEMPORAL:
        return _TEMPORAL_TEXTS[meaning]
    if meaning in STRUCTURED_TEXT:
        return _JSON
    if meaning == "flag":
        return _FLAGS
    if meaning in SMALL_NUMBERS - {"id"}:
        return ("",)
    if meaning in AMOUNTS:
        return ("", "0", "0.10", "12", "12.0", "-5.00", "1,234.50", *DIGITS)
    cases = ("", example, example.lower(), example.upper(), f"  {example} ")
    if meaning in FORMATTED_TEXT | {"id"}:
        return (*cases, *DIGITS) if meaning in ("id", "mask", "token") else cases
    return (
        *cases,
        ACCENTS,
        unicodedata.normalize("NFD", ACCENTS),
        "line one\nline two",
        "carriage\r\nreturn\ttab",
        "nul\x00inside",
        "🍕 pizza night 👩\u200d👧",
        *DIGITS,
        'O\'Brien & "Sons"; --',
        (example + " ") * (LONG_TEXT // (len(example) + 1)) + "end.",
    )


def _integers(meaning: str) -> tuple[int, ...]:
    if meaning in _LIMITS:
        return _LIMITS[meaning]
    if meaning in TEMPORAL:
        # A leap day's midnight, a year's last second, and what is before or after any WHERE.
        return (1_709_164_800, 1_735_689_599, 946_684_799, 4_070_908_800)
    if meaning in ("id", "rank"):  # of a bank, or counted up: however large
        return (BEYOND_FLOAT,)
    if meaning in SMALL_NUMBERS:
        return ()
    if meaning == "count":
        return (0, 1, BEYOND_FLOAT)
    return (0, 12, -1, -1_999, BEYOND_FLOAT, -BEYOND_FLOAT)


def _reals(meaning: str) -> tuple[float, ...]:
    if meaning == "percent":
        return (0.0, 1.0, 0.07, 0.285)
    if meaning in SMALL_NUMBERS | TEMPORAL:
        return ()  # numbers of a small range, or seconds
    return (0.0, 12.0, -1.0, *BAD_CENTS, BAD_SUM, 9_876_543_210.5, -9_876_543_210.5)


def _anything(meaning: str, example: Cell) -> tuple[Cell, ...]:
    """Return the values of a column without a type, which stores all of them as they are."""
    if meaning in TEMPORAL:
        return _texts(meaning, str(example))
    if meaning in SMALL_NUMBERS:
        return _LIMITS.get(meaning, ())
    numbers = (12, 12.0, "12", 0, -0.0, -1, 0.29, BEYOND_FLOAT, -BEYOND_FLOAT)
    blob = b"\x00\xff bytes"
    if meaning in AMOUNTS:
        return ("", *numbers, *BAD_CENTS[1:6], *DIGITS, blob)
    return (*_texts(meaning, str(example)), *numbers, blob)
