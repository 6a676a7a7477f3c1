"""The smoke tests of a migrated database, run as the step of an apply that runs them."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.plugin.smoke.events import KIND_OF, REPORT, Begun, Finished, Started
from pytest_bbmigrate.plugin.smoke.launch import run_smoke_tests
from pytest_bbmigrate.plugin.smoke.result import NONE_MARKED, SmokeResult, read_result
from pytest_bbmigrate.processes.messages import encode_message
from tests.depth import every
from tests.plugin.sample import write_migrations
from tests.processes import WAIT_SECONDS, is_running, wait_for_end, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.plugin.smoke.events import Event

PASSES = """
import contextlib, sqlite3, pytest

@pytest.mark.bb_smoke
def test_reads(bb_head_path):
    with contextlib.closing(sqlite3.connect(bb_head_path)) as db:
        assert db.execute("SELECT name FROM accounts").fetchall() == [("Private Bank",)]
"""


@pytest.fixture
def work(project: pytest.Pytester) -> Path:
    """Return the working copy of a run, in a folder beside the project."""
    assert project
    path = project.mkdir("run") / "work"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("INSERT INTO accounts (name) VALUES ('Private Bank')")
    return path


def smoke(project: pytest.Pytester, work: Path, *args: str) -> SmokeResult:
    """Run the smoke tests as a session that was started with ``args`` does."""
    before = work.read_bytes()
    config = project.parseconfig(*args)
    result = run_smoke_tests(config, work)
    assert work.read_bytes() == before
    assert list(work.parent.iterdir()) == [work]
    return result


def test_each_test_has_a_copy_of_its_own_called_like_the_database(
    project: pytest.Pytester, work: Path
) -> None:
    project.makepyfile(
        """
        import contextlib, sqlite3, pytest

        @pytest.mark.bb_smoke
        @pytest.mark.parametrize("time", [1, 2])
        def test_writes(bb_head_path, tmp_path, time):
            assert bb_head_path == tmp_path / "money.db"
            with contextlib.closing(sqlite3.connect(bb_head_path)) as db, db:
                assert db.execute("DELETE FROM accounts").rowcount == 1
                db.execute("PRAGMA journal_mode = WAL")

        def test_unmarked(): raise SystemExit(1)
        """
    )

    result = smoke(project, work, "--bb-db=there/money.db")

    assert result.output.count("passed") == 1
    assert result.fault == ""
    assert result.summary == "2 passed"
    assert [name.partition("::")[2] for name in result.passed] == [
        "test_writes[1]",
        "test_writes[2]",
    ]


def test_a_failing_test_is_named_and_what_it_printed_kept_apart(
    project: pytest.Pytester, work: Path
) -> None:
    project.makepyfile(
        test_app=PASSES
        + """
@pytest.mark.bb_smoke
def test_fails(bb_head_path):
    with contextlib.closing(sqlite3.connect(bb_head_path)) as db:
        assert db.execute("SELECT name FROM accounts").fetchall() == []

@pytest.mark.bb_smoke
def test_skips(): pytest.skip("no node here")

@pytest.fixture
def broken(): raise ValueError("Private Bank")

@pytest.mark.bb_smoke
def test_cannot_start(broken): pass
"""
    )

    result = smoke(project, work)

    assert result.fault.splitlines()[:3] == [
        "2 of 4 smoke tests failed",
        "test_app.py::test_fails failed",
        "test_app.py::test_cannot_start failed in its setup",
    ]
    assert result.summary == "1 passed, 2 failed, 1 skipped"
    assert result.skipped == ("test_app.py::test_skips",)
    assert "Private Bank" in result.output
    assert "Private Bank" not in result.fault


def test_no_marked_test_is_no_fault(project: pytest.Pytester, work: Path) -> None:
    project.makepyfile("def test_unmarked(): assert False")

    result = smoke(project, work)

    assert result == SmokeResult((), "", "")
    assert result.summary == NONE_MARKED == "no test is marked bb_smoke"


def test_where_no_test_is_marked_nothing_is_imported_a_second_time(
    project: pytest.Pytester, work: Path
) -> None:
    project.makeconftest("with open('imported', 'a') as file: file.write('once,')")
    project.makepyfile("import pytest\n@pytest.mark.bb_migration('003')\ndef test_it(): pass\n")

    result = smoke(project, work)

    assert result.summary == NONE_MARKED
    assert (project.path / "imported").read_text() == "once,"


LOCKED_AT_IMPORT = """
import os, sqlite3
if "PYTEST_BBMIGRATE_SMOKE" in os.environ:
    raise sqlite3.OperationalError("database is locked")
