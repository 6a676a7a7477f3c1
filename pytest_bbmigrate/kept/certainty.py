"""How far what a folder's migrations do rests on their files alone.

What calls the clock is kept for a day. What draws random values, or may have read anything that no
key knows, is not kept, nor is what comes after it in the folder, whose rows it has changed.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue import PythonPart, ScriptPart, SqlPart
from pytest_bbmigrate.kept.python_reads import texts_used, what_they_reach
from pytest_bbmigrate.sqlite_files import open_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue import Migration, Part
    from pytest_bbmigrate.project import Project

# A name may be quoted, and a comment may stand before the bracket.
CALLED = r"[\"\]`]?(?:\s|--[^\n]*\n|/\*.*?\*/)*\("
CLOCK = re.compile(
    r"current_(?:date|time)"  # and current_timestamp
    rf"|\b(?:date|time|datetime|julianday|unixepoch|strftime|timediff){CALLED}",
    re.IGNORECASE | re.DOTALL,
)
CHANCE = re.compile(rf"\brandom(?:blob)?{CALLED}", re.IGNORECASE | re.DOTALL)
BEYOND = re.compile(rf"\b(?:load_extension|readfile|fts3_tokenizer){CALLED}", re.IGNORECASE)


@dataclass(frozen=True)
class Certainty:
    """Whether what a migration does may depend on the day, and ``why`` none of it is to be kept.

    ``why`` is '' where it is kept.
    """

    by_day: bool = False
    why: str = ""


CERTAIN = Certainty()


def certainties(project: Project) -> Iterator[Certainty]:
    """Yield how certain what rests on the base is, then on each migration in its turn as well."""
    first = certainty_of_texts([*texts_of_base(project), *project.settings.invariants])
    so_far = Certainty(first.by_day, first.why and f"the base, or an invariant, {first.why}")
    yield so_far
    for migration in project.catalogue.migrations:
        own = certainty_of(migration, project.settings.migrations)
        why = so_far.why or (own.why and f"{migration.name} {own.why}")
        so_far = Certainty(so_far.by_day or own.by_day, why)
        yield so_far


def why_nothing(project: Project) -> str:
    """Return why nothing at all of a project may be kept, '' where something may."""
    settings = project.settings
    if settings.rows_from is not None:
        return "bb_rows_from gives rows of your own"
    if project.holds_own:
        return "the base holds rows"
    if settings.connection:
        return "bb_connection may do anything"
    if settings.python is not None:
        return "bb_python names another Python"
    return ""


def what_is_not_kept(project: Project) -> str:
    """Return what of ``project``, whose folder reads, is not kept and why, '' for nothing."""
    if nothing := why_nothing(project):
        return f"nothing is kept for the next run: {nothing}"
    why = next((each.why for each in certainties(project) if each.why), "")
    return why and f"not kept for the next run, nor what comes after it: {why}"


def certainty_of(migration: Migration, folder: Path) -> Certainty:
    """Return how certain it is that a migration does the same again."""
    parts = [part for part in (migration.up, migration.down) if part is not None]
    found = [
        certainty_of_texts(list(texts_in(migration.contract))),
        *(certainty_of_part(part, folder) for part in parts),
    ]
    why = next((each.why for each in found if each.why), "")
    return Certainty(any(each.by_day for each in found), why)


def certainty_of_part(part: Part, folder: Path) -> Certainty:
    """Return how certain it is that one part does the same again."""
    match part:
        case SqlPart():
            return certainty_of_texts([statement.text for statement in part.statements])
        case ScriptPart():
            return Certainty(by_day=True, why="is a script, which may read anything")
        case PythonPart():
            return certainty_of_python(part, folder)


def certainty_of_python(part: PythonPart, folder: Path) -> Certainty:
    """Return how certain it is that a Python part does the same again: for a day, at most."""
    texts = texts_used(part.path, part.texts, folder)
    if not texts:
        return Certainty(by_day=True, why="is not read")
    if reached := what_they_reach(texts, folder):
        return Certainty(by_day=True, why=f"uses {reached}")
    written = [content.decode("utf-8", "replace") for content in texts.values()]
    return replace(certainty_of_texts(written), by_day=True)


def certainty_of_texts(texts: Sequence[object]) -> Certainty:
    """Return how certain it is that SQL in ``texts`` gives the same again."""
    text = "\n".join(map(str, texts))
    if CHANCE.search(text):
        return Certainty(by_day=True, why="draws random values")
    if BEYOND.search(text):
        return Certainty(by_day=True, why="reads what is not in the database")
    return Certainty(by_day=CLOCK.search(text) is not None)


def texts_of_base(project: Project) -> list[str]:
    """Return the statements of the base's schema."""
    if not project.base:
        return []
    with closing(open_image(project.base)) as db:
        try:
            found = db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        except sqlite3.Error:  # it has what only the app's hook knows
            return ["random()"]
    return [str(sql) for (sql,) in found]


def texts_in(value: object) -> Iterator[str]:
    """Yield each text in a value of ours."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from texts_in(each)
    elif is_dataclass(value):
        for named in fields(value):
            yield from texts_in(getattr(value, named.name))
