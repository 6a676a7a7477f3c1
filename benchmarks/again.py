"""What the next run costs: with nothing edited, and after an edit of the last file."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from benchmarks.folders import step, write_project
from benchmarks.rivals import EMPTY, ITEMS
from benchmarks.timing import cost_of, shown, table, times

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.timing import Bench, Cost

SIZES, QUICK_SIZES = (50, 200), (20,)
TURNS = 3
PLUGINS = ("-q", "-p", "no:anyio", "-p", "no:hypothesispytest")  # with pytest's cache
HEADINGS = (
    "migrations",
    "as many empty items",
    "nothing kept",
    "nothing edited",
    "last file edited",
    "nothing edited, times the empty items",
    "last file edited, times the empty items",
)


def run(project: Path, *arguments: str) -> Cost:
    """Return what one session in ``project`` costs."""
    return cost_of([sys.executable, "-m", "pytest", *PLUGINS, *arguments], project)


def run_fresh(project: Path) -> Cost:
    """Return what a check run costs that finds nothing kept."""
    shutil.rmtree(project / ".pytest_cache", ignore_errors=True)
    return run(project, "--bb-check-migrations")


def run_edited(project: Path, size: int, edits: count[int]) -> Cost:
    """Return what a check run costs after another edit of the last migration."""
    name = f"{size}_{next(edits)}"
    up, down = (each.replace(str(size), name) for each in step(size))
    (project / "migrations" / f"{size:03}_step.up.sql").write_text(f"{up};\n")
    (project / "migrations" / f"{size:03}_step.down.sql").write_text(f"{down};\n")
    return run(project, "--bb-check-migrations")


def write_empty(folder: Path, size: int) -> Path:
    """Write as many items that do nothing as ``size`` migrations have."""
    folder.mkdir()
    (folder / "test_nothing.py").write_text(EMPTY.format(count=size * ITEMS + 1))
    (folder / "pytest.ini").write_text("[pytest]\n")
    return folder


def measure(bench: Bench) -> str:
    """Return the section on the next run."""
    lines = []
    for size in QUICK_SIZES if bench.quick else SIZES:
        project = write_project(bench.scratch / f"{size}", size, 0)
        empty = write_empty(bench.scratch / f"empty_{size}", size)
        costs = bench.in_turns(
            {
                HEADINGS[1]: partial(run, empty),
                HEADINGS[2]: partial(run_fresh, project),
                HEADINGS[3]: partial(run, project, "--bb-check-migrations"),
                HEADINGS[4]: partial(run_edited, project, size, count()),
            },
            TURNS,
        )
        ratios = [times(costs[name], costs[HEADINGS[1]]) for name in HEADINGS[3:5]]
        lines.append([str(size), *map(shown, costs.values()), *ratios])
    return (
        "The migrations of the chains above, on a base without rows: of those of a base nothing is"
        " kept. All sessions have pytest's cache.\n\n" + table(HEADINGS, lines)
    )
