"""What the checks of whole folders cost: of this repository, and of public ones where told."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.apply import peak_of
from benchmarks.rivals import QUIETLY
from benchmarks.timing import ROOT, cost_of, shown, table

if TYPE_CHECKING:
    from benchmarks.timing import Bench, Cost

OWN = {
    "migrations": ROOT,
    "fixtures/legacy": ROOT / "fixtures" / "legacy",
    "fixtures/service": ROOT / "fixtures" / "service",
}
TURNS = 3
SETTINGS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def measure(bench: Bench) -> str:
    """Return the section on whole folders."""
    costs = bench.in_turns(
        {name: partial(check_folder, folder) for name, folder in OWN.items()}, TURNS
    )
    others = projects_in(bench.folders) if bench.folders else {}
    costs |= bench.in_turns(
        {name: partial(check_folder, folder) for name, folder in others.items()}, 1
    )
    lines = [[name, shown(cost), peak_of(cost)] for name, cost in costs.items()]
    told = (
        "public ones as they are found, one turn; how they are told from others and what was found"
        " is in `docs/in-the-wild.md`"
        if others
        else "public ones where `--folders` or `$BENCH_FOLDERS` names a folder of them: none here"
    )
    return f"The checks of this repository's own folders, and of {told}.\n\n" + table(
        ("folder", "seconds", "largest process, MB"), lines
    )


def projects_in(folder: Path) -> dict[str, Path]:
    """Return the projects in ``folder`` by name: folders with settings of pytest."""
    return {
        path.name: path
        for path in sorted(Path(folder).iterdir())
        if any((path / name).is_file() for name in SETTINGS)
    }


def check_folder(folder: Path) -> Cost:
    """Return what the checks of a folder cost, whether they pass or fail."""
    command = [sys.executable, "-m", "pytest", "--bb-check-migrations", *QUIETLY]
    return cost_of(command, folder, accepts=(0, 1))
