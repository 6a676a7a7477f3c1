"""A process ends with the one that has started it, whether or not the system sees to that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.processes.launch import PACKAGES
from tests.core.real_databases import BIG, MODES, make, mode_of, note_in
from tests.depth import every
from tests.processes import is_running, wait_for_end, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# In front of a program: what it starts or forks of ours does without the signal of Linux's.
WITHOUT_SIGNAL = """
from pytest_bbmigrate.processes import launch, parent
parent.PR_SET_PDEATHSIG = -1  # in what it forks
TAKE_AWAY = "from pytest_bbmigrate.processes import parent; parent.PR_SET_PDEATHSIG = -1; main = "
for name in ("START", "START_ISOLATED"):
    setattr(launch, name, getattr(launch, name).replace("main = ", TAKE_AWAY))
"""
WAYS = pytest.mark.parametrize("way", ["", WITHOUT_SIGNAL], ids=["by signal", "by looking"])

COMPARES = """
import sys
from pathlib import Path
from pytest_bbmigrate.sqlite_files.compare_files import same_pages_in_fork
same_pages_in_fork(Path(sys.argv[1]), Path(sys.argv[1]))  # a pipe: it waits for ever
"""
WATCHES = """
import os, subprocess, sys, time
from pathlib import Path
from pytest_bbmigrate.processes.watch import ended_with_this_process
SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
STARTS = f'''
import os, subprocess, time
subprocess.Popen({SLEEP}, start_new_session=True)  # as a daemon does
subprocess.Popen({SLEEP}, env=dict())
time.sleep(600)
'''
folder = Path(sys.argv[1]).parent
def start():
    env = {**os.environ, "WHOSE": str(folder)}
    return subprocess.Popen([sys.executable, "-c", STARTS], env=env, start_new_session=True)
with ended_with_this_process(start, folder, "WHOSE"):
    FORKS
    time.sleep(600)
"""
# It has all pipes of its parent, and keeps them longer than any test waits.
FORKS = """if not os.fork():
        os.setsid()
        Path(sys.argv[1]).with_name("fork").write_text(f"{os.getpid()}.")
        time.sleep(600)
        os._exit(0)"""
LOCKS = """
import os, sys, time
from pathlib import Path
from pytest_bbmigrate.apply.lock.client import LockClient
client = LockClient(Path(sys.argv[1]).parent / "real.db")
client.lock()
if True:
    FORKS
time.sleep(600)
""".replace("FORKS", FORKS)


@contextmanager
def started(program: str, folder: Path, count: int) -> Iterator[list[int]]:
    """Kill a program when it has ``count`` descendants, and give their pids, but for its fork's.

    That one outlives the block, and is killed then.
    """
    pipe, fork = folder / "pipe", folder / "fork"
    if not pipe.exists():
        os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(pipe)], env={**os.environ, "PYTHONPATH": PACKAGES}
    ) as parent:
        here = psutil.Process(parent.pid)
        forks = "os.fork()" in program
        wait_until(lambda: len(here.children(recursive=True)) >= count)
        wait_until(lambda: not forks or (fork.exists() and fork.read_text().endswith(".")))
        forked = int(fork.read_text().rstrip(".")) if forks else None
        pids = [child.pid for child in here.children(recursive=True) if child.pid != forked]
        time.sleep(0.3)  # so that they are at work
        parent.kill()
    try:
        yield pids
        assert not any(map(is_running, pids))
        assert forked is None or is_running(forked)
    finally:
        if forked is not None:
            os.kill(forked, signal.SIGKILL)


@WAYS
def test_a_comparison_ends_with_the_process_that_waits_for_it(tmp_path: Path, way: str) -> None:
    with started(way + COMPARES, tmp_path, 1) as pids:
        wait_for_end(*pids)


@pytest.mark.parametrize("forks", ["", FORKS], ids=["", "its pipes stay open"])
def test_a_watch_ends_all_that_a_program_of_somebodys_has_started_and_itself(
    tmp_path: Path, forks: str
) -> None:
    # The watch, the program, and the two that it has started; and a fork.
    count = 5 if forks else 4
    with started(WATCHES.replace("FORKS", forks), tmp_path, count) as pids:
        wait_for_end(*pids)


@WAYS
@pytest.mark.parametrize("mode", every(2, MODES))
def test_the_lock_is_given_back_though_another_child_keeps_its_pipe_open(
    tmp_path: Path, mode: str, way: str
) -> None:
    real = make(tmp_path / "real.db", "old", rows=BIG, mode=mode)
    with started(way + LOCKS, tmp_path, 2) as pids:
        wait_for_end(*pids)

    assert (note_in(real), mode_of(real)) == ("old", mode)


ENDS = """
import os, sys, time
from pytest_bbmigrate.processes import parent
if sys.argv[1] == "looks":
    parent.PR_SET_PDEATHSIG = -1
parent.LOOK_SECONDS = 0.05
parent.end_with_parent(int(sys.argv[2]))
print("begun", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["asks", "looks"])
def test_a_process_whose_parent_is_gone_already_does_not_begin(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDS, way, "1"],
        env={**os.environ, "PYTHONPATH": PACKAGES},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "process 1, which has started this one, is gone\n"


@pytest.mark.parametrize("way", ["asks", "looks"])
def test_a_process_that_was_begun_is_killed_at_once(way: str) -> None:
    between = (
        "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1], "
        "sys.argv[2], str(os.getpid())]).wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", between, ENDS, way],
        env={**os.environ, "PYTHONPATH": PACKAGES},
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "begun\n"
        (child,) = psutil.Process(parent.pid).children()
        os.kill(parent.pid, signal.SIGKILL)
        wait_for_end(child.pid)
