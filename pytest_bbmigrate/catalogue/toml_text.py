"""Where the strings of a TOML file stand: its reader in Python does not say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.catalogue.text import fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# A comment, a string of each of the four kinds, or what stands bare: a key, of the texts asked for.
TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r'|(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<bare>[A-Za-z0-9_-]+)",
    re.DOTALL,
)
PLACE_OF_ERROR = re.compile(r" \(at (?:line (?P<line>[0-9]+), column [0-9]+|end of document)\)$")


@dataclass(frozen=True)
class PlacedText:
    """A key or a string of a TOML file, and from where to where it stands, its quotes included."""

    text: str
    start: int
    end: int
    line: int


def read_toml(path: Path, text: str) -> dict[str, Any]:
    """Return what a TOML file holds. Raises: CatalogueError."""
    import tomllib  # few folders have such a file

    try:
        return tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = PLACE_OF_ERROR.search(str(error))
        message = PLACE_OF_ERROR.sub("", str(error)) or "nested too deeply"
        line = int(place["line"]) if place and place["line"] else None
        raise fault(path, f"this is no TOML: {message}", "correct it", line) from error


def place_texts(text: str, wanted: Iterable[str]) -> Iterator[PlacedText]:
    """Yield the place of each key and string of ``wanted``, which are in the order of ``text``."""
    tokens = _texts_of(text)
    for each in wanted:
        yield next(token for token in tokens if token.text == each)


def _texts_of(text: str) -> Iterator[PlacedText]:
    line, counted_to = 1, 0
    for match in TOKEN.finditer(text):
        line += text.count("\n", counted_to, match.start())
        counted_to = match.start()
        if match["comment"] is None:
            yield PlacedText(_meaning(match), match.start(), match.end(), line)


def _meaning(match: re.Match[str]) -> str:
    if match["string"] is None:
        return match[0]
    import tomllib

    string = match[0].replace("\r\n", "\n")
    value: str = tomllib.loads(f"x = {string}")["x"]
    return value
