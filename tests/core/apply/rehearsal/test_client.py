"""Rehearsing the pending migrations on copies of a real database."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import threading
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.apply.model import Rehearsal, TableChange
from pytest_bbmigrate.apply.rehearsal.client import (
    TEMPORARY,
    WORKING_COPY,
    RehearsalOrder,
    rehearse,
)
from pytest_bbmigrate.apply.rehearsal.worker import attempt, run_migrations
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.history.batches import backups_of, contents_of
from pytest_bbmigrate.history.table import read_history
from pytest_bbmigrate.private.value_kinds import ValueKind
from pytest_bbmigrate.processes import launch
from pytest_bbmigrate.processes.launch import command_with_packages
from pytest_bbmigrate.rows import content_of
from pytest_bbmigrate.sandbox import landlock
from pytest_bbmigrate.sqlite_files import digest_of, open_content
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.processes import wait_for_end

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pytest_bbmigrate.verdict import Finding, Verdict

MONEY = """
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE bookings (
        id INTEGER PRIMARY KEY,
        account_id INTEGER NOT NULL REFERENCES accounts (id),
        amount REAL NOT NULL,
        category TEXT
    );
    INSERT INTO accounts VALUES (1, 'Current'), (2, 'Savings');
    WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 300)
        INSERT INTO bookings SELECT n, 1 + n % 2, n / 4.0, 'c' || (n % 5) FROM c;
"""
ADD = "-- migrate:up\nALTER TABLE bookings ADD COLUMN note TEXT;\n"
ADD_BACK = ADD + "-- migrate:down\nALTER TABLE bookings DROP COLUMN note;\n"
FILL = (
    "-- bb: changes bookings.note\n"
    "-- migrate:up\nUPDATE bookings SET note = category;\n"
    "-- migrate:down\nUPDATE bookings SET note = NULL;\n"
)
INDEX = "-- migrate:up\nCREATE INDEX i ON bookings (note);\n-- migrate:down\nDROP INDEX i;\n"


class Bench:
    """A real database with its backup, and migrations to rehearse on it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.migrations = folder / "migrations"
        self.backup = folder / "backups" / "money.db.backup"
        self.scratch = folder / "scratch"
        self.work = folder / "work.db"
        self.database = folder / "money.db"
        for made in (self.migrations, self.backup.parent, self.scratch):
            made.mkdir()
        self.fill(MONEY)

    def fill(self, *scripts: str) -> None:
        """Make the database anew by ``scripts``; the backup is a copy of it."""
        for path in (self.backup, self.database):
            path.unlink(missing_ok=True)
            with closing(sqlite3.connect(path)) as db:
                for script in scripts:
                    db.executescript(script)

    def write(self, *texts: str) -> tuple[str, ...]:
        """Write migrations, Python where there is a function, and return their names."""
        names = []
        for number, text in enumerate(texts, 1):
            suffix = ".py" if "def " in text or "import " in text else ".sql"
            names.append(f"00{number}_step")
            (self.migrations / f"00{number}_step{suffix}").write_text(text)
        return tuple(names)

    def order(self, *texts: str) -> RehearsalOrder:
        """Return the order to rehearse migrations with these texts."""
        return RehearsalOrder(
            self.migrations,
            self.write(*texts),
            self.database,
            self.root,
            before=self.backup,
            folder=self.scratch,
            work=self.work,
        )

    def here(self, order: RehearsalOrder) -> Rehearsal:
        """Rehearse in this process."""
        (self.scratch / TEMPORARY).mkdir(exist_ok=True)
        return run_migrations(order, lambda _: None)

    def rows(self, sql: str, path: Path | None = None) -> list[tuple[object, ...]]:
        """Return what a query gives on the working copy."""
        with closing(open_content(path or self.scratch / WORKING_COPY)) as db:
            return db.execute(sql).fetchall()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def failed(verdicts: Iterable[Verdict]) -> list[tuple[str, str]]:
    return [(v.subject, v.check) for v in verdicts if v.outcome is Outcome.FAILED]


def findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    return [finding for verdict in verdicts for finding in verdict.findings]


