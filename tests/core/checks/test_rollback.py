"""What is said of a way back on real rows: what stays, what goes, and how much that holds."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.checks.discards import Discarded, Versions
from pytest_bbmigrate.checks.rollback import RollbackJudgement, judge_rollback, look_back
from pytest_bbmigrate.experiment import snapshot_of
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.sqlite_files import open_image, take_image
from pytest_bbmigrate.verdict import Outcome
from tests.core.cataloguing import migration
from tests.core.running import image_of, rows

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = """
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, kind TEXT, note TEXT
);
CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts (id));
"""
ROWS = """
INSERT INTO accounts (name, kind) VALUES ('Everyday', 'checking'), ('Rainy day', 'savings');
INSERT INTO transactions (account_id) VALUES (1), (2), (2);
"""
TAGS = """\
-- migrate:up
ALTER TABLE transactions ADD COLUMN trip_tag TEXT;
ALTER TABLE transactions ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0;
CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);
-- migrate:down
DROP TABLE trips;
ALTER TABLE transactions DROP COLUMN is_shared;
ALTER TABLE transactions DROP COLUMN trip_tag;
"""


def judged(
    folder: Path, sql: str, written: str = "", *, own: str = "", target: str = BEFORE
) -> tuple[RollbackJudgement, bytes]:
    """Return what is said of the way back of the migration ``sql``, and what it left of a file.

    ``own`` is done to the database by hand before the migration, ``written`` is done after it;
    ``target`` is what makes the version that it starts from.
    """
    files = folder / "files"
    files.mkdir()
    step = migration(folder / "migrations", {"002_step.sql": sql})
    assert step.down is not None
    image = image_of(target)
    applied = run_part(step, step.up, image, RunEnvironment())[1]
    versions = Versions(snapshot_of(applied).schema, snapshot_of(image).schema)
    run, up = run_part(step, step.up, image_of(target + ROWS + own), RunEnvironment())
    assert run.succeeded, run.failure
    real = files / "budget_buddy.db"
    real.write_bytes(changed(up, written))
    before = snapshot_of(real)
    back, after = run_part(step, step.down, real, RunEnvironment(scratch=files))
    return judge_rollback(step, look_back(step, back, before, after), versions), after.read_bytes()


def changed(image: bytes, sql: str) -> bytes:
    """Return ``image`` after ``sql``."""
    with closing(open_image(image)) as db:
        db.executescript(sql)
        return take_image(db)


def found(judgement: RollbackJudgement) -> list[str]:
    """Return the findings: kind, where, how many rows."""
    return [
        " ".join(filter(None, [f.kind, f.name if f.name != f.table else "", f.table, f.column]))
        + (f" {f.count}" if f.count else "")
        for f in judgement.verdict.findings
    ]


def test_what_up_added_goes_and_rows_written_since_stay(tmp_path: Path) -> None:
    judgement, after = judged(tmp_path, TAGS, "INSERT INTO transactions (account_id) VALUES (1)")

    assert judgement.verdict.check == "rolls_back"
    assert judgement.verdict.subject == "002_step"
    assert judgement.verdict.outcome is Outcome.PASSED
    assert judgement.discarded == ()
    assert (judgement.verdict.rows, judgement.verdict.values) == (6, 16)
    assert rows(after, "SELECT * FROM transactions") == [(1, 1), (2, 2), (3, 2), (4, 1)]


def test_what_goes_is_counted_where_it_holds_values(tmp_path: Path) -> None:
    judgement, _ = judged(
        tmp_path,
        TAGS,
        """
        UPDATE transactions SET trip_tag = 'lake' WHERE id < 3;
        UPDATE transactions SET trip_tag = '' WHERE id = 3;
        UPDATE transactions SET is_shared = 1 WHERE id = 1;
        INSERT INTO trips (name) VALUES ('Lake'), (NULL);
        """,
    )

    assert judgement.verdict.outcome is Outcome.PASSED
    assert judgement.discarded == (
        Discarded("transactions", "trip_tag", 3),
        Discarded("transactions", "is_shared", 1),
        Discarded("trips", "", 2),
    )
    assert list(map(str, judgement.discarded)) == [
        "3 values in transactions.trip_tag",
        "1 value in transactions.is_shared",
        "2 rows of trips",
    ]


def test_a_time_that_sqlite_gave_is_a_value(tmp_path: Path) -> None:
    judgement, _ = judged(
        tmp_path,
        """\
-- migrate:up
CREATE TABLE new_accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, kind TEXT, note TEXT,
    seen_at TEXT DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO new_accounts (id, name, kind, note) SELECT * FROM accounts;
