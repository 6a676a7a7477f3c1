"""``pytest --bb-apply`` and the ways back, for every form of migration that there is."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_bbmigrate.sandbox import landlock
from tests.plugin.real_database import ACCOUNTS, SECRET, ask, backups, change, litter, names
from tests.processes import is_running, wait_until

LEGACY = Path(__file__).parents[2] / "fixtures" / "legacy"
if TYPE_CHECKING:
    from collections.abc import Callable

HAS_LANDLOCK = landlock.abi_version() > 0
ROWS = [(1, SECRET, "me", 1250), (2, "savings", None, None), (3, "SAVINGS", "0042", -7)]


def put(project: pytest.Pytester, files: dict[str, str]) -> None:
    """Write migration files, by their paths in the folder."""
    for name, text in files.items():
        path = project.path / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")


def schema(path: Path) -> list[str]:
    """Return the names of what is in a database, the history aside."""
    return [
        name
        for (name,) in ask(path, "SELECT name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1")
        if not name.startswith(("_bb_", "sqlite_"))
    ]


def apply(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest with ``arguments``, which must do what it is asked."""
    result = project.runpytest(*arguments)
    assert result.ret == pytest.ExitCode.OK, result.outlines
    return result


@pytest.fixture
def accounts(project: pytest.Pytester, made_once: Callable[..., None]) -> Path:
    """Return a database with one migration applied and real rows."""
    made_once(make_accounts)
    return project.path / "budget_buddy.db"


def make_accounts(project: pytest.Pytester) -> None:
    put(project, {"001_accounts.sql": ACCOUNTS})
    path = project.path / "budget_buddy.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(ACCOUNTS.splitlines()[1])
    change(path, "INSERT INTO accounts VALUES (?, ?, ?, ?)", ROWS)
    apply(project, "--bb-adopt=auto")
    for backup in backups(project):
        backup.unlink()
        backup.with_name(f".{backup.name}.json").unlink()


# every form in one folder


FORMS = {
    "002_log.sql": """\
        -- +goose Up
        CREATE TABLE log (id INTEGER PRIMARY KEY, account_id INTEGER, cents INTEGER);
        -- +goose StatementBegin
        CREATE TRIGGER accounts_log AFTER UPDATE OF cents ON accounts
        BEGIN
            INSERT INTO log (account_id, cents) VALUES (old.id, old.cents);
        END;
        -- +goose StatementEnd
        -- +goose Down
        DROP TRIGGER accounts_log;
        DROP TABLE log;
        """,
    "003_transactions.up.sql": """\
        CREATE TABLE transactions (
            id INTEGER PRIMARY KEY,
            account_id INTEGER NOT NULL REFERENCES accounts (id),
            note TEXT
        );
        """,
    "003_transactions.down.sql": "DROP TABLE transactions;",
    "004_note_index.sql": """\
        -- migrate:up
        CREATE INDEX transactions_note ON transactions (note);
        -- migrate:down
        DROP INDEX transactions_note;
        """,
    "005_trips/up.sql": "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT UNIQUE);",
    "005_trips/down.sql": "DROP TABLE trips;",
    "006_mood.sql": "ALTER TABLE accounts ADD COLUMN mood TEXT;",
    "006_mood.rollback.sql": "ALTER TABLE accounts DROP COLUMN mood;",
    "007_noted.py": """\
        def upgrade(db):
            db.execute("CREATE VIEW noted AS SELECT count(note) AS n FROM transactions")


        def downgrade(db):
            db.execute("DROP VIEW noted")
        """,
}
MADE = ["accounts_log", "log", "noted", "transactions", "transactions_note", "trips"]


