"""Only what has passed is read again, or was skipped for a reason; anything else is nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_bbmigrate.kept.verdicts import (
    KeptVerdicts,
    encode_verdicts,
    may_be_kept,
    read_verdicts,
)
from pytest_bbmigrate.verdict import Finding, Outcome, Verdict

PASSED = Verdict("up_applies", "001_a", Outcome.PASSED, notes=("a note",), rows=3, values=9)
SKIPPED = Verdict("up_repeats", "001_a", Outcome.SKIPPED, reason="no down part", unneeded=("x",))
FINDING = Finding("lost", "up", Path("001_a.sql"))


def test_verdicts_are_read_as_they_were() -> None:
    kept = KeptVerdicts((PASSED, SKIPPED), "printed\ud800")

    assert read_verdicts(encode_verdicts(kept), "001_a") == kept


def test_verdicts_are_sorted_by_their_checks_once() -> None:
    kept = KeptVerdicts((PASSED, SKIPPED))

    assert kept.by_check == {"up_applies": PASSED, "up_repeats": SKIPPED}
    assert kept.by_check is kept.by_check


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("up_applies", "001_a", Outcome.FAILED, (FINDING,)),
        Verdict("up_applies", "001_a", Outcome.FAILED),
        Verdict("up_applies", "001_a", Outcome.PASSED, (FINDING,)),
        Verdict("up_applies", "001_a", Outcome.PASSED, narrowed="some rows"),
        Verdict("up_applies", "001_a", Outcome.PASSED, reason="why"),
        Verdict("up_applies", "001_a", Outcome.SKIPPED),
    ],
)
def test_what_has_not_passed_may_not_be_kept(verdict: Verdict) -> None:
    assert not may_be_kept(verdict)


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome": "failed"},
        {"outcome": "fine"},
        {"subject": "002_b"},
        {"check": "no_such"},
        {"notes": [1]},
        {"notes": "a note"},
        {"rows": True},
        {"rows": "3"},
        {"reason": "why"},
        {"more": 1},
        {"unneeded": 1},
    ],
    ids=str,
)
def test_an_entry_of_another_shape_is_none(changed: dict[str, object]) -> None:
    plain = json.loads(encode_verdicts(KeptVerdicts((PASSED,))))
    plain["verdicts"][0].update(changed)

    assert read_verdicts(json.dumps(plain).encode(), "001_a") is None


@pytest.mark.parametrize(
    "content", [None, b"", b"{}", b"[]", b"\xff", b'{"verdicts": 1, "printed": ""}', b"[" * 99_999]
)
def test_what_is_no_entry_is_none(content: bytes | None) -> None:
    assert read_verdicts(content, "001_a") is None
