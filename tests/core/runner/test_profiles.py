"""By whose rules a file runs: what each runner profile makes of foreign keys and transactions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.contract import Contract
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED, PragmaRule, Profile, as_applied
from tests.core.running import image_of, rows, run_python, run_sql

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

FAMILY = image_of(
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE costs (id INTEGER PRIMARY KEY,"
    " trip_id INTEGER REFERENCES trips (id) ON DELETE CASCADE);"
    "INSERT INTO trips VALUES (1, 'Oslo'), (2, 'Rome');"
    "INSERT INTO costs VALUES (1, 1), (2, 2), (3, 2);"
)
REBUILD = (
    "CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT, days INTEGER);"
    "INSERT INTO trips_new (id, name) SELECT id, name FROM trips;"
    "DROP TABLE trips; ALTER TABLE trips_new RENAME TO trips;"
)
OFF = "PRAGMA foreign_keys = OFF;"
ON = "PRAGMA foreign_keys = ON;"
ENFORCED = {"sqlx", "prisma", "drizzle", "d1"}
TURNED_OFF = {"prisma"}  # of these, where a PRAGMA in the file does it
TURNED_ON = {"bbmigrate", "sqlite3", "flyway", "sqlx", "prisma", "drizzle", "d1"}
ADD = "ALTER TABLE trips ADD COLUMN IF NOT EXISTS days INTEGER;"


def costs_left(
    sql: str,
    profile: Profile,
    *,
    contract: Contract | None = None,
    in_transaction: bool = True,
    foreign_keys: bool | None = None,
    prepare: object = None,
) -> int:
    """Return how many children are left of three, after a file that rebuilds their parent."""
    environment = RunEnvironment(profile=profile, foreign_keys=foreign_keys)
    if callable(prepare):
        environment = replace(environment, prepare_connection=prepare)
    run, after = run_sql(
        sql,
        FAMILY,
        contract=contract or Contract(),
        in_transaction=in_transaction,
        environment=environment,
    )
    assert run.failure is None
    return len(rows(after, "SELECT id FROM costs"))


def turn_on(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA foreign_keys = ON")


def turn_off(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA foreign_keys = OFF")


@pytest.mark.parametrize("name", PROFILES)
def test_a_parent_takes_its_children_along_where_foreign_keys_are_on(name: str) -> None:
    profile = PROFILES[name]

    assert costs_left(REBUILD, profile) == (0 if name in ENFORCED else 3)
    assert costs_left(OFF + REBUILD, profile) == (0 if name in ENFORCED - TURNED_OFF else 3)
    assert costs_left(ON + REBUILD, profile) == (0 if name in TURNED_ON else 3)


@pytest.mark.parametrize("name", PROFILES)
def test_a_file_in_no_transaction_turns_foreign_keys_off_but_where_there_is_no_such_file(
    name: str,
) -> None:
    left = costs_left(OFF + REBUILD, PROFILES[name], in_transaction=False)

    assert left == (0 if name in {"d1", "drizzle", "sqlx"} else 3)


def test_a_pragma_in_the_middle_of_a_file_takes_effect_where_no_transaction_is_around_it() -> None:
    late = f"CREATE TABLE notes (id);{OFF}{REBUILD}"

    assert costs_left(late, PROFILES["prisma"]) == 3
    assert costs_left(late, PROFILES["sqlx"]) == 0
    assert costs_left(f"CREATE TABLE notes (id);{ON}{REBUILD}", PROFILES["bbmigrate"]) == 3


@pytest.mark.parametrize("name", PROFILES)
def test_a_file_may_leave_the_transaction_around_it_and_give_it_back(name: str) -> None:
    leaving = f"COMMIT; {OFF} BEGIN; {REBUILD} COMMIT; {ON} BEGIN"
    profile = PROFILES[name]
    if name in {"d1", "yoyo"} or profile.pragma is not PragmaRule.NOTHING:
        run, _ = run_sql(leaving, FAMILY, environment=RunEnvironment(profile=profile))

        assert run.failure is not None
        assert run.failure.message in {
            "COMMIT is refused in a migration",
            "cannot commit - no transaction is active",
        }
    else:
        assert costs_left(leaving, profile) == 3
        assert costs_left(leaving, as_applied(profile)) == 3


def test_what_a_hook_sets_is_obeyed() -> None:
    assert costs_left(REBUILD, UNDECIDED, prepare=turn_on) == 0
    assert costs_left(OFF + REBUILD, PROFILES["goose"], prepare=turn_on) == 0
    assert costs_left(REBUILD, PROFILES["sqlx"], prepare=turn_off) == 3


def test_the_setting_goes_before_the_hook_and_the_contract_before_both() -> None:
    said = Contract(foreign_keys=True)

    assert costs_left(REBUILD, UNDECIDED, prepare=turn_on, foreign_keys=False) == 3
    assert costs_left(REBUILD, UNDECIDED, foreign_keys=True) == 0
    assert costs_left(REBUILD, UNDECIDED, foreign_keys=False, contract=said) == 0
    assert costs_left(OFF + REBUILD, PROFILES["d1"], contract=Contract(foreign_keys=False)) == 3


@pytest.mark.parametrize("in_child", [False, True])
def test_a_function_runs_with_the_foreign_keys_of_the_profile(
    tmp_path: Path, *, in_child: bool
) -> None:
    source = """
        def up(db):
            db.execute("DELETE FROM trips")
    """

    def left(**said: object) -> int:
        environment = RunEnvironment(
            tmp_path / "app.db", tmp_path, parts=tmp_path if in_child else None
        )
        environment = replace(environment, **said)  # type: ignore[arg-type]
        run, after = run_python(tmp_path, source, FAMILY, environment=environment)
        assert run.failure is None
        assert run.foreign_keys is (rows(after, "SELECT count(*) FROM costs") == [0])
        return len(rows(after, "SELECT id FROM costs"))

    assert left() == 3
    assert left(profile=PROFILES["sqlx"]) == 0
    assert left(foreign_keys=True) == 0


@pytest.mark.parametrize("name", PROFILES)
def test_add_column_if_not_exists_is_helped_by_bbmigrate_alone(name: str) -> None:
    run, _ = run_sql(ADD, FAMILY, environment=RunEnvironment(profile=PROFILES[name]))

    message = run.failure.message if run.failure else ""
    assert message == ("" if name == "bbmigrate" else 'near "EXISTS": syntax error')


def test_where_nothing_is_known_the_rules_are_those_of_bbmigrate_with_its_keys_left_open() -> None:
    as_bbmigrate = replace(UNDECIDED, name="bbmigrate", foreign_keys=False, on_copy=True)

    assert as_bbmigrate == PROFILES["bbmigrate"]


@pytest.mark.parametrize("name", PROFILES)
def test_an_apply_runs_in_transactions_of_its_own_and_nothing_is_open(name: str) -> None:
    applied = as_applied(PROFILES[name])

    assert applied.pragma is not PragmaRule.ACTS
    assert applied.foreign_keys is (name in ENFORCED)


BEGUN = f"BEGIN; {REBUILD} COMMIT;"
UNDERSTOOD = {"bbmigrate", "sqlite3", "prisma"}  # in no transaction of the tool's, or ours


@pytest.mark.parametrize("name", PROFILES)
def test_a_transaction_of_its_own_fails_where_the_tool_has_one_around_the_file(name: str) -> None:
    run, _ = run_sql(BEGUN, FAMILY, environment=RunEnvironment(profile=PROFILES[name]))

    refusal = run.failure.message if run.failure else ""
    if name in UNDERSTOOD:
        assert refusal == ""
    elif name in {"d1", "yoyo"}:
        assert refusal == "BEGIN is refused in a migration"
    else:
        assert refusal == "cannot start a transaction within a transaction"


def test_a_file_that_ends_the_transaction_for_good_leaves_its_tool_nothing_to_commit() -> None:
    environment = RunEnvironment(profile=PROFILES["sqlx"])
    run, after = run_sql("DELETE FROM costs; COMMIT", FAMILY, environment=environment)

    assert run.failure is not None
    assert "ended the transaction that its tool is to commit" in run.failure.message
    assert len(rows(after, "SELECT id FROM costs")) == 3


@pytest.mark.parametrize("name", PROFILES)
def test_vacuum_runs_where_no_transaction_is_around_a_file(name: str) -> None:
    run, _ = run_sql("VACUUM", FAMILY, environment=RunEnvironment(profile=PROFILES[name]))

    assert run.succeeded is (name in {"sqlite3", "prisma"})


@pytest.mark.parametrize("name", PROFILES)
def test_a_row_that_gives_way_fires_delete_triggers_under_sqlite_utils_alone(name: str) -> None:
    sql = (
        "CREATE TABLE gone (id); CREATE TRIGGER t AFTER DELETE ON trips"
        " BEGIN INSERT INTO gone VALUES (old.id); END; INSERT OR REPLACE INTO trips VALUES (2, '');"
    )

    run, after = run_sql(sql, FAMILY, environment=RunEnvironment(profile=PROFILES[name]))

    assert run.failure is None
    assert rows(after, "SELECT id FROM gone") == ([2] if name == "sqlite-utils" else [])


@pytest.mark.parametrize("name", PROFILES)
def test_an_apply_understands_transactions_whose_tool_it_is_not(name: str) -> None:
    environment = RunEnvironment(profile=as_applied(PROFILES[name]), foreign_keys=False)
    run, after = run_sql(BEGUN, FAMILY, environment=environment)

    assert run.failure is None
    assert len(rows(after, "SELECT id FROM costs")) == 3


@pytest.mark.parametrize(
    "sql",
    [
        "SAVEPOINT a; RELEASE a",
        "CREATE TEMP TABLE kept AS SELECT * FROM trips",
        "CREATE TEMP VIEW kept AS SELECT * FROM trips",
        "PRAGMA user_version = 3",
        "PRAGMA journal_mode = DELETE",
    ],
)
def test_what_d1_authorises_nobody_to_do_fails_under_it(sql: str) -> None:
    under_d1, _ = run_sql(sql, FAMILY, environment=RunEnvironment(profile=PROFILES["d1"]))
    applied = RunEnvironment(profile=as_applied(PROFILES["d1"]))

    assert under_d1.failure is not None
    assert "not authorized" in under_d1.failure.message
    assert run_sql(sql, FAMILY, environment=applied)[0].succeeded


def test_d1_knows_the_pragmas_that_migrations_need() -> None:
    sql = "PRAGMA defer_foreign_keys = ON; PRAGMA legacy_alter_table = ON; PRAGMA user_version"

    assert run_sql(sql, FAMILY, environment=RunEnvironment(profile=PROFILES["d1"]))[0].succeeded
