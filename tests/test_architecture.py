"""docs/architecture.md names the modules that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pytest_bbmigrate"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = {
    path.stem
    for path in PACKAGE.iterdir()
    if (path.suffix == ".py" or (path / "__init__.py").is_file()) and path.stem != "__init__"
}
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py|[a-z_/]+/)`", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_a_module_that_is_named_is_there(path: str) -> None:
    assert (PACKAGE / path).exists()


def test_every_room_has_its_row() -> None:
    rows = re.findall(r"^\| (`[^|]+) \|", PAGE.partition("## The processes")[0], re.MULTILINE)

    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == ROOMS


def test_the_rooms_are_the_layers() -> None:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = configured["tool"]["importlinter"]["contracts"][0]["layers"]

    assert {room for layer in layers for room in re.findall(r"\w+", layer)} == ROOMS
