"""``pytest --bb-apply``: what a session does to a real database, and what it leaves alone."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.workspace import make_scratch, note_mode
from pytest_bbmigrate.sqlite_files.notes import note_for
from tests.depth import every
from tests.plugin.real_database import ACCOUNTS, SECRET, ask, backups, change, litter, names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRIPS = """\
-- bb: changes accounts.cents where cents IS NULL
-- bb: irreversible because the blanks are kept nowhere
ALTER TABLE accounts ADD COLUMN trip TEXT;
UPDATE accounts SET cents = 0 WHERE cents IS NULL;
"""
NAMED_ONCE = """\
-- bb: requires unique accounts(name)
CREATE UNIQUE INDEX accounts_name ON accounts (name);
"""
LOSES = """\
CREATE TABLE kept (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, owner TEXT, cents INTEGER, trip TEXT
);
INSERT INTO kept SELECT * FROM accounts WHERE length(coalesce(owner, '')) < 90000;
DROP TABLE accounts;
ALTER TABLE kept RENAME TO accounts;
"""
# Not written out, for a text in a statement is among the generated values.
ONLY_REAL = f"hex(owner) = '{SECRET.encode().hex().upper()}'"
STEPS = ["preflight", "checks", "lock", "backup", "rehearsal", "smoke", "publish", "verify"]


def write(project: pytest.Pytester, **files: str) -> None:
    folder = project.path / "migrations"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.removeprefix('m')}.sql").write_text(text)


def make_money(project: pytest.Pytester) -> None:
    """Make a database with one migration applied and real rows, and a second one pending."""
    write(project, m001_accounts=ACCOUNTS)
    result = project.runpytest("--bb-apply", "--bb-create")
    assert result.ret == pytest.ExitCode.OK, result.outlines
    path = project.path / "budget_buddy.db"
    rows = [("checking", SECRET, 1250), ("savings", None, None), ("SAVINGS", "0042", -7)]
    change(path, "INSERT INTO accounts (name, owner, cents) VALUES (?, ?, ?)", rows)
    write(project, m002_trips=TRIPS)


def test_what_is_pending_is_applied_and_every_step_is_told(
    project: pytest.Pytester, money: Path
) -> None:
    money.chmod(0o640)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", "-v")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"budget_buddy.db::{step} PASSED*" for step in STEPS])
    result.stdout.fnmatch_lines(
        [
            "*= budget_buddy.db =*",
            "applied 002_trips",
            "changed   accounts: new trip; 1 value changed",
            "backup    budget_buddy.db.backup.*",
            "undo      pytest --bb-restore=budget_buddy.db.backup.*",
        ]
    )
    assert names(money) == ["001_accounts", "002_trips"]
    assert ask(money, "SELECT name, cents, trip FROM accounts") == [
        ("checking", 1250, None),
        ("savings", 0, None),
        ("SAVINGS", -7, None),
    ]
    (backup,) = backups(project)
    assert ask(backup, "SELECT name, cents FROM accounts") == [
        ("checking", 1250),
        ("savings", None),
        ("SAVINGS", -7),
    ]
    assert stat.S_IMODE(backup.stat().st_mode) == stat.S_IMODE(money.stat().st_mode) == 0o640
    assert before != money.read_bytes()
    assert litter(project) == []


@pytest.mark.usefixtures("money")
def test_a_rollback_is_named_where_every_migration_has_a_way_back(
    project: pytest.Pytester,
) -> None:
    added, dropped = "ALTER TABLE accounts ADD COLUMN trip", "ALTER TABLE accounts DROP COLUMN trip"
    write(project, m002_trips=f"-- migrate:up\n{added};\n-- migrate:down\n{dropped};\n")

    result = project.runpytest("--bb-apply")

    result.stdout.fnmatch_lines(
        ["undo      pytest --bb-rollback, or pytest --bb-restore=budget_buddy.db.backup.*"]
    )


@pytest.mark.usefixtures("money")
def test_the_steps_are_part_of_the_progress(project: pytest.Pytester) -> None:
    result = project.runpytest("--bb-apply")

    shown = [line for line in result.outlines if line.endswith("%]")]
    assert [line.split()[0] for line in shown] == [
        "budget_buddy.db",
        "migrations",
        "migrations/002_trips.sql",
        "budget_buddy.db",
    ]
    assert [line.count("%]") for line in shown] == [1] * 4
    assert shown[-1].endswith("[100%]")


def test_a_second_run_finds_nothing_to_do_and_touches_nothing(
    project: pytest.Pytester, money: Path
) -> None:
    project.runpytest("--bb-apply")
    before, status, backups_before = money.read_bytes(), money.stat(), backups(project)

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["budget_buddy.db is up to date: nothing was touched"])
    assert money.read_bytes() == before
    assert money.stat().st_mtime_ns == status.st_mtime_ns
    assert backups(project) == backups_before


def test_what_a_killed_run_left_is_removed_where_nothing_is_pending(
    project: pytest.Pytester, money: Path
) -> None:
    project.runpytest("--bb-apply")
    scratch = make_scratch(money, project.path, note_for(money))
    scratch.release()
    left = scratch.folder
    note_mode(left, "wal")  # it was killed while it published
    content = ask(money, "SELECT * FROM accounts")

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["note      copies of the data that a killed run had left were removed"]
    )
    assert litter(project) == []
    assert ask(money, "SELECT * FROM accounts") == content
    assert ask(money, "PRAGMA journal_mode") == [("wal",)]


def test_each_step_is_a_case_in_junit(project: pytest.Pytester, money: Path) -> None:
    project.runpytest("--bb-apply", "--junitxml=report.xml")
    cases = ET.parse(project.path / "report.xml").getroot().iter("testcase")
    steps = [case.get("name") for case in cases if case.get("classname") == "budget_buddy.db"]

    assert steps == STEPS
    assert names(money)[-1] == "002_trips"


CONFTEST_XFAIL = """\
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if "002_trips" in item.nodeid and item.name == "data_survives":
            item.add_marker(pytest.mark.xfail(reason="known"))
