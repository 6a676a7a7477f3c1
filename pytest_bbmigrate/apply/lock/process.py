"""The lock process: started, asked, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_bbmigrate.private import class_name
from pytest_bbmigrate.processes.launch import isolated_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

    def ask(
        self, order: Mapping[str, object], on_progress: Callable[[float], None] | None
    ) -> dict[str, Any]:
        """Send ``order`` and return its answer; what is told before goes to ``on_progress``.

        Raises: LockProcessEnded when there is none.
        """
        orders, answers = self.child.stdin, self.child.stdout
        assert orders is not None  # noqa: S101 - a pipe was asked for
        assert answers is not None  # noqa: S101 - likewise
        with suppress(BrokenPipeError):  # it has ended: nothing is there to be read either
            orders.write(json.dumps(order).encode() + b"\n")
            orders.flush()
        for line in answers:
            if not line.endswith(b"\n"):
                break  # it was killed while it wrote
            answer: dict[str, Any] = json.loads(line)
            if "progress" not in answer:
                self.has_answered = True
                return answer
            if on_progress is not None:
                on_progress(answer["progress"])
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
