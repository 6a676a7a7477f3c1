"""A session that is ended before its end is no success, whatever ends it."""

from __future__ import annotations

import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pytest_bbmigrate.plugin import watcher
from pytest_bbmigrate.plugin.watcher import exit_code_of, run_watched
from pytest_bbmigrate.processes.measured import measurement
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.processes.relay import Forked
from tests.plugin.sample import write_migrations

if TYPE_CHECKING:
    from pathlib import Path

ENDS = "import ctypes; ctypes.CDLL(None)._exit(0)"
TEST = f"""\
import pytest

@pytest.mark.bb_migration("003_funds")
def test_ends():
    {ENDS}
"""
MIGRATION = f"def up(db):\n    {ENDS}\n"
TOLD = "ERROR: pytest ended with exit code 0 before this session was over, *that is no success,*"


@pytest.fixture
def database(project: pytest.Pytester) -> Path:
    """Return a database without a history, and with the sound migrations beside it."""
    write_migrations(project)
    path = project.path / "budget_buddy.db"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version = 1")
    return path


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ({"test_ends.py": TEST}, ["--bb-apply"]),
        ({"migrations/004_ends.py": MIGRATION}, ["--bb-check-migrations", "--bb-in-process"]),
        ({"migrations/004_ends.py": MIGRATION}, ["migrations/004_ends.py", "--bb-in-process"]),
        ({"conftest.py": ENDS}, ["--bb-backup"]),
    ],
    ids=["a test", "a migration", "a check asked for by its path", "conftest.py"],
)
def test_what_ends_the_process_by_the_c_library_is_no_success(
    project: pytest.Pytester, database: Path, files: dict[str, str], arguments: list[str]
) -> None:
    for name, text in files.items():
        (project.path / name).write_text(text)
    before = database.read_bytes()

    result = project.runpytest_subprocess(*arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stderr.fnmatch_lines([TOLD])
    assert database.read_bytes() == before
    assert not list(project.path.glob("*.backup.*"))


def test_what_ends_the_process_after_its_session_does_not_change_what_that_came_to(
    project: pytest.Pytester, database: Path
) -> None:
    assert database
    project.makeconftest(
        "import atexit, ctypes\n@atexit.register\ndef end(): ctypes.CDLL(None)._exit(0)\n"
    )
    project.makepyfile(test_fails=TEST.replace(ENDS, "assert False"))

    result = project.runpytest_subprocess("--bb-check-migrations", "test_fails.py")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED test_fails.py::test_ends*"])
    assert "ERROR" not in result.stderr.str()


def test_another_session_is_not_started_twice(project: pytest.Pytester) -> None:
    project.makepyfile(
        "import os\ndef test_parent(): open('parent', 'w').write(str(os.getppid()))\n"
    )

    project.runpytest_subprocess()

    assert (project.path / "parent").read_text() == str(os.getpid())


COUNTS = """
import atexit, os, sys, threading
from pathlib import Path

def write(word):
    with open("begun", "a") as begun:
        begun.write(f"{word} {os.getpid()} {os.getppid()}\\n")

write("imported")
atexit.register(write, "ended")
THREAD
"""
THREAD = "threading.Thread(target=threading.Event().wait, daemon=True).start()"


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has a safe fork")
@pytest.mark.skipif(
    measurement() is not None,
    reason="coverage.py measures no fork: a session that it measures begins anew",
)
def test_a_session_goes_on_in_a_fork_of_the_process_that_waits_for_it(
    project: pytest.Pytester,
) -> None:
    (project.path / "counts.py").write_text(COUNTS.replace("THREAD", ""))
    write_migrations(project)

    result = project.runpytest_subprocess("-p", "counts", "--bb-check-migrations")

    assert result.ret == 0
    (imported, watching, _), (ended, session, parent) = lines_of(project.path / "begun")
    assert (imported, ended) == ("imported", "ended")
    assert session != watching == parent


def test_a_session_begins_anew_where_the_process_that_waits_for_it_has_threads(
    project: pytest.Pytester,
) -> None:
    (project.path / "counts.py").write_text(COUNTS.replace("THREAD", THREAD))
    write_migrations(project)

    result = project.runpytest_subprocess("-p", "counts", "--bb-check-migrations")

    assert result.ret == 0
    words = [word for word, _, _ in lines_of(project.path / "begun")]
    assert words == ["imported", "imported", "ended", "ended"]


def lines_of(path: Path) -> list[list[str]]:
    """Return the words in each line of a file."""
    return [line.split() for line in path.read_text().splitlines()]


@pytest.mark.skipif(sys.platform != "linux", reason="no other system has a safe fork")
def test_a_process_that_cannot_wait_for_its_session_fails(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Forked, "wait", lambda _: 1 / 0)
    ours = os.getpid()
    if not (waiting := os.fork()):
        try:
            watcher.fork_session()
        finally:
            os._exit(0 if os.getppid() == ours else 99)

    _, status = os.waitpid(waiting, 0)

    assert os.waitstatus_to_exitcode(status) == pytest.ExitCode.INTERNAL_ERROR
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_session_that_nobody_waits_for_any_more_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "pipe").open("wb") as pipe:
        saying = watcher.ExitCodeReporter(pipe.fileno())
        saying.pytest_runtest_protocol()
        monkeypatch.setattr(os, "getppid", lambda: 1)

        with pytest.raises(pytest.exit.Exception, match="is gone"):
            saying.pytest_runtest_protocol()


