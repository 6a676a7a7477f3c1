"""With xdist one judge answers all workers, whatever becomes of it or of them."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.judge.process import PREFIX
from tests.plugin.sample import CHECKS, DOES_NOT_APPLY, FORGETS, write_migrations
from tests.processes import is_running, judge_of, started_here, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only there a judge is shared")

APP = """\
import os, tempfile, time

def wait():
    tempfile.mkstemp(prefix="at-work-")
    time.sleep(100)

def prepare(db):
    db.create_function("process", 0, os.getpid)
    db.create_function("wait", 0, wait)
    db.create_function("end_all", 0, lambda: os._exit(3))
"""
# Each worker says which process has made the state that it is given; the first one may die then.
WHO = """\
import os, pathlib
import pytest

@pytest.mark.bb_migration("004_who")
@pytest.mark.parametrize("dies", [DIES, False])
def test_who(bb_at, dies):
    judge = next(bb_at("004_who")["who"].rows)["id"]
    worker = os.environ["PYTEST_XDIST_WORKER"]
    pathlib.Path(f"told-{worker}").write_text(str(judge))
    if dies:
        os.kill(os.getpid(), 9)
"""


@pytest.fixture(autouse=True)
def xdist_loaded(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every pytest of the test load xdist beside our plugin, and use the app's functions."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p bbmigrate -p xdist -p no:cacheprovider")
    (project.path / "app.py").write_text(APP)
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:prepare\n")


@pytest.fixture
def temporary(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files, of this test alone."""
    path = project.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return path


def write_who(project: pytest.Pytester, *, dies: bool = False) -> None:
    """Write migrations, one of which says which process runs it, and a test that tells that."""
    write_migrations(project, _004_who__sql="CREATE TABLE who AS SELECT process() AS id;")
    (project.path / "test_who.py").write_text(WHO.replace("DIES", str(dies)))


def judges_told(project: pytest.Pytester) -> list[str]:
    """Return the process that made the state, as each worker has told it."""
    return [path.read_text() for path in project.path.glob("told-*")]


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run a whole pytest that checks the migrations."""
    return project.run(sys.executable, "-m", "pytest", "--bb-check-migrations", *arguments)


def test_all_workers_are_answered_by_one_judge_which_leaves_nothing(
    project: pytest.Pytester, temporary: Path
) -> None:
    write_who(project)

    result = run(project, "-n", "2", "--dist", "each")

    assert result.ret == pytest.ExitCode.OK
    first, second = judges_told(project)
    assert first == second
    assert not list(temporary.glob(f"{PREFIX}*"))
    assert not started_here()


def test_a_worker_in_another_environment_has_a_judge_of_its_own(project: pytest.Pytester) -> None:
    write_who(project)

    result = run(project, "--dist=each", "--tx=popen", "--tx=popen//env:APP_MODE=other")

    assert result.ret == pytest.ExitCode.OK
    assert len({*judges_told(project)}) == 2


def test_a_worker_that_dies_is_followed_by_one_that_the_same_judge_answers(
    project: pytest.Pytester,
) -> None:
    write_who(project, dies=True)

    result = run(project, "-n", "1", "--dist", "worksteal")

    result.stdout.fnmatch_lines(
        ["*worker 'gw0' crashed while running 'test_who.py::test_who?True?'"]
    )
    assert len(judges_told(project)) == 2
    assert len({*judges_told(project)}) == 1


def reported(
    project: pytest.Pytester, *arguments: str
) -> tuple[int, Counter[tuple[str, ...]], list[str]]:
    """Return the exit code, what is reported of each check, and the last lines on failures."""
    file = project.path / "report.xml"
    result = run(project, f"--junitxml={file}", *arguments)
    cases = ET.parse(file).getroot().iter("testcase")
    told = Counter(
        (
            f"{case.get('classname')}::{case.get('name')}",
            *(
                text
                for child in case
                if child.tag in ("failure", "skipped", "error")
                for text in (child.tag, child.get("message") or "", child.text or "")
            ),
        )
        for case in cases
    )
    at_end = [line for line in result.outlines if line.lower().startswith("failed")]
    return int(result.ret), told, at_end


def test_however_many_workers_there_are_the_same_is_told(project: pytest.Pytester) -> None:
    write_migrations(
        project,
        _004_forgets__sql=FORGETS,
        _005_note__sql="ALTER TABLE accounts ADD COLUMN note TEXT;",
        _006_does_not__sql=DOES_NOT_APPLY,
        _007_prints__py="def up(db):\n    print('said')\n    raise ValueError('no')\n",
    )

    alone, none, four = (reported(project, *each) for each in ([], ["-n0"], ["-n4"]))

    assert alone[0] == pytest.ExitCode.TESTS_FAILED
    assert {each[:2] for each in alone[1]} > {
        ("migrations.004_forgets.sql::data_survives", "failure"),
        ("migrations.006_does_not.sql::up_applies", "failure"),
        ("migrations.007_prints::up_applies", "skipped"),
    }
    assert none == four == alone


def test_a_judge_that_ends_while_it_is_ahead_fails_the_migration_that_ends_it(
    project: pytest.Pytester,
) -> None:
    write_migrations(
        project,
        _004_note__sql="ALTER TABLE accounts ADD COLUMN note TEXT;",
        _005_ends__sql="CREATE TABLE ends AS SELECT end_all() AS id;",
        _006_after__sql="CREATE TABLE after (id INTEGER);",
    )

    alone, spread = (reported(project, *each) for each in ([], ["-n2"]))

    assert spread == alone
    assert {name for name, *outcome in alone[1] if outcome[:1] == ["failure"]} == {
        "migrations::catalogue_reads",
        *(
            f"migrations.{file}.sql::{check}"
            for file in ("005_ends", "006_after")
            for check in CHECKS
        ),
    }


@pytest.fixture
def session(project: pytest.Pytester, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Yield a session with a worker, in which a migration is at work and will be for long."""
    write_migrations(
        project,
        _004_waits__sql="CREATE TABLE waited AS SELECT wait() AS waited;",
        _005_more__sql="CREATE TABLE more (id INTEGER);",
    )
    files = ["migrations/004_waits.sql", "migrations/005_more.sql"]
    process = project.popen(
        [sys.executable, "-m", "pytest", "-n1", "-rf", *files],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    wait_until(lambda: list(temporary.glob(f"{PREFIX}*/tmp/at-work-*")), 60)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_session_that_is_ended_leaves_nothing_though_its_judge_was_killed_before(
    session: subprocess.Popen[bytes], temporary: Path, number: signal.Signals
) -> None:
    (first,) = temporary.glob(f"{PREFIX}*")
    judge_of(session.pid).kill()
    wait_until(lambda: not first.exists(), 60)
    wait_until(lambda: list(temporary.glob(f"{PREFIX}*/tmp/at-work-*")), 60)
    below = [each.pid for each in psutil.Process(session.pid).children(recursive=True)]

    session.send_signal(number)

    session.wait(60)
    wait_until(lambda: not any(map(is_running, below)), 60)
    wait_until(lambda: not list(temporary.glob(f"{PREFIX}*")), 60)
