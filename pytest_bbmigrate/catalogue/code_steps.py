"""Steps in languages that are not run here: refused together, with the tool that runs them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import CatalogueError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_bbmigrate.catalogue.sources import Sources

ENDINGS = (
    *(".go", ".kt", ".kts", ".java", ".swift", ".rs", ".cs", ".rb", ".php", ".sh"),
    *(".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts"),
    ".json",  # Room's schemas are called 1.json
)
# What stands in a file, the tool that wrote it so, and how that is run.
TOOLS = (
    (re.compile(r"ActiveRecord::(?:Migration|Schema)"), "Rails", "`bin/rails db:migrate`"),
    (re.compile(r"\bMigrationInterface\b"), "TypeORM", "`typeorm migration:run`"),
    (re.compile(r"\bqueryInterface\b"), "Sequelize", "`sequelize db:migrate`"),
    (re.compile(r"\bknex\b", re.IGNORECASE), "Knex", "`knex migrate:latest`"),
    (
        re.compile(r"androidx\.room|\bRoomDatabase\b|\"identityHash\""),
        "Room",
        "the app, and test it with Room's MigrationTestHelper",
    ),
)
MOST_SHOWN = 5


def is_code(name: str) -> bool:
    """Return whether a file of this name is code in a language that is not run here."""
    return name.lower().endswith(ENDINGS)


def written_for_a_tool(paths: Sequence[Path], sources: Sources) -> list[Path]:
    """Return those of ``paths`` that are code of a tool that is known here."""
    return [path for path in paths if is_code(path.name) and _tool_of(path, sources)]


def code_problems(paths: Sequence[Path], sources: Sources) -> list[Problem]:
    """Return the one problem with all ``paths`` together, which are code; none for no path."""
    if not paths:
        return []
    endings = " and ".join(sorted({f"*{path.suffix.lower()}" for path in paths}))
    ignored = f"pass {'it' if len(paths) == 1 else 'them'} over with bb_ignore = {endings}"
    tool = next(filter(None, (_tool_of(path, sources) for path in paths)), None)
    if tool is None:
        message = f"a step in a language that is not run here{_others(paths)}"
        them = "it amounts" if len(paths) == 1 else "they amount"
        remedy = f"give the SQL that {them} to with bb_steps = FILE.toml, or {ignored}"
    else:
        message = (
            f"this is a migration of {tool[0]}, which keeps an order of its own{_others(paths)}"
        )
        remedy = f"run it with {tool[1]}, or {ignored}"
    return [Problem(paths[0], None, message, remedy)]


def _others(paths: Sequence[Path]) -> str:
    """Return the names of all paths but the first, in words."""
    shown = [path.name for path in paths[1:MOST_SHOWN]]
    if len(paths) > MOST_SHOWN:
        shown.append(f"{len(paths) - MOST_SHOWN} more")
    return f" (so are {', '.join(shown)})" if shown else ""


def _tool_of(path: Path, sources: Sources) -> tuple[str, str] | None:
    """Return the tool that a file is written for, and the command that runs it, or None."""
    with suppress(CatalogueError):  # of bytes that are no text
        text = sources.text(path)
        for pattern, tool, command in TOOLS:
            if pattern.search(text):
                return tool, command
    return None
