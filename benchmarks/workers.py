"""What a second core and a second worker are worth."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.chain import check_migrations
from benchmarks.folders import write_project
from benchmarks.timing import shown, table, times

if TYPE_CHECKING:
    from benchmarks.timing import Bench

SIZE, QUICK_SIZE = 200, 25
ROWS = 10_000
TURNS = 3
ONE_CORE = ("taskset", "-c", "0")
ALONE = "no workers: the sandbox works ahead on all cores"
RUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ALONE: ((), ()),
    "no workers, one core (`taskset -c 0`)": (ONE_CORE, ()),
    "`-n 1`": ((), ("-n", "1")),
    "`-n 2`": ((), ("-n", "2")),
    "`-n 2`, one core": (ONE_CORE, ("-n", "2")),
}


def measure(bench: Bench) -> str:
    """Return the section on workers and cores."""
    size = QUICK_SIZE if bench.quick else SIZE
    project = write_project(bench.scratch / "project", size, ROWS)
    costs = bench.in_turns(
        {
            name: partial(check_migrations, project, *options, before=before)
            for name, (before, options) in RUNS.items()
        },
        TURNS,
    )
    lines = [[name, shown(cost), times(cost, costs[ALONE])] for name, cost in costs.items()]
    return f"The checks of {size} migrations on {ROWS:,} rows in one table.\n\n" + table(
        ("run", "seconds", "times the first"), lines
    )
