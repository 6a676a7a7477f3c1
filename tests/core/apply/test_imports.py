"""What the processes of a run import: each of them pays for it at its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROCESSES = (
    "apply.lock.server",
    "apply.rehearsal.compare_rows",
    "apply.rehearsal.server",
    "apply.rehearsal.worker",
    "plugin.smoke.child_plugin",
    "sandbox.script_main",
)


@pytest.mark.parametrize("module", PROCESSES)
def test_no_process_imports_faker_before_it_generates_anything(module: str) -> None:
    assert "faker" not in imported_by(f"pytest_bbmigrate.{module}")


def test_the_process_of_a_rehearsal_imports_nothing_of_pytest() -> None:
    modules = imported_by("pytest_bbmigrate.apply.rehearsal.worker")

    assert "pytest_bbmigrate.seeding.values.vocabulary" in modules
    assert {"pytest", "sqlite_utils", "xdist"}.isdisjoint(modules)


def imported_by(module: str) -> set[str]:
    """Return the names of all modules in a new process that imports ``module``."""
    asked = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", asked]
    return set(
        subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    )
