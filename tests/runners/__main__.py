"""Install the tools, run each folder by each, and print the table."""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.matrix.environments import Broken
from tests.runners.comparing import MISSING, Cell, hold, is_good, notes, table, try_out, unheld
from tests.runners.environments import provide
from tests.runners.folders import read_folders
from tests.runners.tools import NOT_HELD, TOOLS
from tests.telling import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.runners.folders import Folder
    from tests.runners.tools import Tool


def main() -> None:
    """Print the table, and exit with 1 unless every tool is there and agrees with its profile."""
    parser = argparse.ArgumentParser(prog="python -m tests.runners")
    parser.add_argument("--allow-missing", action="store_true", help="of tools not to be had here")
    parser.add_argument("--tool", action="append", help="only this one; may be repeated")
    parser.add_argument("--folder", action="append", help="only this one; may be repeated")
    asked = parser.parse_args()
    tools = [tool for tool in TOOLS if not asked.tool or tool.name in asked.tool]
    folders = [it for it in read_folders() if not asked.folder or it.name in asked.folder]
    lacks = {tool.name: lack for tool in tools if (lack := _lack_of(tool))}
    for tool in tools:
        tell(f"{tool.name}: profile {tool.profile}, {lacks.get(tool.name) or tool.versions}")
    for profile, why in NOT_HELD.items():
        tell(f"profile {profile} is held against nothing: {why}")
    cells = _cells(folders, tools, lacks)
    tell("", *table(cells, [it.name for it in folders], [tool.name for tool in tools]))
    tell("", *notes(cells), *(f"nothing was held against {name}" for name in unheld(cells)))
    if not is_good(cells, allow_missing=asked.allow_missing):
        sys.exit(1)


def _lack_of(tool: Tool) -> str:
    """Return why ``tool`` is not there, '' where it is."""
    try:
        provide(tool.environment)
    except Broken as error:
        return f"{MISSING}: {error}"
    return ""


def _cells(folders: Sequence[Folder], tools: Sequence[Tool], lacks: dict[str, str]) -> list[Cell]:
    """Return what came of each; the tools run side by side, ours one after the other."""
    pairs = [(folder, tool) for tool in tools for folder in folders]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        trials = list(
            pool.map(lambda pair: None if pair[1].name in lacks else try_out(*pair), pairs)
        )
    return [
        hold(trial) if trial else Cell(folder.name, tool.name, MISSING, lacks[tool.name])
        for (folder, tool), trial in zip(pairs, trials, strict=True)
    ]


if __name__ == "__main__":
    main()