"""
LOCKED_IN_A_TEST = """
import sqlite3, pytest

@pytest.mark.bb_smoke
def test_opens_the_real_one():
    raise sqlite3.OperationalError("database is locked")
"""


@pytest.mark.parametrize(
    ("conftest", "module", "fault"),
    [
        (LOCKED_AT_IMPORT, PASSES, "*: pytest ended with exit code 4 before the first of them"),
        ("", f"{PASSES}\n{LOCKED_AT_IMPORT}", "test_app.py could not be collected"),
        ("", LOCKED_IN_A_TEST, "test_app.py::test_opens_the_real_one failed"),
    ],
)
def test_a_test_that_meets_the_lock_is_told_what_to_open(
    project: pytest.Pytester, work: Path, conftest: str, module: str, fault: str
) -> None:
    project.makeconftest(conftest)
    project.makepyfile(test_app=module)

    result = smoke(project, work)

    lines = pytest.LineMatcher(result.fault.splitlines())
    lines.fnmatch_lines([fault, "'database is locked' is in what they printed: *bb_head_path*"])


def test_another_error_is_not_taken_for_the_lock(project: pytest.Pytester, work: Path) -> None:
    project.makepyfile(test_app=LOCKED_IN_A_TEST.replace("is locked", "schema has changed"))

    assert "locked" not in smoke(project, work).fault


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("os._exit(0)", "pytest ended with exit code 0 in test_app.py::test_ends"),
        ("os._exit(5)", "pytest ended with exit code 5 in test_app.py::test_ends"),
        ("os.kill(os.getpid(), 9)", "pytest was killed by signal 9 in test_app.py::test_ends"),
    ],
)
def test_a_session_that_ends_before_its_end_has_not_passed(
    project: pytest.Pytester, work: Path, body: str, fault: str
) -> None:
    project.makepyfile(
        test_app=f"""
        import os, pytest

        @pytest.mark.bb_smoke
        def test_passes(bb_head_path): pass

        @pytest.mark.bb_smoke
        def test_ends(bb_head_path): {body}
        """
    )

    result = smoke(project, work)

    assert result.fault.splitlines()[0] == f"the smoke tests did not finish: {fault}"
    assert result.passed == ("test_app.py::test_passes",)
    assert result.failed == ("test_app.py::test_ends",)


@pytest.mark.parametrize("line", ["import nowhere", "import pytest; pytest.exit('now')", "("])
def test_a_module_that_cannot_be_collected_is_a_fault(
    project: pytest.Pytester, work: Path, line: str
) -> None:
    project.makepyfile(test_app=PASSES, test_other=f"{line}\npytestmark = 'bb_smoke'")

    result = smoke(project, work)

    assert "test_other.py could not be collected" in result.fault.splitlines()
    assert result.passed == ()


def test_a_module_that_skips_itself_is_told(project: pytest.Pytester, work: Path) -> None:
    project.makepyfile(test_app=f"{PASSES}\npytest.skip('later', allow_module_level=True)")

    result = smoke(project, work)

    assert (result.fault, result.summary) == ("", "1 skipped")
    assert result.skipped == ("test_app.py",)


DESELECTS = """
def pytest_collection_modifyitems(config, items):
    config.hook.pytest_deselected(items=items[:])
    del items[:]
"""
EXPECTS_NOTHING = """
import pytest
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(run=False))
"""
FAILS_LATE = """
import pytest
@pytest.fixture(autouse=True)
def late():
    yield
    1 / 0
