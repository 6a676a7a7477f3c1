"""How the cost of a check run grows with migrations and rows, beside the floor and two rivals."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.environments import PINNED, python_of
from benchmarks.folders import write_project
from benchmarks.rivals import QUIETLY, floor, run_alembic, run_mrt, write_alembic, write_mrt
from benchmarks.timing import Cost, NoCost, cost_of, shown, table, times

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.timing import Bench, Taken

SIZES, QUICK_SIZES = (50, 100, 200, 400), (25, 50)
ROWS = (0, 10_000)
TURNS = 3
MRT_SIZES = {(25, 0), (50, 0), (200, 10_000)}  # once each: it takes minutes
MRT_SECONDS, QUICK_MRT_SECONDS = 300.0, 20.0
HEADINGS = (
    "migrations",
    "rows in one table",
    "this project",
    "floor",
    "pytest-alembic",
    "pytest-mrt, one turn",
    "times the floor",
    "times pytest-alembic",
    "a migration's processor time, times that at the smallest",
)


def check_migrations(project: Path, *options: str, before: tuple[str, ...] = ()) -> Cost:
    """Return what one check run of ``project`` costs, started by the command ``before``."""
    command = [*before, sys.executable, "-m", "pytest", "--bb-check-migrations", *QUIETLY]
    return cost_of([*command, *options], project)


def measure(bench: Bench) -> str:
    """Return the section on chains of migrations."""
    for name in ("alembic", "mrt"):
        python_of(name)  # installed before anything is timed
    lines = []
    for rows in ROWS:
        smallest: Taken = NoCost("")
        for size in QUICK_SIZES if bench.quick else SIZES:
            costs = measure_one(bench, size, rows)
            ours = costs["this project"]
            if size == (QUICK_SIZES if bench.quick else SIZES)[0]:
                smallest, least = ours, size
            lines.append(
                [
                    str(size),
                    f"{rows:,}",
                    *(shown(costs[name]) for name in HEADINGS[2:6]),
                    times(ours, costs["floor"]),
                    times(ours, costs["pytest-alembic"]),
                    growth(ours, size, smallest, least),
                ]
            )
    told = [", ".join(PINNED[name]) for name in ("alembic", "mrt")]
    return (
        f"Beside {' and '.join(told)}, each in an environment of its own."
        " The same tables, columns, indexes and references, each with its way back. pytest-alembic"
        " runs its tests of one head, of going up, and of going up, down and up; it compares no"
        " value. pytest-mrt runs the tests that it brings along, in which it adds three rows to"
        " each table and looks for those. The floor is plain `sqlite3` going up, down and up with"
        " a snapshot each, and a session of as many empty items. This project generates 200 rows"
        " for each table, or takes those that are in the base, which all start from.\n\n"
        + table(HEADINGS, lines)
    )


def measure_one(bench: Bench, size: int, rows: int) -> dict[str, Taken]:
    """Return what each of those that are compared costs, by their headings."""
    name = f"{size}_{rows}"
    project = write_project(bench.scratch / name, size, rows)
    revisions = write_alembic(bench.scratch / f"alembic_{name}", size, rows)
    runs: dict[str, Callable[[], Taken]] = {
        "this project": partial(check_migrations, project),
        "floor": partial(floor, project, size),
        "pytest-alembic": partial(run_alembic, revisions),
    }
    costs = bench.in_turns(runs, TURNS if size < SIZES[-1] else 1)
    last = HEADINGS[5]
    if (size, rows) not in MRT_SIZES:
        return {**costs, last: NoCost("not run")}
    folder = write_mrt(bench.scratch / f"mrt_{name}", size, rows)
    seconds = QUICK_MRT_SECONDS if bench.quick else MRT_SECONDS
    return {**costs, last: bench.attempt(last, partial(run_mrt, folder, seconds))}


def growth(taken: Taken, size: int, smallest: Taken, least: int) -> str:
    """Return how much more a migration costs than one of the smallest folder."""
    if isinstance(taken, NoCost) or isinstance(smallest, NoCost):
        return "-"
    return f"{taken.cpu / size / (smallest.cpu / least):.2f}"
