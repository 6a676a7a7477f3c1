"""Pytest's side of the judge: it starts the process, asks, and reads what is answered."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.judge.answers import Answers, question_for
from pytest_bbmigrate.judge.kinds import with_kinds
from pytest_bbmigrate.judge.model import (
    KIND_OF,
    AskFolder,
    AskKept,
    AskRun,
    AskState,
    AskVerdicts,
    Judged,
    JudgeFailed,
    Ran,
    Stored,
    judged,
    wanted_reply,
)
from pytest_bbmigrate.judge.process import start_process
from pytest_bbmigrate.processes.lines import wait_for
from pytest_bbmigrate.processes.untrusted_files import LARGEST_IMAGE, read_untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeVar

    from pytest_bbmigrate.judge.model import Opening, Question, Reply
    from pytest_bbmigrate.judge.process import Process
    from pytest_bbmigrate.processes.app_python import AppPython
    from pytest_bbmigrate.verdict import Verdict

    R = TypeVar("R", bound=Reply)
    T = TypeVar("T")


AHEAD = 64  # questions for each core that answers besides: no more than a pipe holds


class JudgeClient:
    """The judge of a session; its ``process`` is started when it is first needed, or was before.

    ``shared`` are folders that it may write to besides its own; ``python`` is the app's, which runs
    it, None for the one that runs this process. Where there is something else to do until a reply
    comes, ``wait`` does it: it is given the pipe, and returns once something comes through that.
    """

    def __init__(
        self,
        shared: Sequence[str] = (),
        python: AppPython | None = None,
        process: Process | None = None,
    ) -> None:
        self._shared = tuple(shared)
        self._python = python
        self._process = process
        self._opening: Opening | None = None
        self._checks: Mapping[int, tuple[str, ...]] = {}
        self._works_ahead = False
        self._answers = Answers()
        self._reached: int | None = None
        self._ahead: deque[Question] = deque()
        self._beside: set[Question] = set()
        self.wait: Callable[[int], object] = wait_for

    def start(self) -> None:
        """Start the process, so that it imports what it needs while others do their work."""
        if self._process is None:
            self._process = start_process(self._shared, self._python)

    def open(self, opening: Opening) -> None:
        """Say what is to be judged."""
        self._opening = opening
        if self._process is not None:
            self._process.send("opening", opening)

    def expect(self, checks: Mapping[int, tuple[str, ...]], *, works_ahead: bool) -> None:
        """Say which checks will be asked for, by the position of the migration, in their order.

        With ``works_ahead`` the judge is asked for the next migrations' while the last one's are
        reported.
        """
        self._checks, self._works_ahead = checks, works_ahead

    def verdict(self, position: int, check: str) -> tuple[Verdict, str]:
        """Return the verdict of ``check`` on the migration at ``position``, and what it printed.

        Raises: StateUnreachable when an earlier migration does not apply; JudgeFailed.
        """
        self._find(position, check)
        return self._answers.verdict(position, check)

    def reply(self, position: int, checks: Sequence[str]) -> Judged:
        """Return the answers of ``checks``, as the judge has given them; raises as ``verdict``."""
        for check in checks:
            self._find(position, check)
        return self._answers.reply(position, checks)

    def knows(self, position: int, checks: Sequence[str]) -> bool:
        """Return whether the judge need not be waited for to answer these."""
        return all(self._answers.knows(position, check) for check in checks)

    def is_whole(self, position: int) -> bool:
        """Return whether the migration at ``position`` was judged on all generated rows."""
        return self._answers.is_whole(position)

    def folder_verdict(self, before: int = 0) -> Verdict:
        """Return the verdict on the folder as a whole; raises as ``verdict`` does.

        Of the migrations ``before`` a position it is known to hold.
        """
        self._ask_ahead(0)  # that needs all states: others judge on the first ones meanwhile
        question = AskFolder(before)
        reply = self._alone_if_need_be(question, lambda: self._ask(question, Judged))
        return with_kinds(judged(*reply.answers))

    def kept_state(self, position: int) -> bytes:
        """Return the state after the first ``position`` migrations as it is kept; b"" for none.

        Raises: as ``verdict`` does.
        """
        question = AskKept(position)

        def ask() -> bytes:
            name = self._ask(question, Stored).image
            return self._take(name) if name else b""

        return self._alone_if_need_be(question, ask)

    def state(self, position: int) -> bytes:
        """Return the image of the database after the first ``position`` migrations.

        Raises: as ``verdict`` does.
        """
        question = AskState(position)

        def ask() -> bytes:
            return self._take(self._ask(question, Stored).image)

        return self._alone_if_need_be(question, ask)

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        """Run a side ('up', 'down') of the migration at ``position`` on ``image``.

        Return what it gave, and the image afterwards; b"" where it failed.

        Raises: as ``verdict`` does.
        """
        question = AskRun(position, side, f"given-{position}-{side}.db")

        def ask() -> tuple[Ran, bytes]:
            given = self._ready().images / question.image
            given.write_bytes(image)
            ran = self._ask(question, Ran)
            given.unlink(missing_ok=True)
            return ran, b"" if ran.failure else self._take(ran.image)

        return self._alone_if_need_be(question, ask)

    def begin(self) -> None:
        """Ask for the first of what is expected, and wait for no answer."""
        self._ask_ahead(0)

    def close(self) -> None:
        """End the process, and all that it has left."""
        process, self._process = self._process, None
        self._ahead.clear()
        if process is not None:
            process.end()

    def _find(self, position: int, check: str) -> None:
        """Have what ``check`` is told of the migration at ``position`` kept."""
        if position != self._reached:
            self._reached = position
            self._ask_ahead(position)
        if self._answers.knows(position, check):
            return
        question = question_for(check, position, self._checks)
        self._answers.ask(
            question,
            lambda: self._alone_if_need_be(question, lambda: self._ask(question, Judged)),
        )

    def _alone_if_need_be(self, question: Question, ask: Callable[[], T]) -> T:
        """Return what ``ask`` returns, which asks ``question``.

        Where the process ends while others are asked as well, any of them may be the cause: from
        then on each is asked alone.

        Raises: as ``verdict`` does.
        """
        beside = {*self._ahead} - {question}
        try:
            return ask()
        except JudgeFailed:
            if self._process is not None or not beside | self._beside:
                raise
            self._works_ahead = False
            return ask()

    def _ask_ahead(self, position: int) -> None:
        """Ask for what is expected from ``position`` on, and wait for no answer."""
        apart = 0 if self._opening is None else self._opening.most_apart
        most = 2 + AHEAD * apart if self._works_ahead else 0
        asked = {*self._ahead}
        for each in [each for each in self._checks if each >= position][:most]:
            question = AskVerdicts(each, self._checks[each])
            if len(self._ahead) >= most:
                return
            if not self._answers.knows(each, question.checks[0]) and question not in asked:
                self._send(question)
                self._ahead.append(question)

    def _ask(self, question: Question, wanted: type[R]) -> R:
        """Return the reply to ``question``.

        Raises: StateUnreachable; JudgeFailed when there is none, or it is no reply to that.
        """
        try:
            reply = self._reply_to(question)
        except BaseException:  # also a Ctrl-C: what comes next would be the reply to this
            self._beside = {*self._ahead} - {question}
            self.close()
            raise
        return wanted_reply(reply, wanted)

    def _reply_to(self, question: Question) -> Reply:
        """Return the reply to ``question``, having kept those to what was asked before it."""
        if question not in self._ahead:
            self._send(question)
            self._ahead.append(question)
        shows_errors = self._opening is not None and self._opening.shows_errors
        while True:
            reply = self._ready().receive(self.wait, shows_errors=shows_errors)
            asked = self._ahead.popleft()
            if asked == question:
                return reply
            if isinstance(asked, AskVerdicts):
                self._answers.keep(asked, reply)

    def _send(self, question: Question) -> None:
        self._ready().send(KIND_OF[type(question)], question)

    def _ready(self) -> Process:
        """Return the process, started anew if it has ended."""
        if self._process is None:
            self._process = start_process(self._shared, self._python)
            if self._opening is not None:
                self._process.send("opening", self._opening)
        return self._process

    def _take(self, name: str) -> bytes:
        """Return the image in the file ``name``, which is removed."""
        path = self._ready().images / Path(name).name
        try:
            return read_untrusted(path, LARGEST_IMAGE)
        except OSError as error:
            raise JudgeFailed(f"{path}: no database was left there ({error})") from error
        finally:
            path.unlink(missing_ok=True)
