"""The Pythons of this machine."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 11)
AMBIENT = ("COVERAGE_", "LD_LIBRARY_PATH", "PYTEST_", "PYTHON", "VIRTUAL_ENV")

WHO = """
import sys
assert sys.implementation.name == 'cpython'
print(sys.version_info >= {oldest}, '.'.join(map(str, sys.version_info[:3])), sep='\\n')
print(sys.version.replace('\\n', ' '), sys.base_prefix, sep='\\n')
import sqlite3, venv
"""


@dataclass(frozen=True)
class Python:
    """A Python that is on the machine; ``lack`` says why nothing can be run on it, '' for can."""

    path: Path
    version: str
    build: str
    lack: str = ""


def find_pythons() -> tuple[Python, ...]:
    """Return every Python of the machine that is new enough, each once, the oldest first."""
    found: dict[str, Python] = {}
    for path in _candidates():
        if (python := _ask(path)) and python.build not in found:
            found[python.build] = python
    return tuple(sorted(found.values(), key=lambda python: numbers(python.version)))


def _candidates() -> Iterator[Path]:
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield Path("/usr/bin/python3")
    yield from sorted(home.glob("versions/*/bin/python3"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for path in sorted(Path(folder or ".").glob("python3*")):
            if re.fullmatch(r"python3(\.[0-9]+)?", path.name):
                yield path


def _ask(path: Path) -> Python | None:
    """Return the Python at ``path``, None for none, an older one, or no CPython."""
    asked = [str(path), "-I", "-c", WHO.format(oldest=OLDEST)]
    try:
        told = subprocess.run(
            asked,
            env=variables_with(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = told.stdout.splitlines()
    if len(lines) != 4 or lines[0] != "True":
        return None
    lack = told.stderr.strip().splitlines()[-1] if told.returncode else ""
    return Python(path, lines[1], f"{lines[2]} {lines[3]}", lack)


def variables_with(sqlite: Path | None = None) -> dict[str, str]:
    """Return those of the environment that say nothing of a Python; one SQLite, or its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)}
    return kept | ({"LD_LIBRARY_PATH": str(sqlite)} if sqlite else {})


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
