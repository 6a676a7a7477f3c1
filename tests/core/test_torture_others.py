"""A short form of ``tests/torture_others.py``, and what shows that it would see a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.depth import in_full
from tests.torture_apply import STEPS
from tests.torture_others import Deed, Meddling, Said, torture_others

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.torture
REMOVED = Deed("database", "remove", "smoke", in_time=True, takes_name=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Meddling:
    return Meddling(tmp_path_factory.mktemp("meddled"), megabytes=1, seed=20260101)


@pytest.fixture
def removed(project: Meddling) -> Iterator[Meddling]:
    """Return a project whose database is gone."""
    project.set_up("delete")
    project.real.unlink()
    yield project
    project.faults = []


def test_a_run_that_is_meddled_with_leaves_the_old_content_to_be_found_or_the_new_one(
    project: Meddling,
) -> None:
    rounds = in_full(8, quick=1)
    first = 2 * STEPS.index("smoke")

    found = list(torture_others(project, rounds, first=first))

    assert [result.faults for result in found] == [()] * rounds


@pytest.mark.parametrize(
    ("code", "said", "faults"),
    [
        (
            1,
            "not applied: smoke failed; real.db is as it was",
            [
                "it is said to be as it was, and is gone, as no file",
                "the database is gone, and no command restores it",
            ],
        ),
        (
            0,
            "applied\nundo      pytest --bb-restore=real.db.backup.20260101_000000",
            [
                "exit code 0, and the database is gone, as no file",
                "the backup that is named is gone",
            ],
        ),
        (
            1,
            "Traceback (most recent call last):\nrestore   pytest --bb-restore=real.db.old",
            ["a traceback was printed", "the backup that is named is gone"],
        ),
    ],
    ids=["as it was", "applied", "a traceback"],
)
def test_what_a_run_says_and_is_not_so_is_a_fault(
    removed: Meddling, code: int, said: str, faults: list[str]
) -> None:
    text = f"the run\n===== real.db =====\n{said}\n"

    removed.judge(Said(code, text), [REMOVED], "delete", "gone")

    assert removed.faults == faults
