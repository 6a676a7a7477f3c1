"""The matrix finds what is there, and takes nothing for a success that was none."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.matrix.__main__ import main
from tests.matrix.environments import NEWER, OLDER
from tests.matrix.pythons import Python, find_pythons
from tests.matrix.rows import Result, Row, counts, rows, table

if TYPE_CHECKING:
    from collections.abc import Sequence

OLD = Python(Path("/usr/bin/python3"), "3.11.2", "old")
NEW = Python(Path("/opt/bin/python3"), "3.13.0", "new")
GOOD = Result(Row(NEW, "9"), "3.40.1", passed=10, failed=0, skipped=2, seconds=3.4)


def test_a_python_is_found_once_whatever_it_goes_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("python3", "python3.97"):
        (tmp_path / name).symlink_to(Path(sys.executable).resolve())
    broken = tmp_path / "python3.98"
    broken.write_text("#!/bin/sh\necho True; exit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    (tmp_path / "libsqlite3.so.0").write_bytes(b"of a row of the matrix, for another Python")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))

    found = find_pythons()

    versions = [python.version for python in found]
    assert versions.count(".".join(map(str, sys.version_info[:3]))) == 1
    assert not any(python.lack for python in found)


@pytest.mark.parametrize(
    ("quick", "expected"),
    [
        (
            False,
            [
                *((OLD, "8.4", None), (OLD, "9", None), (NEW, "8.4", None), (NEW, "9", None)),
                *((OLD, "9", NEWER), (NEW, "9", NEWER), (OLD, "9", OLDER)),
            ],
        ),
        (
            True,
            [
                *((OLD, "9", None), (NEW, "8.4", None), (NEW, "9", None)),
                *((NEW, "9", NEWER), (OLD, "9", OLDER)),
            ],
        ),
    ],
)
def test_each_python_is_tried_with_each_pytest_and_some_with_other_sqlites(
    quick: bool,  # noqa: FBT001 - a case of a table
    expected: Sequence[object],
) -> None:
    found = [(row.python, row.pytest, row.sqlite) for row in rows((OLD, NEW), quick=quick)]

    assert found == expected


def test_what_a_junit_file_says_is_counted(tmp_path: Path) -> None:
    told = tmp_path / "told.xml"
    told.write_text(
        "<testsuites><testsuite tests='9' failures='1' errors='2' skipped='2'/></testsuites>"
    )

    assert counts(told) == (4, 3, 2)
    assert counts(tmp_path / "none.xml") == (0, 0, 0)


@pytest.mark.parametrize(
    ("result", "is_good"),
    [
        (GOOD, True),
        (replace(GOOD, failed=1), False),
        (replace(GOOD, passed=0), False),
        (replace(GOOD, note="exit code 2"), False),
        (replace(GOOD, passed=0, tried=False, note="no such wheel"), True),
    ],
)
def test_a_row_is_good_that_passed_or_could_not_be_tried(
    result: Result,
    is_good: bool,  # noqa: FBT001 - a case of a table
) -> None:
    assert result.is_good is is_good


def test_the_table_says_what_was_tried_and_why_not() -> None:
    lines = table([GOOD, Result(Row(OLD, "9", OLDER), "older", tried=False, note="no such wheel")])

    assert [line.split(maxsplit=7) for line in lines] == [
        ["python", "pytest", "sqlite", "passed", "failed", "skipped", "seconds"],
        ["3.13.0", "9", "3.40.1", "10", "0", "2", "3"],
        ["3.11.2", "9", "older", "-", "-", "-", "-", "not tried: no such wheel"],
    ]


def test_a_row_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--quick", "1", "99"])

    assert "there is no row 99: they go from 1 to " in capsys.readouterr().err
