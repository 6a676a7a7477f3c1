"""The wheel, as somebody has it who installs it and does not see this repository.

``python -m tests.wheel`` builds it, installs it into an empty environment, proves the migrations
there with nothing beside it, and then runs the tests of the outside. It prints what it runs; the
first command that fails ends it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
TAKEN_ALONG = ("tests", "fixtures", "migrations", "docs", "README.md", "pyproject.toml")
TESTS = ("tests/plugin", "tests/migrations", "tests/core/test_public_api.py")
OPTIONS = ("-p", "tests.installed", "-n", "auto", "--dist", "worksteal", "--started")
TYPED = "tests/typing/public_api.py"

# What could lead a Python or a pytest somewhere else.
AMBIENT = ("COVERAGE_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")


def main() -> None:
    """Build, install and try the wheel."""
    with TemporaryDirectory(prefix="bbmigrate-wheel-") as folder:
        there = Path(folder)
        python = there / "environment" / "bin" / "python"
        _run(there, sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ROOT)
        (wheel,) = there.glob("*.whl")
        _run(there, sys.executable, "-m", "venv", "environment")
        _install(there, python, f"{wheel}")
        _prove_alone(there / "alone", python)
        _install(there, python, f"{wheel}[dev]")
        _test(there / "elsewhere", python)


def _install(there: Path, python: Path, what: str) -> None:
    _run(there, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)


def _prove_alone(folder: Path, python: Path) -> None:
    """Prove the migrations where nothing is installed that the wheel does not ask for."""
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    _run(folder, python.with_name("pytest"), "--bb-check-migrations", "--quiet")


def _test(folder: Path, python: Path) -> None:
    """Run the tests of the outside, and let mypy see the types that the wheel brings."""
    folder.mkdir()
    for name in TAKEN_ALONG:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    _run(folder, python.with_name("mypy"), "--strict", "--config-file=", TYPED)
    _run(folder, python, "-m", "pytest", *OPTIONS, *TESTS)


def _run(folder: Path, *command: str | Path) -> None:
    """Run a command in a folder. Raises: SystemExit where it fails."""
    shown = shlex.join(map(str, command))
    sys.stdout.write(f"$ {shown}\n")
    sys.stdout.flush()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(AMBIENT)
    }
    ended = subprocess.run(command, cwd=folder, env=environment, check=False)
    if ended.returncode:
        sys.exit(f"{ended.returncode} is what this ended with: {shown}")


if __name__ == "__main__":
    main()
