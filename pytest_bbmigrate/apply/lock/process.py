"""The lock process: started, asked, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING

from pytest_bbmigrate.apply.lock.orders import ANSWERS, KIND_OF, NAMES, Progress
from pytest_bbmigrate.private import class_name
from pytest_bbmigrate.processes.launch import isolated_command
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_bbmigrate.apply.lock.orders import Done, Failed, Order

END_SECONDS = 60.0  # for it to roll back and end; to be killed then harms no SQLite file


class LockProcessEnded(Exception):
    """Raised when the lock process has ended instead of answering; says how."""


class LockProcess:
    """A process that runs until ``end``, in a session of its own, out of a terminal's Ctrl-C."""

    def __init__(self) -> None:
        self.has_answered = False
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self.child = subprocess.Popen(  # noqa: S603 - our own program
            isolated_command("pytest_bbmigrate.apply.lock.server", str(os.getpid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd="/",
            start_new_session=True,
        )

    def ask(self, order: Order, on_progress: Callable[[float], None] | None) -> Done | Failed:
        """Send ``order`` and return its answer; progress before that goes to ``on_progress``.

        Raises: LockProcessEnded when there is none, or one that is no answer.
        """
        orders, answers = self.child.stdin, self.child.stdout
        assert orders is not None  # noqa: S101 - a pipe was asked for
        assert answers is not None  # noqa: S101 - likewise
        with suppress(BrokenPipeError):  # it has ended: nothing is there to be read either
            orders.write(encode_message(KIND_OF[type(order)], order) + b"\n")
            orders.flush()
        while (line := answers.readline(MOST_BYTES)).endswith(b"\n"):
            try:
                answer = read_message(line, ANSWERS, NAMES)
            except Unreadable as error:
                self.end()
                raise LockProcessEnded(self._ended(f"gave no answer: {error}")) from error
            if not isinstance(answer, Progress):
                self.has_answered = True
                return answer
            if on_progress is not None:
                on_progress(answer.part)
        # There is no line, or half of one: it was killed in the middle of a word.
        raise LockProcessEnded(self.end() or self._ended("was told to end"))

    def end(self) -> str:
        """Have it end, wait for that, and return how it ended; '' when all was in order."""
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            code = self.child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            code = self.child.wait()
        if self.errors.closed or code == 0:
            self.errors.close()
            return ""
        with self.errors:
            self.errors.seek(0)
            lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        if code < 0:
            return self._ended(f"was killed by {signal.Signals(-code).name}")
        last = "".join(lines[-1:])
        if self.has_answered and class_name(last := last.partition(":")[0]) != last:
            last = ""  # it has read rows, and what it says may hold a value
        return self._ended(f"ended with exit code {code}{f', {last}' if last else ''}")

    def _ended(self, manner: str) -> str:
        return f"the process that held the lock (pid {self.child.pid}) {manner}"
