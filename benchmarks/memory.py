"""How much memory the largest process has, as databases grow."""

from __future__ import annotations

import shutil
import sys
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import apply
from benchmarks.chain import check_migrations
from benchmarks.rivals import QUIETLY
from benchmarks.timing import NoCost, cost_of, shown, table

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.timing import Bench, Taken

SIZES, QUICK_SIZES = (1, 100, 1000), (1, 10)
AT_MOST = 100  # MB of what is backed up, or is a base: checks hold their databases in memory
HEADINGS = (
    "MB of the database",
    "`--bb-apply --bb-skip-way-back`, MB",
    "seconds",
    "`--bb-backup`, MB",
    "seconds",
    "`--bb-check-migrations` on it as base, MB",
    "seconds",
)


def measure(bench: Bench) -> str:
    """Return the section on memory."""
    lines = []
    for size in QUICK_SIZES if bench.quick else SIZES:
        folder = apply.write_project(bench.scratch / f"mb_{size}", size)
        costs = bench.in_turns(
            {
                f"apply at {size} MB": partial(apply.by_apply, folder, "--bb-skip-way-back"),
                f"backup at {size} MB": partial(by_backup, folder, size),
                f"checks at {size} MB": partial(by_checks, folder, size),
            },
            1,
        )
        lines.append([f"{size:,}", *(cell for cost in costs.values() for cell in cells(cost))])
        shutil.rmtree(folder)
    return (
        "The most memory that any one process of a run had at a time, in one turn; the same"
        " database and pending migrations as above. Checks judge one migration on a base of that"
        f" size, in memory: neither they nor a backup alone are run over {AT_MOST} MB.\n\n"
        + table(HEADINGS, lines)
    )


def cells(taken: Taken) -> tuple[str, str]:
    """Return the memory and the seconds of a run, as they stand in a table."""
    return apply.peak_of(taken), shown(taken)


def by_backup(folder: Path, size: int) -> Taken:
    """Return what a backup costs, which is a part of an apply as well."""
    if size > AT_MOST:
        return NoCost("not run")
    shutil.copyfile(folder / apply.PRISTINE, folder / apply.DATABASE)
    try:
        return cost_of([sys.executable, "-m", "pytest", "--bb-backup", *QUIETLY], folder)
    finally:
        apply.remove_databases(folder)


def by_checks(folder: Path, size: int) -> Taken:
    """Return what the checks of a migration cost that starts from all those rows."""
    if size > AT_MOST:
        return NoCost("not run")
    project = folder / "on_base"
    (project / "migrations").mkdir(parents=True)
    (project / "pytest.ini").write_text(f"[pytest]\nbb_base = ../{apply.PRISTINE}\n")
    name = "002_trip_tag"
    (project / "migrations" / f"{name}.sql").write_text(apply.PENDING[name])
    return check_migrations(project)
