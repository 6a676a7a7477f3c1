"""Commands timed in turns, and the machine that they ran on."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parent.parent
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # would compile the package anew in every run
TOLD = ("pytest-bbmigrate", "pytest", "pytest-xdist", "faker", "sqlite-utils")


@dataclass(frozen=True)
class Cost:
    """What one run cost: seconds on the clock, and of processors in all of its processes."""

    wall: float
    cpu: float


def cost_of(command: Sequence[str | Path], folder: Path) -> Cost:
    """Return what a command cost that must succeed; exit with its output where it fails."""
    settings = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=settings, check=False, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{[*map(str, command)]} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, used)


def in_turns(runs: Mapping[str, Callable[[], Cost]], turns: int) -> dict[str, Cost]:
    """Run each of ``runs`` once in every turn; return the medians of what they cost.

    Turns, so that what else the machine does meanwhile meets all of them alike.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            costs[name].append(run())
    return {
        name: Cost(
            statistics.median(cost.wall for cost in taken),
            statistics.median(cost.cpu for cost in taken),
        )
        for name, taken in costs.items()
    }


def describe_machine(*, quick: bool) -> str:
    """Return in words when, where and on what this is measured."""
    moment = datetime.now(UTC)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 -- whichever is there
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    ).stdout.strip()
    versions = ", ".join(f"{name} {version(name)}" for name in TOLD)
    how = "`--quick`: small sizes, one turn" if quick else "medians of several turns"
    return (
        f"Measured {moment:%Y-%m-%d %H:%M} UTC at {commit} ({how}), on {processor()},"
        f" {os.cpu_count()} cores, {platform.system()} {platform.release()}; load before: {load}."
        f"\nPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}."
        "\nSeconds on the clock; in brackets those of processors, in all processes of a run."
    )


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    every = [headings, ["---"] * len(headings), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in every) + "\n"


def shown(cost: Cost) -> str:
    """Return a cost as it stands in a table."""
    return f"{cost.wall:.2f} ({cost.cpu:.2f})"