"""


@pytest.mark.parametrize(
    ("conftest", "outcome"),
    [
        (DESELECTS, "did not run"),
        (EXPECTS_NOTHING, "failed as its xfail mark expects"),
        (FAILS_LATE, "failed in its teardown"),
        ("def pytest_runtest_protocol(item): return True\n", "did not run"),
        ("def pytest_runtestloop(session): return True\n", "did not run"),
    ],
)
def test_what_a_conftest_keeps_from_passing_has_failed(
    project: pytest.Pytester, work: Path, conftest: str, outcome: str
) -> None:
    project.makepyfile(test_app=PASSES)
    project.makeconftest(conftest)

    result = smoke(project, work)

    assert result.fault.splitlines()[:2] == [
        "1 of 1 smoke tests failed",
        f"test_app.py::test_reads {outcome}",
    ]


@pytest.mark.parametrize(
    "addopts",
    every(
        2,
        [
            "--collect-only",
            "--setup-only",
            "--setup-plan",
            "--deselect=test_app.py::test_reads",
        ],
    ),
)
def test_what_addopts_keeps_from_running_has_failed(
    project: pytest.Pytester, work: Path, monkeypatch: pytest.MonkeyPatch, addopts: str
) -> None:
    project.makepyfile(test_app=PASSES)
    monkeypatch.setenv("PYTEST_ADDOPTS", f"-p bbmigrate {addopts}")

    result = smoke(project, work)

    assert result.fault.splitlines()[1] == "test_app.py::test_reads did not run"


@pytest.mark.parametrize(
    "addopts",
    every(
        2,
        [
            "-k nothing -m 'not bb_smoke'",
            "--bb-check-migrations",
            "--bb-apply --bb-show-values",
            "--bb-status",
            "--bb-restore",
            "--lf --junitxml=junit.xml",
            "-n 2 --dist=load -p xdist.plugin",
            "-v -s -x",
        ],
    ),
)
def test_what_addopts_asks_for_otherwise_has_no_say(
    project: pytest.Pytester, work: Path, addopts: str
) -> None:
    project.makepyfile(test_app=PASSES)
    write_migrations(project)
    project.makeini(f"[pytest]\naddopts = {addopts}\nfilterwarnings = error\n")

    result = smoke(project, work)

    assert result.fault == ""
    assert result.passed == ("test_app.py::test_reads",)
    assert not (project.path / "budget_buddy.db").exists()
    assert not (project.path / ".pytest_cache").exists()
    assert not (project.path / "junit.xml").exists()


def test_root_folder_configuration_and_plugins_are_those_of_the_session(
    project: pytest.Pytester, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / "other.ini").write_text("[pytest]\npython_files = app_*.py\nbb_rows = 7\n")
    (project.path / "inside").mkdir()
    project.makepyfile(extra="import os\ndef pytest_configure(): os.environ['EXTRA'] = 'loaded'\n")
    project.makepyfile(
        app_one="""
        import os, pytest

        @pytest.mark.bb_smoke
        def test_configuration(request, bb_head_path, bb_head):
            config = request.config
            assert config.inipath.name == "other.ini"
            assert config.getini("minversion") == "6.0"
            assert config.invocation_params.dir == config.rootpath / "inside"
            assert os.environ["EXTRA"] == "loaded"
            assert os.getcwd() == str(config.rootpath / "inside")
            assert bb_head["funds"].count == 7
            assert bb_head_path.name == "budget_buddy.db"
        """
    )
    write_migrations(project)
    project.syspathinsert()
    monkeypatch.setenv("PYTHONPATH", str(project.path))
    monkeypatch.chdir(project.path / "inside")
    options = ["-c../other.ini", "--rootdir=..", "-o", "minversion=6.0", "-p", "extra"]

    result = smoke(project, work, *options)

    assert result.fault == "", result.output
    assert result.summary == "1 passed"


def test_a_usage_error_is_told(
    project: pytest.Pytester, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makepyfile(test_app=PASSES)
    config = project.parseconfig()
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate --confcutdir=nowhere")

    result = run_smoke_tests(config, work)

    assert result.fault.splitlines()[0] == (
        "the smoke tests did not finish: pytest ended with exit code 4 before the first of them"
    )
    assert "nowhere" in result.fault


def test_tests_outside_the_root_folder_run_where_they_were_asked_for(
    project: pytest.Pytester, work: Path
) -> None:
    (project.path / "root").mkdir()
    project.makepyfile(test_app=PASSES)

    result = smoke(project, work, "--rootdir=root", "test_app.py")

    assert result.summary == "1 passed", result.output


def test_migrations_are_not_imported_as_tests(project: pytest.Pytester, work: Path) -> None:
    write_migrations(project, _004_smoke_test__py="'bb_smoke'\nraise SystemExit('ran')\n")
    project.makepyfile(test_app=PASSES)

    assert smoke(project, work).summary == "1 passed"


def test_what_the_tests_leave_running_is_killed(project: pytest.Pytester, work: Path) -> None:
    project.makepyfile(
        test_app="""
        import pathlib, subprocess, sys, pytest

        @pytest.mark.bb_smoke
        @pytest.mark.filterwarnings("ignore")
        @pytest.mark.parametrize("apart", [True, False])
        def test_starts(bb_head_path, apart):
            command = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
            child = subprocess.Popen(command, start_new_session=apart)
            with pathlib.Path("pids").open("a") as file:
                print(child.pid, file=file)
        """
    )

    result = smoke(project, work)

    pids = [int(line) for line in (project.path / "pids").read_text().split()]
    assert result.summary == "2 passed"
    assert len(pids) == 2
    assert [is_running(pid) for pid in pids] == [False, False]


def test_a_working_copy_that_was_changed_is_not_published(
    project: pytest.Pytester, work: Path
) -> None:
    project.makepyfile(
        f"""
        import pathlib, pytest

        @pytest.mark.bb_smoke
        def test_reaches_out(bb_head_path):
            pathlib.Path({str(work)!r}).write_bytes(b"")
        """
    )

    result = run_smoke_tests(project.parseconfig(), work)

    assert result.fault == f"the working copy {work} was changed while the smoke tests ran"


RUN = """
import pathlib, sys
from _pytest.config import get_config
from pytest_bbmigrate.plugin.smoke.launch import run_smoke_tests

