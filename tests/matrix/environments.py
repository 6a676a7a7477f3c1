"""What a row of the matrix runs in: an environment of its own, and perhaps another SQLite."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.matrix.pythons import variables_with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.matrix.pythons import Python

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / ".matrix"
NOT_FOR_TESTS = ("import-linter", "mypy", "ruff", "types-")  # of the extra dev

WHICH_SQLITE = "import sqlite3; print(sqlite3.sqlite_version)"


class NotTried(Exception):
    """Raised where this machine lacks what a row needs."""


class Broken(Exception):
    """Raised where an environment could not be made."""


@dataclass(frozen=True)
class Sqlite:
    """An SQLite of another release than Python's own: the library within a wheel.

    Its module for Python is not used, which lacks what Python's own can. It is put in the place of
    the shared library that Python's own module loads, so every process has it, with -I -S as well.
    ``needs`` is the Python that the wheel was built for, '' for one that fits.
    """

    name: str
    wheel: str
    needs: str = ""


NEWER = Sqlite("newer", "pysqlite3-binary==0.5.4.post2")
OLDER = Sqlite("older", "pysqlite3-binary==0.4.7.post4", needs="3.10")


def environment(python: Python, pytest: str) -> Path:
    """Return the programs' folder of an environment with the package and what its tests need.

    Raises: Broken when it cannot be made, NotTried when this Python lacks what it takes.
    """
    if python.lack:
        raise NotTried(python.lack)
    build = hashlib.sha256(python.build.encode()).hexdigest()[:8]
    folder = KEPT / f"python-{python.version}-{build}-pytest-{pytest}"
    programs, mark = folder / "bin", folder / "installed"
    settings = (ROOT / "pyproject.toml").read_bytes()
    if not mark.is_file() or mark.read_bytes() != settings:
        shutil.rmtree(folder, ignore_errors=True)
        # Without pip, which not every Python brings: the pip at hand installs into it.
        output_of([python.path, "-m", "venv", "--without-pip", folder])
        needed = tomllib.loads(settings.decode())["project"]["optional-dependencies"]["dev"]
        wanted = [name for name in needed if not name.startswith(NOT_FOR_TESTS)]
        pip(f"--python={programs / 'python'}", "install", f"pytest=={pytest}.*", *wanted)
        pip(f"--python={programs / 'python'}", "install", "--editable", str(ROOT))
        mark.write_bytes(settings)
    return programs


def library(sqlite: Sqlite, python: Python, programs: Path) -> Path:
    """Return the folder of the library of ``sqlite``.

    Raises: NotTried when there is none for this machine, or this Python does not take it.
    """
    wanted = sqlite.needs or ".".join(python.version.split(".")[:2])
    folder = KEPT / f"{sqlite.wheel}-{wanted}"
    placed = folder / "libsqlite3.so.0"
    if not placed.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            pip(
                *("install", "--no-deps", "--only-binary=:all:", f"--python-version={wanted}"),
                *(f"--target={folder}", sqlite.wheel),
            )
        except Broken as error:
            raise NotTried(f"{error}") from error
        (module,) = folder.glob("pysqlite3/_sqlite3*.so")
        module.rename(placed)
    asked: list[str | Path] = [programs / "python", "-I", "-S", "-c", WHICH_SQLITE]
    try:
        taken = output_of(asked, variables_with(folder)) != output_of(asked)
    except Broken as error:
        raise NotTried(f"{error}") from error
    if not taken:
        raise NotTried(f"this Python brings its own SQLite, and takes no {placed.name}")
    return folder


def pip(*arguments: str) -> None:
    quietly = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
    output_of([*quietly, *arguments], os.environ)


def output_of(command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> str:
    """Return what ``command`` prints.

    Raises: Broken, with the last line of what it said, when it fails.
    """
    env = variables_with() if variables is None else variables
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Broken(said[-1] if said else f"{command[0]} ended with exit code {done.returncode}")
    return done.stdout.strip()
