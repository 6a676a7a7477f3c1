"""The SQL that steps in other languages amount to, which stands in the TOML file of bb_steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.catalogue.sql_text import Section
from pytest_bbmigrate.catalogue.text import fault
from pytest_bbmigrate.catalogue.toml_text import place_texts, read_toml
from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.nearest import nearest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from pytest_bbmigrate.catalogue.sources import Sources
    from pytest_bbmigrate.catalogue.toml_text import PlacedText

SHAPE = (
    'write "003_x.go" = "SQL, or the path of an .sql file", or { up = "..", down = ".." } with '
    "the way back"
)
PARTS = ("up", "down")
OPENINGS = ('"""', "'''")


@dataclass(frozen=True)
class Step:
    """What the file ``name`` amounts to, which is told in ``line`` of the TOML file."""

    name: str
    line: int
    up: Section
    down: Section | None


def read_steps(path: Path, text: str, sources: Sources) -> dict[str, Step]:
    """Return what the file that bb_steps names says, by the names of the steps' files.

    Paths in it count from its folder.

    Raises: CatalogueError when it is no TOML, holds anything but SQL, or names a file that is not
        there.
    """
    held = read_toml(path, text)
    wanted = []
    for name, value in held.items():
        parts = {"up": value} if isinstance(value, str) else value
        if not _is_step(parts):
            line = next((each.line for each in place_texts(text, [name])), None)
            raise fault(path, f"what '{name}' amounts to is no SQL", SHAPE, line)
        wanted.append((name, value, parts))
    places = place_texts(text, _texts_of(wanted))
    steps: dict[str, Step] = {}
    for name, value, parts in wanted:
        line = next(places).line
        sections = {}
        for part, sql in parts.items():
            if not isinstance(value, str):
                next(places)  # the word up or down
            sections[part] = _section(path, text, next(places), sql, sources)
        if not sections["up"].text.strip():
            remedy = "write its SQL, or a comment that says why there is none"
            raise fault(path, f"'{name}' amounts to nothing", remedy, line)
        steps[name] = Step(name, line, sections["up"], sections.get("down"))
    return steps


def unknown_steps(
    path: Path, steps: Mapping[str, Step], known: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each of ``steps`` that is none of those ``known`` to be there."""
    for name in steps.keys() - set(known):
        near = nearest_of(name, known)
        yield Problem(
            path,
            steps[name].line,
            f"no step in another language is called '{name}'",
            f"name one that is there, such as {near[0]}, or leave it out"
            if near
            else "name a file of the migration folder that is one, or leave it out",
        )


def _is_step(parts: object) -> bool:
    if not isinstance(parts, dict) or "up" not in parts or not parts.keys() <= set(PARTS):
        return False
    return all(isinstance(sql, str) for sql in parts.values())


def _texts_of(wanted: list[tuple[str, object, dict[str, str]]]) -> Iterator[str]:
    for name, value, parts in wanted:
        yield name
        for part, sql in parts.items():
            if not isinstance(value, str):
                yield part
            yield sql


def _section(path: Path, text: str, place: PlacedText, sql: str, sources: Sources) -> Section:
    """Return the SQL that a string is, or that is in the file that it names."""
    if _is_path(sql):
        file = path.parent / sql.strip()
        try:
            return Section(file, sources.text(file))
        except CatalogueError as error:
            reason = error.problems[0].message
            remedy = "name a file that is there, from the folder of this one"
            raise fault(path, f"{sql.strip()}: {reason}", remedy, place.line) from error
    opening = text[place.start : place.start + 5].replace("\r\n", "\n")
    # TOML leaves out a line end right behind the quotes.
    begins_below = opening[:3] in OPENINGS and opening[3:4] == "\n"
    return Section(path, sql, place.line + begins_below)


def _is_path(sql: str) -> bool:
    return sql.strip().lower().endswith(".sql") and not set(sql.strip()) & set("\n;")
