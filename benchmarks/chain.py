"""How the cost of a check run grows with migrations and rows, beside the floor and a rival."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.folders import write_project
from benchmarks.rivals import PINNED, QUIETLY, alembic_python, floor, run_alembic, write_alembic
from benchmarks.timing import cost_of, in_turns, shown, table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.timing import Cost

SIZES, QUICK_SIZES = (50, 100, 200, 400), (25, 50)
ROWS = (0, 10_000)
TURNS = 3


def check_migrations(project: Path) -> Cost:
    """Return what one check run of ``project`` costs."""
    command = [sys.executable, "-m", "pytest", "--bb-check-migrations", *QUIETLY]
    return cost_of(command, project)


def measure(scratch: Path, *, quick: bool) -> str:
    """Return the section on chains of migrations."""
    alembic_python()  # installed before anything is timed
    lines = []
    per_migration: dict[tuple[int, int], float] = {}
    for rows in ROWS:
        for size in QUICK_SIZES if quick else SIZES:
            name = f"{size}_{rows}"
            project = write_project(scratch / name, size, rows)
            revisions = write_alembic(scratch / f"alembic_{name}", size, rows)
            costs = in_turns(
                {
                    "ours": partial(check_migrations, project),
                    "alembic": partial(run_alembic, revisions),
                    "floor": partial(floor, project, size),
                },
                1 if quick else TURNS,
            )
            ours, alembic, lowest = costs["ours"], costs["alembic"], costs["floor"]
            per_migration[rows, size] = ours.cpu / size
            smallest = min(of_size for of_rows, of_size in per_migration if of_rows == rows)
            growth = per_migration[rows, size] / per_migration[rows, smallest]
            lines.append(
                [
                    str(size),
                    f"{rows:,}",
                    *map(shown, (ours, alembic, lowest)),
                    f"{ours.wall / lowest.wall:.1f} ({ours.cpu / lowest.cpu:.1f})",
                    f"{ours.wall / alembic.wall:.1f} ({ours.cpu / alembic.cpu:.1f})",
                    f"{growth:.2f}",
                ]
            )
    headings = (
        "migrations",
        "rows in one table",
        "this project",
        "pytest-alembic",
        "floor",
        "times the floor",
        "times pytest-alembic",
        "a migration's processor time, times that at the smallest",
    )
    return (
        "## Chains of migrations\n\n"
        f"Beside {', '.join(PINNED)} in an environment of their own."
        " The same tables, columns, indexes and references, each with its way back. pytest-alembic"
        " runs its tests of one head, of going up, and of going up, down and up; it compares no"
        " value. The floor is plain `sqlite3` going up, down and up with a snapshot each, and a"
        " session of as many empty items. This project generates 200 rows for each table, or those"
        " that are told beside them.\n\n" + table(headings, lines)
    )
