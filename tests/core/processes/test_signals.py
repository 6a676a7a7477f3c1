"""A Ctrl-C or SIGTERM takes effect when what must be completed is complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.lock import client
from pytest_bbmigrate.apply.lock.client import LockClient
from pytest_bbmigrate.apply.lock.process import LockProcess
from pytest_bbmigrate.processes.signals import defer_first_interrupt
from pytest_bbmigrate.processes.watch import ended_with_this_process
from tests.processes import is_running, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]


def deferring(done: list[str], *, signals: int = 1) -> None:
    """Be interrupted while something is done, which is then ``done``."""
    with defer_first_interrupt():
        for _ in range(signals):
            signal.raise_signal(signal.SIGINT)
        done.append("the block")


def deferring_within(done: list[str]) -> None:
    """Be interrupted in a block within another."""
    with defer_first_interrupt():
        deferring(done)
        done.append("the block around it")


def test_a_first_one_takes_effect_at_the_end_of_the_block() -> None:
    done: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        deferring(done)

    assert done == ["the block"]


def test_a_second_one_is_obeyed_at_once() -> None:
    done: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        deferring(done, signals=2)

    assert done == []


def test_a_block_within_another_leaves_it_to_that() -> None:
    done: list[str] = []

    with pytest.raises(KeyboardInterrupt):
        deferring_within(done)

    assert done == ["the block", "the block around it"]


@pytest.fixture
def ignored() -> Iterator[None]:
    """Have this process ignore Ctrl-C, as nohup starts it."""
    earlier = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.mark.usefixtures("ignored")
def test_one_that_is_ignored_stays_so() -> None:
    with defer_first_interrupt():
        signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_program_that_is_just_started_is_ended_like_any_other(tmp_path: Path) -> None:
    started = []

    def start() -> subprocess.Popen[bytes]:
        program = subprocess.Popen(SLEEP, start_new_session=True)
        started.append(program)
        signal.raise_signal(signal.SIGINT)
        return program

    try:
        with (
            pytest.raises(KeyboardInterrupt),
            ended_with_this_process(start, tmp_path, "WHOSE"),
        ):
            pytest.fail("the block began")

        assert started[0].returncode == -signal.SIGKILL
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started[0].pid, signal.SIGKILL)
        started[0].wait()


def test_a_lock_process_that_is_just_started_ends_with_its_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(LockProcess):
        """One that a Ctrl-C comes right after."""

        def __init__(self) -> None:
            super().__init__()
            started.append(self.child.pid)
            signal.raise_signal(signal.SIGINT)

    started: list[int] = []
    monkeypatch.setattr(client, "LockProcess", Interrupted)

    with pytest.raises(KeyboardInterrupt), LockClient(tmp_path / "real.db") as locks:
        locks.lock()

    wait_for_end(*started)
    assert not any(map(is_running, started))
