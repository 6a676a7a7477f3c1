"""Have coverage.py, where it measures this process, measure one that it starts as well.

That one may write to its own folder alone, so what it measures lies there until it is handed over
(https://coverage.readthedocs.io/en/latest/subprocess.html).
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = "measured"
# Variables that have coverage.py start by itself in a new process.
VARIABLES = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG", "COV_CORE_DATAFILE")


@dataclass(frozen=True)
class Measurement:
    """What coverage.py measures here, by the names of its options, and the file of its data."""

    data_file: Path
    branch: bool
    source: tuple[str, ...]
    source_pkgs: tuple[str, ...]
    include: tuple[str, ...]
    omit: tuple[str, ...]


class Measured:
    """Where this process puts what is measured in it; None where nothing is."""

    folder: Path | None = None


def measurement() -> Measurement | None:
    """Return what is measured in this process; None for nothing."""
    if "coverage" not in sys.modules:
        return None
    from coverage import Coverage

    coverage = Coverage.current()
    if coverage is None:
        return None

    def names(option: str) -> tuple[str, ...]:
        """Return an option that is a list of names."""
        value = coverage.get_option(f"run:{option}")
        return tuple(map(str, value)) if isinstance(value, list) else ()

    return Measurement(
        Path(str(coverage.get_option("run:data_file"))).absolute(),
        bool(coverage.get_option("run:branch")),
        names("source"),
        names("source_pkgs"),
        names("include"),
        names("omit"),
    )


def start_measuring(what: Measurement, folder: Path) -> None:
    """Measure this process; what is measured goes into ``folder``, which is made."""
    from coverage import Coverage

    folder.mkdir()
    coverage = Coverage(
        data_file=str(folder / what.data_file.name),
        data_suffix=True,
        auto_data=True,
        config_file=False,
        branch=what.branch,
        source=list(what.source) or None,
        source_pkgs=list(what.source_pkgs) or None,
        include=list(what.include) or None,
        omit=list(what.omit) or None,
    )
    coverage.start()
    Measured.folder = folder


def measured_folders() -> list[str]:
    """Return the folder that a process which was forked from this one must write to, if any."""
    return [] if Measured.folder is None else [str(Measured.folder)]


def save_measured() -> None:
    """Write what was measured in this process, which ends without Python's own end.

    In one that was forked from a process that coverage.py has not started by itself, nothing is:
    both would have the same file.
    """
    starts_itself = any(name in os.environ for name in VARIABLES)
    if "coverage" not in sys.modules or not (Measured.folder or starts_itself):
        return
    from coverage import Coverage

    coverage = Coverage.current()
    if coverage is not None:
        coverage.stop()
        # What cannot be written is lost, and that is nobody's output.
        with warnings.catch_warnings(action="ignore"), suppress(Exception):
            coverage.save()


def measures_nothing_itself() -> None:
    """Keep coverage.py from starting by itself in this process, at a file it may not write."""
    for name in VARIABLES:
        os.environ.pop(name, None)


def hand_over(what: Measurement, folder: Path) -> None:
    """Move what was measured in another process to where this one's data go."""
    for path in folder.glob(f"{what.data_file.name}.*"):
        shutil.move(path, what.data_file.with_name(path.name))
