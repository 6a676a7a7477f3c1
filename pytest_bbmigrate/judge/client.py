"""Pytest's side of the judge: it starts the process, asks, and reads what is answered."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import StateUnreachable
from pytest_bbmigrate.judge.kinds import with_kinds
from pytest_bbmigrate.judge.model import (
    KIND_OF,
    AskFolder,
    AskKept,
    AskRun,
    AskState,
    AskVerdicts,
    Broken,
    Judged,
    JudgeFailed,
    Ran,
    Refused,
    Stored,
    Unreachable,
    judged,
)
from pytest_bbmigrate.judge.process import start_process
from pytest_bbmigrate.processes.untrusted_files import LARGEST_IMAGE, read_untrusted
from pytest_bbmigrate.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeVar

    from pytest_bbmigrate.judge.model import Opening, Question, Reply
    from pytest_bbmigrate.judge.process import Process
    from pytest_bbmigrate.processes.app_python import AppPython

    R = TypeVar("R", bound=Reply)


AHEAD = 64  # questions for each core that answers besides: no more than a pipe holds


class JudgeClient:
    """The judge of a session; its ``process`` is started when it is first needed, or was before.

    ``shared`` are folders that it may write to besides its own; ``python`` is the app's, which runs
    it, None for the one that runs this process.
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
        self._answers: dict[tuple[int, str], Verdict | Broken] = {}
        self._printed: dict[int, str] = {}
        self._whole: set[int] = set()
        self._failures: dict[int, str] = {}
        self._unreachable: dict[int, Unreachable] = {}
        self._reached: int | None = None
        self._ahead: deque[Question] = deque()

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
        if position in self._failures:
            raise JudgeFailed(self._failures[position])
        if position != self._reached:
            self._reached = position
            self._ask_ahead(position)
        is_answered = (position, check) in self._answers
        if not is_answered and position not in self._unreachable:
            expected = self._checks.get(position, ())
            question = AskVerdicts(position, expected if check in expected else (check,))
            try:
                self._keep(question, self._ask_alone_if_need_be(question))
            except StateUnreachable as error:
                self._unreachable[position] = Unreachable(error.migration, error.lacks)
            except JudgeFailed as error:
                self._failures[position] = str(error)
                raise
        if position in self._unreachable:
            unreachable = self._unreachable[position]
            raise StateUnreachable(unreachable.migration, unreachable.lacks)
        return judged(self._answers[position, check]), self._printed.get(position, "")

    def is_whole(self, position: int) -> bool:
        """Return whether the migration at ``position`` was judged on all generated rows."""
        return position in self._whole

    def folder_verdict(self, before: int = 0) -> Verdict:
        """Return the verdict on the folder as a whole; raises as ``verdict`` does.

        Of the migrations ``before`` a position it is known to hold.
        """
        self._ask_ahead(0)  # that needs all states: others judge on the first ones meanwhile
        return with_kinds(judged(*self._ask_alone_if_need_be(AskFolder(before)).answers))

    def kept_state(self, position: int) -> bytes:
        """Return the state after the first ``position`` migrations as it is kept; b"" for none.

        Raises: as ``verdict`` does.
        """
        name = self._ask(AskKept(position), Stored).image
        return self._take(name) if name else b""

    def state(self, position: int) -> bytes:
        """Return the image of the database after the first ``position`` migrations.

        Raises: as ``verdict`` does.
        """
        return self._take(self._ask(AskState(position), Stored).image)

    def run(self, position: int, side: str, image: bytes) -> tuple[Ran, bytes]:
        """Run a side ('up', 'down') of the migration at ``position`` on ``image``.

        Return what it gave, and the image afterwards; b"" where it failed.

        Raises: as ``verdict`` does.
        """
        given = self._ready().images / f"given-{position}-{side}.db"
        given.write_bytes(image)
        ran = self._ask(AskRun(position, side, given.name), Ran)
        given.unlink(missing_ok=True)
        return ran, b"" if ran.failure else self._take(ran.image)

    def close(self) -> None:
        """End the process, and all that it has left."""
        process, self._process = self._process, None
        self._ahead.clear()
        if process is not None:
            process.end()

    def _keep(self, question: AskVerdicts, reply: Judged) -> None:
        """Keep the answers to ``question``."""
        for check, answer in zip(question.checks, reply.answers, strict=True):
            self._answers[question.position, check] = (
                with_kinds(answer) if isinstance(answer, Verdict) else answer
            )
        self._printed[question.position] = reply.printed
        if reply.is_whole:
            self._whole.add(question.position)

    def _ask_alone_if_need_be(self, question: AskVerdicts | AskFolder) -> Judged:
        """Return the reply to ``question``.

        Where the process ends while others are asked as well, any of them may be the cause: from
        then on each is asked alone.

        Raises: as ``verdict`` does.
        """
        is_alone = not {*self._ahead} - {question}
        try:
            return self._ask(question, Judged)
        except JudgeFailed:
            if self._process is not None or is_alone:
                raise
            self._works_ahead = False
            return self._ask(question, Judged)

    def _ask_ahead(self, position: int) -> None:
        """Ask for what is expected from ``position`` on, and wait for no answer."""
        apart = 0 if self._opening is None else self._opening.most_apart
        most = 2 + AHEAD * apart if self._works_ahead else 0
        asked = {*self._ahead}
        for each in [each for each in self._checks if each >= position][:most]:
            question = AskVerdicts(each, self._checks[each])
            is_known = (each, question.checks[0]) in self._answers or each in self._unreachable
            if not is_known and question not in asked:
                self._send(question)
                self._ahead.append(question)

    def _ask(self, question: Question, wanted: type[R]) -> R:
        """Return the reply to ``question``.

        Raises: StateUnreachable; JudgeFailed when there is none, or it is no reply to that.
        """
        try:
            reply = self._reply_to(question)
        except BaseException:  # also a Ctrl-C: what comes next would be the reply to this
            self.close()
            raise
        if isinstance(reply, wanted):
            return reply
        if isinstance(reply, Unreachable):
            raise StateUnreachable(reply.migration, reply.lacks)
        if isinstance(reply, Refused):
            raise JudgeFailed(reply.message)
        if isinstance(reply, Broken):
            raise JudgeFailed(reply.report)
        raise JudgeFailed("the process that judges has given another answer than was asked for")

    def _reply_to(self, question: Question) -> Reply:
        """Return the reply to ``question``, having kept those to what was asked before it."""
        if question not in self._ahead:
            self._send(question)
            self._ahead.append(question)
        while True:
            asked = self._ahead.popleft()
            shows_errors = self._opening is not None and self._opening.shows_errors
            reply = self._ready().receive(shows_errors=shows_errors)
            if asked == question:
                return reply
            if isinstance(asked, AskVerdicts) and isinstance(reply, Judged):
                self._keep(asked, reply)
            if isinstance(asked, AskVerdicts) and isinstance(reply, Unreachable):
                self._unreachable[asked.position] = reply

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
