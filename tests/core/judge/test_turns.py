"""Questions are answered here and in processes apart, and said in the order they were asked."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from pytest_bbmigrate.catalogue.fingerprint import Fingerprint
from pytest_bbmigrate.judge.answering import Responder
from pytest_bbmigrate.judge.apart import answer_apart
from pytest_bbmigrate.judge.folder import IMAGES, PARTS
from pytest_bbmigrate.judge.model import AskFolder, AskVerdicts, Opening, Question
from pytest_bbmigrate.judge.turns import TOGETHER, Turns, answer_all
from pytest_bbmigrate.processes.lines import write_all
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.project import read_project
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.verdict import CHECKS
from tests.core.cataloguing import write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a judge is forked")

HERE, APART = b"here", b"apart"
FOLDER = {
    "001_a.sql": "-- migrate:up\nCREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT);\n"
    "-- migrate:down\nDROP TABLE a;\n",
    "002_n.sql": "UPDATE a SET n = lower(n);\n",
    "003_b.py": "def up(db):\n    db.execute('CREATE TABLE b (id INTEGER PRIMARY KEY)')\n",
    "004_c.sql": "ALTER TABLE a ADD COLUMN c TEXT;\n",
    "005_d.sql": "DELETE FROM a WHERE id % 2;\n",
    "006_e.sql": "ALTER TABLE a RENAME COLUMN n TO m;\n",
    "007_f.sql": "CREATE TABLE f AS SELECT * FROM missing;\n",
    "008_g.sql": "CREATE TABLE g (id INTEGER PRIMARY KEY);\n",
}


class Answers(Responder):
    """Answers where it was done, apart as slowly as the position says; ``hit`` never do."""

    def __init__(
        self,
        most_apart: int,
        hit: frozenset[int] = frozenset(),
        by: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.most_apart_now = most_apart
        self.hit, self.by = hit, by
        self.here = os.getpid()

    @property
    def most_apart(self) -> int:
        return self.most_apart_now

    def prepare_apart(self, question: Question) -> bool:
        return bool(self.most_apart_now) and isinstance(question, AskVerdicts)

    def answered_apart(self, question: Question) -> None:
        pass

    def message(self, question: Question) -> bytes:
        if os.getpid() == self.here:
            return HERE
        assert isinstance(question, AskVerdicts)
        if question.position in self.hit:
            os.kill(os.getpid(), self.by)
        time.sleep(0.02 * question.position)
        return APART


def said(responder: Responder, questions: list[Question]) -> list[bytes]:
    """Return the replies to ``questions``, all of them asked at once."""
    turns, replies = Turns(responder, ()), list[bytes]()
    for question in questions:
        turns.ask(question)
    while turns:
        turns.go_on()
        replies.extend(turns.said())
    return replies


def asked(*positions: int) -> list[Question]:
    """Return the questions for the checks of the migrations at ``positions``."""
    return [AskVerdicts(position, CHECKS) for position in positions]


def test_as_many_are_answered_apart_as_may_be_and_the_rest_here() -> None:
    assert said(Answers(1), asked(0, 0, 0, 9)) == [HERE, HERE, APART, APART]
    assert said(Answers(2), asked(0, 0, 0, 9)) == [HERE, APART, APART, APART]
    assert said(Answers(0), asked(0, 0)) == [HERE, HERE]


def test_of_many_questions_a_process_is_given_what_it_can_answer_at_once() -> None:
    turns = Turns(Answers(1), ())

    for question in asked(*[0] * TOGETHER):
        turns.ask(question)

    assert len(turns.apart) == 1
    assert not turns.go_on()
    while turns:
        assert {*turns.said()} <= {APART}


def test_a_question_that_cannot_be_answered_apart_keeps_its_turn() -> None:
    assert said(Answers(1), [*asked(0, 9), AskFolder()]) == [HERE, APART, HERE]


def test_what_a_process_that_was_killed_has_not_told_is_answered_here() -> None:
    assert said(Answers(2, frozenset([1])), asked(0, 0, 0, 1)) == [HERE, APART, HERE, HERE]


def test_what_a_process_that_stays_stopped_has_not_told_is_answered_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pytest_bbmigrate.processes.children.STOPPED_SECONDS", 0.1)

    assert said(Answers(2, frozenset([1]), signal.SIGSTOP), asked(0, 0, 0, 1)) == [
        HERE,
        APART,
        HERE,
        HERE,
    ]


def test_a_process_that_is_stopped_and_continued_is_waited_for() -> None:
    def stops() -> bytes:
        os.kill(os.getpid(), signal.SIGSTOP)
        return APART

    process = answer_apart(stops, ())
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert not process.is_ready()

    os.kill(process.pid, signal.SIGCONT)

    assert process.take() == APART


def test_an_answer_longer_than_a_pipe_holds_comes_whole() -> None:
    long = bytes(range(256)) * 4096

    assert answer_apart(lambda: long, ()).take() == long


def test_a_process_apart_has_no_pipe_that_is_not_its_own() -> None:
    ours, its = os.pipe()

    def is_open() -> bytes:
        return str(Path(f"/proc/self/fd/{its}").exists()).encode()

    assert answer_apart(is_open, [its]).take() == b"False"
    for descriptor in (ours, its):
        os.close(descriptor)


def replies_of(folder: Path, most_apart: int) -> list[bytes]:
    """Return what a judge's process replies on a folder, with ``most_apart`` others beside it."""
    home = folder / f"judge-{most_apart}"
    for name in (IMAGES, PARTS):
        (home / name).mkdir(parents=True)
    settings = Settings(folder, folder / "migrations", folder / "none.db", rows=20)
    fixed = Fingerprint(settings.migrations, settings.database, {})
    fixed = fixed.read_again(read_project(settings).catalogue.texts)
    opening = Opening(settings, tuple(sys.path), fixed, most_apart=most_apart, shows_errors=True)
    is_asked, asks = os.pipe()
    is_told, tells = os.pipe()
    questions = [("verdicts", each) for each in asked(*range(len(FOLDER)))]
    for kind, value in (("opening", opening), *questions, ("folder", AskFolder())):
        write_all(asks, encode_message(kind, value) + b"\n")
    os.close(asks)

    def judge() -> bytes:
        answer_all(home, is_asked, tells)
        return b""

    process = answer_apart(judge, [is_told])
    os.close(tells)
    with os.fdopen(is_told, "rb") as told:
        replies = told.read().splitlines()
    process.take()
    os.close(is_asked)
    return replies


def test_with_others_beside_it_a_judge_says_the_same_in_the_same_order(tmp_path: Path) -> None:
    write(tmp_path / "migrations", FOLDER)

    alone = replies_of(tmp_path, 0)

    assert len(alone) == len(FOLDER) + 1
    assert b"missing" in alone[6]
    assert b"unreachable" in alone[7]
    assert replies_of(tmp_path, 1) == alone
    assert replies_of(tmp_path, 3) == alone
