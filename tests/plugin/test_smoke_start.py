"""How the pytest of the smoke tests starts: its arguments, its modules, its own errors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.smoke.launch import run_smoke_tests
from pytest_bbmigrate.plugin.smoke.result import BEFORE_ALL
from tests.depth import every

if TYPE_CHECKING:
    from pathlib import Path

PASSES = """
import pytest

@pytest.mark.bb_smoke
def test_starts(bb_head_path):
    assert bb_head_path.stat().st_size
"""
NOTED = """
import os, pathlib, pytest

@pytest.mark.bb_smoke
def test_starts(bb_head_path):
    if "PYTEST_BBMIGRATE_SMOKE" in os.environ:
        pathlib.Path("smoked").touch()
"""
MIGRATION = "CREATE TABLE accounts (id INTEGER PRIMARY KEY);\n"


@pytest.fixture
def work(project: pytest.Pytester) -> Path:
    path = project.mkdir("run") / "work"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("INSERT INTO accounts (name) VALUES ('Private Bank')")
    return path


@pytest.mark.parametrize("strict", ["strict_config = true", "filterwarnings = error"])
def test_without_the_cache_provider_it_runs_as_well(
    project: pytest.Pytester, work: Path, strict: str
) -> None:
    project.makeini(f"[pytest]\naddopts = -p no:cacheprovider\n{strict}\n")
    project.makepyfile(test_app=PASSES)

    result = run_smoke_tests(project.parseconfig(), work)

    assert (result.fault, result.summary) == ("", "1 passed")


@pytest.mark.parametrize(
    ("addopts", "conftest", "module", "first", "printed"),
    [
        (
            "--no-such-option",
            "",
            PASSES,
            "the smoke tests did not finish: pytest ended with exit code 4 before the first of *",
            "*error: unrecognized arguments: --no-such-option",
        ),
        (
            "",
            "import nowhere_to_be_found",
            PASSES,
            "the smoke tests did not finish: pytest ended with exit code 4 before the first of *",
            "E   ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
        pytest.param(
            "-o strict_config=true -o no_such_setting=1",
            "",
            PASSES,
            "the smoke tests did not finish: pytest ended with exit code 4 before the first of *",
            "ERROR: Unknown config option: no_such_setting",
            marks=pytest.mark.skipif(pytest.version_tuple < (9,), reason="a setting of pytest 9"),
        ),
        (
            "",
            "",
            f"{PASSES}\nimport nowhere_to_be_found",
            "1 of 1 smoke tests failed",
            "E   ModuleNotFoundError: No module named 'nowhere_to_be_found'",
        ),
    ],
    ids=["arguments", "conftest.py", "a setting", "a module"],
)
def test_what_pytest_says_where_no_test_has_begun_is_told(
    project: pytest.Pytester,
    work: Path,
    monkeypatch: pytest.MonkeyPatch,
    addopts: str,
    conftest: str,
    module: str,
    first: str,
    printed: str,
) -> None:
    config = project.parseconfig()
    project.makepyfile(test_app=module)
    project.makeconftest(conftest)
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-p bbmigrate {addopts}")

    result = run_smoke_tests(config, work)

    lines = pytest.LineMatcher(result.fault.splitlines())
    lines.fnmatch_lines([first, BEFORE_ALL, printed])
    assert "--bb-show-values" not in result.fault


def test_what_a_test_says_is_kept_where_one_has_begun(project: pytest.Pytester, work: Path) -> None:
    project.makepyfile(
        test_app="""
        import contextlib, sqlite3, pytest

        @pytest.mark.bb_smoke
        def test_fails(bb_head_path):
            with contextlib.closing(sqlite3.connect(bb_head_path)) as db:
                raise ValueError(db.execute("SELECT name FROM accounts").fetchone()[0])
        """
    )

    result = run_smoke_tests(project.parseconfig(), work)

    assert "Private Bank" in result.output
    assert "Private Bank" not in result.fault
    assert BEFORE_ALL not in result.fault


IMPORTED = "with open('imported', 'a') as note: note.write(f'{__name__} ')\n"


@pytest.mark.parametrize("arguments", every(2, [[], ["-p", "xdist", "-n1"]]))
def test_a_module_that_the_session_found_without_a_smoke_test_is_not_imported_again(
    project: pytest.Pytester, arguments: list[str]
) -> None:
    (project.path / "migrations").mkdir()
    (project.path / "migrations" / "001_accounts.sql").write_text(MIGRATION)
    project.makeconftest("MARKS = 'bb_smoke'  # which may be given to every test below it\n")
    project.makepyfile(
        test_app=IMPORTED + PASSES,
        test_other=f"{IMPORTED}\nimport pytest\n"
        "@pytest.mark.bb_migration('001_accounts')\ndef test_other(bb_migration): pass\n",
    )

    result = project.runpytest_subprocess("--bb-apply", "--bb-create", *arguments)

    assert result.ret == pytest.ExitCode.OK
    imported = (project.path / "imported").read_text().split()
    assert sorted(imported) == ["test_app", "test_app", "test_other"]


def test_a_module_of_which_a_part_was_collected_may_have_a_smoke_test(
    project: pytest.Pytester,
) -> None:
    (project.path / "migrations").mkdir()
    (project.path / "migrations" / "001_accounts.sql").write_text(MIGRATION)
    project.makepyfile(test_app=f"{NOTED}\ndef test_else(): pass\n")

    result = project.runpytest("--bb-apply", "--bb-create", "test_app.py::test_else")

    assert result.ret == pytest.ExitCode.OK
    assert (project.path / "smoked").exists()
