"""A Python part runs in a process that is made for this one call."""

from __future__ import annotations

import os
import sqlite3
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import PythonPart
from pytest_bbmigrate.errors import SettingsError
from pytest_bbmigrate.runner.connection_hook import load_connection_hook
from pytest_bbmigrate.sandbox.run_part import run_part
from tests.core.running import failure_of, image_of, migration_of, rows
from tests.core.sandbox.parts import TABLE, Household

if TYPE_CHECKING:
    from pytest_bbmigrate.runner import Run


def test_it_changes_a_copy_and_says_what_it_executed(either_home: Household) -> None:
    run, image = either_home.run(
        "db.execute('UPDATE money SET cents = 5 WHERE cents = 9')\n"
        "db['notes'].create({'id': int})\n"
        "print('done'); print('and said', file=sys.stderr); os.write(1, b'by hand')"
    )

    assert run.succeeded
    assert run.executed[0].startswith("UPDATE money")
    assert run.idle == run.executed[:1]
    assert rows(image, "SELECT count(*) FROM notes") == [0]
    assert run.printed == "done\nand said\nby hand"
    assert [*either_home.parts.iterdir()] == []


def test_what_it_raises_is_its_failure_with_line_and_statement(either_home: Household) -> None:
    before = image_of(TABLE)
    run, image = either_home.run("db.execute('DELETE FROM money')\ndb.execute('BOOM')", before)

    failure = failure_of(run)
    assert failure.message == 'OperationalError: near "BOOM": syntax error'
    assert (failure.line, failure.statement) == (5, "BOOM")
    assert image == before
    assert [*either_home.parts.iterdir()] == []


def test_it_is_another_process_and_leaves_this_one_as_it_was(either_home: Household) -> None:
    path, folder, connect = list(sys.path), Path.cwd(), sqlite3.connect
    run, _ = either_home.run(
        "sys.path.clear(); os.chdir('/'); sqlite3.connect = None\n"
        "os.environ['TZ'] = 'Asia/Tokyo'; time.tzset(); print(os.getpid())"
    )

    assert run.succeeded
    assert int(run.printed) != os.getpid()
    assert (path, folder, connect) == (list(sys.path), Path.cwd(), sqlite3.connect)
    assert "TZ" not in os.environ


@dataclass(frozen=True)
class Files:
    """A database that is a file, as in a rehearsal; what is run on it is recorded."""

    home: Household
    before: Path

    def run(self, body: str) -> tuple[Run, Path]:
        path = self.home.folder / "migrations" / "002_step.py"
        path.write_text(f"import os, sqlite3\ndef up(db):\n    {body}\n")
        part = PythonPart(path, "up", 1)
        environment = replace(self.home.environment, scratch=self.before.parent)
        return run_part(migration_of(part), part, self.before, environment, record=self.record)

    @staticmethod
    def record(db: sqlite3.Connection, statements: int) -> None:
        db.execute("CREATE TABLE history (statements)")
        db.execute("INSERT INTO history VALUES (?)", [statements])


@pytest.fixture
def files(either_home: Household) -> Files:
    before = either_home.folder / "scratch" / "before.db"
    before.parent.mkdir()
    before.write_bytes(image_of(TABLE))
    return Files(either_home, before)


def test_a_file_is_worked_on_in_place_and_recorded_afterwards(files: Files) -> None:
    before = files.before.read_bytes()
    run, after = files.run("db.execute('DELETE FROM money WHERE cents = 1')")

    assert run.succeeded
    assert rows(after.read_bytes(), "SELECT cents FROM money") == [2]
    assert rows(after.read_bytes(), "SELECT statements FROM history") == [1]
    assert files.before.read_bytes() == before
    assert sorted(files.before.parent.iterdir()) == sorted([files.before, after])


def test_a_file_that_was_worked_on_in_vain_is_gone(files: Files) -> None:
    run, after = files.run("db.execute('DELETE FROM money'); raise ValueError(7)")

    assert failure_of(run).message == "ValueError: 7"
    assert after == files.before
    assert [*files.before.parent.iterdir()] == [files.before]


