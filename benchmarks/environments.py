"""Other tools, each in an environment of its own, which is made once and outside of all timing."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

from benchmarks.timing import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENTS = ROOT / ".bench"
ALEMBIC = ("alembic==1.20.1", "sqlalchemy==2.1.9", "pytest==9.2.0")
PINNED = {
    "alembic": ("pytest-alembic==0.13.1", *ALEMBIC),
    "mrt": ("pytest-mrt==1.9.1", *ALEMBIC),
    "sqldiff": ("sqlite3-sqldiff==3.54.0",),
}
SECONDS = 600.0  # for an index that does not answer


@cache
def python_of(name: str) -> Path | None:
    """Return the Python of an environment of ``PINNED``; None where its packages are not to be had.

    Raises: OSError, subprocess.CalledProcessError where no environment can be made at all.
    """
    folder = ENVIRONMENTS / name
    python, done = folder / "bin" / "python", folder / ".installed"
    wanted = "\n".join(PINNED[name])
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        try:
            subprocess.run(
                [python, "-m", "pip", "install", *quiet, *PINNED[name]], check=True, timeout=SECONDS
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None
        done.write_text(wanted)
    return python
