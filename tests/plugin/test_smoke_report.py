"""What the smoke tests' own pytest has written down, after something else has written there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.smoke.child_plugin import REPORT
from pytest_bbmigrate.plugin.smoke.result import UNREADABLE, read_result

if TYPE_CHECKING:
    from pathlib import Path

PASSED = b'{"collected": "a"}\n{"test": "a", "outcome": "passed"}\n'


@pytest.mark.parametrize(
    "written",
    [b"\xc1\xff", PASSED[:-9], b"[]\n", PASSED + b"\0\0"],
    ids=["bytes", "cut", "list", "NUL"],
)
def test_a_report_that_does_not_read_is_no_success(tmp_path: Path, written: bytes) -> None:
    (tmp_path / REPORT).write_bytes(written)
    (tmp_path / "output").write_text("")

    result = read_result(tmp_path, 0, 5)

    assert result.fault == f"{UNREADABLE}: pytest ended with exit code 0"
    assert result.tests == ()
