"""``${name}`` in SQL, as Flyway has it: replaced everywhere, in strings and comments too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, Problem
from pytest_bbmigrate.nearest import similar_to

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PLACEHOLDER = re.compile(r"\$\{([^{}\r\n]*)\}")


def fill_in(path: Path, text: str, values: Mapping[str, str]) -> str:
    """Return ``text`` with the value of each placeholder in its place; lines stay where they are.

    Raises: CatalogueError with the line of each that has no value.
    """
    problems = [
        Problem(
            path,
            text.count("\n", 0, match.start()) + 1,
            f"the placeholder {match[0]} has no value",
            f"give it one in bb_placeholders, with a line `{match[1]} = VALUE`"
            + _nearest(match[1], values),
        )
        for match in PLACEHOLDER.finditer(text)
        if match[1] not in values
    ]
    if problems:
        raise CatalogueError(problems)
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _nearest(name: str, values: Mapping[str, str]) -> str:
    nearest = similar_to(name, values)
    return f" (there is {nearest})" if nearest else ""