"""


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-k", "not down_restores"], "002_trips: down_restores was not asked"),
        (["--setup-only"], "migrations: catalogue_reads was not asked"),
        (["--setup-plan"], "migrations: catalogue_reads was not asked"),
        (["--deselect", "migrations/002_trips.sql::up_repeats"], "002_trips: up_repeats was not*"),
        (["migrations/002_trips.sql"], "migrations: catalogue_reads was not asked"),
    ],
)
def test_a_check_that_was_not_asked_keeps_the_database_as_it_was(
    project: pytest.Pytester, money: Path, arguments: list[str], reason: str
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", *arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db is as it was: not everything was proved",
            reason,
            "not applied: checks failed; budget_buddy.db is as it was",
        ]
    )
    assert money.read_bytes() == before


def test_an_xfail_that_a_conftest_adds_keeps_the_database_as_it_was(
    project: pytest.Pytester, money: Path
) -> None:
    write(
        project, m002_trips=TRIPS.replace("-- bb: changes accounts.cents where cents IS NULL\n", "")
    )
    project.makeconftest(CONFTEST_XFAIL)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["002_trips: data_survives marked xfail (known)"])
    assert money.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["-x"], ["--maxfail=1"]])
def test_a_failing_check_keeps_the_database_as_it_was(
    project: pytest.Pytester, money: Path, arguments: list[str]
) -> None:
    write(project, m002_trips="DELETE FROM accounts WHERE cents IS NULL;")
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", *arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["not applied: *; budget_buddy.db is as it was"])
    assert money.read_bytes() == before
    assert litter(project) == []


def test_a_failing_test_of_the_session_keeps_the_database_as_it_was(
    project: pytest.Pytester, money: Path
) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.bb_migration("002_trips")
        def test_it(bb_migration):
            assert False
        """
    )
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["1 of the session's tests failed"])
    assert money.read_bytes() == before


