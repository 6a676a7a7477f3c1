"""The workers of a session share one judge, where each would have judged as all do."""

from __future__ import annotations

import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from pytest_bbmigrate.catalogue.fingerprint import Fingerprint
from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.judge.answers import Answers
from pytest_bbmigrate.judge.model import AskVerdicts, Broken, Judged, JudgeFailed, Opening, Ran
from pytest_bbmigrate.judge.shared import GONE, SharedJudge
from pytest_bbmigrate.judge.sharing import ENDS, Sharing
from pytest_bbmigrate.judge.visits import (
    KIND_OF,
    Greeting,
    Visit,
    VisitEnded,
    address_of,
    is_own_user,
    place_of,
)
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.settings import Settings
from pytest_bbmigrate.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_bbmigrate.judge.client import JudgeClient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a judge is shared")

CHECKS = ("up_applies", "data_survives")
FOLDER = Path("/project")
SETTINGS = Settings(FOLDER, FOLDER / "migrations", FOLDER / "none.db")
OPENING = Opening(SETTINGS, ("/app",), Fingerprint(SETTINGS.migrations, SETTINGS.database, {}))
EXPECTED = dict.fromkeys(range(3), CHECKS)


class Judging:
    """A judge that answers at once, or waits as for its process; notes what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.opened: list[Opening] = []
        self.is_closed = False
        self.answers = Answers()
        self.wait: Callable[[int], object] = lambda _: None
        self.waits_at = -1
        self.is_waiting = threading.Event()
        self.pipe, self.its = socket.socketpair()

    def open(self, opening: Opening) -> None:
        self.opened.append(opening)

    def expect(self, checks: dict[int, tuple[str, ...]], *, works_ahead: bool) -> None:
        self.asked.append((checks, works_ahead))

    def begin(self) -> None:
        self.asked.append("begin")

    def knows(self, position: int, checks: Sequence[str]) -> bool:
        return all(self.answers.knows(position, check) for check in checks)

    def reply(self, position: int, checks: tuple[str, ...]) -> Judged:
        if not self.knows(position, checks):
            self.asked.append((position, checks))
            if position == self.waits_at:
                self.is_waiting.set()
                self.wait(self.pipe.fileno())
            if position == 9:
                self.answers.fail(position, "it was killed")
            else:
                verdicts = tuple(verdict(position, check) for check in checks)
                self.answers.keep(AskVerdicts(position, checks), Judged(verdicts, "said"))
        return self.answers.reply(position, checks)

    def folder_verdict(self, before: int = 0) -> Verdict:  # noqa: ARG002 - as a JudgeClient's
        raise JudgeFailed("the folder is none")

    def state(self, position: int) -> bytes:
        if position > 1:
            raise StateUnreachable("001_a", "a function f")
        return b"state\n%d" % position

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        return Ran(None, printed=f"{position} {side}"), image + b" after\n"

    def close(self) -> None:
        self.is_closed = True


def verdict(position: int, check: str) -> Verdict:
    """Return a verdict that can be told from others."""
    return Verdict(f"{position:03}", check, Outcome.PASSED)


@pytest.fixture
def judging() -> Iterator[Judging]:
    """Yield the judge that is shared."""
    judging = Judging()
    yield judging
    for end in (judging.pipe, judging.its):
        end.close()


@pytest.fixture
def sharing(judging: Judging) -> Iterator[Sharing]:
    """Yield what shares it."""
    sharing = Sharing(cast("JudgeClient", judging), "here", 3)
    sharing.start()
    yield sharing
    sharing.close()


@pytest.fixture
def owns() -> list[Judging]:
    """Return the judges of workers' own, as they are made."""
    return []


@pytest.fixture
def worker(sharing: Sharing, owns: list[Judging]) -> Iterator[Callable[..., SharedJudge]]:
    """Yield what makes the judge of a worker, which has told what it would judge."""
    made: list[SharedJudge] = []

    def make_own() -> JudgeClient:
        owns.append(Judging())
        own = owns[-1]
        own.verdict = lambda position, check: (verdict(position, f"own {check}"), "")  # type: ignore[attr-defined]
        own.state = lambda position: b"own %d" % position  # type: ignore[method-assign]
        return cast("JudgeClient", own)

    def make(
        place: str = "here", opening: Opening = OPENING, token: str = "", name: str = ""
    ) -> SharedJudge:
        judge = SharedJudge(name or sharing.name, token or sharing.token, place, make_own)
        made.append(judge)
        judge.start()
        judge.open(opening)
        judge.expect(EXPECTED, works_ahead=False)
        return judge

    yield make
    for judge in made:
        judge.close()
    for own in owns:
        own.pipe.close()
        own.its.close()


def test_all_workers_are_told_what_the_judge_was_asked_once(
    judging: Judging, worker: Callable[..., SharedJudge], owns: list[Judging]
) -> None:
    workers = [worker(), worker(), worker()]

    told = [each.verdict(1, check) for each in workers for check in CHECKS]

    assert told == [(verdict(1, check), "said") for check in CHECKS] * 3
    assert judging.asked == [(EXPECTED, True), "begin", (1, CHECKS)]
    assert judging.opened == [replace(OPENING, most_apart=3)]
    assert not owns


def test_what_no_judge_can_tell_a_worker_is_not_told_either(
    worker: Callable[..., SharedJudge],
) -> None:
    shared = worker()

    with pytest.raises(JudgeFailed, match=r"^it was killed$"):
        shared.verdict(9, "up_applies")
    with pytest.raises(JudgeFailed, match=r"^the folder is none$"):
        shared.folder_verdict()
    with pytest.raises(StateUnreachable) as raised:
        shared.state(2)
    assert (raised.value.migration, raised.value.lacks) == ("001_a", "a function f")