DROP TABLE accounts;
ALTER TABLE new_accounts RENAME TO accounts;
-- migrate:down
ALTER TABLE accounts DROP COLUMN seen_at;
""",
    )

    assert found(judgement) == []
    assert judgement.discarded == (Discarded("accounts", "seen_at", 2),)


@pytest.mark.parametrize(
    ("contract", "up", "down", "written", "expected"),
    [
        (
            "",
            "ALTER TABLE accounts ADD COLUMN mask TEXT",
            "ALTER TABLE accounts DROP COLUMN mask; ALTER TABLE accounts DROP COLUMN note",
            "",
            ["column lost accounts note 2"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER)",
            "DROP TABLE trips; DROP TABLE transactions",
            "",
            ["table lost transactions 3"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER)",
            "DROP TABLE trips; DELETE FROM accounts WHERE id = 2",
            "",
            ["rows lost accounts 1", "dangling reference accounts transactions account_id 2"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER)",
            "DROP TABLE trips; UPDATE accounts SET kind = upper(kind), note = 'x' WHERE id = 1",
            "",
            ["values changed accounts kind 1", "values changed accounts note 1"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER)",
            "DROP TABLE trips; INSERT INTO transactions (account_id) VALUES (1)",
            "",
            ["rows added transactions 1"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER); CREATE INDEX by_kind ON accounts (kind)",
            "SELECT 1",
            "",
            ["table added trips", "index added by_kind accounts kind"],
        ),
        (
            "",
            "CREATE TABLE trips (id INTEGER)",
            "DROP TABLE nowhere",
            "",
            ["does not run"],
        ),
        (
            "-- bb: changes accounts.kind where kind = 'checking'",
            "UPDATE accounts SET kind = 'current' WHERE kind = 'checking'",
            "UPDATE accounts SET kind = 'checking' WHERE kind = 'current'",
            "INSERT INTO accounts (name, kind) VALUES ('Kids', 'current')",
            [],
        ),
        (
            "-- bb: changes accounts.kind",
            "UPDATE accounts SET kind = upper(kind)",
            "UPDATE accounts SET kind = lower(kind), name = lower(name)",
            "",
            ["values changed accounts name 2"],
        ),
        (
            "-- bb: changes accounts.note\n-- bb: renames accounts.note -> accounts.memo",
            "UPDATE accounts SET note = 'none'; ALTER TABLE accounts RENAME note TO memo",
            "ALTER TABLE accounts RENAME memo TO note; UPDATE accounts SET note = NULL",
            "UPDATE accounts SET memo = 'mine' WHERE id = 1",
            [],
        ),
        (
            "-- bb: changes accounts.note",
            "UPDATE accounts SET note = 'none'; ALTER TABLE accounts RENAME TO places",
            "ALTER TABLE places RENAME TO accounts; UPDATE accounts SET note = NULL",
            "",
            [],
        ),
        (
            "-- bb: deletes transactions where id = 1",
            "CREATE TABLE old AS SELECT * FROM accounts; DELETE FROM transactions WHERE id = 1",
            "DROP TABLE old; INSERT INTO transactions VALUES (1, 1)",
            "",
            [],
        ),
        (
            "-- bb: drops accounts.kind",
            "ALTER TABLE accounts DROP COLUMN kind",
            "ALTER TABLE accounts ADD COLUMN kind TEXT",
            "",
            ["column order accounts"],
        ),
    ],
)
def test_everything_but_what_the_contract_says_is_to_stay(
    tmp_path: Path, contract: str, up: str, down: str, written: str, expected: list[str]
) -> None:
    sql = f"{contract}\n-- migrate:up\n{up};\n-- migrate:down\n{down};\n"

    judgement, _ = judged(tmp_path, sql, written)

    assert found(judgement) == expected
    assert judgement.verdict.outcome is (Outcome.FAILED if expected else Outcome.PASSED)
    assert {finding.step for finding in judgement.verdict.findings} <= {"down"}
    assert {finding.path.name for finding in judgement.verdict.findings} <= {"002_step.sql"}


def test_rows_that_up_may_have_inserted_are_counted_when_they_go(tmp_path: Path) -> None:
    judgement, _ = judged(
        tmp_path,
        """\
