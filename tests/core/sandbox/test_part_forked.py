"""The same in a process that can be forked: a worker of xdist has several threads, and cannot."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_bbmigrate.sandbox import kept

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.skipif(kept.can_fork(), reason="the tests themselves have run forked parts here")
@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux a fork is taken for safe")
def test_forked_parts_pass_every_test_of_parts(tmp_path: Path) -> None:
    names = [name for name in os.environ if name.startswith(("PYTEST_", "COV"))]
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/core/sandbox/test_part.py", "-k", "forked"),
            *("-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={tmp_path / 'forked'}"),
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in names},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\d\d passed, \d+ deselected", ran.stdout), ran.stdout