def test_a_folder_of_every_form_goes_forward_back_forward_and_is_restored(
    project: pytest.Pytester, accounts: Path
) -> None:
    put(project, FORMS)

    apply(project, "--bb-apply")

    applied = [
        "001_accounts",
        "002_log",
        "003_transactions",
        "004_note_index",
        "005_trips",
        "006_mood",
        "007_noted",
    ]
    assert names(accounts) == applied
    assert schema(accounts) == sorted(["accounts", *MADE])
    assert ask(accounts, "SELECT id, name, owner, cents FROM accounts") == ROWS

    change(accounts, "INSERT INTO accounts (id, name) VALUES (?, ?)", [(4, "since")])
    apply(project, "--bb-rollback")

    assert names(accounts) == ["001_accounts"]
    assert schema(accounts) == ["accounts"]
    assert ask(accounts, "SELECT * FROM accounts") == [*ROWS, (4, "since", None, None)]

    apply(project, "--bb-apply")
    assert names(accounts) == applied
    apply(project, "--bb-restore")

    assert names(accounts) == ["001_accounts"]
    assert schema(accounts) == ["accounts"]
    assert ask(accounts, "SELECT * FROM accounts") == [*ROWS, (4, "since", None, None)]
    assert litter(project) == []


# outside a transaction


OUTSIDE = {
    "002_vacuum.sql": """\
        -- +goose NO TRANSACTION
        -- +goose Up
        VACUUM;
        CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);
        -- +goose Down
        DROP TABLE trips;
        VACUUM;
        """,
    "003_wal.sql": """\
        -- migrate:up transaction:false
        PRAGMA journal_mode = WAL;
        -- migrate:down transaction:false
        PRAGMA journal_mode = DELETE;
        """,
    "004_pages.sql": """\
        -- bb: no_transaction
        PRAGMA page_size = 8192;
        VACUUM;
        ALTER TABLE accounts ADD COLUMN note TEXT;
        """,
    "004_pages.down.sql": "ALTER TABLE accounts DROP COLUMN note;",
}


def test_what_runs_outside_a_transaction_is_published_with_the_modes_it_sets(
    project: pytest.Pytester, accounts: Path
) -> None:
    put(project, OUTSIDE)

    apply(project, "--bb-apply")

    assert names(accounts) == ["001_accounts", "002_vacuum", "003_wal", "004_pages"]
    assert ask(accounts, "PRAGMA journal_mode") == [("wal",)]
    assert ask(accounts, "PRAGMA page_size") == [(8192,)]
    assert ask(accounts, "SELECT * FROM accounts") == [(*row, None) for row in ROWS]

    apply(project, "--bb-rollback")

    assert names(accounts) == ["001_accounts"]
    assert ask(accounts, "PRAGMA journal_mode") == [("delete",)]
    assert ask(accounts, "SELECT * FROM accounts") == ROWS


# Not written out, for a text in a statement is among the generated values.
ONLY_REAL = f"hex(name) = '{SECRET.encode().hex().upper()}'"


def test_of_a_migration_that_fails_halfway_outside_a_transaction_nothing_is_published(
    project: pytest.Pytester, accounts: Path
) -> None:
    change(accounts, "UPDATE accounts SET name = ? WHERE id = 1", [(SECRET,)])
    put(
        project,
        {
            "002_twice.sql": f"""\
                -- bb: inserts accounts
                -- +goose NO TRANSACTION
                -- +goose Up
                CREATE TABLE made_first (id INTEGER PRIMARY KEY);
                INSERT INTO accounts SELECT * FROM accounts WHERE {ONLY_REAL};
                """
        },
    )
    before = accounts.read_bytes()

    result = project.runpytest("--bb-apply")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "002_twice: up_applies: up does not run: UNIQUE constraint failed: accounts.id",
            "*It ran outside a transaction, on a copy that is thrown away: nothing of it is kept.",
            "not applied: rehearsal failed; budget_buddy.db is as it was",
        ]
    )
    assert accounts.read_bytes() == before
    assert litter(project) == []
    assert backups(project) == []


# programs that open the database by themselves


