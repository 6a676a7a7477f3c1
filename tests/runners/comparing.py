"""A folder run by a tool and by its profile, and the table of what came of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.runners.contents import differences, lines_of
from tests.runners.environments import KEPT
from tests.runners.folders import make_seed
from tests.runners.forms import NotHeld
from tests.runners.ours import Result, run_ours
from tests.runners.tools import run_tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.runners.folders import Folder
    from tests.runners.tools import Ending, Tool

SAME = "same"
REFUSED = "both refuse"
DIFFERS = "DIFFERS"
LEFT = "left to differ"
MISSING = "not installed"
SEED = "seed.db"
NOT_HELD = "-"  # its form cannot hold the folder


@dataclass(frozen=True)
class Cell:
    """What came of one folder with one tool; ``note`` is why, or what differs."""

    folder: str
    tool: str
    outcome: str
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether something was held against the tool."""
        return self.outcome in (SAME, REFUSED)


@dataclass(frozen=True)
class Trial:
    """A folder laid out for a tool, and how the tool has ended; ``cell`` where it could not be."""

    folder: Folder
    tool: Tool
    root: Path
    ending: Ending | None
    cell: Cell | None = None


def try_out(folder: Folder, tool: Tool) -> Trial:
    """Run ``folder`` by ``tool`` itself."""
    root = KEPT / "work" / tool.name / folder.name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    lack = folder.not_held.get(tool.name, "")
    if folder.only and tool.name not in folder.only:
        lack = "it is about others"
    if folder.goes_down and tool.down is None:
        lack = "it goes no way back"
    if not lack:
        try:
            tool.lay(folder, root)
        except NotHeld as error:
            lack = f"{error}"
    if lack:
        cell = Cell(folder.name, tool.name, NOT_HELD, lack)
        return Trial(folder, tool, root, None, cell)
    database = tool.place(root)
    make_seed(root / SEED, folder.seed)
    shutil.copy(root / SEED, database)
    if tool.ledger:
        make_seed(database, tool.ledger)
    ending = run_tool(tool.up(database), root)
    if folder.goes_down and tool.down is not None and not ending.code:
        ending = run_tool(tool.down(database), root)
    (root / "said.txt").write_text(f"{ending.said}\n")
    return Trial(folder, tool, root, ending)


def hold(trial: Trial) -> Cell:
    """Return whether the profile of the tool gives what the tool gave."""
    if trial.ending is None or trial.cell is not None:
        assert trial.cell is not None
        return trial.cell
    folder, tool, root = trial.folder, trial.tool, trial.root
    ours = run_ours(tool, root, root / SEED, goes_down=folder.goes_down)
    return judge(folder, tool.name, trial.ending, lines_of(tool.place(root)), ours)


def judge(folder: Folder, tool: str, ending: Ending, real: Sequence[str], ours: Result) -> Cell:
    """Return whether a tool that has ended so, and left ``real``, agrees with what ours gave."""
    outcome, note = _compare(ending, real, ours)
    expected = folder.not_imitated.get(tool)
    if expected and outcome == DIFFERS:
        return Cell(folder.name, tool, LEFT, expected)
    if expected:
        note = f"it is no longer so that it is left to differ: {expected}"
        return Cell(folder.name, tool, DIFFERS, note)
    return Cell(folder.name, tool, outcome, note)


def _compare(ending: Ending, real: Sequence[str], ours: Result) -> tuple[str, str]:
    if bool(ending.code) != bool(ours.refusal):
        who = "the tool refuses" if ending.code else "the profile refuses"
        last = ending.said.splitlines()[-1:] if ending.code else [ours.refusal]
        return DIFFERS, f"{who}: {' '.join(last)}"
    if ours.content is not None and (found := differences(real, lines_of(ours.content))):
        return DIFFERS, "; ".join(found[:6])
    return (REFUSED, ours.refusal) if ours.refusal else (SAME, "")


def table(cells: Iterable[Cell], folders: Sequence[str], tools: Sequence[str]) -> list[str]:
    """Return the lines of the table, a row a folder, and below it what the words do not say."""
    by_place = {(cell.folder, cell.tool): cell for cell in cells}
    width = max(len(name) for name in ("folder", *folders)) + 2
    widths = [max(len(name), len(LEFT)) + 2 for name in tools]
    lines = ["folder".ljust(width) + "".join(map(str.ljust, tools, widths))]
    for folder in folders:
        row = [by_place[folder, tool].outcome for tool in tools]
        lines.append(folder.ljust(width) + "".join(map(str.ljust, row, widths)))
    return [line.rstrip() for line in lines]


def notes(cells: Iterable[Cell]) -> list[str]:
    """Return a line for each cell that differs or is left to."""
    return [
        f"{cell.folder} x {cell.tool}: {cell.outcome}: {cell.note}"
        for cell in cells
        if cell.outcome in (DIFFERS, LEFT, MISSING)
    ]


def unheld(cells: Sequence[Cell]) -> list[str]:
    """Return the folders and the tools that are there of which nothing was held against another."""
    tried = [cell for cell in cells if cell.outcome != MISSING]
    held = {name for cell in tried if cell.counts for name in (cell.folder, cell.tool)}
    return sorted({name for cell in tried for name in (cell.folder, cell.tool)} - held)


def is_good(cells: Sequence[Cell], *, allow_missing: bool) -> bool:
    """Return whether all agree, each tool was held against something, and so was each folder."""
    tried = [cell for cell in cells if cell.outcome != MISSING]
    if not tried or (len(tried) < len(cells) and not allow_missing):
        return False
    return not unheld(cells) and all(cell.outcome != DIFFERS for cell in tried)
