from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.selection import arrange_arguments
from tests.plugin.sample import ALL, MARKED, collected, write_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_without_paths_the_checks_and_the_marked_tests_run(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(test_marked=MARKED)

    ids = collected(project, "--bb-check-migrations")

    assert ids == [*ALL, "test_marked.py::test_smoke", "test_marked.py::test_tags"]


def test_the_checks_come_before_the_tests(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.mkdir("a_tests").joinpath("test_marked.py").write_text(MARKED)

    ids = collected(project, "--bb-check-migrations")

    assert ids[: len(ALL)] == ALL
    assert len(ids) == len(ALL) + 2


def test_testpaths_do_not_keep_a_marked_test_out(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makeini("[pytest]\ntestpaths = unit\n")
    project.mkdir("unit")
    project.mkdir("slow").joinpath("test_marked.py").write_text(MARKED)

    ids = collected(project, "--bb-check-migrations")

    assert ids[len(ALL) :] == ["slow/test_marked.py::test_smoke", "slow/test_marked.py::test_tags"]


def test_from_a_folder_below_it_is_the_same(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    project.makepyfile(test_marked=MARKED)
    monkeypatch.chdir(project.mkdir("below"))

    ids = collected(project, "--bb-check-migrations")

    assert len(ids) == len(ALL) + 2


def test_a_module_without_our_markers_is_not_even_imported(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.mkpydir("tests").joinpath("test_broken.py").write_text("import nothing_there\n")
    project.mkdir("docs").joinpath("conftest.py").write_text("import nothing_there\n")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=17, skipped=2)


def test_a_marked_module_that_does_not_import_is_an_error(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(test_broken="import nothing_there  # for bb_migration")

    assert project.runpytest("--bb-check-migrations").ret == pytest.ExitCode.INTERRUPTED


def test_a_marker_on_the_module_marks_its_tests(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(
        test_all="import pytest\npytestmark = pytest.mark.bb_smoke\ndef test_one(): pass\n"
    )

    assert collected(project, "--bb-check-migrations") == [*ALL, "test_all.py::test_one"]


def test_a_marker_that_a_conftest_gives_counts(project: pytest.Pytester) -> None:
    write_migrations(project)
    tests = project.mkdir("tests")
    (tests / "conftest.py").write_text(
        "def pytest_itemcollected(item):\n    item.add_marker('bb_smoke')\n"
    )
    (tests / "test_one.py").write_text("def test_one(): pass\n")

    assert collected(project, "--bb-check-migrations") == [*ALL, "tests/test_one.py::test_one"]


def test_python_files_say_what_a_test_module_is(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makeini("[pytest]\npython_files = specs/*.py\n")
    project.mkdir("specs").joinpath("tags.py").write_text(MARKED)

    ids = collected(project, "--bb-check-migrations")

    assert ids[len(ALL) :] == ["specs/tags.py::test_smoke", "specs/tags.py::test_tags"]


def test_environments_and_loops_are_not_searched(project: pytest.Pytester) -> None:
    write_migrations(project)
    environment = project.mkdir("env")
    (environment / "pyvenv.cfg").touch()
    (environment / "test_marked.py").write_text(MARKED)
    (project.mkdir("node_modules") / "test_marked.py").write_text(MARKED)
    (project.mkdir("loop") / "again").symlink_to(project.path)

    assert collected(project, "--bb-check-migrations") == ALL


def test_a_folder_that_may_not_be_read_is_passed_over(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    (project.mkdir("private") / "test_marked.py").write_text(MARKED)
    listed = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:
        if folder.name == "private":
            raise PermissionError
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)

    assert collected(project, "--bb-check-migrations") == ALL


def test_a_column_called_like_ours_marks_nothing(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(test_app="import nothing_there\nCOLUMN = 'bb_category'\n")

    assert collected(project, "--bb-check-migrations") == ALL


def test_with_paths_their_tests_run_too(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(test_marked=MARKED, test_other="def test_other(): pass")

    ids = collected(project, "--bb-check-migrations", "test_marked.py")

    assert ids == [*ALL, *(f"test_marked.py::test_{name}" for name in ("smoke", "tags", "neither"))]


def test_the_root_as_a_path_is_the_checks_and_every_test(project: pytest.Pytester) -> None:
    write_migrations(project)
    project.makepyfile(test_marked=MARKED, test_other="def test_other(): pass")

    assert len(collected(project, "--bb-check-migrations", ".")) == len(ALL) + 4


@pytest.mark.parametrize("arguments", [[], ["."], ["migrations::catalogue_reads"]])
def test_arranging_the_arguments_again_changes_nothing(
    project: pytest.Pytester, arguments: list[str]
) -> None:
    write_migrations(project)
    config = project.parseconfigure("--bb-check-migrations", *arguments)
    arranged = list(config.args)

    arrange_arguments(config)

    assert config.args == arranged
