from __future__ import annotations

import json
import re
import sys

import pytest

LISTS_MODULES = """
import json, pathlib, sys

def pytest_unconfigure():
    heavy = ("faker", "sqlite_utils", "xdist")
    names = [n for n in sys.modules if n in heavy or n.startswith("pytest_bbmigrate")]
    pathlib.Path("modules.json").write_text(json.dumps(sorted(names)))
"""


@pytest.mark.usefixtures("started_anew")
def test_a_session_that_does_not_use_it_imports_nothing_heavy(project: pytest.Pytester) -> None:
    project.makeconftest(LISTS_MODULES)
    project.makepyfile("def test_app(tmp_path): pass")
    project.mkdir("migrations").joinpath("001_broken.sql").write_text("'")

    result = project.run(sys.executable, "-m", "pytest")

    assert result.ret == pytest.ExitCode.OK
    assert json.loads((project.path / "modules.json").read_text()) == [
        "pytest_bbmigrate",
        "pytest_bbmigrate.plugin",
        "pytest_bbmigrate.plugin.fixtures",
        "pytest_bbmigrate.plugin.hooks",
        "pytest_bbmigrate.plugin.option_table",
        "pytest_bbmigrate.plugin.options",
        "pytest_bbmigrate.plugin.plain_loading",
        "pytest_bbmigrate.plugin.selection",
    ]


@pytest.mark.usefixtures("started_anew")
def test_the_process_of_pytest_imports_nothing_that_the_judge_alone_needs(
    project: pytest.Pytester,
) -> None:
    project.makeconftest(LISTS_MODULES)
    project.mkdir("migrations").joinpath("001_start.sql").write_text("CREATE TABLE t (a);")

    result = project.run(sys.executable, "-m", "pytest", "--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    names = json.loads((project.path / "modules.json").read_text())
    rooms = {name.split(".")[1] for name in names if name.startswith("pytest_bbmigrate.")}
    assert rooms.isdisjoint({"chain", "experiment", "rows"})
    assert set(names).isdisjoint(
        {
            "faker",
            "sqlite_utils",
            "pytest_bbmigrate.checks.judging",
            "pytest_bbmigrate.explain.causes",
        }
    )


@pytest.mark.parametrize("arguments", [[], ["-v"], ["--collect-only"], ["-q", "-rA"]])
def test_a_session_that_does_not_use_it_looks_the_same(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    project.makeini("[pytest]\n")
    project.makepyfile(
        """
        import pytest

        def test_passes(): pass
        def test_fails(): assert 0
        @pytest.mark.skip(reason="later")
        def test_skipped(): pass
        """
    )
    project.mkdir("migrations").joinpath("test_old.py").write_text("def test_old(): pass\n")

    def output() -> list[str]:
        lines = project.runpytest(*arguments, "--tb=short").outlines
        timeless = [re.sub(r" in [\d.]+s", "", line).strip("=") for line in lines]
        return [line for line in timeless if not line.startswith("plugins:")]

    with_it = output()
    monkeypatch.delenv("PYTEST_ADDOPTS")
    without = output()

    assert with_it == without
    assert any("test_old" in line for line in without)