def test_what_fails_on_the_real_rows_alone_is_not_published_and_shows_no_value(
    project: pytest.Pytester, money: Path
) -> None:
    write(project, m003_named_once=NAMED_ONCE)
    change(money, "INSERT INTO accounts (name, owner) VALUES (?, ?)", [(SECRET, SECRET)] * 2)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", "-vv", "--junitxml=report.xml")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["budget_buddy.db::rehearsal FAILED*"])
    result.stdout.no_fnmatch_line("budget_buddy.db::publish*")
    assert money.read_bytes() == before
    assert backups(project) == []
    assert litter(project) == []
    shown = [*result.outlines, *result.errlines, (project.path / "report.xml").read_text()]
    assert not any(SECRET in line for line in shown)


def test_a_real_row_that_is_lost_is_found_and_shown_only_when_asked_for(
    project: pytest.Pytester, money: Path
) -> None:
    write(project, m003_rebuilt=LOSES)
    change(money, "UPDATE accounts SET owner = ? WHERE cents = ?", [(SECRET * 5000, 1250)])
    before = money.read_bytes()

    hidden = project.runpytest("--bb-apply")
    shown = project.runpytest("--bb-apply", "--bb-show-values")

    assert hidden.ret == shown.ret == pytest.ExitCode.TESTS_FAILED
    hidden.stdout.fnmatch_lines(["*accounts lost 1 of 3 rows*", "*name=<text of 8>*"])
    assert not any(SECRET[:9] in line for line in hidden.outlines)
    assert any(SECRET[:9] in line for line in shown.outlines)
    assert money.read_bytes() == before


WRITES_A_FILE = """\
from pathlib import Path

def up(db):
    db["accounts"].add_column("trip", str)
    (Path(__file__).parents[1] / "export.csv").write_text("rows")
"""


def test_a_migration_that_writes_a_file_is_told_where_it_may_write(
    project: pytest.Pytester, money: Path
) -> None:
    (project.path / "migrations" / "002_trips.sql").unlink()
    (project.path / "migrations" / "002_trips.py").write_text(WRITES_A_FILE)
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "up does not run: PermissionError: [[]Errno 13[]] Permission denied: *",
            "  why * a migration may write to the database alone, *",
            "*the kernel lets the process of a migration write to a folder of its own, *",
        ]
    )
    assert money.read_bytes() == before


def test_a_rehearsal_publishes_nothing_and_keeps_no_backup(
    project: pytest.Pytester, money: Path
) -> None:
    before, backups_before = money.read_bytes(), backups(project)

    result = project.runpytest("--bb-rehearse")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["rehearsed 002_trips; budget_buddy.db is as it was"])
    assert money.read_bytes() == before
    assert backups(project) == backups_before
    assert litter(project) == []


def test_backups_that_an_apply_made_are_pruned_and_no_others(
    project: pytest.Pytester, money: Path
) -> None:
    project.makeini("[pytest]\nbb_rows = 12\nbb_keep_backups = 1\n")
    own = project.path / "budget_buddy.db.backup.20200101_000000"
    own.write_bytes(money.read_bytes())
    project.runpytest("--bb-apply")
    (first,) = [path for path in backups(project) if path != own]
    write(project, m003_index="CREATE INDEX by_owner ON accounts (owner);")

    result = project.runpytest("--bb-apply")

    (second,) = [path for path in backups(project) if path != own]
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"pruned    {first.name}"])
    assert second != first
    assert own.exists()


def test_collecting_alone_does_not_touch_the_database(
    project: pytest.Pytester, money: Path
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", "--co", "-q")

    assert result.ret == pytest.ExitCode.OK
    assert money.read_bytes() == before


@pytest.mark.parametrize("name", ["009_nothing", "-1", "0"])
def test_to_a_name_that_is_none_is_a_usage_error(
    project: pytest.Pytester, money: Path, name: str
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", f"--bb-to={name}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [f"ERROR: --bb-to={name}: no migration is called '{name}'; the nearest there is: 00*"]
    )
    assert money.read_bytes() == before


def test_to_a_name_stops_there(project: pytest.Pytester, money: Path) -> None:
    write(project, m003_named_once=NAMED_ONCE)

    result = project.runpytest("--bb-apply", "--bb-to=002_trips")

    assert result.ret == pytest.ExitCode.OK
    assert names(money) == ["001_accounts", "002_trips"]


def test_with_workers_the_controller_applies_once(project: pytest.Pytester, money: Path) -> None:
    result = project.runpytest_subprocess("-p", "xdist", "--bb-apply", "-n", "2")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["applied 002_trips"])
    assert names(money) == ["001_accounts", "002_trips"]
    assert len(backups(project)) == 1
    shown = [int(percent) for percent in re.findall(r"\[ *(\d+)%\]", result.stdout.str())]
    assert max(shown) == 100


