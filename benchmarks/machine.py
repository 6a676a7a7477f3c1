"""When, where and on what is measured, in words."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.timing import ROOT

TOLD = ("pytest-bbmigrate", "pytest", "pytest-xdist", "faker", "sqlite-utils")
QUICK = "`--quick`: small sizes, one turn"


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
    how = QUICK if quick else "medians of several turns unless it says otherwise"
    return (
        f"Measured {moment:%Y-%m-%d %H:%M} UTC at {commit} ({how}), on {processor()},"
        f" {os.cpu_count()} cores, {platform.system()} {platform.release()}; load before: {load}."
        f" Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}."
    )


def processor() -> str:
    """Return the name of the processor, as far as the system tells."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
