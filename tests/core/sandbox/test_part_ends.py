"""A Python part that does not come back fails as that migration, and nothing of it is left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.errors import DatabaseError
from pytest_bbmigrate.explain.advice import advise_on_failure
from pytest_bbmigrate.processes import forking
from pytest_bbmigrate.sandbox import kept, part_process, passed_limits
from tests.core.running import failure_of, image_of, rows
from tests.core.sandbox.parts import TABLE
from tests.depth import every
from tests.processes import is_running, started_here, wait_for_end

if TYPE_CHECKING:
    from tests.core.sandbox.parts import Household

BACK = "before the migration had come back"
ENDS = {
    "os._exit": ("os._exit(0)", f"its process ended with exit code 0 {BACK}"),
    "_exit of C": ("ctypes.CDLL(None)._exit(0)", f"its process ended with exit code 0 {BACK}"),
    "exit of C": ("ctypes.CDLL(None).exit(3)", f"its process ended with exit code 3 {BACK}"),
    "sys.exit": ("sys.exit(0)", "SystemExit: 0"),
    "segfault": ("ctypes.string_at(0)", "its process was ended by SIGSEGV"),
    "abort": ("os.abort()", "its process was ended by SIGABRT"),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", "its process was ended by SIGKILL"),
    "ctrl-c": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", "KeyboardInterrupt"),
    "raises it": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "exec": ("os.execv('/bin/true', ['true'])", f"its process ended with exit code 0 {BACK}"),
    "recursion": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
    "descriptors": ("os.closerange(0, 9999)", "it closed the descriptors of its own process"),
    "at its end": ("import atexit; atexit.register(os._exit, 0)", f"exit code 0 {BACK}"),
    "other stack": (
        "def f(n): return f(n - 1) if n else ctypes.string_at(0)\nf(100)",
        "its process was ended by SIGSEGV",
    ),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_process_that_ends_is_told(home: Household, way: str) -> None:
    body, message = ENDS[way]
    before, image = home.real.stat(), image_of(TABLE)
    run, after = home.run(f"db.execute('DELETE FROM money')\nprint('said')\n{body}", image)

    assert message in failure_of(run).message
    assert after == image
    assert way == "descriptors" or "said" in run.printed
    assert home.real.stat() == before
    assert [*home.parts.iterdir()] == []
    assert started_here() == []

    run, after = home.run("db.execute('DELETE FROM money')", image)

    assert run.succeeded
    assert rows(after, "SELECT count(*) FROM money") == [0]


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(600)",
        "while True: pass",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()); time.sleep(600)",
        "threading.Lock().acquire(); ctypes.CDLL(None).pause()",
        "import atexit; atexit.register(time.sleep, 600)",
    ],
)
def test_what_takes_too_long_is_ended(home: Household, body: str) -> None:
    run, _ = home.run(f"print(os.getpid(), flush=True)\n{body}", seconds=1)

    assert failure_of(run).message == "took longer than bb_seconds = 1"
    assert "give it more: bb_seconds" in advise_on_failure(failure_of(run)).text
    assert not is_running(int(run.printed.split()[0]))
    assert [*home.parts.iterdir()] == []


GROWS = {
    "Python": "held = []\nwhile True: held.append(b'x' * 1000000)",
    "a child": (
        "subprocess.run([sys.executable, '-c',"
        " 'held = []\\nwhile True: held.append(bytearray(1000000))'])\ntime.sleep(600)"
    ),
    "a fork": (
        "if not os.fork():\n    held = []\n    while True: held.append(bytearray(1000000))\n"
        "os.wait()"
    ),
    "SQLite": (
        "db.execute('WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) '\n"
        "    'INSERT INTO money SELECT zeroblob(1000000) FROM n')"
    ),
}


@pytest.mark.parametrize("what", every(2, GROWS))
def test_what_holds_too_much_is_ended(
    home: Household, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    # A fork has memory that was freed, and may be at the last limit before it is looked at.
    monkeypatch.setattr(forking, "can_fork", lambda: False)
    run, _ = home.run(GROWS[what], memory=100_000_000)

    assert failure_of(run).message == "held more than bb_memory = 100MB"
    assert "give it more: bb_memory" in advise_on_failure(failure_of(run)).text
    assert started_here() == []


def test_what_has_held_too_much_between_two_looks_is_told(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passed_limits, "LOOK_SECONDS", 60.0)

    run, _ = home.run("len(b'x' * 150_000_000)", memory=100_000_000)

    assert failure_of(run).message == "held more than bb_memory = 100MB"


@pytest.mark.parametrize(
    "body",
    [
        "while True: print('x' * 1000)",
        "subprocess.run(['yes'])",
        "os.unlink(os.readlink('/proc/self/fd/1'))\nwhile True: print('x' * 1000)",
        "print('x' * 20_000_000)",
        "subprocess.Popen(['yes'])",
    ],
)
def test_what_prints_too_much_is_ended(home: Household, body: str) -> None:
    run, image = home.run(body)

    assert failure_of(run).message == "printed more than 16MB"
    assert "print in a loop that does not end" in advise_on_failure(failure_of(run)).text
    assert len(run.printed) < 5000
    assert image == image_of(TABLE)
    assert started_here() == []
    assert [*home.parts.iterdir()] == []


def test_what_is_wanted_at_once_is_refused(home: Household) -> None:
    run, _ = home.run("bytearray(10 ** 12)", memory=100_000_000)

    assert failure_of(run).message == "MemoryError"


def test_what_this_process_holds_does_not_count(home: Household) -> None:
    held = os.urandom(1) * 200_000_000
    run, _ = home.run(
        "time.sleep(0.3)\nfor _ in range(2): os.fork() or os._exit(0)\ntime.sleep(0.2)",
        memory=100_000_000,
    )

    assert len(held) == 200_000_000
    assert run.succeeded


def test_a_thread_that_does_not_end_is_told(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_process, "THREAD_SECONDS", 0.2)
    run, image = home.run("threading.Thread(target=time.sleep, args=[600]).start()")

    assert failure_of(run).message == (
        "a thread that the migration has started was still at work when it had come back"
    )
    assert image == image_of(TABLE)


@pytest.mark.parametrize(
    "start",
    [
        "print(subprocess.Popen(['sleep', '600']).pid)",
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid)",
        "print(subprocess.Popen(['sleep', '600'], env={}, start_new_session=True).pid)",
        (
            "if not os.fork():\n"
            "    os.setsid()\n"
            "    if not os.fork():\n"
            "        os.environ.clear(); print(os.getpid(), flush=True)\n"
            "        os.execv('/bin/sleep', ['sleep', '600'])\n"
            "    os._exit(0)\n"
            "os.wait()"
        ),
    ],
)
def test_what_it_leaves_running_is_ended_and_it_has_failed(
    home: Household, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    monkeypatch.setattr(kept, "ORPHAN_SECONDS", 0.1)
    run, image = home.run(f"db.execute('DELETE FROM money')\n{start}")

    assert failure_of(run).message == "the migration ended and left sleep running"
    assert image == image_of(TABLE)
    assert not is_running(int(run.printed))


def test_what_ends_soon_after_it_has_its_time(home: Household) -> None:
    run, image = home.run("subprocess.Popen(['sleep', '0.2']); db.execute('DELETE FROM money')")

    assert run.succeeded
    assert rows(image, "SELECT count(*) FROM money") == [0]


def test_a_report_of_its_own_making_is_spoilt(home: Household) -> None:
    folder = "os.path.dirname(os.environ['TMPDIR'])"
    for text in ("well", "{}", '{"version": 1, "kind": "report", "value": {}}'):
        run, _ = home.run(f"open({folder} + '/report.json', 'w').write({text!r}); os._exit(0)")

        assert failure_of(run).message.startswith("the report of its process is spoilt: ")


def test_an_image_of_its_own_making_is_no_database(home: Household) -> None:
    folder = "os.path.dirname(os.environ['TMPDIR'])"
    run, image = home.run(
        "import atexit\n"
        f"atexit.register(lambda: open({folder} + '/after', 'w').write('nonsense' * 999))"
    )

    assert "what the migration left is no database any more" in failure_of(run).message
    assert image == image_of(TABLE)


def test_without_the_kernel_what_reaches_the_real_file_is_an_error(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)

    with pytest.raises(DatabaseError, match=r"was written while 002_step\.py ran on a copy"):
        home.run("ctypes.CDLL(None).truncate(REAL.encode(), 5)")
    assert [*home.parts.iterdir()] == []


def test_without_the_kernel_no_program_is_started(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)
    run, _ = home.run("subprocess.run(['true'])")

    assert "starting another program is refused" in failure_of(run).message


def test_a_keeper_that_is_stopped_is_given_up(
    home: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "USE_LANDLOCK", False)
    monkeypatch.setattr(kept, "KILL_SECONDS", 0.5)
    monkeypatch.setattr(kept, "ORPHAN_SECONDS", 0.0)
    body = "print(os.getpid(), os.getppid(), flush=True)\nos.kill(os.getppid(), signal.SIGSTOP)"
    run, image = home.run(f"{body}\ntime.sleep(600)", seconds=1)

    assert failure_of(run).message == "its process was ended by SIGKILL"
    assert image == image_of(TABLE)
    wait_for_end(*map(int, run.printed.split()))
