from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LEGACY = Path(__file__).parents[2] / "fixtures" / "legacy"


def test_the_legacy_baseline_is_what_its_models_make() -> None:
    printed = subprocess.run(
        [sys.executable, "-B", "-m", "backend.database.models"],
        cwd=LEGACY,
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout == (LEGACY / "baseline.sql").read_text(encoding="utf-8")
