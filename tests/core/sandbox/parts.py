"""What the tests of parts in processes of their own share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.runner import RunEnvironment
from tests.core.running import image_of, run_python

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.runner import Run

TABLE = "CREATE TABLE money (cents); INSERT INTO money VALUES (1), (2);"
HEAD = "import ctypes, os, shutil, signal, sqlite3, subprocess, sys, threading, time\n"


@dataclass(frozen=True)
class Household:
    """A folder with the real database in it; ``parts`` is where the processes work."""

    folder: Path
    parts: Path
    environment: RunEnvironment

    @property
    def real(self) -> Path:
        """The real database's file."""
        return self.folder / "budget_buddy.db"

    def run(self, body: str, image: bytes | None = None, **changes: object) -> tuple[Run, bytes]:
        """Run an ``up`` with ``body``, where REAL is the real database's path.

        ``changes`` are of the environment.
        """
        indented = body.replace("\n", "\n    ")
        source = f"{HEAD}REAL = {str(self.real)!r}\ndef up(db):\n    {indented}\n"
        return run_python(
            self.folder / "migrations",
            source,
            image_of(TABLE) if image is None else image,
            environment=replace(self.environment, **changes),  # type: ignore[arg-type]
        )


def household(folder: Path) -> Household:
    """Make a real database in ``folder``, and a folder for parts beside it."""
    home, parts = folder / "home", folder / "parts"
    for each in (home, home / "migrations", parts):
        each.mkdir(parents=True)
    made = Household(home, parts, RunEnvironment(root=home, parts=parts))
    made.real.write_bytes(image_of(TABLE, "INSERT INTO money VALUES (7)"))
    return made
