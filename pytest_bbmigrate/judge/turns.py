"""The questions that wait for their replies, which are said in the order that they were asked."""

from __future__ import annotations

import select
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_bbmigrate.judge.answering import Responder
from pytest_bbmigrate.judge.apart import LOOK_SECONDS, Apart, answer_apart
from pytest_bbmigrate.judge.model import NAMES, QUESTIONS, Opening
from pytest_bbmigrate.processes.lines import Lines, write_all
from pytest_bbmigrate.processes.messages import read_message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_bbmigrate.judge.model import Question

TOGETHER = 16  # questions that one process answers at most: a fork costs as much as a short answer


@dataclass
class Turn:
    """A question, and its reply once it has been answered."""

    question: Question
    reply: bytes | None = None


def answer_all(folder: Path, questions: int, replies: int) -> None:
    """Read the opening, then answer each question in its turn, until there are no more.

    ``questions`` and ``replies`` are the descriptors of two pipes.
    """
    lines = Lines(questions)
    first = lines.take()
    if not first:
        return  # nothing was asked
    responder = Responder(folder, read_message(first, {"opening": Opening}, NAMES))
    turns = Turns(responder, (questions, replies))
    while True:
        for reply in turns.said():
            write_all(replies, reply + b"\n")
        line = lines.take(waits=not turns)
        if line:
            turns.ask(read_message(line, QUESTIONS, NAMES))
        elif not turns:
            return
        elif not turns.go_on():
            more = [] if line == b"" else [questions]
            pipes = [process.pipe for process in turns.apart]
            select.select([*more, *pipes], [], [], LOOK_SECONDS if pipes else None)


class Turns:
    """Has questions answered here, or in processes apart from this one, as many as there may be.

    ``unshared`` are the pipes that no other process than this may hold.
    """

    def __init__(self, responder: Responder, unshared: Sequence[int]) -> None:
        self._responder = responder
        self._unshared = unshared
        self._waiting: deque[Turn] = deque()
        self._prepared: list[Turn] = []
        self._working: list[tuple[Apart, list[Turn]]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def apart(self) -> list[Apart]:
        """The processes that are at work."""
        return [process for process, _ in self._working]

    def ask(self, question: Question) -> None:
        """Answer ``question``, or prepare for that to be done apart."""
        turn = Turn(question)
        self._waiting.append(turn)
        if not self._responder.prepare_apart(question):
            turn.reply = self._responder.message(question)
            return
        self._prepared.append(turn)
        if len(self._prepared) >= TOGETHER:
            self._work_on(len(self._prepared))

    def go_on(self) -> bool:
        """Have what is prepared answered while nothing is asked, half of it apart.

        Return whether there was any.
        """
        if not self._prepared:
            return False
        self._work_on(len(self._prepared) // 2)
        return True

    def _work_on(self, count: int) -> None:
        """Have the last ``count`` of what is prepared answered apart, or the first of it here.

        It is answered here where as many processes as may be are at work, or none would be needed.
        """
        self._collect()
        if count and len(self._working) < self._responder.most_apart:
            self._answer_apart(count)
        else:
            self._answer_here(self._prepared.pop(0))

    def said(self) -> Iterator[bytes]:
        """Yield the replies whose turn it is."""
        self._collect()
        while self._waiting and (reply := self._waiting[0].reply) is not None:
            self._waiting.popleft()
            yield reply

    def _answer_here(self, turn: Turn) -> None:
        turn.reply = self._responder.message(turn.question)

    def _answer_apart(self, count: int) -> None:
        """Have a process of their own answer the last ``count`` questions that are prepared."""
        turns, self._prepared = self._prepared[-count:], self._prepared[:-count]
        pipes = [*self._unshared, *(process.pipe for process in self.apart)]

        def work() -> bytes:
            return b"\n".join(self._responder.message(turn.question) for turn in turns)

        self._working.append((answer_apart(work, pipes), turns))
        for turn in turns:
            self._responder.answered_apart(turn.question)

    def _collect(self) -> None:
        """Take the answers that have been made apart.

        A process that has ended without them has told nothing: they are made here.
        """
        for process, turns in self._working.copy():
            if not process.is_ready():
                continue
            self._working.remove((process, turns))
            replies = process.take().split(b"\n")
            if len(replies) == len(turns) and all(replies):
                for turn, reply in zip(turns, replies, strict=True):
                    turn.reply = reply
            else:
                for turn in turns:
                    self._answer_here(turn)
