"""The tools that judge this repository are the same ones everywhere: pinned, and called alike."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import installed
from tests.depth import every

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()


def recipe_of(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    (recipe,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    return [line.strip() for line in recipe.splitlines()]


def test_each_tool_is_pinned_to_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = project["optional-dependencies"]["dev"]

    unpinned = [tool for tool in tools if not re.fullmatch(r"[\w-]+(\[\w+\])?==[\d.]+", tool)]

    assert tools
    assert unpinned == []


def test_coverage_is_measured_of_the_tests_in_full_depth() -> None:
    (command,) = [line for line in recipe_of("coverage") if "coverage run" in line]
    report = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["report"]

    assert command.endswith("--hypothesis-profile=full")
    assert report["fail_under"] == 98


@pytest.mark.parametrize(("profile", "tried"), [("quick", "ac"), ("full", "abcd")])
def test_a_run_that_is_not_in_full_depth_tries_some_of_a_kind(
    monkeypatch: pytest.MonkeyPatch, profile: str, tried: str
) -> None:
    chosen = SimpleNamespace(get_current_profile_name=lambda: profile)
    monkeypatch.setattr("tests.depth.settings", chosen)

    assert every(2, "abcd") == [*tried]


def test_before_a_commit_runs_what_make_lint_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()

    entries = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)

    assert [command.replace("$(BIN)", ".venv/bin") for command in recipe_of("lint")] == entries


def test_ci_makes_only_what_the_makefile_has() -> None:
    made = re.findall(r"^make ([\w-]+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)

    assert "test" in made
    assert all(recipe_of(target) for target in made)


def test_a_session_on_what_is_installed_ends_where_another_package_could_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pytest_bbmigrate").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(pytest.UsageError, match=f"importable from {re.escape(str(tmp_path))}, "):
        installed.pytest_sessionstart()
