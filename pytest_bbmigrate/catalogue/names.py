"""What a file's name says: the migration's name, its number, or that it is no migration at all."""

from __future__ import annotations

import re
from typing import NamedTuple

# Longest first. What stands before the ending is the migration's name.
ENDINGS = (".up.sql", ".down.sql", ".rollback.sql", ".sql", ".py")
FLYWAY = re.compile(
    r"(?:(?P<kind>[vub])(?P<version>[0-9]+(?:[._][0-9]+)*)|(?P<repeated>r))__.+",
    re.DOTALL | re.IGNORECASE,
)

# A date counts as a whole, whatever joins its parts; else all digit groups joined by hyphens do.
# So does a day with a number of that day, as yoyo writes it.
OF_A_DAY = "(?:19|20)[0-9]{6}_[0-9]{2}(?=_)"
DATED = (
    rf"{OF_A_DAY}|(?:19|20)[0-9]{{2}}(?P<join>[-_])[0-9]{{1,2}}(?P=join)[0-9]{{1,2}}"
    r"(?:[-_][0-9]+)?"
)
PLAIN = r"[0-9]+(?:-[0-9]+)*"
NUMBER = re.compile(rf"[vV]?(?P<number>{DATED}|{PLAIN})(?P<separator>[-_. ]+|$)")
DIGITS_FIRST = re.compile(rf"(?P<digits>{DATED}|[0-9]+)(?P<rest>.*)", re.DOTALL)
WORD_AFTER_DOT = re.compile(r".*(\.(?P<word>[A-Za-z]*))", re.DOTALL)
# A name may have words after dots (V0001.Budgets.up.sql), but none that is nearly one of these.
LAST_WORDS = ("up", "down", "rollback", "undo", "sql", "py")
VERSION = re.compile(r"[vV]?[0-9]+(?:\.[0-9]+)*")
HALF_WITHOUT_DOT = re.compile(r"(.+)[-_](?:down|rollback|undo)", re.IGNORECASE | re.DOTALL)

NEVER_MIGRATIONS = frozenset({"__init__.py", "__pycache__", "atlas.sum", "migration_lock.toml"})
OF_EDITORS = ("~", ".swp", "#")
NEVER_ENDINGS = (".md", ".lock", ".lck", ".pyc", ".sql.conf")


class FlywayName(NamedTuple):
    """What Flyway reads in a file's name.

    ``kind`` is v for a version, u for what undoes one, b for a baseline or r for what is repeated;
    ``version`` is in integers, without zeros at its end (1.0 is 1); () for r.
    """

    kind: str
    version: tuple[int, ...]


def split_name(file_name: str) -> tuple[str, str]:
    """Return a file's name as (the migration's name, ending); the ending is '' for any other."""
    for ending in ENDINGS:
        if file_name.lower().endswith(ending):
            return file_name[: -len(ending)], ending
    return file_name, ""


def flyway_name(file_name: str) -> FlywayName | None:
    """Return what Flyway reads in the name of a file, None where that is not in Flyway's way."""
    name, ending = split_name(file_name)
    match = FLYWAY.fullmatch(name) if ending == ".sql" else None
    if match is None:
        return None
    version = [int(digits) for digits in re.split("[._]", match["version"] or "") if digits]
    while len(version) > 1 and version[-1] == 0:
        version.pop()
    return FlywayName((match["kind"] or match["repeated"]).lower(), tuple(version))


def leading_number(name: str) -> tuple[int, ...] | None:
    """Return the number that ``name`` begins with, as integers, or None.

    ``001_a`` is (1,), ``2026-01-01-120000_a`` is (2026, 1, 1, 120000). Never read as a date.
    """
    match = NUMBER.match(name)
    if match is None:
        return None
    return tuple(int(digits) for digits in re.split("[-_]", match["number"]))


def version_of(folder_name: str) -> tuple[int, ...] | None:
    """Return the version that is a folder's whole name (``0.10``, ``v2``), or None."""
    match = VERSION.fullmatch(folder_name)
    return numbers_in(match[0]) if match else None


def numbers_in(name: str) -> tuple[int, ...]:
    """Return all numbers in ``name``, wherever they stand."""
    return tuple(int(digits) for digits in re.findall("[0-9]+", name))


def is_never_migration(file_name: str) -> bool:
    """Return whether a file or folder of this name is never a migration."""
    lower = file_name.lower()
    return (
        lower.startswith(".")
        or (lower.startswith("_") and lower.endswith(".py"))  # what the others import
        or lower in NEVER_MIGRATIONS
        or lower.endswith((*NEVER_ENDINGS, *OF_EDITORS))
        or (lower.startswith("readme") and not split_name(file_name)[1])
    )


def name_fault(file_name: str, siblings: frozenset[str]) -> tuple[str, str] | None:
    """Return what is doubtful about a name that ends like a migration's, and the remedy, or None.

    A typo must not turn the down file of one migration into a migration of its own.
    """
    name, ending = split_name(file_name)
    if flyway_name(file_name):
        return None
    if not name.strip():
        return "the file has no name before its ending", f"write 001_NAME{ending}"
    match = WORD_AFTER_DOT.fullmatch(name)
    if match and _is_nearly_an_ending(match["word"].lower()):
        return (
            f"'{match[1]}{ending}' is no ending of a migration",
            "write NAME.sql, NAME.py, or NAME.up.sql and NAME.down.sql",
        )
    if doubt := number_fault(file_name):
        return doubt
    if match := HALF_WITHOUT_DOT.fullmatch(name):
        return _half_without_dot(match[1], ending, siblings)
    return None


def _is_nearly_an_ending(word: str) -> bool:
    """Return whether a word is none, or one of LAST_WORDS with a letter wrong or two swapped."""
    return not word or any(
        sorted(word) == sorted(last) or _differs_by_a_letter(word, last) for last in LAST_WORDS
    )


def _differs_by_a_letter(one: str, other: str) -> bool:
    """Return whether one letter more, less or another makes ``one`` of ``other``."""
    start = _in_common(one, other)
    end = _in_common(one[start:][::-1], other[start:][::-1])
    return max(len(one), len(other)) - start - end <= 1


def _in_common(one: str, other: str) -> int:
    """Return how many letters are the same at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def number_fault(name: str) -> tuple[str, str] | None:
    """Return what is doubtful about a name's number, and the remedy, or None."""
    match = DIGITS_FIRST.fullmatch(name)
    if match is None or (leading_number(name) and not match["rest"][:1].isalpha()):
        return None
    digits, rest = match["digits"], match["rest"]
    return (
        f"it cannot be told whether {digits} is the migration's number",
        f"write {digits}_{rest}, or a name that begins with a letter",
    )


def _half_without_dot(stem: str, ending: str, siblings: frozenset[str]) -> tuple[str, str] | None:
    """Return what is wrong with ``x_down.sql`` beside ``x_up.sql`` or ``x.sql``."""
    ups = {f"{stem}{up}".lower() for up in ("_up.sql", "-up.sql", ".up.sql", ".sql")}
    if ending != ".sql" or ups.isdisjoint(sibling.lower() for sibling in siblings):
        return None
    return (
        "a down file whose name makes it a migration of its own",
        f"write {stem}.down.sql, and {stem}.up.sql for the up part",
    )
