"""What to do about messages that mean something else in another statement."""

from __future__ import annotations

import re

UNIQUE = re.compile(
    r"^UNIQUE constraint failed: (?P<table>[^.;]+)\.(?P<column>[^,;]+)(?P<more>,[^;]*)?$"
)
NOT_NULL = re.compile(r"^NOT NULL constraint failed: (?P<table>[^.;]+)\.(?P<column>[^;]+)$")
ORPHANED = "FOREIGN KEY constraint failed"
# json_extract(x.value, ..) of an x that json_each(..) gives.
ELEMENT = re.compile(
    r"^(?=.*\bJSON_(?:EACH|TREE) \().*\bJSON_EXTRACT \( (?:\S+ \. )?VALUE ,", re.DOTALL
)
ELEMENT_IS_TEXT = (
    "json_extract reads an element of an array that is a text as JSON, and refuses what is none: "
    "ask for its type first (x.type = 'object')"
)
ABSENT = re.compile(r"^no such (?:table|index|view|trigger|column): ")


def advise_on_statement(message: str, words: str) -> str:
    """Return what to do about ``message``, '' when it means the same in every statement.

    ``words`` is the statement at fault, as ``plain_text`` has it.
    """
    if match := UNIQUE.match(message):
        return advise_on_duplicates(match, words)
    if message.startswith("CHECK constraint failed") and words.startswith("ALTER TABLE "):
        return (
            "the rows there get the new column's default, and it does not meet its own CHECK: "
            "choose another default, or let the CHECK pass NULL and add it without"
        )
    if match := NOT_NULL.match(message):
        return advise_on_null(match["column"], words)
    if message.startswith(ORPHANED):
        return advise_on_orphans(words)
    if message.startswith("malformed JSON") and ELEMENT.search(words):
        return (
            f"{ELEMENT_IS_TEXT}; only where the whole text is no JSON, leave the row out "
            "(json_valid(..))"
        )
    if message.startswith("ATTACH of") and words.startswith("VACUUM "):
        return (
            "VACUUM INTO writes a copy elsewhere, and a migration works on its own database alone: "
            "leave it out (--bb-apply makes a backup first, as --bb-backup does)"
        )
    return advise_on_absent(words, column="no such column" in message) * bool(ABSENT.match(message))


def advise_on_absent(words: str, *, column: bool) -> str:
    """Return what to do about something that is not there, a ``column`` or another."""
    if words.startswith("DROP "):
        return (
            "it may be gone already (DROP TABLE takes indexes and triggers along, RENAME leaves no "
            "old name), or the app makes it (then see bb_base)"
        )
    if words.startswith("ALTER TABLE ") and column:
        return "the table has no column of that name here: was it renamed or dropped before?"
    return ""


def advise_on_duplicates(failed: re.Match[str], words: str) -> str:
    """Return what to do about rows that share what must be unique."""
    more = re.sub(r", [^.]+\.", ", ", failed["more"] or "")
    columns = f"{failed['column']}{more}"
    if is_copy(words):
        return (
            f"two of the rows that it copies get the same {columns}, or one that the table has "
            "already: merge them on the way; if real rows do not, a requires line says so"
        )
    if words.startswith("UPDATE "):
        return (
            f"it gives a second row the same {columns}: another row has these values already, or "
            "gets them as well; merge the two, or leave one as it is"
        )
    if words.startswith(("INSERT ", "REPLACE ")):
        return f"it gives a second row the same {columns}: leave out the rows that have it already"
    return (
        f"the rows there hold duplicates of {columns}: merge them first; if real rows hold none, a "
        "requires line says so"
    )


def advise_on_null(column: str, words: str) -> str:
    """Return what to do about a NULL where none may be."""
    if is_copy(words):
        return (
            f"there are rows without a value for {column}: give them one on the way "
            "(coalesce(..)); if real rows all have one, a requires line says so"
        )
    if words.startswith("UPDATE "):
        return f"it sets {column} to NULL in some rows: give those another value (coalesce(..))"
    if words.startswith(("INSERT ", "REPLACE ")):
        return f"it leaves {column} out, or gives NULL for it: write a value"
    return (
        f"there are rows with NULL in {column}: give them a value first (coalesce(..)); if real "
        "rows have none, a requires line says so"
    )


def advise_on_orphans(words: str) -> str:
    """Return what to do about a reference that a statement on rows would leave without its row.

    '' where it is another that takes them away: DROP TABLE in a rebuild, or REPLACE.
    """
    if words.startswith("DELETE "):
        return "rows that refer to what it deletes are there yet: delete them first, or move them"
    is_write = words.startswith(("INSERT ", "UPDATE ")) and " OR REPLACE " not in words
    if is_write:
        return (
            "it writes a reference to a row that is not there, or takes the key from rows that "
            "others refer to: insert that row first, write NULL, or move the others first"
        )
    return ""


def is_copy(words: str) -> bool:
    """Return whether a statement is an INSERT .. SELECT."""
    return words.startswith(("INSERT ", "REPLACE ", "WITH ")) and " SELECT " in f"{words} "