SCRIPTS = {
    "by_relative_path.py": """\
        # depends: 001_accounts
        import sqlite3


        def migrate():
            db = sqlite3.connect("budget_buddy.db")
            db.execute("CREATE TABLE relative (id INTEGER PRIMARY KEY, name TEXT)")
            db.execute("INSERT INTO relative SELECT id, name FROM accounts")
            db.commit()
            print("the first is", db.execute("SELECT owner FROM accounts").fetchone())
            db.close()
        """,
    "by_absolute_path.py": """\
        # bb: script
        # depends: 001_accounts
        import os
        import sqlite3

        HERE = os.path.dirname(os.path.abspath(__file__))
        if __name__ == "__main__":
            with sqlite3.connect(os.path.join(HERE, "..", "budget_buddy.db")) as db:
                db.execute("CREATE TABLE absolute (id INTEGER PRIMARY KEY, n INTEGER)")
                db.execute("INSERT INTO absolute SELECT id, length(name) FROM accounts")
        """,
    "by_sqlite_utils.py": """\
        # depends: 001_accounts
        import sqlite_utils


        def migrate():
            db = sqlite_utils.Database("budget_buddy.db")
            db["accounts"].add_column("tag", str)
        """,
    "by_sqlalchemy.py": """\
        # depends: 001_accounts
        from sqlalchemy import create_engine, text


        def migrate():
            engine = create_engine("sqlite:///budget_buddy.db")
            with engine.begin() as db:
                db.execute(text("CREATE TABLE alchemy (id INTEGER PRIMARY KEY, cents INTEGER)"))
                db.execute(text("INSERT INTO alchemy SELECT id, cents FROM accounts"))
            engine.dispose()
        """,
}
SHELL = """\
    # depends: 001_accounts
    import os
    import sys

    CODE = "import sqlite3; sqlite3.connect('budget_buddy.db').execute('CREATE TABLE shell (n)')"


    def migrate():
        sys.exit(os.system(f'"{sys.executable}" -c "{CODE}"'))
    """


def test_what_programs_write_by_whatever_name_they_open_it_is_published(
    project: pytest.Pytester, accounts: Path
) -> None:
    put(project, SCRIPTS | ({"by_shell.py": SHELL} if HAS_LANDLOCK else {}))

    result = apply(project, "--bb-apply", "-vv", "--junitxml=report.xml")

    assert len(names(accounts)) == (6 if HAS_LANDLOCK else 5)
    assert ask(accounts, "SELECT * FROM relative") == [(i, name) for i, name, _, _ in ROWS]
    assert ask(accounts, "SELECT * FROM absolute") == [(i, len(name)) for i, name, _, _ in ROWS]
    assert ask(accounts, "SELECT * FROM alchemy") == [(i, cents) for i, _, _, cents in ROWS]
    assert ask(accounts, "SELECT * FROM accounts") == [(*row, None) for row in ROWS]
    assert ("shell" in schema(accounts)) == HAS_LANDLOCK
    shown = [*result.outlines, *result.errlines, (project.path / "report.xml").read_text()]
    assert not any(SECRET in line for line in shown)
    assert litter(project) == []


FAULTY = """\
    import os
    import sqlite3
    import subprocess
    import sys


    def migrate():
        db = sqlite3.connect("budget_buddy.db")
        db.execute("ALTER TABLE accounts ADD COLUMN tag TEXT")
        db.commit()
        if db.execute("SELECT 1 FROM accounts WHERE {condition}").fetchone():
            print(db.execute("SELECT * FROM accounts").fetchall())
            {fault}
    """
LANDLOCK_ALONE = pytest.mark.skipif(not HAS_LANDLOCK, reason="a script may start no program here")


