"""What the processes of a run import: each of them pays for it at its start."""

from __future__ import annotations

import subprocess
import sys


def test_the_process_of_a_rehearsal_imports_no_faker_before_it_generates_anything() -> None:
    asked = "import sys, pytest_bbmigrate.apply.rehearsal.worker; print(*sys.modules)"

    modules = subprocess.run(
        [sys.executable, "-c", asked], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()

    assert "pytest_bbmigrate.seeding.values.vocabulary" in modules
    assert {"faker", "pytest", "sqlite_utils", "xdist"}.isdisjoint(modules)
