"""Checks run in a process of their own; whatever happens to it or to pytest, nothing is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.judge.process import PREFIX
from tests.plugin.sample import CHECKS, in_short_summary, write_migrations
from tests.processes import is_running, judge_of, started_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAITS = """\
import tempfile, time

def wait():
    tempfile.mkstemp(prefix="at-work-")
    time.sleep(100)

def prepare(db):
    db.create_function("wait", 0, wait)
"""


@pytest.fixture
def temporary(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files, of this test alone."""
    path = project.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return path


def wait_for(holds: object) -> None:
    """Wait until ``holds()`` is true."""
    deadline = time.monotonic() + 60
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_migration_of_sql_is_not_run_in_pytest_s_process(project: pytest.Pytester) -> None:
    write_migrations(project, _004_who__sql="CREATE TABLE who AS SELECT process() AS id;")
    (project.path / "app.py").write_text(
        "import os\n\ndef prepare(db):\n    db.create_function('process', 0, os.getpid)\n"
    )
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:prepare\n")
    project.makepyfile(
        test_who=f"""
        def test_who(bb_at):
            ids = [row["id"] for row in bb_at("004_who")["who"].rows if row["id"]]
            assert ids
            assert {os.getpid()} not in ids
        """
    )

    project.runpytest("test_who.py", "-p", "no:cacheprovider").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bb-check-migrations", "--pdb"], "--pdb: *add --bb-in-process"),
        (["migrations/001_accounts.sql", "--trace"], "--trace: *add --bb-in-process"),
        (["--bb-apply", "--bb-in-process"], "--bb-in-process: *in processes of their own*"),
    ],
)
def test_a_debugger_and_the_process_of_its_own_are_told_apart(
    project: pytest.Pytester, arguments: list[str], told: str
) -> None:
    write_migrations(project)

    result = project.runpytest(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{told}*"])


def test_in_pytest_s_process_the_verdicts_are_the_same(project: pytest.Pytester) -> None:
    write_migrations(project, _004_loses__sql="DELETE FROM accounts;")

    apart, here = (
        project.runpytest("--bb-check-migrations", "-p", "no:terminalreporter", *extra)
        for extra in ([], ["--bb-in-process"])
    )

    assert apart.ret == here.ret == pytest.ExitCode.TESTS_FAILED
    apart, here = (
        project.runpytest("--bb-check-migrations", "--bb-no-cache", "-rA", *extra)
        for extra in ([], ["--bb-in-process"])
    )
    assert told(apart) == told(here)


def told(result: pytest.RunResult) -> list[str]:
    """Return what a session has printed, but how long it took."""
    return [line for line in result.outlines if " in " not in line]


def test_nothing_is_left_after_a_session(project: pytest.Pytester, temporary: Path) -> None:
    write_migrations(project)

    project.runpytest("--bb-check-migrations")

    assert not list(temporary.glob(f"{PREFIX}*"))
    assert not started_here()


@pytest.fixture
def session(project: pytest.Pytester, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a session in which a migration is at work, and will be for a long time."""
    write_migrations(project, _004_waits__sql="CREATE TABLE waited AS SELECT wait() AS waited;")
    (project.path / "app.py").write_text(WAITS)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:prepare\n")
    process = project.popen(
        [sys.executable, "-m", "pytest", "migrations/004_waits.sql", "-rf"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    wait_for(lambda: list(temporary.glob(f"{PREFIX}*/tmp/at-work-*")))
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_session_that_is_ended_leaves_no_process_and_no_folder(
    session: subprocess.Popen[bytes], temporary: Path, number: signal.Signals
) -> None:
    below = psutil.Process(session.pid).children(recursive=True)
    assert judge_of(session.pid) in below

    session.send_signal(number)

    session.wait(60)
    wait_for(lambda: not any(is_running(each.pid) for each in below))
    wait_for(lambda: not list(temporary.glob(f"{PREFIX}*")))


def test_a_judge_that_is_killed_fails_the_migration_at_work(
    session: subprocess.Popen[bytes],
) -> None:
    judge_of(session.pid).kill()

    said = session.communicate(timeout=60)[0].decode()
    assert session.returncode == pytest.ExitCode.TESTS_FAILED
    sentence = "the process that judges was ended by SIGKILL"
    assert in_short_summary("migrations/004_waits.sql::up_applies", sentence) in said


def test_a_judge_that_ends_while_it_is_ahead_fails_the_migration_that_ends_it(
    project: pytest.Pytester,
) -> None:
    write_migrations(
        project,
        _004_note__sql="ALTER TABLE accounts ADD COLUMN note TEXT;",
        _005_ends__sql="CREATE TABLE ends AS SELECT end_all() AS id;",
    )
    (project.path / "app.py").write_text(
        "import os\n\ndef prepare(db):\n    db.create_function('end_all', 0, lambda: os._exit(3))\n"
    )

    result = project.runpytest("--bb-check-migrations", "-o", "bb_connection=app:prepare", "-rfp")

    passed = [line for line in result.outlines if line.startswith("PASSED")]
    failed = [line for line in result.outlines if line.startswith("FAILED")]
    assert [line for line in passed if "004_note" in line]
    assert [line.split(" - ")[0] for line in failed] == [
        "FAILED migrations::catalogue_reads",
        *(f"FAILED migrations/005_ends.sql::{check}" for check in CHECKS),
    ]


def test_what_runs_that_were_killed_have_left_is_removed_by_the_next(
    project: pytest.Pytester, temporary: Path
) -> None:
    write_migrations(project)
    abandoned, made = temporary / f"{PREFIX}abandoned", temporary / f"{PREFIX}made"
    measured = temporary / f"{PREFIX}measured"  # whose session has still to take that over
    (measured / "measured").mkdir(parents=True)
    (measured / "owner").touch()
    old = temporary / f"{PREFIX}old"
    for folder in (abandoned, made, old):
        folder.mkdir()
    (abandoned / "owner").touch()
    (made / "owner.new").touch()
    os.utime(old, (0, 0))

    project.runpytest("--bb-check-migrations")

    assert not abandoned.exists()
    assert measured.exists()
    assert not old.exists()
    assert made.exists()  # another run is about to begin there


def test_checks_run_in_the_zone_that_is_set(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_when__sql="CREATE TABLE hours AS SELECT CAST(round((julianday('2026-01-01 12:00', "
        "'localtime') - julianday('2026-01-01 12:00')) * 1440) AS INTEGER) AS minutes;",
    )
    project.makepyfile(
        test_when="""
        def test_when(bb_at, record_property):
            rows = [row["minutes"] for row in bb_at("004_when")["hours"].rows]
            assert rows[0] == WANTED
        """.replace("WANTED", "630")
    )

    project.runpytest("test_when.py").assert_outcomes(passed=1)

    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_zone = <+0530>-5:30\n")
    # Of another length: what was compiled within the same second is else taken for it.
    (project.path / "test_when.py").write_text(
        (project.path / "test_when.py").read_text().replace("630", "5 * 60 + 30")
    )
    project.runpytest("test_when.py").assert_outcomes(passed=1)


def test_a_zone_that_nobody_knows_is_a_usage_error(project: pytest.Pytester) -> None:
    write_migrations(project)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_zone = Mars/Olympus\n")

    result = project.runpytest("--bb-check-migrations")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*bb_zone = Mars/Olympus: no such zone is known here;*"])


def test_coverage_sees_migrations_in_python(project: pytest.Pytester) -> None:
    pytest.importorskip("coverage")
    write_migrations(project)
    run = [sys.executable, "-m", "coverage"]

    subprocess.run(
        [*run, "run", "--source=migrations", "-m", "pytest", "--bb-check-migrations"],
        cwd=project.path,
        env={name: value for name, value in os.environ.items() if "COV" not in name},
        capture_output=True,
        check=True,
    )
    combined = subprocess.run(
        [*run, "combine"], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert combined.returncode == 0, combined.stdout + combined.stderr
    report = subprocess.run(
        [*run, "report"], cwd=project.path, capture_output=True, text=True, check=True
    )

    assert re.search(r"003_funds\.py +4 +0 +100%", report.stdout)


def test_where_no_kernel_holds_migrations_the_header_says_so(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.landlock.abi_version", lambda: 0)

    result = project.runpytest("--bb-check-migrations", "--collect-only")

    result.stdout.fnmatch_lines(["bbmigrate: this system has no Landlock, *"])


def test_on_a_mac_the_header_says_what_is_to_hold_migrations(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_migrations(project)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.landlock.abi_version", lambda: 0)
    monkeypatch.setattr("pytest_bbmigrate.sandbox.sandbox_exec.is_usable", lambda: True)

    result = project.runpytest("--bb-check-migrations", "--collect-only")

    result.stdout.fnmatch_lines(["bbmigrate: sandbox-exec is to keep from your files *"])


def test_a_migration_may_use_shared_memory(project: pytest.Pytester) -> None:
    uses = "import multiprocessing\n\ndef up(db):\n    multiprocessing.Lock().acquire()\n"
    uses += "    db.execute('CREATE TABLE t (id)')\n"
    write_migrations(project, _004_uses__py=uses)

    project.runpytest("migrations/004_uses.py::up_applies").assert_outcomes(passed=1)


def test_what_a_migration_prints_is_what_its_first_check_has_captured(
    project: pytest.Pytester,
) -> None:
    says = "def up(db):\n    print('adds a table')\n    db.execute('CREATE TABLE t (id)')\n"
    write_migrations(project, _004_says__py=says)

    result = project.runpytest("migrations/004_says.py", "-rP")

    assert result.stdout.str().count("Captured stdout") == 1
    result.stdout.fnmatch_lines(["* Captured stdout call *", "adds a table"])


def test_what_one_that_fails_has_printed_is_told_once(project: pytest.Pytester) -> None:
    says = "def up(db):\n    print('adds nothing')\n    raise ValueError('no')\n"
    write_migrations(project, _004_says__py=says)

    result = project.runpytest("migrations/004_says.py")

    assert result.stdout.str().count("adds nothing") == 1


ENDS = """\
import os

def end(text):
    os.write(2, text.encode())
    os._exit(3)

def prepare(db):
    db.create_function("end", 1, end)
"""


@pytest.mark.parametrize("option", [(), ("--bb-show-values",)], ids=["hidden", "shown"])
def test_what_a_judge_of_own_rows_had_printed_is_shown_only_where_values_are(
    project: pytest.Pytester, option: tuple[str, ...]
) -> None:
    write_migrations(project)
    (project.path / "migrations" / "001_accounts.sql").write_text("SELECT end(name) FROM people;")
    (project.path / "base.sql").write_text(
        "CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('Dr. Smith');"
    )
    (project.path / "app.py").write_text(ENDS)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:prepare\nbb_base = base.sql\n")

    result = project.runpytest("migrations/001_accounts.sql::up_applies", *option)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the process that judges ended with exit code 3*"])
    assert ("Dr. Smith" in result.stdout.str()) is bool(option)