@pytest.mark.parametrize(
    ("condition", "fault", "step", "said"),
    [
        (
            "1",
            "sqlite3.connect('other.db')",
            "checks",
            "*opening the database */other.db is refused: a migration script may open budget_b*",
        ),
        pytest.param(
            "1",
            "os.system('sqlite3 ' + os.path.dirname(__file__) + '/../budget_buddy.db VACUUM')",
            "checks",
            "*starting a program on /*/budget_buddy.db is refused: it would open the real data*",
            marks=LANDLOCK_ALONE,
        ),
        (ONLY_REAL, "sys.exit(1)", "rehearsal", "*up_applies: up does not run: SystemExit: 1"),
        pytest.param(
            ONLY_REAL,
            "subprocess.Popen(['sleep', '600'], start_new_session=True)",
            "rehearsal",
            "*up_applies: up does not run: the script ended and left sleep running",
            marks=LANDLOCK_ALONE,
        ),
    ],
)
def test_a_program_that_does_what_it_may_not_is_not_published(
    project: pytest.Pytester, accounts: Path, condition: str, fault: str, step: str, said: str
) -> None:
    put(project, {"002_faulty.py": FAULTY.format(condition=condition, fault=fault)})
    before = accounts.read_bytes()

    result = project.runpytest("--bb-apply", "-vv", "--junitxml=report.xml")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([said, f"not applied: {step} failed; budget_buddy.db is as it was"])
    assert accounts.read_bytes() == before
    assert litter(project) == []
    assert backups(project) == []
    shown = [*result.outlines, *result.errlines, (project.path / "report.xml").read_text()]
    assert not any(SECRET in line for line in shown)


# a database that was migrated by hand


LEGACY_INI = """\
[pytest]
bb_rows = 12
bb_migrations = backend/database/migrations
bb_base = baseline.sql
bb_order = order.txt
"""
LEGACY_ROWS = """
INSERT INTO institutions (id, name, logo) VALUES (1, 'Bank', 'x');
INSERT INTO accounts (id, institution_id, name, account_type, is_active)
VALUES (1, 1, 'Giro', 'checking', 1);
INSERT INTO transactions (id, account_id, date, amount, merchant_name, bb_category, is_pending)
VALUES (1, 1, '2026-01-02', -12.5, ' Cafe ', 'Dining Out', 0);
INSERT INTO chat_goals (id, title, status, trip_dimension) VALUES (1, 'Save', 'open', 'Rome');
"""
BY_HAND = """
ALTER TABLE weekly_summaries ADD COLUMN buddy_insight TEXT;
ALTER TABLE monthly_reflections ADD COLUMN total_income FLOAT;
"""


@pytest.fixture
def legacy(project: pytest.Pytester) -> Path:
    """Return the legacy database with rows, half way between two versions."""
    shutil.copytree(LEGACY / "backend", project.path / "backend")
    for name in ("baseline.sql", "order.txt"):
        shutil.copy(LEGACY / name, project.path)
    project.makeini(LEGACY_INI)
    path = project.path / "budget_buddy.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((project.path / "baseline.sql").read_text(encoding="utf-8"))
        db.executescript(LEGACY_ROWS + BY_HAND)
    return path


def test_the_legacy_database_is_adopted_migrated_and_restored(
    project: pytest.Pytester, legacy: Path
) -> None:
    half = legacy.read_bytes()
    refused = project.runpytest("--bb-adopt=auto")

    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    refused.stderr.fnmatch_lines(
        [
            "*no version has its schema; the nearest is add_buddy_insights",
            "of add_income_savings_to_reflections: *_income is there, *_saved is not there",
            "complete or undo that by hand, and run --bb-adopt again",
        ]
    )
    assert legacy.read_bytes() == half

    with closing(sqlite3.connect(legacy)) as db:
        db.execute("ALTER TABLE monthly_reflections ADD COLUMN total_saved FLOAT")
    apply(project, "--bb-adopt=auto")
    assert names(legacy) == ["add_buddy_insights", "add_income_savings_to_reflections"]

    apply(project, "--bb-apply")

    assert len(names(legacy)) == 12
    assert ask(legacy, "SELECT merchant_name, bb_category FROM transactions") == [
        ("Cafe", "Going Out")
    ]
    assert ask(legacy, "SELECT * FROM goal_dimensions") == [(1, "trip", "Rome")]
    assert ask(legacy, "SELECT * FROM transaction_aggregations") == [
        ("Going Out", "2026-01", -12.5, 1)
    ]
    assert ask(legacy, "SELECT name, account_type FROM accounts") == [("Giro", "checking")]

    migrated = legacy.read_bytes()
    back = project.runpytest("--bb-rollback")
    assert back.ret == pytest.ExitCode.TESTS_FAILED
    back.stdout.fnmatch_lines(
        [
            "cannot be rolled back: rebuild_accounts_with_types, *",
            "create_transaction_aggregations is a script, and scripts have no down part",
            "--bb-restore restores a backup instead",
        ]
    )
    assert legacy.read_bytes() == migrated

    apply(project, "--bb-restore")

    assert len(names(legacy)) == 2
    assert ask(legacy, "SELECT merchant_name, bb_category FROM transactions") == [
        (" Cafe ", "Dining Out")
    ]
    assert ask(legacy, "SELECT logo FROM institutions") == [("x",)]


