"""A short form of `make torture`, and of that a shorter one where the run is a quick one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.depth import in_full
from tests.torture import torture
from tests.torture_apply import STEPS, torture_runs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torture


def test_a_run_that_is_killed_anywhere_leaves_one_content_or_the_other(tmp_path: Path) -> None:
    rounds = torture(tmp_path, kills=in_full(8, quick=4), megabytes=4, seed=20260101)

    assert {(found.mode, found.victim) for found in rounds} == {
        ("delete", "keeper"),
        ("delete", "parent"),
        ("wal", "keeper"),
        ("wal", "parent"),
    }
    assert {found.content for found in rounds} <= {"kept", "published"}


def test_a_whole_session_that_is_killed_while_it_publishes_leaves_nothing_to_mend(
    tmp_path: Path,
) -> None:
    first = 4 * STEPS.index("publish")
    kills = in_full(4, quick=1)

    rounds = list(torture_runs(tmp_path, kills=kills, megabytes=4, seed=20260101, first=first))

    assert [(found.mode, found.victim) for found in rounds] == [
        ("delete", "pytest"),
        ("wal", "pytest"),
        ("delete", "every process"),
        ("wal", "every process"),
    ][:kills]
    assert {found.content for found in rounds} <= {"kept", "published"}
