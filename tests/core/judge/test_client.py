"""Pytest's side of the judge asks ahead, and looks through what it has asked once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_bbmigrate.catalogue import Fingerprint
from pytest_bbmigrate.judge.client import AHEAD, JudgeClient
from pytest_bbmigrate.judge.model import AskVerdicts, Judged, Opening
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.verdict import CHECKS, Outcome, Verdict

if TYPE_CHECKING:
    import pytest

    from pytest_bbmigrate.judge.process import Process

MIGRATIONS = 200


class Answers:
    """A process that answers each question, in the order that they came."""

    def __init__(self) -> None:
        self.asked: list[AskVerdicts] = []

    def send(self, kind: str, value: object) -> None:
        """Take a question."""
        if kind == "verdicts":
            self.asked.append(cast("AskVerdicts", value))

    def receive(self, wait: object, *, shows_errors: bool) -> Judged:
        """Answer the next one."""
        assert wait is not None
        assert shows_errors is False
        checks = self.asked.pop(0).checks
        return Judged(tuple(Verdict(check, "001_a", Outcome.PASSED) for check in checks))


def test_what_is_asked_ahead_is_compared_with_each_question_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = Counter[str]()
    equal = AskVerdicts.__eq__

    def compare(one: AskVerdicts, other: object) -> bool:
        compared["all"] += 1
        return equal(one, other)

    monkeypatch.setattr(AskVerdicts, "__eq__", compare)
    judge = JudgeClient(process=cast("Process", Answers()))
    folder = Path("/app")
    settings = Settings(folder, folder / "migrations", folder / "app.db")
    judge.open(Opening(settings, (), Fingerprint(folder, folder, {}), most_apart=1))
    judge.expect(dict.fromkeys(range(MIGRATIONS), CHECKS), works_ahead=True)

    for position in range(MIGRATIONS):
        for check in CHECKS:
            assert judge.verdict(position, check)[0].check == check

    assert compared["all"] < 2 * AHEAD * MIGRATIONS