def test_a_session_whose_watch_is_gone_before_it_begins_does_not_begin(
    project: pytest.Pytester, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database.read_bytes()
    monkeypatch.setenv(watcher.VARIABLE, "1:9")

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.errlines == ["process 1, which has started this one, is gone"]
    assert database.read_bytes() == before


def ended_with(code: int) -> bytes:
    return encode_message("exit code", watcher.SessionEnd(code))


@pytest.mark.parametrize(
    ("code", "message", "expected", "shown"),
    [
        (0, ended_with(0), 0, ""),
        (0, ended_with(5), 5, ""),
        (1, ended_with(1), 1, ""),
        (3, ended_with(0), 3, ""),
        (4, b"", 4, ""),
        (3, b"", 3, ""),
        (0, b"", 1, "ERROR: pytest ended with exit code 0 before this session was over"),
        (5, b"", 5, "ERROR: pytest ended with exit code 5 before this session was over"),
        (0, ended_with(0)[:-1], 1, "ERROR: pytest ended with exit code 0 before this session"),
        (0, b"0\n", 1, "ERROR: pytest ended with exit code 0 before this session was over"),
        (-9, b"", 137, "ERROR: pytest was ended by SIGKILL before this session was over"),
        (-11, ended_with(1), -11, ""),
    ],
)
def test_the_exit_code_is_what_the_session_came_to(
    capsys: pytest.CaptureFixture[str], code: int, message: bytes, expected: int, shown: str
) -> None:
    assert exit_code_of(code, message) == expected
    error = capsys.readouterr().err
    assert error.startswith(shown) if shown else not error


CHILD = """
import os, sys
parent, _, pipe = os.environ["PYTEST_BBMIGRATE_WATCHED"].partition(":")
assert parent == str(os.getppid())
SAYS
"""


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (f"os.write(int(pipe), {ended_with(5)!r})", 5),
        ("sys.exit(4)", 4),
        ("os.kill(os.getpid(), 9)", 137),
        ("pass", 1),
    ],
)
def test_a_process_is_waited_for_and_heard(says: str, expected: int) -> None:
    handler = signal.getsignal(signal.SIGTERM)

    assert run_watched([sys.executable, "-c", CHILD.replace("SAYS", says)]) == expected
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize(
    ("started", "arguments", "is_program"),
    [
        (["python", "-m", "pytest", "--bb-apply"], ["--bb-apply"], True),
        (["python", "-mpytest"], [], True),
        (["python", "-X", "dev", "-W", "error", "-P", "-m", "pytest", "-v"], ["-v"], True),
        (["python", "/usr/bin/pytest", "-v"], ["-v"], True),
        (["python", "-I", "/usr/bin/py.test"], [], True),
        (["python", "-m", "coverage", "run_watched", "-m", "pytest", "-v"], ["-v"], False),
        (["python", "/usr/bin/coverage", "run_watched", "-m", "pytest"], [], False),
        (["python", "-m", "pdb", "-m", "pytest", "-v"], ["-v"], False),
        (["python", "run_tests.py", "-v"], ["-v"], False),
        (["python", "-c", "import pytest; pytest.main()"], [], False),
        (["python", "-m", "pytest", "--bb-apply"], ["--bb-status"], False),
        (["python"], [], False),
    ],
)
def test_only_the_program_pytest_is_watched(
    monkeypatch: pytest.MonkeyPatch,
    started: list[str],
    arguments: list[str],
    is_program: bool,  # noqa: FBT001 - a table's column
) -> None:
    monkeypatch.setattr(sys, "orig_argv", started)
    monkeypatch.setattr(sys, "argv", ["pytest", *arguments])
    invocation = SimpleNamespace(args=tuple(arguments), plugins=None)
    config = cast("pytest.Config", SimpleNamespace(invocation_params=invocation))
    asked_within = SimpleNamespace(args=("--bb-apply", "other"), plugins=[object()])
    within = cast("pytest.Config", SimpleNamespace(invocation_params=asked_within))

    assert watcher._is_program(config) == is_program
    assert not watcher._is_program(within)


AT_A_TERMINAL = (
    "import os, sys; os.open(sys.argv[1], os.O_RDWR); os.execv(sys.argv[2], sys.argv[2:])"
)
WAITS = """
import pytest, time

@pytest.mark.bb_migration("003_funds")
def test_waits():
    assert input("name? ") == "Ada"
    try:
        print("begun", flush=True)
        for _ in range(6000):
            time.sleep(0.1)  # a long one would sleep on after a signal that comes just before it
    finally:
        time.sleep(0.5)  # a second interrupt would come now
        print("tidied", flush=True)
"""


def test_at_a_terminal_it_is_typed_to_and_interrupted_once(
    project: pytest.Pytester, database: Path
) -> None:
    assert database
    project.makepyfile(test_waits=WAITS)
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "pytest", "--bb-apply", "-s", "test_waits.py", "migrations"]
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, os.ttyname(slave), *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as child:
        os.close(slave)
        read_until(master, b"name? ")
        os.write(master, b"Ada\n")
        read_until(master, b"begun")
        os.write(master, b"\x03")
        if not select.select([master], [], [], 60)[0]:
            os.killpg(child.pid, signal.SIGKILL)
            pytest.fail("a single Ctrl-C was not obeyed")
        output = read_until(master, b"")
    os.close(master)

    assert child.returncode == pytest.ExitCode.INTERRUPTED
    assert b"tidied" in output
    assert b"the run was stopped" in output


def read_until(terminal: int, wanted: bytes) -> bytes:
    """Return what is written to a terminal up to ``wanted``, or all of it."""
    output = b""
    while not wanted or wanted not in output:
        try:
            read = os.read(terminal, 4096)
        except OSError:  # nobody has it open any more
            read = b""
        assert read or not wanted, output
        if not read:
            break
        output += read
    return output
