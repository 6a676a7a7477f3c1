"""What is exported is what ``__all__`` says, what type checkers see, and what is documented."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_bbmigrate

ROOT = Path(__file__).parents[2]
EXPORTED = sorted(pytest_bbmigrate.__all__)


def printed_by(program: str) -> object:
    """Return what a Python of its own prints as JSON."""
    command = [sys.executable, "-c", program]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def test_all_names_are_exported_and_no_others() -> None:
    program = """
import json
import pytest_bbmigrate
before = {*globals(), "before"}
from pytest_bbmigrate import *
print(json.dumps(sorted(globals().keys() - before)))
"""
    assert printed_by(program) == EXPORTED


def test_a_type_checker_sees_the_names_that_are_exported() -> None:
    tree = ast.parse(inspect.getsource(pytest_bbmigrate))
    (seen,) = (
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )

    imported = [
        name.name for node in seen.body if isinstance(node, ast.ImportFrom) for name in node.names
    ]

    assert sorted(imported) == EXPORTED


def test_dir_lists_what_is_exported_before_any_of_it_is_used() -> None:
    program = "import json, pytest_bbmigrate; print(json.dumps(dir(pytest_bbmigrate)))"

    listed = printed_by(program)

    assert isinstance(listed, list)
    assert set(EXPORTED) <= set(listed)


def test_what_is_not_exported_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'take_snapshot'"):
        _ = pytest_bbmigrate.take_snapshot  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", EXPORTED)
def test_what_is_exported_is_ours_and_documented(name: str) -> None:
    exported = getattr(pytest_bbmigrate, name)
    readme = (ROOT / "README.md").read_text()

    assert exported.__module__.startswith("pytest_bbmigrate.")
    assert exported.__name__ == name
    assert inspect.getdoc(exported)
    assert re.search(rf"\b{name}\b", readme), f"{name} is not in the README"


@pytest.mark.parametrize("name", ["before", "after", "up", "down"])
def test_what_a_migration_under_test_offers_is_documented(name: str) -> None:
    readme = (ROOT / "README.md").read_text()

    assert re.search(rf"\bbb_migration\.{name}\b", readme), f"{name} is not in the README"
