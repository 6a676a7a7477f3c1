"""One judge for all workers of a session: the process that has it asks what they ask it.

A thread does, which waits for the judge and the workers at the same time: what the judge has
answered is told at once, and of what it has not, the migration that comes first is asked for.
"""

from __future__ import annotations

import os
import secrets
import select
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_bbmigrate.errors import BBMigrateError, StateUnreachable
from pytest_bbmigrate.judge.model import (
    AskFolder,
    AskKept,
    AskState,
    AskVerdicts,
    Judged,
    Refused,
    Unreachable,
)
from pytest_bbmigrate.judge.visits import (
    ASKED,
    GivenRun,
    Greeting,
    Image,
    RanOn,
    Visit,
    VisitEnded,
    Welcome,
    address_of,
    bound,
    is_own_user,
)
from pytest_bbmigrate.processes.messages import Unreadable

if TYPE_CHECKING:
    from pytest_bbmigrate.judge.client import JudgeClient
    from pytest_bbmigrate.judge.model import Opening
    from pytest_bbmigrate.judge.visits import VisitQuestion, VisitReply

ENDS = "the session has ended before there was an answer"
MOST_SECONDS = 60  # for a worker to take a reply, or to give all of a database
MOST_WAITING = 128  # workers that have not been heard yet


class SessionEnds(Exception):
    """Raised where the judge is waited for when the session ends."""


class Sharing:
    """Shares ``judge`` with the workers that would judge in the same ``place``.

    ``most_apart`` is as in an Opening. From ``start`` to ``close`` a thread alone asks the judge.

    Raises: OSError where the system has no such socket.
    """

    def __init__(self, judge: JudgeClient, place: str, most_apart: int) -> None:
        self.name, self.token = secrets.token_hex(16), secrets.token_hex(32)
        self._judge, self._place, self._most_apart = judge, place, most_apart
        self._opening: Opening | None = None
        self._visits: dict[Visit, bool] = {}  # and whether they have greeted
        self._waiting: list[tuple[Visit, VisitQuestion, bytes]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(address_of(self.name))
        except OSError:
            self._listener.close()
            raise
        self._listener.listen(MOST_WAITING)
        self._ends, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        judge.wait = self._wait_for

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def close(self) -> None:
        """Tell who waits that the session ends; end the judge."""
        if self._end < 0:
            return
        os.close(self._end)
        self._end = -1
        self._thread.join()
        os.close(self._ends)
        self._listener.close()
        self._judge.close()

    def _serve(self) -> None:
        """Answer the workers until the session ends."""
        try:
            while True:
                self._wait_for(None)
                waiting = min(self._waiting, key=lambda each: getattr(each[1], "position", -1))
                self._waiting.remove(waiting)
                self._answer(*waiting)
        except SessionEnds:
            for visit, *_ in self._waiting:
                self._say(visit, Refused(ENDS))
        finally:
            for visit in self._visits:
                visit.close()

    def _wait_for(self, pipe: int | None) -> None:
        """Hear and answer the workers until something comes through ``pipe``, the judge's.

        None is until some worker has asked what the judge has not answered yet.

        Raises: SessionEnds.
        """
        while True:
            self._tell_what_is_known()
            is_enough = pipe is None and bool(self._waiting)
            visits = {visit.fileno(): visit for visit in self._visits}
            watched = {self._ends, self._listener.fileno(), *visits}
            judge = set() if pipe is None else {pipe}
            ready, _, _ = select.select(watched | judge, [], [], 0 if is_enough else None)
            if self._ends in ready:
                raise SessionEnds
            if self._listener.fileno() in ready:
                self._let_in()
            for descriptor in visits.keys() & {*ready}:
                self._hear(visits[descriptor])
            if pipe in ready or (is_enough and not ready):
                return

    def _let_in(self) -> None:
        """Accept a worker's connection."""
        connection, _ = self._listener.accept()
        if not is_own_user(connection):
            connection.close()
            return
        bound(connection, MOST_SECONDS)
        self._visits[Visit(connection)] = False

    def _hear(self, visit: Visit) -> None:
        """Keep what a worker asks; forget one that is gone, or is none."""
        try:
            while visit in self._visits and (heard := visit.hear(ASKED, waits=False)) is not None:
                value, content = heard
                if isinstance(value, Greeting):
                    self._greet(visit, value)
                elif self._visits[visit]:
                    self._waiting.append((visit, value, content))
                else:
                    self._forget(visit)
        except (VisitEnded, Unreadable):
            self._forget(visit)

    def _forget(self, visit: Visit) -> None:
        """End a connection, and drop what was asked through it."""
        if self._visits.pop(visit, None) is not None:
            visit.close()
        self._waiting = [each for each in self._waiting if each[0] is not visit]

    def _greet(self, visit: Visit, greeting: Greeting) -> None:
        """Share the judge with a worker, if it would judge as that worker's own."""
        if not secrets.compare_digest(greeting.token.encode(), self.token.encode()):
            self._forget(visit)
            return
        is_shared = greeting.place == self._place and self._opening in (None, greeting.opening)
        if is_shared and self._opening is None:
            self._opening = greeting.opening
            self._judge.open(replace(greeting.opening, most_apart=self._most_apart))
            checks = {each.position: each.checks for each in greeting.expected}
            self._judge.expect(checks, works_ahead=True)
            self._judge.begin()
        self._visits[visit] = is_shared
        self._say(visit, Welcome(is_shared))

    def _tell_what_is_known(self) -> None:
        """Answer what the judge has answered already."""
        for waiting in self._waiting.copy():
            question = waiting[1]
            if isinstance(question, AskVerdicts) and self._judge.knows(
                question.position, question.checks
            ):
                self._waiting.remove(waiting)
                self._answer(*waiting)

    def _answer(self, visit: Visit, question: VisitQuestion, content: bytes) -> None:
        """Answer a question, for which the judge is waited for if need be."""
        after = b""
        reply: VisitReply
        try:
            match question:
                case AskVerdicts():
                    reply = self._judge.reply(question.position, question.checks)
                case AskFolder():
                    reply = Judged((self._judge.folder_verdict(question.before),))
                case AskState() | AskKept():
                    after = self._content_for(question)
                    reply = Image(len(after))
                case GivenRun():
                    ran, after = self._judge.run(question.position, question.side, content)
                    reply = RanOn(ran, len(after))
        except StateUnreachable as error:
            reply = Unreachable(error.migration, error.lacks)
        except BBMigrateError as error:
            reply = Refused(str(error))
        except SessionEnds:
            self._say(visit, Refused(ENDS))
            raise
        self._say(visit, reply, after)

    def _content_for(self, question: AskState | AskKept) -> bytes:
        """Return the database, or the kept state, that is asked for."""
        if isinstance(question, AskKept):
            return self._judge.kept_state(question.position)
        return self._judge.state(question.position)

    def _say(self, visit: Visit, reply: Welcome | VisitReply, content: bytes = b"") -> None:
        """Tell a worker, if it is still there."""
        if visit not in self._visits:
            return
        try:
            visit.say(reply, content)
        except VisitEnded:
            self._forget(visit)