# what never comes to its end


ENDLESS_SQL = f"""\
    -- bb: irreversible because it never ends
    CREATE TABLE numbers (n INTEGER);
    INSERT INTO numbers
    WITH RECURSIVE n (i) AS (
        SELECT 1
        UNION ALL
        SELECT i + 1 FROM n WHERE EXISTS (SELECT 1 FROM accounts WHERE {ONLY_REAL})
    )
    SELECT max(i) FROM n;
    """
ENDLESS_PYTHON = f"""\
    def up(db):
        db.execute("CREATE TABLE numbers (n INTEGER)")
        while db.execute("SELECT 1 FROM accounts WHERE {ONLY_REAL}").fetchone():
            pass
    """
ENDLESS_SCRIPT = f"""\
    import sqlite3


    def migrate():
        with sqlite3.connect("budget_buddy.db") as db:
            db.execute("CREATE TABLE numbers (n INTEGER)")
        while db.execute("SELECT 1 FROM accounts WHERE {ONLY_REAL}").fetchone():
            pass
    """


def began_in(folder: Path) -> list[psutil.Process]:
    """Return the other processes that work in ``folder`` or are told of it."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), process.environ().get("TMPDIR", ""), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in text for text in told):
            found.append(process)
    return found


@pytest.mark.parametrize(
    ("name", "source", "number"),
    [
        ("002_endless.sql", ENDLESS_SQL, signal.SIGINT),
        ("002_endless.py", ENDLESS_PYTHON, signal.SIGTERM),
        ("002_endless.py", ENDLESS_SCRIPT, signal.SIGINT),
    ],
)
def test_what_hangs_on_the_real_rows_alone_ends_with_pytest_and_leaves_nothing(
    project: pytest.Pytester, accounts: Path, name: str, source: str, number: signal.Signals
) -> None:
    put(project, {name: source})
    change(accounts, "UPDATE accounts SET name = ? WHERE id = 1", [(SECRET,)])
    before = accounts.read_bytes()
    with project.popen(
        [sys.executable, "-m", "pytest", "--bb-apply", "-v"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # for a terminal's Ctrl-C goes to the whole process group
    ) as child:
        wait_for_rehearsal(project.path, child)
        started = psutil.Process(child.pid).children(recursive=True)
        os.killpg(child.pid, number)
        output = child.communicate()[0].decode()

    assert child.returncode == pytest.ExitCode.INTERRUPTED
    assert "not applied: the run was stopped; budget_buddy.db is as it was" in output.splitlines()
    assert "Traceback" not in output
    assert SECRET not in output
    assert accounts.read_bytes() == before
    assert litter(project) == []
    assert backups(project) == []
    left = [*started, *began_in(project.path)]
    assert not [process for process in left if is_running(process.pid)]


def wait_for_rehearsal(folder: Path, child: subprocess.Popen[str]) -> None:
    """Wait until a migration is at work on a copy of the real database."""

    def is_at_work() -> bool:
        """Return whether it is: a part in Python has its copy in a folder of its own."""
        rehearsal = next(folder.glob(".*.bbmigrate-*/rehearsal"), folder)
        return any(rehearsal.glob("copies/*")) or any(rehearsal.glob("parts/*/*"))

    wait_until(lambda: child.poll() is not None or is_at_work())
