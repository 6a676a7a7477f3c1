"""The supervisor ends with the judge all that comes from it, and with pytest the judge."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.judge.folder import ERRORS, OWNER
from pytest_bbmigrate.processes.launch import PACKAGES, isolated_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans away")
# A daemon in a session of its own, whose parent ends at once, says its id; then the judge goes on.
DAEMON = """\
import os, sys, time
is_told, tells = os.pipe()
if not os.fork():
    os.setsid()
    if os.fork():
        os._exit(0)
    os.write(1, b"%d\\n" % os.getpid())
    os.write(tells, b"!")
    time.sleep(600)
os.read(is_told, 1)
time.sleep(600 if sys.argv[1] == "waits" else 0)
sys.exit(7)
"""


class Supervised:
    """A program under a supervisor, and our end of the pipe that it lives by."""

    def __init__(self, folder: Path, program: str, *arguments: str) -> None:
        life, self.life = os.pipe()
        command = [sys.executable, "-c", program, *arguments]
        self.supervisor = subprocess.Popen(
            isolated_command("pytest_bbmigrate.judge.supervisor", str(life), str(folder), *command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[life],
            start_new_session=True,
        )
        os.close(life)

    def line(self) -> str:
        """Return the next line that the program says."""
        assert self.supervisor.stdout is not None
        return self.supervisor.stdout.readline().decode().strip()

    def end(self) -> int:
        """Be gone, as seen by the supervisor; return its exit code."""
        os.close(self.life)
        return self.supervisor.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the judge's folder."""
    path = tmp_path / "judge"
    path.mkdir()
    return path


@pytest.fixture
def daemon(folder: Path) -> Iterator[tuple[Supervised, int]]:
    """Yield a program that waits, and the id of the daemon that it has left."""
    supervised = Supervised(folder, DAEMON, "waits")
    yield supervised, int(supervised.line())
    supervised.supervisor.communicate()


def is_alive(process: int) -> bool:
    """Return whether a process runs."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@LINUX
def test_a_daemon_ends_with_pytest(daemon: tuple[Supervised, int], folder: Path) -> None:
    supervised, process = daemon
    assert is_alive(process)

    supervised.end()

    assert not is_alive(process)
    assert not folder.exists()


@LINUX
def test_a_daemon_ends_with_the_judge_whose_code_is_told(folder: Path) -> None:
    supervised = Supervised(folder, DAEMON, "ends")
    process = int(supervised.line())
    code = supervised.supervisor.wait(30)
    errors = (folder / ERRORS).exists()
    supervised.end()
    supervised.supervisor.communicate()

    assert code == 7
    assert not is_alive(process)
    assert errors  # pytest reads there why it has ended


def test_a_judge_that_a_signal_ends_is_told_as_a_shell_tells_it(folder: Path) -> None:
    supervised = Supervised(folder, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")

    assert supervised.supervisor.wait(30) == 128 + signal.SIGSEGV
    supervised.end()
    supervised.supervisor.communicate()


def test_pytest_sees_at_once_that_the_judge_has_ended(folder: Path) -> None:
    supervised = Supervised(folder, "pass")

    assert supervised.line() == ""
    supervised.end()
    supervised.supervisor.communicate()


def test_the_folder_is_locked_while_the_supervisor_lives(
    daemon: tuple[Supervised, int], folder: Path
) -> None:
    fcntl = pytest.importorskip("fcntl")
    supervised, _ = daemon
    with (folder / OWNER).open("r+") as owner, pytest.raises(BlockingIOError):
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)

    supervised.end()


def test_it_and_the_server_load_nothing_but_the_standard_library() -> None:
    loads = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "import pytest_bbmigrate.judge.supervisor, pytest_bbmigrate.judge.server\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(names - sys.stdlib_module_names - {'__main__'}))"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", loads, PACKAGES],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == ["pytest_bbmigrate"]
