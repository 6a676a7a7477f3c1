"""Migrations that would have the run believe something else than what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.depth import every
from tests.plugin.ledgers import database, write
from tests.plugin.real_database import ask, names

if TYPE_CHECKING:
    from pathlib import Path

TX = "CREATE TABLE tx (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);"
ROWS = "INSERT INTO tx VALUES (1, 10), (2, 20), (3, 30);"
STEP = """\
import os, stat

def up(db):
    db["tx"].add_column("note", str)
    if "_bb_migrations" in db.table_names():  # on the real rows alone
        FORGE

def down(db):
    db.execute("ALTER TABLE tx DROP COLUMN note")
"""
# The app's own code is the one that runs in the process of the rehearsal itself.
APP = """\
import ctypes, json, os, pickle
from pathlib import Path

class Owns:
    def __reduce__(self):
        return (Path.touch, (Path(__file__).parent / "owned",))

def prepare(db):
    folder = Path(os.environ.get("SQLITE_TMPDIR", "/nowhere/tmp")).parent
    columns = [row[1] for row in db.execute("PRAGMA table_info(tx)")]
    if (folder / "copies").is_dir() and "note" in columns:  # in the rehearsal, after up
        forge(folder)

def leave(folder, content):
    (folder / "rehearsal.json").write_bytes(content)
    ctypes.CDLL(None)._exit(0)

def say(folder, **value):
    empty = dict(verdicts=[], digest="", changes=[], printed=[], discarded=[], journal_mode="")
    said = {"version": 1, "kind": "rehearsal", "value": {**empty, **value}}
    leave(folder, json.dumps(said).encode())

def copy(folder):
    (folder / "work.db").write_bytes(next((folder / "copies").iterdir()).read_bytes())

def write_last():
    from pytest_bbmigrate.apply.rehearsal import working_copy
    ours = working_copy.write_identity
    def forged(db, identity):
        db.set_authorizer(None)
        db.execute("UPDATE tx SET amount = 0")
        ours(db, identity)
    working_copy.write_identity = forged

def pass_all():
    from pytest_bbmigrate.apply.rehearsal import worker
    from pytest_bbmigrate.verdict import Outcome, Verdict
    worker.judge = lambda check, evidence, strict: Verdict(
        check, "002_step", Outcome.PASSED, rows=3, values=6
    )

def forge(folder):
    FORGE
"""
COLUMNS = "checksum, applied_at, seconds, batch, statements"
EXTRA = f"INSERT OR IGNORE INTO _bb_migrations (name, {COLUMNS}) SELECT '\x1b[31mevil', {COLUMNS} "
EXTRA += "FROM _bb_migrations LIMIT 1"
TRIGGER = "CREATE TRIGGER IF NOT EXISTS t AFTER INSERT ON _bb_migrations BEGIN SELECT 1; END"


@pytest.fixture
def tx(project: pytest.Pytester) -> Path:
    """Return a database of three rows with one migration applied."""
    write(project, m001_tx=TX)
    return database(project, TX + ROWS, "001_tx")


def forging(project: pytest.Pytester, *, up: str = "pass", app: str = "pass") -> None:
    """Write a migration that forges something in ``up``, and an app that does in the rehearsal."""
    write(project, m002_step__py=STEP.replace("FORGE", up))
    (project.path / "app.py").write_text(APP.replace("FORGE", app))
    with (project.path / "tox.ini").open("a") as ini:
        ini.write("\nbb_connection = app:prepare\n")


def refused(project: pytest.Pytester, tx: Path, message: str) -> None:
    """Assert that an apply stops at the rehearsal with ``message``, and publishes nothing."""
    before = tx.read_bytes()

    result = project.runpytest("--bb-apply", "-v")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["budget_buddy.db::rehearsal FAILED*", message])
    assert tx.read_bytes() == before
    assert not (project.path / "owned").exists()
    assert "evil" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize(
    ("forge", "message"),
    every(
        2,
        [
            ("leave(folder, b'well')", "*is not what it writes*: it is no JSON *"),
            ("leave(folder, pickle.dumps(Owns()))", "*is not what it writes*: it is no JSON *"),
            ("leave(folder, b'[' * 300_000)", "*is not what it writes*: it is no JSON *"),
            (
                "say(folder, digest='x', verdicts=None)",
                "*rehearsal.verdicts is not what it must be",
            ),
            ("say(folder, digest='x')", "*no working copy was left"),
            ("copy(folder); say(folder, digest='x')", "002_step: up_applies has no verdict"),
            ("say(folder)", "the verdicts and the working copy do not go together"),
            ("write_last()", "values of the table tx have changed, unsaid"),
        ],
    ),
)
def test_nothing_that_is_forged_in_the_rehearsal_is_published(
    project: pytest.Pytester, tx: Path, forge: str, message: str
) -> None:
    forging(project, app=forge)

    refused(project, tx, message)


@pytest.mark.parametrize(
    ("sql", "message"),
    every(
        2,
        [
            (EXTRA, "the history has 1 migrations that were neither applied *"),
            ("DELETE FROM _bb_migrations", "the history lacks 001_tx"),
            ("UPDATE _bb_migrations SET batch = 7", "the history says something else *"),
            (TRIGGER, "the history's table has other indexes or triggers *"),
        ],
    ),
)
def test_a_history_that_a_migration_writes_is_not_published(
    project: pytest.Pytester, tx: Path, sql: str, message: str
) -> None:
    forging(project, up=f"db.execute({sql!r})")

    refused(project, tx, message)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM tx", "the table tx has lost rows, and no *"),
        (
            "UPDATE tx SET amount = 0",
            "values of the table tx have changed, and no migration says so",
        ),
    ],
)
def test_a_loss_whose_verdict_is_forged_is_not_published(
    project: pytest.Pytester, tx: Path, sql: str, message: str
) -> None:
    forging(project, up=f"db.execute({sql!r})", app="pass_all()")

    refused(project, tx, message)


def test_a_way_back_that_writes_history_is_not_published(
    project: pytest.Pytester, tx: Path
) -> None:
    step = STEP.replace("FORGE", "pass").replace(
        "def down(db):",
        "def down(db):\n    if '_bb_migrations' in db.table_names():\n"
        "        db.execute('UPDATE _bb_migrations SET name = name || 1 WHERE id = 1')",
    )
    write(project, m002_step__py=step)
    tx.unlink()
    path = database(
        project, TX + "ALTER TABLE tx ADD COLUMN note TEXT;" + ROWS.replace(")", ", NULL)"), *BOTH
    )
    before = path.read_bytes()

    result = project.runpytest("--bb-rollback=1")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["the history lacks 001_tx"])
    assert path.read_bytes() == before


BOTH = ("001_tx", "002_step")
TELLS = """
        for at in range(3, 99):
            try:
                if stat.S_ISFIFO(os.fstat(at).st_mode):
                    os.write(at, b"evil\\n")
            except OSError:
                pass
"""


def test_what_a_migration_says_on_our_own_channel_is_not_shown(
    project: pytest.Pytester, tx: Path
) -> None:
    write(project, m002_step__py=STEP.replace("        FORGE", TELLS.strip("\n")))

    result = project.runpytest("--bb-apply")

    assert "evil" not in result.stdout.str()
    assert names(tx)[0] == "001_tx"
    assert ask(tx, "SELECT count(*) FROM tx") == [(3,)]
