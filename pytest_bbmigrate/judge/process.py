"""A judge at work, as pytest's process sees it: how it is started, said things to, and ended.

It is started before anything of the core is imported here, which it imports meanwhile.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_bbmigrate.judge.folder import ERRORS, IMAGES, OWNER
from pytest_bbmigrate.judge.supervisor import SIGNALLED
from pytest_bbmigrate.processes.children import STOPPED_SECONDS
from pytest_bbmigrate.processes.launch import isolated_command
from pytest_bbmigrate.processes.lines import Lines
from pytest_bbmigrate.processes.measured import FOLDER as MEASURED
from pytest_bbmigrate.processes.measured import hand_over, measurement
from pytest_bbmigrate.processes.messages import Unreadable, encode_message, read_message
from pytest_bbmigrate.processes.pipes import close_pipes
from pytest_bbmigrate.processes.untrusted_files import MOST_BYTES, read_untrusted_text
from pytest_bbmigrate.sandbox.sandbox_exec import held_command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_bbmigrate.judge.model import Reply
    from pytest_bbmigrate.processes.app_python import AppPython
    from pytest_bbmigrate.processes.measured import Measurement


PREFIX = "bbmigrate-judge-"
MEASURED_SECONDS = 30.0  # for a judge that is measured to finish what it is at
START_SECONDS = 3600.0  # for a supervisor to own the folder that was made for it
END_SECONDS = 10.0  # for the supervisor to end all that the judge has left
MOST_SHOWN = 4000  # characters of what a judge that has died had printed


class Process:
    """A judge at work: its supervisor, and the two pipes."""

    def __init__(
        self,
        supervisor: subprocess.Popen[bytes],
        folder: Path,
        life: int,
        measured: Measurement | None,
    ) -> None:
        self._supervisor = supervisor
        self._folder = folder
        self._life = life
        self._measured = measured
        assert supervisor.stdout is not None  # noqa: S101 - a pipe was asked for
        self._replies = Lines(supervisor.stdout.fileno(), MOST_BYTES)

    @property
    def images(self) -> Path:
        """The folder for images that are given or asked for."""
        return self._folder / IMAGES

    def send(self, kind: str, value: object) -> None:
        """Send a message; where the process has ended, ``receive`` says so."""
        assert self._supervisor.stdin is not None  # noqa: S101 - a pipe was asked for
        with suppress(BrokenPipeError):
            self._supervisor.stdin.write(encode_message(kind, value) + b"\n")
            self._supervisor.stdin.flush()

    def receive(self, wait: Callable[[int], object], *, shows_errors: bool) -> Reply:
        """Return the next reply, for which ``wait`` is given the pipe that it comes through.

        Raises: JudgeFailed when the process has ended, or what comes is no reply. With
            ``shows_errors`` that says what it had printed.
        """
        from pytest_bbmigrate.judge.model import NAMES, REPLIES, JudgeFailed

        while (line := self._replies.take(waits=False)) is None:
            wait(self._replies.pipe)
        if not line:
            raise JudgeFailed(self._how_it_ended(shows_errors=shows_errors))
        try:
            return read_message(line, REPLIES, NAMES)
        except Unreadable as error:
            raise JudgeFailed(
                f"what the process that judges has said is no reply: {error}"
            ) from error

    def end(self) -> None:
        """End the process and all that it has left; remove its folder.

        Where it is measured it comes to its end by itself, which what is measured needs.
        """
        if self._measured is not None:
            self._hand_over(self._measured)
        os.close(self._life)
        try:
            self._supervisor.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        close_pipes(self._supervisor)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _hand_over(self, measured: Measurement) -> None:
        """Let the process end, and take over what was measured in it."""
        assert self._supervisor.stdin is not None  # noqa: S101 - a pipe was asked for
        with suppress(BrokenPipeError):
            self._supervisor.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._supervisor.wait(MEASURED_SECONDS)
        hand_over(measured, self._folder / MEASURED)

    def _how_it_ended(self, *, shows_errors: bool) -> str:
        """Return how the judge has ended, in a sentence."""
        errors = read_untrusted_text(self._folder / ERRORS) if shows_errors else ""
        printed = errors[-MOST_SHOWN:].strip()
        code = self._supervisor.wait()
        manner = f"ended with exit code {code}"
        if code > SIGNALLED:
            manner = f"was ended by {signal.Signals(code - SIGNALLED).name}"
        if code == SIGNALLED + signal.SIGSTOP:  # which ends no process
            manner = f"was stopped by a signal, and ended after {STOPPED_SECONDS:g} seconds"
        return f"the process that judges {manner}{f': {printed}' if printed else ''}"


def start_process(shared: Sequence[str], python: AppPython | None = None) -> Process:
    """Start a supervisor with a judge, in a session of its own: no Ctrl-C reaches it.

    It may write to the folders ``shared`` besides its own, and is run by ``python``, the app's, or
    the Python of this process. The app's is not measured: it need not have coverage.py. What runs
    that were killed have left is removed first.
    """
    remove_abandoned(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    life, write_end = os.pipe()
    measured = measurement() if python is None else None
    told = encode_message("measured", measured).decode() if measured else ""
    writable = [str(folder), *shared]
    judge = held_command(
        writable,
        isolated_command(
            "pytest_bbmigrate.judge.server",
            json.dumps(writable),
            json.dumps(sys.path if python is None else python.path),
            told,
            python=python,
        ),
    )
    try:
        supervisor = subprocess.Popen(  # noqa: S603 - our own program
            isolated_command("pytest_bbmigrate.judge.supervisor", str(life), str(folder), *judge),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[life],
            start_new_session=True,
        )
    finally:
        os.close(life)
    return Process(supervisor, folder, write_end, measured)


def remove_abandoned(temporary: Path) -> None:
    """Remove the folders of judges whose supervisors were killed: nobody holds their lock.

    One that nobody has come to own is removed when it is too old for a session that begins, and one
    with what was measured when it is too old for one that ends: that is taken over from it once its
    supervisor is gone.
    """
    for folder in temporary.glob(f"{PREFIX}*"):
        with suppress(OSError):
            is_old = time.time() - folder.lstat().st_mtime > START_SECONDS
            is_owned = (folder / OWNER).exists()
            if is_old and not is_owned:
                shutil.rmtree(folder, ignore_errors=True)
            elif is_owned and (is_old or not (folder / MEASURED).exists()):
                remove_unless_held(folder)


def remove_unless_held(folder: Path) -> None:
    """Remove the folder of a judge unless its supervisor is there, which holds its lock.

    Raises: OSError where it is, or the folder is not ours.
    """
    descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
