"""Take Landlock away from a pytest, and from every process of ours that it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

WITHOUT_LANDLOCK = """\
from pytest_bbmigrate.processes import launch
from pytest_bbmigrate.sandbox import landlock

landlock.abi_version = lambda: 0
for name in ("START", "START_ISOLATED"):
    code = getattr(launch, name)
    if "FILE" not in code:
        taken_away = "import pathlib; exec(pathlib.Path('FILE').read_text()); main = "
        setattr(launch, name, code.replace("main = ", taken_away, 1))
"""


def take_landlock_away(project: pytest.Pytester, *also: str) -> None:
    """Write a conftest.py that makes this a system without Landlock, and does what ``also`` says.

    It is for a pytest in a process of its own.
    """
    file = project.path / "without_landlock.py"
    file.write_text(WITHOUT_LANDLOCK.replace("FILE", str(file)), encoding="utf-8")
    project.makeconftest("\n".join([file.read_text(), *also]))
