"""A check run starts the judge before it imports what it needs itself, and nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.processes.launch import PACKAGES
from pytest_bbmigrate.processes.measured import measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS_LOADERS = """
import json, pathlib, sys

def pytest_unconfigure():
    loaders = {
        name: type(module.__spec__.loader).__name__
        for name, module in sys.modules.items()
        if name.partition(".")[0] == "pytest_bbmigrate"
    }
    pathlib.Path("loaders.json").write_text(json.dumps(loaders))
    pathlib.Path("imported.json").write_text(json.dumps([*sys.modules]))
"""
LISTS_MODULES = """
import json, pathlib, sys

def listen(event, arguments):
    if event == "subprocess.Popen":
        names = [name for name in sys.modules if name.startswith("pytest_bbmigrate.")]
        with open("started.json", "a") as file:
            file.write(json.dumps([arguments[1], names]) + "\\n")

sys.addaudithook(listen)
"""
CORE = {"catalogue", "contract", "private", "project", "report", "schema", "sql", "sqlite_files"}
UNUSED = {  # where checks pass, and nothing is applied
    "psutil",
    "pytest_bbmigrate.history.status",
    "pytest_bbmigrate.plugin.drafting",
    "pytest_bbmigrate.plugin.smoke.launch",
    "pytest_bbmigrate.report.told",
    "pytest_bbmigrate.report.words",
    "pytest_bbmigrate.schema.model",
    "pytest_bbmigrate.sqlite_files.backup",
}
ISOLATED = """
import json, sys
sys.path.append(sys.argv[1])
before = {*sys.modules}
for name in sys.argv[2:]:
    __import__(name)
print(json.dumps([*({*sys.modules} - before)]))
"""


@pytest.mark.usefixtures("started_anew")
@pytest.mark.skipif(
    measurement() is not None,
    reason="coverage.py measures no fork: a session that it measures begins anew",
)
def test_the_judge_alone_is_started_and_before_the_core_is_imported(
    project: pytest.Pytester,
) -> None:
    (project.path / "listens.py").write_text(LISTS_MODULES)
    project.mkdir("migrations").joinpath("001_start.sql").write_text("CREATE TABLE t (a);")

    result = project.run(sys.executable, "-m", "pytest", "-p", "listens", "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    ((command, names),) = map(json.loads, (project.path / "started.json").read_text().splitlines())
    assert "pytest_bbmigrate.judge.supervisor" in command
    assert CORE.isdisjoint(name.split(".")[1] for name in names)


@pytest.mark.usefixtures("started_anew")
def test_pytest_compiles_no_module_of_ours_but_the_first(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable)  # what is installed is what pytest has that loader for
    project.makeconftest(LISTS_LOADERS)
    project.mkdir("migrations").joinpath("001_start.sql").write_text("CREATE TABLE t (a);")

    result = project.run(sys.executable, "-m", "pytest", "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    loaders = json.loads((project.path / "loaders.json").read_text())
    others = {name for name, loader in loaders.items() if loader != "SourceFileLoader"}
    assert "pytest_bbmigrate.plugin.items" in loaders
    assert UNUSED.isdisjoint(json.loads((project.path / "imported.json").read_text()))
    assert others <= {
        "pytest_bbmigrate",
        "pytest_bbmigrate.plugin",
        "pytest_bbmigrate.plugin.plain_loading",
    }


def imported(modules: Sequence[str], *options: str) -> set[str]:
    """Return what a new Python with these ``options`` has imported with some of our modules."""
    command = [sys.executable, *options, "-c", ISOLATED, PACKAGES, *modules]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(json.loads(done.stdout))


def test_the_supervisor_imports_little_before_the_judge_is_started() -> None:
    names = imported(["pytest_bbmigrate.judge.supervisor"], "-I", "-S")

    assert "pytest_bbmigrate.processes.parent" in names
    assert names.isdisjoint({"dataclasses", "json", "shutil", "subprocess", "threading", "typing"})


def test_the_judge_imports_nothing_at_its_start_that_few_migrations_need() -> None:
    names = imported(["pytest_bbmigrate.judge.server", "pytest_bbmigrate.judge.turns"])

    assert "pytest_bbmigrate.chain.states" in names
    assert names.isdisjoint(
        {"faker", "importlib.metadata", "psutil", "sqlite_utils", "tomllib", "uuid", "zoneinfo"}
    )
    real_files = ("backup", "compare_files", "disk_space", "openers")
    assert names.isdisjoint(f"pytest_bbmigrate.sqlite_files.{name}" for name in real_files)