class TestInItsProcess:
    def test_the_working_copy_is_what_the_digest_says(self, bench: Bench) -> None:
        at: list[str] = []
        was = bench.backup.read_bytes(), bench.database.read_bytes()
        rehearsal = rehearse(bench.order(ADD_BACK, FILL, INDEX), at.append)

        assert failed(rehearsal.verdicts) == []
        assert [v.check for v in rehearsal.verdicts] == [*CHECKS] * 3
        assert {v.outcome for v in rehearsal.verdicts} == {Outcome.PASSED}
        assert at == ["001_step", "002_step", "003_step"]
        assert rehearsal.digest == digest_of(bench.work)
        assert stat.S_IMODE(bench.work.stat().st_mode) == 0o600
        assert bench.work.read_bytes()[18:20] == b"\x01\x01"
        assert bench.rows("SELECT count(*) FROM bookings WHERE note = category", bench.work) == [
            (300,)
        ]
        assert (bench.backup.read_bytes(), bench.database.read_bytes()) == was
        assert [path for path in bench.scratch.rglob("*.db*") if path.is_file()] == []

    def test_a_failing_check_ends_it_and_leaves_no_working_copy(self, bench: Bench) -> None:
        rehearsal = rehearse(
            bench.order(ADD_BACK, "DELETE FROM bookings WHERE id = 7;", INDEX), lambda _: None
        )

        assert failed(rehearsal.verdicts) == [("002_step", "data_survives")]
        assert rehearsal.verdicts[-1].subject == "002_step"
        assert rehearsal.digest == ""
        assert not bench.work.exists()

    @pytest.mark.parametrize(
        ("end", "message"),
        [
            (
                "ctypes.CDLL(None)._exit(0)",
                "its process ended with exit code 0 before the migration had come back",
            ),
            ("os.kill(os.getpid(), 9)", "its process was ended by SIGKILL"),
            (
                "threading.Thread(target=time.sleep, args=[600]).start()",
                "a thread that the migration has started was still at work",
            ),
        ],
    )
    def test_a_migration_that_does_not_come_to_its_end_has_failed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch, end: str, message: str
    ) -> None:
        start = launch.START.replace(
            "].main; ",
            "].main; import pytest_bbmigrate.sandbox.part_process as p; p.THREAD_SECONDS = 0.2; ",
        )
        monkeypatch.setattr(launch, "START", start)
        text = f"import ctypes, os, threading, time\ndef up(db):\n    {end}\n"
        rehearsal = rehearse(bench.order(ADD, text), lambda _: None)

        assert failed(rehearsal.verdicts) == [("002_step", "up_applies")]
        assert message in findings(rehearsal.verdicts)[0].observed
        assert rehearsal.digest == ""
        assert not bench.work.exists()

    def test_a_process_that_raises_is_told_without_what_was_said(self, bench: Bench) -> None:
        order = bench.order(ADD)
        (only,) = read_catalogue(bench.migrations).migrations
        order = replace(order, checksums=(only.checksum, ""))  # ours is the fault

        with pytest.raises(StepFailed, match="before the first migration, by ValueError") as raised:
            rehearse(order, lambda _: None)
        assert "argument" not in str(raised.value)

    def test_ctrl_c_ends_everything_that_it_started(self, bench: Bench) -> None:
        script = (
            "import time\n\n\ndef migrate():\n    open('began', 'w').close()\n    time.sleep(600)\n"
        )
        order = bench.order(script)
        known = {child.pid for child in psutil.Process().children()}
        started: list[psutil.Process] = []

        def interrupt() -> None:
            deadline = time.monotonic() + 30
            while not list(bench.scratch.rglob("began")) and time.monotonic() < deadline:
                time.sleep(0.01)
            mine = [c for c in psutil.Process().children() if c.pid not in known]
            started.extend([*mine, *(each for c in mine for each in c.children(recursive=True))])
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            rehearse(order, lambda _: None)
        thread.join()

        assert len(started) == 4  # the watch, its own process, what keeps the script, and that
        wait_for_end(*(process.pid for process in started), seconds=10)

    def test_what_migrations_print_comes_with_the_result(self, bench: Bench) -> None:
        text = "def up(db):\n    print('hello')\n\n\ndef down(db):\n    print('bye')\n"

        order = replace(bench.order(text), shows_values=True)

        assert rehearse(order, lambda _: None).printed == (("001_step", "hello\nbye\n"),)

    def test_the_real_file_is_out_of_reach(self, bench: Bench) -> None:
        assert landlock.abi_version(), "this kernel has no Landlock: the guard is weaker there"
        text = (
            "import subprocess\n"
            "def up(db):\n"
            f"    subprocess.run(['truncate', '-s', '0', {str(bench.database)!r}], check=True)\n"
        )
        was = bench.database.read_bytes()
        rehearsal = rehearse(bench.order(text), lambda _: None)

        assert failed(rehearsal.verdicts) == [("001_step", "up_applies")]
        assert bench.database.read_bytes() == was

    def test_imports_find_what_they_find_in_the_session(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (bench.root / "app").mkdir()
        (bench.root / "app" / "household_words.py").write_text("WORD = 'spoon'\n")
        monkeypatch.syspath_prepend(str(bench.root / "app"))
        text = "def up(db):\n    from household_words import WORD\n    print(WORD)\n"

        order = replace(bench.order(text), shows_values=True)

        assert rehearse(order, lambda _: None).printed == (("001_step", "spoon\n"),)

    def test_why_it_cannot_be_done_is_the_steps_message(self, bench: Bench) -> None:
        order = replace(bench.order(ADD), connection="nowhere_at_all:prepare")

        with pytest.raises(StepFailed, match="nowhere_at_all cannot be imported"):
            rehearse(order, lambda _: None)

    def test_a_parent_that_is_gone_ends_it(self, bench: Bench) -> None:
        bench.order(ADD)
        child = subprocess.run(
            command_with_packages("pytest_bbmigrate.apply.rehearsal.server", "1"),
            capture_output=True,
            text=True,
            check=False,
        )

        assert child.returncode == 1
        assert "is gone" in child.stderr


class TestOnRealRows:
    def test_each_migration_goes_into_the_history_with_its_batch(self, bench: Bench) -> None:
        order = replace(bench.order(ADD_BACK, FILL), batch=4, backup="money.db.backup.1")
        bench.here(order)
        first, second = read_catalogue(bench.migrations).migrations
        with closing(open_content(bench.scratch / WORKING_COPY)) as db:
            history = read_history(db)

            assert [(a.name, a.checksum, a.batch) for a in history] == [
                ("001_step", first.checksum, 4),
                ("002_step", second.checksum, 4),
            ]
            assert [a.statements for a in history] == [1, 1]
            assert all(a.seconds >= 0 for a in history)
            assert backups_of(db) == {4: ("money.db.backup.1",)}
            assert contents_of(db, 4) == {
                table: (rows, digest) for table, rows, digest in content_of(db)
            }

    def test_an_applied_file_that_has_another_name_is_known_by_it(self, bench: Bench) -> None:
        bench.here(bench.order(ADD_BACK))
        (bench.scratch / WORKING_COPY).replace(bench.backup)
        for path in bench.scratch.rglob("*/"):
            path.rmdir()
        (bench.migrations / "001_step.sql").rename(bench.migrations / "001_note.sql")
        (bench.migrations / "002_step.sql").write_text(INDEX)
        order = replace(
            bench.order(),
            names=("002_step",),
            batch=2,
            renamed=(("001_step", "001_note"),),
        )
        bench.here(order)
        with closing(open_content(bench.scratch / WORKING_COPY)) as db:
            assert [a.name for a in read_history(db)] == ["001_note", "002_step"]

    def test_what_changed_is_told_by_table(self, bench: Bench) -> None:
        up = (
            "-- bb: changes bookings.category where id <= 7\n"
            "-- bb: drops accounts, bookings.amount\n"
            "UPDATE bookings SET category = 'new' WHERE id <= 7;"
            "ALTER TABLE bookings DROP COLUMN amount;"
            "ALTER TABLE bookings RENAME TO entries;"
            "ALTER TABLE entries RENAME COLUMN category TO kind;"
            "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT);"
            "INSERT INTO tags (name) VALUES ('x'), ('y');"
        )
        more = (
            "-- bb: changes entries.kind\n"
            "ALTER TABLE entries ADD COLUMN seen INTEGER;"
            "UPDATE entries SET kind = upper(kind) WHERE id = 100;"
            "CREATE TABLE brief (a);"
        )
        gone = "-- bb: drops brief\nDROP TABLE brief;"
        bench.fill(MONEY.replace("REFERENCES accounts (id)", ""))
        rehearsal = bench.here(
            bench.order(up + "DROP TABLE accounts;", more, gone, "CREATE TABLE brief (b);")
        )

        assert findings(rehearsal.verdicts) == []
        assert rehearsal.changes == (
            TableChange(
                "entries",
                300,
                300,
                ("seen",),
                ("amount",),
                8,
                "bookings",
                (("category", "kind"),),
                ("category",),
            ),
            TableChange("tags", None, 2),
            TableChange("brief", None, 0),
            TableChange("accounts", 2, None, former="accounts"),
        )

    def test_a_table_that_is_as_it_was_is_no_change(self, bench: Bench) -> None:
        assert bench.here(bench.order("CREATE INDEX i ON accounts (name);")).changes == ()

    def test_nothing_is_said_of_rows_that_are_not_there(self, bench: Bench) -> None:
        bench.fill(MONEY, "DELETE FROM bookings")
        rehearsal = bench.here(
            replace(bench.order("UPDATE bookings SET category = 'x' WHERE id = 7;"), strict=True)
        )

        assert {v.outcome for v in rehearsal.verdicts} == {Outcome.PASSED, Outcome.SKIPPED}
        assert {v.reason for v in rehearsal.verdicts} == {"", "no down part"}

    def test_the_way_back_can_be_left_out(self, bench: Bench) -> None:
        down = "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT nothing;\n"
        verdicts = bench.here(replace(bench.order(down), skip_down=True)).verdicts

        assert [(v.check, v.reason) for v in verdicts if v.outcome is Outcome.SKIPPED] == [
            ("down_restores", "down was not run"),
            ("up_repeats", "down was not run"),
        ]

    def test_a_way_back_that_loses_real_rows_fails(self, bench: Bench) -> None:
        down = "-- migrate:up\nSELECT 1;\n-- migrate:down\nDELETE FROM bookings WHERE id > 250;\n"
        verdicts = bench.here(bench.order(down)).verdicts
        (finding,) = findings(verdicts)

        assert failed(verdicts) == [("001_step", "down_restores")]
        assert (finding.kind, finding.table, finding.count) == ("rows lost", "bookings", 50)

    def test_what_the_clock_and_chance_put_there_is_no_fault(self, bench: Bench) -> None:
        up = (
            "-- migrate:up\nCREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, b);"
            "INSERT INTO log (at, b) SELECT random(), id FROM bookings;\n"
            "-- migrate:down\nDROP TABLE log;\n"
        )

        assert failed(bench.here(bench.order(up)).verdicts) == []

    def test_a_change_of_many_rows_is_judged_by_its_conditions(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pytest_bbmigrate.rows.differences.MAX_IN_MEMORY", 10)
        monkeypatch.setattr("pytest_bbmigrate.rows.sql_prefilter.MIN_ROWS", 10)
        where = "id IN (SELECT id FROM bookings WHERE category <> 'c0')"
        declared = f"-- bb: changes bookings.category where {where}\n"
        update = "UPDATE bookings SET category = 'new'"
        good = bench.here(bench.order(f"{declared}{update} WHERE {where};"))

        assert failed(good.verdicts) == []
        for path in bench.scratch.rglob("*/"):
            path.rmdir()
        order = replace(bench.order(f"{declared}{update};"), shows_values=True)
        bad = bench.here(order)
        (finding,) = findings(bad.verdicts)

        assert (finding.kind, finding.column, finding.count) == ("values changed", "category", 60)
        assert [example.key for example in finding.examples] == [
            (("id", number),) for number in (5, 10, 15, 20, 25)
        ]

    def test_what_was_wrong_before_is_not_held_against_a_migration(self, bench: Bench) -> None:
        bench.fill(
            MONEY,
            "INSERT INTO bookings VALUES (900, 77, 1, 'no account');"
            "PRAGMA ignore_check_constraints = ON;"
            "CREATE TABLE goals (id INTEGER PRIMARY KEY, cents INTEGER CHECK (cents > 0));"
            "INSERT INTO goals VALUES (1, -1), (2, 5);",
        )
        touch = "UPDATE goals SET id = id + 10; UPDATE bookings SET id = id + 1000;"
        contract = "-- bb: changes goals.id, bookings.id\n"
        rehearsal = bench.here(bench.order(contract + touch))

        assert findings(rehearsal.verdicts) == []

    def test_what_is_wrong_more_often_than_before_is(self, bench: Bench) -> None:
        bench.fill(
            "PRAGMA ignore_check_constraints = ON;"
            "CREATE TABLE goals (id INTEGER PRIMARY KEY, cents INTEGER CHECK (cents > 0));"
            "INSERT INTO goals VALUES (1, -1), (2, 5), (3, 6);",
        )
        spoil = (
            "-- bb: changes goals.cents\n"
            "PRAGMA ignore_check_constraints = ON; UPDATE goals SET cents = -2 WHERE id = 2;"
        )
        verdicts = bench.here(bench.order(spoil)).verdicts

        assert [(f.kind, f.observed) for f in findings(verdicts)] == [
            ("integrity", "CHECK constraint failed in goals")
        ]

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            ("CAST(amount * 3 AS INTEGER)", []),
            ("CAST(round(amount * 3) AS INTEGER)", [("values not derived", 150, 300)]),
            ("CAST(amount * 3 AS INTEGER) by nothing", [("derivation fails", 0, 0)]),
        ],
    )
    def test_real_rows_are_held_to_what_is_derived(
        self, bench: Bench, value: str, found: list[tuple[str, int, int]]
    ) -> None:
        order = bench.order(
            f"-- bb: drops bookings.amount\n-- bb: derives bookings.n = {value}\n"
            "ALTER TABLE bookings ADD COLUMN n INTEGER;"
            "UPDATE bookings SET n = CAST(amount * 3 AS INTEGER);"
            "ALTER TABLE bookings DROP COLUMN amount;"
        )
        told = findings(bench.here(order).verdicts)

        assert [(f.kind, f.count, f.total) for f in told] == found
        assert {type(cell) for f in told for e in f.examples for _, cell in e.before} <= {ValueKind}

    def test_an_invariant_holds_on_real_rows_or_not(self, bench: Bench) -> None:
        order = bench.order("-- bb: changes bookings.amount\nUPDATE bookings SET amount = 1;")
        order = replace(order, invariants=(("money", "SELECT sum(amount) FROM bookings"),))

        assert [(f.kind, f.name) for f in findings(bench.here(order).verdicts)] == [
            ("invariant broken", "money")
        ]

    def test_a_new_database_is_made_from_nothing(self, bench: Bench) -> None:
        bench.backup.write_bytes(b"")
        rehearsal = bench.here(bench.order("CREATE TABLE trips (id INTEGER PRIMARY KEY);"))

        assert failed(rehearsal.verdicts) == []
        assert rehearsal.changes == (TableChange("trips", None, 0),)

    def test_a_backup_in_wal_mode_becomes_a_working_copy_that_is_not(self, bench: Bench) -> None:
        with closing(sqlite3.connect(bench.backup)) as db:
            db.execute("PRAGMA journal_mode = WAL")
        rehearsal = bench.here(bench.order(ADD_BACK))

        assert failed(rehearsal.verdicts) == []
        assert (bench.scratch / WORKING_COPY).read_bytes()[18:20] == b"\x01\x01"
        assert list(bench.backup.parent.iterdir()) == [bench.backup]

    def test_a_full_text_index_is_looked_at(self, bench: Bench) -> None:
        bench.fill(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);"
            "INSERT INTO notes VALUES (1, 'rent'), (2, 'food');"
            "CREATE VIRTUAL TABLE found USING fts5 (text, content = 'notes', content_rowid = 'id');"
            "INSERT INTO found (found) VALUES ('rebuild');"
        )
        spoil = "INSERT INTO found (found) VALUES ('delete-all');"
        verdicts = bench.here(bench.order(spoil)).verdicts

        assert [f.observed for f in findings(verdicts)] == [
            "the full-text index found does not agree with its rows"
        ]

    def test_a_script_is_rehearsed_like_any_other(self, bench: Bench) -> None:
        script = (
            "# bb: changes bookings.category\n"
            "import sqlite3\n\n\ndef migrate():\n"
            "    db = sqlite3.connect('money.db')\n"
            "    db.execute(\"UPDATE bookings SET category = 'x'\")\n"
            "    db.commit()\n"
        )
        rehearsal = bench.here(bench.order(script))

        assert failed(rehearsal.verdicts) == []
        assert bench.rows("SELECT DISTINCT category FROM bookings") == [("x",)]
        assert bench.rows("SELECT name FROM _bb_migrations") == [("001_step",)]


