"""What a migration that calls for the time zone gives in another one."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.experiment.other_zone import in_zone, is_hours_apart
from pytest_bbmigrate.verdict import Outcome
from pytest_bbmigrate.zones import DEFAULT_ZONE
from tests.core.checking import chain_of, judge_last

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_bbmigrate.sql.values import Cell

LOG = "CREATE TABLE log (id INTEGER PRIMARY KEY, paid_at TEXT, note TEXT);"


@pytest.fixture(autouse=True, params=["UTC", DEFAULT_ZONE])
def _zone(request: pytest.FixtureRequest) -> Iterator[None]:
    with in_zone(request.param):
        yield


@pytest.mark.parametrize(
    "sql",
    [
        "-- bb: changes log.paid_at\nUPDATE log SET paid_at = datetime(paid_at, 'utc');",
        "ALTER TABLE log ADD COLUMN seen; UPDATE log SET seen = datetime('now', 'LocalTime');",
        "CREATE TABLE t AS SELECT id, datetime('now', 'localtime') AS paid_at FROM log;",
    ],
)
def test_another_result_in_another_zone_is_noted(tmp_path: Path, sql: str) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, LOG, sql))
    (note,) = (note for note in verdict.notes if "time zone" in note)

    assert verdict.outcome is not Outcome.FAILED
    assert note.startswith("its result depends on the time zone: it is another one in ")
    assert "paid_at" in note or "log.seen" in note


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE log ADD COLUMN seen; UPDATE log SET seen = datetime('now');",
        "ALTER TABLE log ADD COLUMN seen; UPDATE log SET seen = random() || 'localtime';",
        "UPDATE log SET note = note WHERE note = 'utc';",
    ],
)
def test_what_is_the_same_in_every_zone_is_no_note(tmp_path: Path, sql: str) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, LOG, sql))

    assert not [note for note in verdict.notes if "time zone" in note]


def test_what_does_something_else_in_another_zone_fails(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, LOG)
    (tmp_path / "002_step.py").write_text(
        "# bb: changes log.note\nimport time\n\n\ndef up(db):\n    if time.timezone:\n"
        "        db.execute(\"UPDATE log SET note = 'x'\")\n"
        "    else:\n        raise ValueError(time.timezone)\n"
    )
    chain = chain_of(tmp_path, LOG)
    check = "up_applies" if time.timezone == 0 else "data_survives"
    verdict = judge_last(check, chain)

    assert verdict.outcome is Outcome.FAILED
    if check == "data_survives":
        assert verdict.findings[0].kind == "depends on the zone"
        assert verdict.findings[0].observed == "a failure in UTC"


def test_the_zone_is_put_back() -> None:
    own = os.environ["TZ"], time.timezone
    with in_zone("EST5"):
        assert time.timezone == 5 * 3600

    assert own == (os.environ["TZ"], time.timezone)


def test_a_process_without_a_zone_has_none_afterwards() -> None:
    with pytest.MonkeyPatch.context() as patching:
        patching.delenv("TZ")
        with in_zone("EST5"):
            pass

        assert "TZ" not in os.environ


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("2026-01-01 00:00:00", "2026-01-01 09:30:02", True),
        ("2026-01-01 00:00:00", "2026-01-01 00:00:09", False),
        ("2026-01-01", "2025-12-31", True),
        (1_767_225_600, 1_767_259_800, True),
        (1, 34_201, False),
        ("a", "b", False),
        (None, b"x", False),
    ],
)
def test_two_clocks_are_told_from_chance(one: Cell, other: Cell, *, expected: bool) -> None:
    assert is_hours_apart(one, other) is expected
