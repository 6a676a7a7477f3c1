"""What a file's name says: the migration's name, its number, or that it is no migration at all."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

# What stands before the ending is the migration's name. To golang-migrate there may be anything
# between a half's word and the end, dots too; it finds the halves of a pair by their version.
ENDING = re.compile(r"\.(?:(?P<half>up|down)(?P<dots>\.+)|rollback\.)?sql|\.py", re.IGNORECASE)
PAIR_VERSION = re.compile("[0-9]+_")
# Those to which a half may have two dots before its end; to sqlx it is a migration of its own.
READ_DOUBLED_DOTS = frozenset({"", "bbmigrate", "golang-migrate", "sqlite3"})
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


@lru_cache(10_000)  # a folder's names are asked for a dozen times each
def split_name(file_name: str) -> tuple[str, str]:
    """Return a file's name as (the migration's name, ending); the ending is '' for any other.

    It is in lower case, and has no dot twice: ``1_a.up..sql`` ends like ``1_a.up.sql``.
    """
    match = _ending_of(file_name)
    if match is None:
        return file_name, ""
    ending = f".{match['half']}.sql" if match["half"] else match[0]
    return file_name[: match.start()], ending.lower()


def _ending_of(file_name: str) -> re.Match[str] | None:
    """Return the longest ending of a migration that a file's name has, None where it has none."""
    ends = (match for match in ENDING.finditer(file_name) if match.end() == len(file_name))
    return next(ends, None)


def has_doubled_dots(file_name: str) -> bool:
    """Return whether the name of a half has more than one dot before its end."""
    match = _ending_of(file_name)
    return match is not None and len(match["dots"] or "") > 1


def pair_version(file_name: str) -> tuple[int, ...] | None:
    """Return the version by which the halves of a pair are found, None where there is none."""
    return leading_number(file_name) if PAIR_VERSION.match(file_name) else None


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


def name_fault(
    file_name: str, folded: frozenset[str], *, runner: str = "", beside_pairs: bool = False
) -> tuple[str, str] | None:
    """Return what is doubtful about a name that ends like a migration's, and the remedy, or None.

    A typo must not turn the down file of one migration into a migration of its own. ``folded`` are
    the names in the folder in lower case, ``beside_pairs`` is whether halves of pairs are among
    them; ``runner`` is the tool that is known to run them.
    """
    name, ending = split_name(file_name)
    if flyway_name(file_name):
        return None
    if not name.strip(" ."):
        return "the file has no name before its ending", f"write 001_NAME{ending}"
    if (begins := _no_ending(file_name, runner, beside_pairs=beside_pairs)) is not None:
        return (
            f"'{file_name[begins:]}' is no ending of a migration",
            "write NAME.sql, NAME.py, or NAME.up.sql and NAME.down.sql",
        )
    if doubt := number_fault(file_name):
        return doubt
    if match := HALF_WITHOUT_DOT.fullmatch(name):
        return _half_without_dot(match[1], ending, folded)
    return None


def _no_ending(file_name: str, runner: str, *, beside_pairs: bool) -> int | None:
    """Return where in a name something begins that is nearly an ending; None where nothing is.

    Dots at the end of what stands before the ending are a part of the name, as the tools have it,
    but not where a half may have been meant.
    """
    name, ending = split_name(file_name)
    if has_doubled_dots(file_name) and runner not in READ_DOUBLED_DOTS:
        return len(name)
    if name.endswith(".") and (ending == ".py" or (ending == ".sql" and beside_pairs)):
        return len(name) - 1
    match = WORD_AFTER_DOT.fullmatch(name.rstrip("."))
    if match and _is_nearly_an_ending(match["word"].lower()):
        return match.start(1)
    return None


def _is_nearly_an_ending(word: str) -> bool:
    """Return whether a word is one of LAST_WORDS, perhaps with a letter wrong or two swapped."""
    return any(
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


def _half_without_dot(stem: str, ending: str, folded: frozenset[str]) -> tuple[str, str] | None:
    """Return what is wrong with ``x_down.sql`` beside ``x_up.sql`` or ``x.sql``."""
    ups = {f"{stem}{up}".lower() for up in ("_up.sql", "-up.sql", ".up.sql", ".sql")}
    if ending != ".sql" or ups.isdisjoint(folded):
        return None
    return (
        "a down file whose name makes it a migration of its own",
        f"write {stem}.down.sql, and {stem}.up.sql for the up part",
    )
