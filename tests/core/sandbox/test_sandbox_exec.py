"""What a Mac is asked to refuse, as far as another system can tell."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.rehearsal import client
from pytest_bbmigrate.judge import process
from pytest_bbmigrate.sandbox import sandbox_exec
from pytest_bbmigrate.sandbox.sandbox_exec import held_command, is_usable, profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# It notes the profile, and runs the program.
RUNS = '#!/bin/sh\nprintf %s "$2" > "$0.profile"\nshift 2\nexec "$@"\n'


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return what makes this a Mac whose program is a script."""

    def make(script: str) -> Path:
        program = tmp_path / "sandbox-exec"
        program.write_text(script)
        program.chmod(0o700)
        monkeypatch.setattr(sandbox_exec, "PROGRAM", str(program))
        monkeypatch.setattr(sandbox_exec, "NOTHING", "/bin/true")
        monkeypatch.setattr(sandbox_exec, "is_mac", lambda: True)
        return program

    return make


def test_a_profile_allows_all_but_writing_elsewhere(tmp_path: Path) -> None:
    (tmp_path / 'a "b"\\c').mkdir()
    (tmp_path / "link").symlink_to(tmp_path / 'a "b"\\c')
    real = os.path.realpath(tmp_path)

    assert profile([str(tmp_path / "link"), "/"]) == (
        "(version 1)\n"
        "(allow default)\n"
        "(deny file-write*)\n"
        "(allow file-write*\n"
        f'    (subpath "{real}/a \\"b\\"\\\\c")\n'
        '    (subpath "/")\n'
        '    (literal "/dev/null")\n'
        '    (literal "/dev/zero")\n'
        '    (literal "/dev/tty")\n'
        '    (literal "/dev/dtracehelper"))\n'
    )


def test_elsewhere_a_command_is_left_as_it_is(
    mac: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mac(RUNS)
    monkeypatch.setattr(sandbox_exec, "is_mac", lambda: False)

    assert held_command(["/tmp"], ["python"]) == ["python"]


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 71\n", "no program", "#!/bin/sh\nsleep 9\n"])
def test_a_program_that_does_not_do_it_is_not_used(
    mac: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(sandbox_exec, "TRY_SECONDS", 0.2)
    mac(script)

    assert held_command(["/tmp"], ["python"]) == ["python"]


def test_one_that_is_not_there_is_not_used(mac: Callable[[str], Path]) -> None:
    mac(RUNS).unlink()

    assert not is_usable()


def test_on_a_mac_the_judge_is_started_by_it(mac: Callable[[str], Path]) -> None:
    program = mac(RUNS)

    judge = process.start_process(())
    deadline = time.monotonic() + 60
    while not judge.images.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    judge.end()

    noted = program.with_name("sandbox-exec.profile").read_text()
    assert noted == profile([str(judge.images.parent)])


def test_on_a_mac_the_rehearsal_is_started_by_it(
    mac: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = mac(RUNS)
    started: list[list[str]] = []
    monkeypatch.setattr(sandbox_exec, "is_usable", lambda: True)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    order = client.RehearsalOrder(tmp_path, (), tmp_path / "a.db", tmp_path, folder=tmp_path)

    client.start(order)

    assert started[0][:3] == [str(program), "-p", profile([str(tmp_path)])]