class TestRequirements:
    unique = "-- bb: requires unique bookings(category)\nSELECT 1;"

    def test_rows_that_do_not_meet_what_is_required_are_counted(self, bench: Bench) -> None:
        message = (
            r"001_step\.sql:1: 295 of 300 rows of bookings do not meet what 001_step requires "
            r"of them \(unique \(category\)\)"
        )
        with pytest.raises(StepFailed, match=message):
            bench.here(bench.order(self.unique))

    def test_they_are_looked_at_as_earlier_migrations_leave_them(self, bench: Bench) -> None:
        mend = "-- bb: changes bookings.category\nUPDATE bookings SET category = category || id;"

        assert failed(bench.here(bench.order(mend, self.unique)).verdicts) == []

    def test_one_that_cannot_be_asked_is_told(self, bench: Bench) -> None:
        for required, error in (
            ("bookings: nam <> ''", "no such column: nam"),
            ("unique trips(name)", "no such table: trips"),
        ):
            with pytest.raises(StepFailed, match=f"cannot be asked .*{error}"):
                bench.here(bench.order(f"-- bb: requires {required}\nSELECT 1;"))
            for path in bench.scratch.rglob("*/"):
                path.rmdir()


class TestRefusals:
    def test_a_file_that_is_not_what_was_checked_is_not_run(self, bench: Bench) -> None:
        order = replace(bench.order(ADD), checksums=("another",))

        with pytest.raises(StepFailed, match="was edited since its checks ran"):
            bench.here(order)

    def test_a_file_that_is_gone_is_told(self, bench: Bench) -> None:
        bench.write(ADD)

        with pytest.raises(StepFailed, match="002_step is gone"):
            bench.here(replace(bench.order(ADD), names=("002_step",)))

    def test_a_full_disk_is_told(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def fill(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "copy_file_range", fill)
        monkeypatch.setattr("shutil.copyfile", fill)
        result = attempt(bench.order(ADD), lambda _: None)

        assert isinstance(result, str)
        assert "No space left on device" in result
        assert "room for four copies" in result

    def test_a_history_that_is_not_ours_is_told(self, bench: Bench) -> None:
        bench.fill(MONEY, "CREATE TABLE _bb_migrations (theirs)")
        result = attempt(bench.order(ADD), lambda _: None)

        assert isinstance(result, str)
        assert "not a history that this version can read" in result


def test_never_more_than_four_copies_are_there(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0

    def counted(*_: object) -> int:
        nonlocal most
        copies = [path for path in bench.scratch.rglob("*") if path.suffix == ".db"]
        most = max(most, len(copies))
        raise OSError("copy it in the ordinary way")

    monkeypatch.setattr(os, "copy_file_range", counted)
    volatile = (
        "-- bb: changes bookings.note\n"
        "-- migrate:up\nUPDATE bookings SET note = random();\n"
        "-- migrate:down\nUPDATE bookings SET note = NULL;\n"
    )
    rehearsal = bench.here(bench.order(ADD_BACK, volatile, INDEX))

    assert failed(rehearsal.verdicts) == []
    assert most == 4