def test_databases_come_and_go_as_they_are(worker: Callable[..., SharedJudge]) -> None:
    shared = worker()
    image = bytes(range(256)) * 4096  # more than a socket holds at a time

    assert shared.state(1) == b"state\n1"
    assert shared.run(1, "up", image) == (Ran(None, printed="1 up"), image + b" after\n")


@pytest.mark.parametrize(
    "other",
    [
        {"place": "elsewhere"},
        {"opening": replace(OPENING, path=("/other",))},
        {"opening": replace(OPENING, shows_values=True)},
        {"name": "nobody"},
    ],
    ids=["place", "path", "option", "no such socket"],
)
def test_a_worker_that_would_judge_otherwise_has_a_judge_of_its_own(
    worker: Callable[..., SharedJudge], owns: list[Judging], other: dict[str, object]
) -> None:
    assert worker().verdict(0, "up_applies") == (verdict(0, "up_applies"), "said")

    apart = worker(**other)

    assert apart.verdict(0, "up_applies") == (verdict(0, "own up_applies"), "")
    assert apart.state(1) == b"own 1"
    assert [(own.opened, own.asked) for own in owns] == [
        ([other.get("opening", OPENING)], [(EXPECTED, False)])
    ]
    apart.close()
    assert owns[0].is_closed


def test_who_does_not_know_the_token_is_told_nothing(worker: Callable[..., SharedJudge]) -> None:
    with pytest.raises(JudgeFailed, match=GONE):
        worker(token="guessed").verdict(0, "up_applies")


@pytest.mark.parametrize("asked", [AskVerdicts(0, CHECKS), Broken("")], ids=["question", "other"])
def test_who_asks_without_a_greeting_is_told_nothing(sharing: Sharing, asked: object) -> None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address_of(sharing.name))
    kind = KIND_OF.get(type(asked), "broken")  # type: ignore[arg-type]
    connection.sendall(encode_message(kind, asked) + b"\n")

    with connection:
        assert connection.recv(1) == b""


def test_while_the_judge_is_waited_for_others_are_told_what_is_known(
    judging: Judging, worker: Callable[..., SharedJudge]
) -> None:
    first, second = worker(), worker()
    first.verdict(0, "up_applies")
    judging.waits_at = 2
    told: list[object] = []
    waiting = threading.Thread(target=lambda: told.append(first.verdict(2, "up_applies")))
    waiting.start()
    assert judging.is_waiting.wait(30)

    assert second.verdict(0, "data_survives") == (verdict(0, "data_survives"), "said")

    assert not told
    judging.its.sendall(b"!")
    waiting.join(30)
    assert told == [(verdict(2, "up_applies"), "said")]


class AnsweredAtOnce:
    """A connection whose other end answers the first thing that is sent, and is gone."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()

    def fileno(self) -> int:
        return self.ours.fileno()

    def sendall(self, data: bytes) -> None:
        self.ours.sendall(data)
        self.theirs.recv(len(data))
        self.theirs.close()


def test_what_is_answered_before_saying_it_has_come_back_was_said() -> None:
    connection = AnsweredAtOnce()

    Visit(cast("socket.socket", connection)).say(AskVerdicts(1, CHECKS))

    connection.ours.close()


def test_a_worker_that_waits_when_the_session_ends_is_told_so(
    judging: Judging, sharing: Sharing, worker: Callable[..., SharedJudge]
) -> None:
    shared = worker()
    judging.waits_at = 2
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(JudgeFailed) as raised:
            shared.verdict(2, "up_applies")
        told.append(str(raised.value))

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert judging.is_waiting.wait(30)

    sharing.close()

    waiting.join(30)
    assert told == [ENDS]
    assert judging.is_closed
    with pytest.raises(JudgeFailed, match=GONE):
        shared.verdict(1, "up_applies")


def test_a_worker_that_is_gone_is_forgotten_with_what_it_has_asked(
    judging: Judging, sharing: Sharing, worker: Callable[..., SharedJudge]
) -> None:
    judging.waits_at = 2
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(address_of(sharing.name))
    gone = Visit(connection)
    gone.say(Greeting(sharing.token, "here", OPENING, ()))
    gone.say(AskVerdicts(2, CHECKS))
    gone.say(AskVerdicts(3, CHECKS))
    assert judging.is_waiting.wait(30)

    gone.close()
    other = worker()
    judging.its.sendall(b"!")

    assert other.verdict(4, "up_applies") == (verdict(4, "up_applies"), "said")
    assert (3, CHECKS) not in judging.asked


def test_a_place_is_another_in_another_folder_or_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = place_of(("/dev/shm",), None)

    assert place_of(("/dev/shm",), None) == place
    assert place_of((), None) != place
    for own in ("PYTEST_XDIST_WORKER", "COLUMNS"):
        monkeypatch.setenv(own, "77")
    assert place_of(("/dev/shm",), None) == place
    monkeypatch.setenv("APP_MODE", "test")
    assert place_of(("/dev/shm",), None) != place
    monkeypatch.delenv("APP_MODE")
    monkeypatch.chdir(tmp_path)
    assert place_of(("/dev/shm",), None) != place


def test_a_process_of_another_user_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_own_user(ours)
        monkeypatch.setattr("os.geteuid", lambda: 2**31 - 1)
        assert not is_own_user(ours)


def test_a_visit_whose_other_end_is_closed_has_ended() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        visit = Visit(ours)
        with pytest.raises(VisitEnded):
            visit.hear({})
        with pytest.raises(VisitEnded):
            visit.say(AskVerdicts(0, CHECKS))