config = get_config([], [])
config.parse([])
result = run_smoke_tests(config, pathlib.Path(sys.argv[1]))
"""
SLEEPS = """
import os, pathlib, subprocess, sys, time, pytest

@pytest.mark.bb_smoke
def test_sleeps(bb_head_path):
    command = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
    child, daemon = subprocess.Popen(command), subprocess.Popen(command, start_new_session=True)
    pathlib.Path("pids.partial").write_text(f"{os.getpid()} {child.pid} {daemon.pid}")
    pathlib.Path("pids.partial").rename("pids")
    time.sleep(600)
"""


def test_what_takes_too_long_is_killed(project: pytest.Pytester, work: Path) -> None:
    project.makeini("[pytest]\nbb_smoke_seconds = 2\n")
    project.makepyfile(test_app=SLEEPS)

    result = smoke(project, work)

    beginning = (
        "the smoke tests did not finish: they took longer than 2 seconds (bb_smoke_seconds), "
    )
    assert result.fault.startswith(f"{beginning}and were killed ")
    pids = project.path / "pids"  # not there where two seconds were too short to begin
    started = [int(pid) for pid in pids.read_text().split()] if pids.exists() else []
    assert not any(map(is_running, started))


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([], "did not finish: {killed} before the first of them"),
        (
            [Begun(), Started("test_app.py::test_one")],
            "did not finish: {killed} in test_app.py::test_one",
        ),
        (
            [Begun(), Started("test_app.py::test_one"), Finished()],
            "did not pass: {killed}; the last one was over: does a test leave a thread running?",
        ),
    ],
)
def test_what_took_too_long_is_named(tmp_path: Path, events: list[Event], fault: str) -> None:
    (tmp_path / REPORT).write_bytes(
        b"".join(encode_message(KIND_OF[type(event)], event) + b"\n" for event in events)
    )
    (tmp_path / "output").touch()

    result = read_result(tmp_path, None, 300)

    killed = "they took longer than 300 seconds (bb_smoke_seconds), and were killed"
    assert result.fault.splitlines()[0] == f"the smoke tests {fault.format(killed=killed)}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_session(
    project: pytest.Pytester, work: Path, number: signal.Signals
) -> None:
    project.makepyfile(test_app=SLEEPS)
    pids = project.path / "pids"
    with subprocess.Popen([sys.executable, "-c", RUN, str(work)], stderr=subprocess.PIPE) as child:
        wait_until(pids.exists)
        child.send_signal(number)
        _, error = child.communicate(timeout=WAIT_SECONDS)
    started = [int(pid) for pid in pids.read_text().split()]

    wait_for_end(*started)
    if number == signal.SIGINT:
        assert error.decode().endswith("KeyboardInterrupt\n")
        assert list(work.parent.iterdir()) == [work]