-- bb: inserts accounts
-- migrate:up
INSERT INTO accounts (name, kind) VALUES ('Cash', 'cash');
-- migrate:down
DELETE FROM accounts WHERE kind = 'cash';
""",
        "INSERT INTO accounts (name, kind) VALUES ('Piggy bank', 'cash'), ('Kids', 'savings')",
    )

    assert found(judgement) == []
    assert judgement.discarded == (Discarded("accounts", "", 2),)


REBUILDS = """\
-- migrate:up
ALTER TABLE accounts ADD COLUMN mask TEXT;
-- migrate:down
CREATE TABLE new_accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, kind TEXT, note TEXT
);
INSERT INTO new_accounts SELECT id, name, kind, note FROM accounts;
DROP TABLE accounts;
ALTER TABLE new_accounts RENAME TO accounts;
"""


def test_what_was_made_by_hand_is_not_held_against_the_way_back(tmp_path: Path) -> None:
    own = """
        CREATE TABLE own (id INTEGER);
        INSERT INTO own VALUES (1);
        CREATE INDEX own_index ON transactions (account_id);
        INSERT INTO transactions (account_id) VALUES (99);
    """

    judgement, after = judged(tmp_path, REBUILDS, own=own)

    assert found(judgement) == []
    assert rows(after, "SELECT id FROM own") == [1]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("ALTER TABLE accounts ADD COLUMN own TEXT", ["column lost accounts own 2"]),
        ("CREATE INDEX own_index ON accounts (name)", ["index lost own_index accounts name"]),
        (
            "CREATE TRIGGER own_trigger AFTER INSERT ON accounts BEGIN SELECT 1; END",
            ["trigger lost own_trigger accounts"],
        ),
    ],
)
def test_what_was_made_by_hand_is_to_stay(tmp_path: Path, own: str, expected: list[str]) -> None:
    judgement, _ = judged(tmp_path, REBUILDS, own=own)

    assert found(judgement) == expected


LIMITS = """\
-- migrate:up
CREATE TABLE transactions_new (id INTEGER PRIMARY KEY, account_id INTEGER {up});
INSERT INTO transactions_new SELECT * FROM transactions;
DROP TABLE transactions;
ALTER TABLE transactions_new RENAME TO transactions;
-- migrate:down
CREATE TABLE transactions_old (
    id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES accounts (id) {down}
);
INSERT INTO transactions_old SELECT * FROM transactions;
DROP TABLE transactions;
ALTER TABLE transactions_old RENAME TO transactions;
"""


def test_a_check_made_by_hand_in_place_of_that_of_up_is_to_stay(tmp_path: Path) -> None:
    sql = LIMITS.format(up="CHECK (account_id > 0)", down="")
    by_hand = """
        DROP TABLE transactions;
        CREATE TABLE transactions (
            id INTEGER PRIMARY KEY, account_id INTEGER CHECK (account_id < 9)
        );
    """

    judgement, _ = judged(tmp_path, sql, by_hand)

    assert found(judgement) == ["check lost transactions account_id"]
    assert judgement.verdict.findings[0].expected == "CHECK (account_id < 9)"


def test_a_check_that_down_makes_otherwise_than_it_was_is_one_that_changed(tmp_path: Path) -> None:
    sql = LIMITS.format(up="", down="CHECK (account_id >= 1)")
    target = BEFORE.replace("(id));", "(id) CHECK (account_id > 0));")

    judgement, _ = judged(tmp_path, sql, target=target)

    assert found(judgement) == ["check changed transactions account_id"]


def test_a_sequence_that_falls_is_found(tmp_path: Path) -> None:
    judgement, _ = judged(tmp_path, REBUILDS, "DELETE FROM accounts WHERE id = 2")

    assert found(judgement) == ["sequence lowered accounts"]


def test_old_violations_are_not_held_against_the_way_back(tmp_path: Path) -> None:
    own = """
        DROP TABLE transactions;
        CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id INTEGER CHECK (id > 0));
        PRAGMA ignore_check_constraints = ON;
        INSERT INTO transactions (id) VALUES (-1);
    """

    judgement, _ = judged(tmp_path, TAGS, own=own)

    assert found(judgement) == []


CHECKED = """
DROP TABLE transactions;
CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id INTEGER, CHECK (account_id > 0));
INSERT INTO transactions VALUES (1, 1);
PRAGMA ignore_check_constraints = ON;
WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {})
INSERT INTO transactions SELECT i, -1 FROM n;
"""
BREAKS_ONE = """
PRAGMA ignore_check_constraints = ON;
UPDATE transactions SET account_id = -1 WHERE id = 1;
"""
REBUILT = """\
-- bb: changes transactions.account_id
-- migrate:up
ALTER TABLE transactions ADD COLUMN trip_tag TEXT;
-- migrate:down
ALTER TABLE transactions DROP COLUMN trip_tag;
"""
RENAMED = """\
-- bb: changes transactions.account_id
-- migrate:up
ALTER TABLE transactions RENAME TO bookings;
-- migrate:down
ALTER TABLE bookings RENAME TO transactions;
"""


@pytest.mark.parametrize("old", [1, 99, 150])  # SQLite names 100 of a table
@pytest.mark.parametrize("sql", [REBUILT, RENAMED], ids=["rebuilt", "renamed"])
def test_a_new_violation_is_found_among_old_ones(tmp_path: Path, old: int, sql: str) -> None:
    judgement, _ = judged(tmp_path, sql + BREAKS_ONE, own=CHECKED.format(old))

    assert unsound(judgement) == ["CHECK constraint failed in transactions"]


@pytest.mark.parametrize("old", [1, 99, 150])
@pytest.mark.parametrize("sql", [REBUILT, RENAMED], ids=["rebuilt", "renamed"])
def test_old_violations_are_old_however_many_they_are(tmp_path: Path, old: int, sql: str) -> None:
    judgement, _ = judged(tmp_path, sql, own=CHECKED.format(old))

    assert unsound(judgement) == []


def unsound(judgement: RollbackJudgement) -> list[str]:
    """Return what SQLite finds wrong, and did not before."""
    return [f.observed for f in judgement.verdict.findings if f.kind == "integrity"]
