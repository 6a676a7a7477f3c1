"""The judge's server and its supervisor, step by step in this process, where they are measured.

What they do as processes of their own ``test_supervisor`` and ``tests/plugin/test_judge`` see.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import site
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pytest_bbmigrate.judge import server, supervisor
from pytest_bbmigrate.judge.folder import ERRORS, IMAGES, OWNER, PARTS, TEMPORARY
from pytest_bbmigrate.judge.model import JudgeFailed
from pytest_bbmigrate.judge.process import Process
from pytest_bbmigrate.processes.measured import Measurement
from pytest_bbmigrate.processes.messages import encode_message
from pytest_bbmigrate.sandbox import landlock

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def standard_descriptors() -> Iterator[None]:
    """Have the standard input and output of this process afterwards as they are now."""
    kept = [os.dup(descriptor) for descriptor in (0, 1)]
    yield
    for descriptor, copy in enumerate(kept):
        os.dup2(copy, descriptor)
        os.close(copy)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Return what the server calls in its order, none of which is done to this process."""
    calls: list[tuple[object, ...]] = []
    for place, name in (
        (server, "end_with_parent"),
        (landlock, "restrict_writes"),
        (server, "use_temporary"),
        (server, "measures_nothing_itself"),
        (server, "start_measuring"),
        (site, "main"),
    ):
        monkeypatch.setattr(place, name, lambda *given, name=name: calls.append((name, *given)))
    monkeypatch.setattr(server, "take_pipes", lambda: (os.open(os.devnull, os.O_RDONLY), 1))
    monkeypatch.setattr(sys, "path", [*sys.path])
    return calls


def test_the_server_is_confined_before_anything_foreign_is_imported(
    tmp_path: Path, called: list[tuple[object, ...]]
) -> None:
    measured = Measurement(
        tmp_path / "data", branch=True, source=(), source_pkgs=(), include=(), omit=()
    )
    told = encode_message("measured", measured).decode()

    assert server.main(json.dumps([str(tmp_path), "/shared"]), json.dumps(["/app"]), told, "7") == 0

    assert [name for name, *_ in called] == [
        "end_with_parent",
        "restrict_writes",
        "use_temporary",
        "measures_nothing_itself",
        "main",
        "start_measuring",
    ]
    assert called[:2] == [("end_with_parent", 7), ("restrict_writes", [str(tmp_path), "/shared"])]
    assert sys.path == ["/app"]
    assert all((tmp_path / name).is_dir() for name in (IMAGES, PARTS, TEMPORARY))


def test_a_server_that_is_not_measured_starts_no_measuring(
    tmp_path: Path, called: list[tuple[object, ...]]
) -> None:
    server.main(json.dumps([str(tmp_path)]), json.dumps(sys.path), "", "7")

    assert "start_measuring" not in [name for name, *_ in called]


def test_nobody_else_reads_questions_or_writes_replies(standard_descriptors: None) -> None:  # noqa: ARG001
    is_asked, asks = os.pipe()
    is_told, tells = os.pipe()
    os.dup2(is_asked, 0)
    os.dup2(tells, 1)
    os.write(asks, b"question\n")
    for descriptor in (asks, tells, is_asked):
        os.close(descriptor)

    questions, replies = server.take_pipes()

    assert os.read(0, 1) == b""
    assert os.read(questions, 100) == b"question\n"
    os.write(1, b"with the errors\n")
    os.write(replies, b"reply\n")
    for descriptor in (questions, replies):
        os.close(descriptor)
    os.dup2(2, 1)
    assert os.read(is_told, 100) == b"reply\n"
    os.close(is_told)


@pytest.fixture
def no_children(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Return the children that the supervisor sees, and ends: none of this process's others."""
    children: list[int] = []
    monkeypatch.setattr(supervisor, "living_children", lambda: [*filter(is_alive, children)])
    monkeypatch.setattr(supervisor, "adopt_orphans", lambda: None)
    handler = signal.getsignal(signal.SIGCHLD)
    yield children
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, handler)


def is_alive(child: int) -> bool:
    """Return whether a child of this process has not been waited for."""
    try:
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


@pytest.mark.parametrize(
    ("program", "code"), [("exit 7", 7), ("echo $0 >&2", 0), ("kill -TERM $$", 128 + 15)]
)
def test_a_supervisor_ends_as_its_judge_does(
    tmp_path: Path,
    no_children: list[int],  # noqa: ARG001
    standard_descriptors: None,  # noqa: ARG001
    program: str,
    code: int,
) -> None:
    life, end = os.pipe()

    assert supervisor.main(str(life), str(tmp_path), "/bin/sh", "-c", program) == code

    said = (tmp_path / ERRORS).read_text()
    assert said == (f"{os.getpid()}\n" if "echo" in program else "")
    with (tmp_path / OWNER).open() as owner, pytest.raises(BlockingIOError):
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(end)
    os.close(life)


def test_a_supervisor_whose_pytest_is_gone_kills_the_judge_and_removes_the_folder(
    tmp_path: Path,
    no_children: list[int],  # noqa: ARG001
    standard_descriptors: None,  # noqa: ARG001
) -> None:
    folder = tmp_path / "judge"
    folder.mkdir()
    life, end = os.pipe()
    os.close(end)

    code = supervisor.main(str(life), str(folder), "/bin/sh", "-c", "exec sleep 600")

    assert code == 128 + signal.SIGKILL
    assert not folder.exists()
    os.close(life)


def test_a_judge_that_stays_stopped_is_killed_and_said_to_have_been_stopped(
    tmp_path: Path,
    no_children: list[int],  # noqa: ARG001
    standard_descriptors: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pytest_bbmigrate.processes.children.STOPPED_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "LOOK_SECONDS", 0.02)
    life, end = os.pipe()

    code = supervisor.main(str(life), str(tmp_path), "/bin/sh", "-c", "kill -STOP $$")

    for descriptor in (life, end):
        os.close(descriptor)
    with (tmp_path / ERRORS).open("rb") as nothing:
        ended = SimpleNamespace(stdout=nothing, wait=lambda: code)
        process = Process(cast("subprocess.Popen[bytes]", ended), tmp_path, -1, None)
        with pytest.raises(JudgeFailed, match="the process that judges was stopped by a signal"):
            process.receive(lambda _: None, shows_errors=True)


def test_what_the_judge_has_left_is_ended(tmp_path: Path, no_children: list[int]) -> None:
    left = supervisor.start(("/bin/sleep", "600"), tmp_path / ERRORS)
    no_children.append(left)

    supervisor.end_descendants(left)

    assert not is_alive(left)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists processes in /proc")
def test_the_children_of_this_process_are_found(tmp_path: Path) -> None:
    child = supervisor.start(("/bin/sleep", "600"), tmp_path / ERRORS)
    try:
        assert child in supervisor.living_children()
    finally:
        os.kill(child, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while child in supervisor.living_children() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.waitpid(child, 0)
    assert child not in supervisor.living_children()
