"""A plugin of pytest, ``-p tests.installed``: no session but one that tests what is installed."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

import pytest_bbmigrate


def pytest_report_header() -> str:
    """Say where the package is taken from."""
    return f"installed: {pytest_bbmigrate.__file__}"


def pytest_sessionstart() -> None:
    """Refuse a session in which the package is, or could be, any other than the installed one."""
    installed = Path(sysconfig.get_path("purelib"))
    package = Path(pytest_bbmigrate.__file__).parent
    importable = [place for place in sys.path if (Path(place) / "pytest_bbmigrate").exists()]
    if package.parent != installed or importable != [str(installed)]:
        raise pytest.UsageError(
            f"{package} is tested, importable from {', '.join(importable)}, not from {installed}"
        )