@pytest.fixture
def holder(money: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a program that has the database open and has read it."""
    code = (
        "import sqlite3, sys, time; db = sqlite3.connect(sys.argv[1]);"
        "db.execute('SELECT count(*) FROM accounts').fetchone(); print('open', flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(money)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        yield child
        child.kill()


def test_a_program_that_has_it_open_is_named(
    project: pytest.Pytester, money: Path, holder: subprocess.Popen[str]
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*pid {holder.pid}*"])
    result.stdout.no_fnmatch_line("*::data_survives*")
    assert money.read_bytes() == before


ONCE = """\
import os, pytest

@pytest.mark.bb_smoke
def test_app(bb_head_path):
    with open("ran", "a") as file:
        print(bb_head_path.name, "PYTEST_BBMIGRATE_SMOKE" in os.environ, file=file)
    DOES
"""


@pytest.mark.parametrize("arguments", every(2, [["test_app.py"], ["-p", "xdist", "-n2"]]))
def test_a_smoke_test_runs_in_its_step_and_not_before(
    project: pytest.Pytester, money: Path, arguments: list[str]
) -> None:
    project.makepyfile(test_app=ONCE.replace("DOES", ""))

    result = project.runpytest_subprocess("--bb-apply", *arguments)

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["bbmigrate: tests marked bb_smoke run in the step smoke, on copies of the real rows"]
    )
    assert (project.path / "ran").read_text() == "budget_buddy.db True\n"
    assert names(money)[-1] == "002_trips"


def test_a_smoke_test_that_ends_its_process_does_not_end_the_session(
    project: pytest.Pytester, money: Path
) -> None:
    project.makepyfile(test_app=ONCE.replace("DOES", "os._exit(0)"))
    before = money.read_bytes()

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["not applied: smoke failed; budget_buddy.db is as it was"])
    assert money.read_bytes() == before


@pytest.mark.parametrize("arguments", every(2, [[], ["-p", "xdist", "-n2"]]))
def test_a_smoke_test_that_its_step_does_not_find_keeps_the_database_as_it_was(
    project: pytest.Pytester, money: Path, arguments: list[str]
) -> None:
    project.mkdir("build").joinpath("test_app.py").write_text(ONCE.replace("DOES", ""))
    before = money.read_bytes()

    result = project.runpytest_subprocess("--bb-apply", "build/test_app.py", *arguments)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "1 test was marked bb_smoke and left to this step, which does not find them: *",
            "build/test_app.py::test_app",
        ]
    )
    assert money.read_bytes() == before
    assert not (project.path / "ran").exists()


TEST_OF_A_MIGRATION = """\
import os, sqlite3, pytest

@pytest.mark.bb_migration("002_trips")
def test_trips(bb_migration):
    DOES
"""
OPENS_THE_REAL_ONE = """
    with sqlite3.connect("budget_buddy.db") as db:
        db.execute("DELETE FROM accounts")
    db.close()
"""


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("os._exit(0)", "*SystemExit: os._exit(0) was called, which would end the apply unseen"),
        ("pytest.exit('now', returncode=0)", "not applied: the run was stopped; *is as it was"),
    ],
)
def test_a_test_that_ends_the_session_does_not_let_it_pass(
    project: pytest.Pytester, money: Path, does: str, reason: str
) -> None:
    project.makepyfile(test_trips=TEST_OF_A_MIGRATION.replace("DOES", does))
    before = money.read_bytes()

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([reason])
    assert money.read_bytes() == before


def test_a_process_that_a_test_forks_ends_as_it_wants_to(
    project: pytest.Pytester, money: Path
) -> None:
    forks = "assert os.waitpid(os.fork() or os._exit(3), 0)[1] == 3 << 8"
    project.makepyfile(test_trips=TEST_OF_A_MIGRATION.replace("DOES", forks))

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    assert names(money)[-1] == "002_trips"


def test_a_test_that_writes_the_real_database_keeps_it_from_being_migrated(
    project: pytest.Pytester, money: Path
) -> None:
    project.makepyfile(test_trips=TEST_OF_A_MIGRATION.replace("DOES", OPENS_THE_REAL_ONE))

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "budget_buddy.db was written *; seen first when test_trips.py::test_trips had run: *",
            "not applied: checks failed; budget_buddy.db was changed while this session went on*",
        ]
    )
    assert names(money) == ["001_accounts"]
    assert len(backups(project)) == 0


OPENS_IT = """\
import sqlite3

DB = sqlite3.connect("budget_buddy.db")
DB.execute("SELECT count(*) FROM accounts").fetchone()
"""


def test_a_conftest_that_opens_it_is_no_obstacle_where_no_test_is_marked(
    project: pytest.Pytester, money: Path
) -> None:
    project.makeconftest(OPENS_IT)

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.OK
    assert names(money) == ["001_accounts", "002_trips"]


def test_a_connection_of_this_pytest_that_keeps_the_lock_from_us_is_named(
    project: pytest.Pytester, money: Path
) -> None:
    with closing(sqlite3.connect(money)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    project.makeconftest(OPENS_IT)

    result = project.runpytest_subprocess("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["budget_buddy.db is open in this very pytest, *--noconftest)"])
    assert names(money) == ["001_accounts"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--bb-db=typo.db"], "*typo.db*--bb-create*"),
        (["--bb-db=migrations"], "*migrations*"),
        (["--bb-backup-dir=nowhere"], "*--bb-backup-dir = nowhere: there is no such folder*"),
    ],
)
def test_bad_input_is_one_clear_message(
    project: pytest.Pytester, money: Path, arguments: list[str], message: str
) -> None:
    before = money.read_bytes()

    result = project.runpytest("--bb-apply", *arguments)

    assert result.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR)
    lines = [*result.outlines, *result.errlines]
    pytest.LineMatcher(lines).fnmatch_lines([message])
    assert not any("Traceback" in line for line in lines)
    assert money.read_bytes() == before
    assert not (project.path / "typo.db").exists()


# Only on the real rows: each check would take its time over it too.
SLOW = f"""\
-- migrate:up
CREATE TABLE slow AS WITH RECURSIVE n(i) AS (
    SELECT 1 UNION ALL SELECT i + 1 FROM n
    LIMIT (SELECT max(1, 300000 * count(*)) FROM accounts WHERE {ONLY_REAL})
)
SELECT i FROM n;
DELETE FROM slow;
-- migrate:down
DROP TABLE slow;
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("at", every(2, ["backup", "lock"]))
def test_a_signal_in_the_run_leaves_the_database_as_it_was(
    project: pytest.Pytester, money: Path, number: signal.Signals, at: str
) -> None:
    write(project, m002_slow=SLOW)
    (project.path / "migrations" / "002_trips.sql").unlink()
    content = ask(money, "SELECT * FROM accounts")
    command = [sys.executable, "-m", "pytest", "--bb-apply", "-v"]
    with project.popen(command, stderr=subprocess.STDOUT) as child:
        assert child.stdout is not None
        output = b""  # pytest ends a line only when the next step is done
        while f"::{at} PASSED".encode() not in output:
            read = os.read(child.stdout.fileno(), 4096)
            assert read, output
            output += read
        child.send_signal(number)
        output += child.stdout.read()
    for _ in range(100):  # the keeper of a killed run ends by itself
        if not list(project.path.glob("budget_buddy.db-*")):
            break
        time.sleep(0.05)

    assert child.returncode != 0
    assert b"Traceback" not in output, output.decode()
    assert b"::publish" not in output
    assert ask(money, "SELECT * FROM accounts") == content
    assert names(money) == ["001_accounts"]
    assert ask(money, "PRAGMA integrity_check") == [("ok",)]
    again = project.runpytest("--bb-apply")
    assert again.ret == pytest.ExitCode.OK
    assert litter(project) == []