@pytest.mark.parametrize(
    "body",
    [
        "os.symlink({other!r}, 'new'); os.replace('new', 'work.db')",
        "os.unlink('work.db'); os.mkfifo('work.db')",
        "os.unlink('work.db')",
        "os.link('work.db', 'second')",
    ],
)
def test_something_else_in_the_place_of_the_file_is_not_taken(files: Files, body: str) -> None:
    other = files.home.folder / "other.db"
    other.write_bytes(files.before.read_bytes())
    find = "os.chdir(os.path.dirname(os.environ['TMPDIR']))"
    run, after = files.run(f"{find}; {body.format(other=str(other))}")

    assert "is no database any more" in failure_of(run).message
    assert after == files.before
    assert other.read_bytes() == files.before.read_bytes()
    assert [*files.before.parent.iterdir()] == [files.before]


def test_the_apps_hook_is_called_there(either_home: Household) -> None:
    (either_home.folder / "app_of_parts.py").write_text(
        "def prepare(db):\n    db.create_function('twice', 1, lambda n: 2 * n)\n"
    )
    hook = load_connection_hook("app_of_parts:prepare", either_home.folder)
    run, image = either_home.run(
        "db.execute('UPDATE money SET cents = twice(cents)')",
        prepare_connection=hook,
        connection_hook="app_of_parts:prepare",
    )

    assert run.succeeded
    assert rows(image, "SELECT cents FROM money") == [2, 4]


def test_a_hook_that_raises_is_a_fault_of_the_set_up(either_home: Household) -> None:
    def prepare(_: sqlite3.Connection) -> None:
        raise ValueError

    (either_home.folder / "bad_app_of_parts.py").write_text(
        "def prepare(db):\n    raise ValueError\n"
    )
    with pytest.raises(SettingsError, match="bb_connection"):
        either_home.run(
            "pass", prepare_connection=prepare, connection_hook="bad_app_of_parts:prepare"
        )


def test_what_an_if_not_exists_met_is_handed_back(either_home: Household) -> None:
    run, _ = either_home.run("db.execute('CREATE TABLE IF NOT EXISTS money (cents, other)')")

    assert [conflict.name for conflict in run.conflicts] == ["money"]


COUNTS_FOR_EVER = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "INSERT INTO money SELECT i FROM n WHERE i < 0"
)


def test_a_statement_that_takes_too_long_is_named(either_home: Household) -> None:
    run, _ = either_home.run(f"db.execute({COUNTS_FOR_EVER!r})", seconds=1)

    failure = failure_of(run)
    assert failure.message == "OperationalError: took longer than bb_seconds = 1"
    assert (failure.line, failure.statement) == (4, COUNTS_FOR_EVER)


def test_threads_and_handlers_of_its_end_come_to_their_end(either_home: Household) -> None:
    run, image = either_home.run(
        "import atexit, concurrent.futures\n"
        "atexit.register(print, 'last')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
        "concurrent.futures.ThreadPoolExecutor(1).submit(print, 'pool')\n"
        "db.execute('DELETE FROM money')"
    )

    assert run.succeeded
    assert sorted(run.printed.split()[:2]) == ["pool", "thread"]
    assert run.printed.split()[2:] == ["last"]
    assert rows(image, "SELECT count(*) FROM money") == [0]


def test_a_copy_of_it_that_comes_back_as_well_is_not_heard(either_home: Household) -> None:
    run, image = either_home.run(
        "child = os.fork()\n"
        "if child:\n    os.waitpid(child, 0)\n"
        "db.execute('INSERT INTO money VALUES (?)', [bool(child)])"
    )

    assert run.succeeded
    assert rows(image, "SELECT cents FROM money") == [1, 2, 1]


def test_what_is_harmless_is_allowed(either_home: Household) -> None:
    run, _ = either_home.run(
        "import multiprocessing, tempfile\n"
        "for name in ('/dev/null', '/dev/stdout', '/dev/stderr'):\n"
        "    open(name, 'a').write('x')\n"
        "tempfile.NamedTemporaryFile().write(b'x')\n"
        "multiprocessing.get_context('fork').Lock()\n"
        "open('/dev/shm/bbmigrate-test', 'w').close(); os.remove('/dev/shm/bbmigrate-test')\n"
        "subprocess.run([sys.executable, '-c', 'print(1)'], check=True)\n"
        "sqlite3.connect(':memory:').close()\n"
        "os.kill(os.getpid(), 0)"
    )

    assert run.failure is None, run.printed
    assert "1\n" in run.printed
