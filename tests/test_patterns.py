"""What regular expressions in the package may hold, so that every Python reads them alike."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pytest_bbmigrate

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(pytest_bbmigrate.__file__).parent

ESCAPE_OR_SET = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
POSSESSIVE_OR_ATOMIC = re.compile(r"[*+?}]\+|\(\?>")


def strings(source: str) -> Iterator[str]:
    """Yield every string of ``source``, an f-string with ``x`` for what is filled in."""
    within: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            within.update(map(id, node.values))
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif isinstance(node, ast.Constant) and id(node) not in within:
            if isinstance(node.value, bytes):
                yield node.value.decode("latin-1")
            elif isinstance(node.value, str):
                yield node.value


def possessive_or_atomic(source: str) -> list[str]:
    """Return the strings of ``source`` that are patterns with possessive or atomic parts."""
    return [
        text
        for text in strings(source)
        if POSSESSIVE_OR_ATOMIC.search(ESCAPE_OR_SET.sub("x", text))
    ]


# Python before 3.11.5 matches them wrongly, https://github.com/python/cpython/issues/106052
@pytest.mark.parametrize("module", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_no_pattern_of_the_package_is_possessive_or_atomic(module: Path) -> None:
    assert possessive_or_atomic(module.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "pattern",
    ["'a++'", "'a*+'", "'a?+'", "'a{2}+'", "'(?>a)'", "b'a++'", 'r"[^\\]]++"', "f'(?:[{a}]++|b)*'"],
)
def test_a_possessive_or_atomic_part_is_found(pattern: str) -> None:
    assert len(possessive_or_atomic(f"import re\nre.compile({pattern})")) == 1


@pytest.mark.parametrize("pattern", ["'[*+]'", r"r'\*+'", r"r'[]*+\]?+]'", "'a+b*'", "'(?:a)+'"])
def test_a_pattern_without_such_a_part_is_passed(pattern: str) -> None:
    assert possessive_or_atomic(f"import re\nre.compile({pattern})") == []
