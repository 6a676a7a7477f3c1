"""The app's own Python (``bb_python``): which it is, and whether our processes can run by it."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.processes.own_packages import PACKAGES, USE_OWN_PACKAGES

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Iterator
    from pathlib import Path

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 38)  # the oldest that the tests are run with
NEEDED = ("faker", "psutil", "sqlite-utils")
NOT_IMPORTED = frozenset({"pip", "setuptools"})  # that some name, and no module of theirs imports
# What they import between them is all that our processes import.
TRIED = (
    "judge.turns",
    "runner.python",
    "sandbox.descendants",
    "sandbox.script_main",
    "seeding.values.household",
)
ANSWER_SECONDS = 60.0
UNREADABLE = "malformed database schema"  # what SQLite says of SQL in it that it does not know
MARK = "bbmigrate-python:"  # before the answer: what site brings in may print as well

# Both are run by any Python that a user may name, 2.7 included.
ASK = f"""\
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import json
found = dict.fromkeys(("sqlite", "driver", "fault"), "")
found.update(python=list(sys.version_info[:3]), path=sys.path[:])
try:
    if sys.version_info >= (3, 11):
        import sqlite3
        found["sqlite"] = sqlite3.sqlite_version
        found["driver"] = "" if hasattr(sqlite3.Connection, "getlimit") else sqlite3.__name__
        TRY
except BaseException as error:
    found["fault"] = type(error).__name__ + ": " + str(error)
print("{MARK}" + json.dumps(found))
"""
# What is compiled is kept for the processes to come: these may write to their own folders alone.
TRY = """\
exec(sys.argv[4], {"sys": sys})
        for name in sys.argv[5:]:
            __import__(name)"""


@dataclass(frozen=True)
class AppPython:
    """The app's Python: its program, as it was named, its version and that of its SQLite.

    ``path`` is its ``sys.path``, and ``packages`` says where our packages are that it has not.
    """

    program: str
    version: str
    sqlite: str
    path: tuple[str, ...]
    packages: str

    def __str__(self) -> str:
        return f"app's Python {self.version}, SQLite {self.sqlite} (bb_python)"


@cache
def app_python(program: Path) -> AppPython:
    """Return what the interpreter ``program`` is; it is asked once in a process.

    Raises: SettingsError when it is none of at least 3.11, or cannot run what we need.
    """

    def refuse(why: str) -> SettingsError:
        return SettingsError(f"bb_python = {program}: {why}")

    packages = own_packages()
    code = ASK.replace("TRY", TRY)
    tried = (f"pytest_bbmigrate.{name}" for name in TRIED)
    arguments = (PACKAGES, packages, "", USE_OWN_PACKAGES, *tried)
    try:
        answered = subprocess.run(  # noqa: S603 - the user's own interpreter
            [str(program), "-c", code, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: text for name, text in os.environ.items() if name != "__PYVENV_LAUNCHER__"},
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except OSError as error:
        raise refuse(f"it cannot be started ({error.strerror}); is it a Python?") from error
    except subprocess.TimeoutExpired as error:
        raise refuse(f"it gave no answer within {ANSWER_SECONDS:g} seconds") from error
    lines = answered.stdout.decode("utf-8", "replace").splitlines()
    said = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    if not said:
        raise refuse(
            f"it is no Python: it ended with exit code {answered.returncode}, and did not say "
            "which it is"
        )
    return _checked(program, json.loads(said[-1]), packages)


def _checked(program: Path, found: dict[str, object], packages: str) -> AppPython:
    """Return what was ``found`` out about ``program``.

    Raises: SettingsError.
    """
    numbers = found["python"]
    assert isinstance(numbers, list)  # noqa: S101 - as the text above has it
    assert isinstance(found["path"], list)  # noqa: S101 - likewise
    version, sqlite = ".".join(map(str, numbers)), str(found["sqlite"])
    fault = ""
    if tuple(numbers) < OLDEST_PYTHON:
        fault = f"Python {version} is too old; name one of {_dotted(OLDEST_PYTHON)} or newer"
    elif not sqlite:
        fault = f"that Python {version} has no sqlite3 ({found['fault']})"
    elif _numbers(sqlite) < OLDEST_SQLITE:
        oldest = _dotted(OLDEST_SQLITE)
        fault = f"its SQLite {sqlite} is too old to rely on; name one with SQLite {oldest} or newer"
    elif found["driver"]:
        fault = (
            f"its sqlite3 is another module, {found['driver']}, which has not all of Python's own; "
            "name a Python whose own sqlite3 has the SQLite of the app"
        )
    elif found["fault"]:
        fault = (
            f"pytest-bbmigrate cannot run by that Python {version} ({found['fault']}); is it made "
            "for another machine than pytest's?"
        )
    if fault:
        raise SettingsError(f"bb_python = {program}: {fault}")
    return AppPython(str(program), version, sqlite, tuple(map(str, found["path"])), packages)


def unreadable_here(python: AppPython | None, said: str) -> str:
    """Return what is to be added where this process's SQLite has ``said`` that it cannot read.

    The SQLite of ``python`` may know more, and have made what this one does not; '' where that is
    not why.
    """
    if python is None or UNREADABLE not in said or python.sqlite == sqlite3.sqlite_version:
        return ""
    return (
        f"; SQLite {python.sqlite} of the app's Python (bb_python) can make what SQLite "
        f"{sqlite3.sqlite_version} of pytest's does not read: run pytest with a Python whose "
        "SQLite is as new as the app's"
    )


@cache
def own_packages() -> str:
    """Return, as JSON, in which folder each package is that our processes import."""
    import importlib.metadata  # not at the top: the judge, which asks no Python, would wait for it

    folders: dict[str, str] = {}
    waiting, seen = [*NEEDED], set(NOT_IMPORTED)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # another system needs it
            continue
        folder = str(distribution.locate_file(""))
        folders.update(dict.fromkeys(_modules_of(distribution), folder))
        for requirement in distribution.requires or ():
            name, _, condition = requirement.partition(";")
            if "extra" not in condition:
                waiting += re.findall(r"^\s*([\w.-]+)", name)
    return json.dumps(folders)


def _modules_of(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    """Yield the names of the packages and modules that somebody can import of a distribution."""
    for file in distribution.files or ():
        top = file.parts[0]
        if len(file.parts) == 1 and file.suffix == ".py":
            yield file.stem
        elif len(file.parts) > 1 and top.isidentifier() and file.suffix == ".py":
            yield top
    if not distribution.files:
        yield from (distribution.read_text("top_level.txt") or "").split()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
