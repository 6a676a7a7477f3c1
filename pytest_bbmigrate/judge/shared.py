"""The judge as a worker has it: the one of its session, which another process asks for it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pytest_bbmigrate.judge.answers import Answers, question_for
from pytest_bbmigrate.judge.kinds import with_kinds
from pytest_bbmigrate.judge.model import (
    AskFolder,
    AskKept,
    AskState,
    AskVerdicts,
    Judged,
    JudgeFailed,
    judged,
    wanted_reply,
)
from pytest_bbmigrate.judge.visits import (
    TOLD,
    GivenRun,
    Greeting,
    Image,
    RanOn,
    Visit,
    VisitEnded,
    Welcome,
    address_of,
    is_own_user,
)
from pytest_bbmigrate.processes.messages import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.model import Opening, Ran
    from pytest_bbmigrate.judge.visits import VisitQuestion
    from pytest_bbmigrate.verdict import Verdict

    R = TypeVar("R")

GONE = "the process that judges for all workers of this session gives no more answers"


class SharedJudge:
    """The judge that the workers of a session share; asked as a ``JudgeClient`` is.

    ``name`` and ``token`` are those of the process that has it, and ``place`` is what a judge of
    this worker's would take from it. Where it cannot share, it has one of its own, which
    ``make_own`` starts.
    """

    def __init__(
        self, name: str, token: str, place: str, make_own: Callable[[], JudgeClient]
    ) -> None:
        self._name, self._token, self._place = name, token, place
        self._make_own = make_own
        self._own: JudgeClient | None = None
        self._visit: Visit | None = None
        self._opening: Opening | None = None
        self._checks: Mapping[int, tuple[str, ...]] = {}
        self._is_greeted = self._is_welcome = False
        self._answers = Answers()

    def start(self) -> None:
        """Connect; where that cannot be, start a judge of this worker's own. Twice is once."""
        if self._visit is not None or self._own is not None:
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(address_of(self._name))
            is_shared = is_own_user(connection)
        except OSError:
            is_shared = False
        if is_shared:
            self._visit = Visit(connection)
        else:
            connection.close()
            self._have_own()

    def open(self, opening: Opening) -> None:
        """Say what is to be judged."""
        self._opening = opening
        if self._own is not None:
            self._own.open(opening)

    def expect(self, checks: Mapping[int, tuple[str, ...]], *, works_ahead: bool) -> None:
        """Say which checks the session will ask for; the judge begins with them."""
        self._checks = checks
        if self._own is not None:
            self._own.expect(checks, works_ahead=works_ahead)
        else:
            self._greet()

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        """Return the verdict of ``check`` on the migration at ``position``, and what it printed.

        Raises: StateUnreachable when an earlier migration does not apply; JudgeFailed.
        """
        if (own := self._alone()) is not None:
            return own.verdict(position, check)
        if not self._answers.knows(position, check):
            question = question_for(check, position, self._checks)
            self._answers.ask(question, lambda: self._ask(question, Judged)[0])
        return self._answers.verdict(position, check)

    def is_whole(self, position: int) -> bool:
        """Return whether the migration at ``position`` was judged on all generated rows."""
        judge = self._answers if self._own is None else self._own
        return judge.is_whole(position)

    def folder_verdict(self, before: int = 0) -> Verdict:
        """Return the verdict on the folder as a whole; raises as ``verdict`` does.

        Of the migrations ``before`` a position it is known to hold.
        """
        if (own := self._alone()) is not None:
            return own.folder_verdict(before)
        return with_kinds(judged(*self._ask(AskFolder(before), Judged)[0].answers))

    def kept_state(self, position: int) -> bytes:
        """Return the state after the first ``position`` migrations as it is kept; b"" for none.

        Raises: as ``verdict`` does.
        """
        if (own := self._alone()) is not None:
            return own.kept_state(position)
        return self._ask(AskKept(position), Image)[1]

    def state(self, position: int) -> bytes:
        """Return the image of the database after the first ``position`` migrations.

        Raises: as ``verdict`` does.
        """
        if (own := self._alone()) is not None:
            return own.state(position)
        return self._ask(AskState(position), Image)[1]

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        """Run a side ('up', 'down') of the migration at ``position`` on ``image``.

        Return what it gave, and the image afterwards; b"" where it failed.

        Raises: as ``verdict`` does.
        """
        if (own := self._alone()) is not None:
            return own.run(position, side, image)
        reply, after = self._ask(GivenRun(position, side, len(image)), RanOn, image)
        return reply.ran, after

    def close(self) -> None:
        """End the connection, or the process of this worker's own."""
        visit, self._visit = self._visit, None
        if visit is not None:
            visit.close()
        if self._own is not None:
            self._own.close()

    def _have_own(self) -> None:
        """Start a judge of this worker's own, and tell it what the other was to be told."""
        self._own = self._make_own()
        if self._opening is not None:
            self._own.open(self._opening)
            self._own.expect(self._checks, works_ahead=False)

    def _greet(self) -> None:
        """Say what is to be judged; where the other one is gone, asking it says so."""
        if self._visit is None or self._opening is None or self._is_greeted:
            return
        self._is_greeted = True
        expected = tuple(AskVerdicts(*each) for each in self._checks.items())
        try:
            self._visit.say(Greeting(self._token, self._place, self._opening, expected))
        except VisitEnded:
            self.close()

    def _alone(self) -> JudgeClient | None:
        """Return the judge of this worker's own, where it has one; else have heard the welcome."""
        if self._own is not None or self._is_welcome:
            return self._own
        self._greet()
        welcome, _ = self._hear(Welcome)
        self._is_welcome = welcome.is_shared
        if not self._is_welcome:
            self.close()
            self._have_own()
        return self._own

    def _ask(
        self, question: VisitQuestion, wanted: type[R], content: bytes = b""
    ) -> tuple[R, bytes]:
        """Return the reply to ``question``, and the content that follows it.

        Raises: StateUnreachable; JudgeFailed when there is none, or it is no reply to that.
        """
        if self._visit is None:
            raise JudgeFailed(GONE)
        try:
            self._visit.say(question, content)
        except VisitEnded as error:
            self.close()
            raise JudgeFailed(GONE) from error
        except BaseException:
            self.close()
            raise
        return self._hear(wanted)

    def _hear(self, wanted: type[R]) -> tuple[R, bytes]:
        """Return the next reply; raises as ``_ask`` does."""
        if self._visit is None:
            raise JudgeFailed(GONE)
        try:
            heard = self._visit.hear(TOLD)
        except (VisitEnded, Unreadable) as error:
            self.close()
            raise JudgeFailed(GONE) from error
        except BaseException:  # also a Ctrl-C: what comes next would be the reply to this
            self.close()
            raise
        reply, content = heard if heard is not None else (None, b"")
        return wanted_reply(reply, wanted), content
