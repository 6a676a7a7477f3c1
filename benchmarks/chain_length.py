"""How the cost of a check run grows with the number of migrations.

Runs ``pytest --bb-check-migrations`` on 50 and on 200 trivial migrations, each a table of its own
with a way back, in turns, and prints the median seconds and their ratio. Four times as many
migrations should cost about four times as much: the chain is linear when the ratio is five or less.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (50, 200)
TURNS = 3
OTHERS_OFF = ("-p", "no:anyio", "-p", "no:hypothesispytest")  # plugins of what the tests use
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # would compile the package anew in every run
MIGRATION = """-- migrate:up
CREATE TABLE table_{number} (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    amount_cents INTEGER NOT NULL DEFAULT 0,
    note TEXT
);

-- migrate:down
DROP TABLE table_{number};
"""


def write_project(folder: Path, size: int) -> None:
    """Write ``size`` trivial migrations."""
    migrations = folder / "migrations"
    migrations.mkdir()
    for number in range(1, size + 1):
        path = migrations / f"{number:03}_table_{number}.sql"
        path.write_text(MIGRATION.format(number=number))


def time_run(folder: Path) -> float:
    """Return the wall seconds of one check run."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--bb-check-migrations",
        "-q",
        "-p",
        "no:cacheprovider",
        *OTHERS_OFF,
    ]
    settings = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=settings, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Time both sizes in turns and print what they cost."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {size: Path(scratch) / str(size) for size in SIZES}
        for size, folder in folders.items():
            folder.mkdir()
            write_project(folder, size)
        seconds: dict[int, list[float]] = {size: [] for size in SIZES}
        for _ in range(TURNS):
            for size, folder in folders.items():
                seconds[size].append(time_run(folder))
    medians = {size: statistics.median(taken) for size, taken in seconds.items()}
    for size, median in medians.items():
        print(f"{size:>4} migrations: {median:6.2f} s")
    small, large = SIZES
    print(f"ratio {large} to {small}: {medians[large] / medians[small]:.2f}")


if __name__ == "__main__":
    main()
