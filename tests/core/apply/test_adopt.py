"""Adopting a database that was migrated by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_bbmigrate.apply.adopt import (
    MatchingVersions,
    ReplayedSchemas,
    adopt,
    find_version,
    recognise,
    replay,
)
from pytest_bbmigrate.apply.adoption import describe_recognition, migrations_to_record
from pytest_bbmigrate.apply.preflight import preflight
from pytest_bbmigrate.catalogue import Catalogue, ReadingRules, read_catalogue
from pytest_bbmigrate.errors import BBMigrateError, StepFailed
from pytest_bbmigrate.history.plan import compare_with_history
from pytest_bbmigrate.history.table import read_history
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.sandbox.run_part import run_part
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.cataloguing import write
from tests.core.running import image_of
from tests.depth import every

LEGACY = Path(__file__).parents[3] / "fixtures" / "legacy"
LEGACY_RULES = ReadingRules(
    order_file=LEGACY / "order.txt",
    order=tuple((LEGACY / "order.txt").read_text(encoding="utf-8").splitlines()),
)
DATABASE = Path("budget.db")
COLLATIONS = "COLLATE NOCASE is there, COLLATE BINARY was expected"
NULLS = "NOT NULL is there, nothing was expected"
NO_VIEW = "view abroad is not there"
FILES = {
    "001_accounts.sql": """
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, balance REAL);
        CREATE INDEX by_name ON accounts (name);
    """,
    "002_trips.sql": """
        CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, account_id INTEGER);
        CREATE TABLE costs (trip_id INTEGER REFERENCES trips (id), amount REAL);
        CREATE INDEX by_trip ON costs (trip_id);
    """,
    "003_names.sql": "UPDATE accounts SET name = trim(name);",
    "004_rates.sql": """
        ALTER TABLE trips ADD COLUMN currency TEXT;
        ALTER TABLE trips ADD COLUMN rate REAL DEFAULT 1 CHECK (rate > 0);
        CREATE VIEW abroad AS SELECT * FROM trips WHERE currency <> 'EUR';
    """,
    "005_balance.sql": """
        ALTER TABLE accounts DROP COLUMN balance;
        DROP INDEX by_name;
        CREATE TRIGGER t AFTER INSERT ON trips BEGIN SELECT 1; END;
    """,
    "006_cents.sql": """
        CREATE TABLE costs_new (trip_id INTEGER REFERENCES trips (id), cents INTEGER NOT NULL);
        INSERT INTO costs_new SELECT trip_id, round(amount * 100) FROM costs;
        DROP TABLE costs;
        ALTER TABLE costs_new RENAME TO costs;
        CREATE INDEX by_trip ON costs (trip_id);
    """,
    "007_tidy.sql": "DELETE FROM costs WHERE cents = 0;",
}


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return read_catalogue(write(tmp_path, FILES))


def sql_of(*numbers: int) -> str:
    """Return what migrations of FILES run, by number."""
    return ";".join(text for number, text in enumerate(FILES.values(), 1) if number in numbers)


def recognised(catalogue: Catalogue, sql: str, start: bytes = b"") -> MatchingVersions:
    """Return which version of ``catalogue`` a database after ``sql`` is at."""
    with closing(open_image(image_of(sql))) as db:
        return recognise(read_schema(db), catalogue, RunEnvironment(), start)


@pytest.mark.parametrize(
    ("numbers", "positions", "undecided"),
    [
        ((), (0,), ()),
        ((1,), (1,), ()),
        ((1, 2), (2, 3), ("003_names",)),
        ((1, 2, 3), (2, 3), ("003_names",)),
        ((1, 2, 4), (4,), ()),
        ((1, 2, 4, 5), (5,), ()),
        ((1, 2, 3, 4, 5, 6), (6, 7), ("007_tidy",)),
    ],
)
def test_a_version_is_known_by_its_schema(
    catalogue: Catalogue,
    numbers: tuple[int, ...],
    positions: tuple[int, ...],
    undecided: tuple[str, ...],
) -> None:
    found = recognised(catalogue, sql_of(*numbers))

    assert (found.positions, found.undecided, found.findings) == (positions, undecided, ())


def test_it_is_structure_that_counts_and_not_how_it_is_written(catalogue: Catalogue) -> None:
    found = recognised(
        catalogue,
        'CREATE TABLE "accounts" ("id" integer primary key, [name] text, balance REAL);'
        "CREATE INDEX by_name ON accounts(`name`)",
    )

    assert found.positions == (1,)
    assert found.decided == 1


HALF = [
    (
        ["ALTER TABLE trips ADD COLUMN currency TEXT"],
        (1, 2),
        "004_rates",
        ["column trips.currency is there", "column trips.rate is not there", NO_VIEW],
    ),
    (
        [
            "ALTER TABLE trips ADD COLUMN currency TEXT",
            "ALTER TABLE trips ADD COLUMN rate REAL DEFAULT 1 CHECK (rate > 0)",
        ],
        (1, 2),
        "004_rates",
        ["column trips.currency is there", "column trips.rate is there", NO_VIEW],
    ),
    (
        ["DROP INDEX by_name"],
        (1, 2, 4),
        "005_balance",
        [
            "index by_name is gone",
            "column accounts.balance is still there",
            "trigger t is not there",
        ],
    ),
    (
        ["CREATE TABLE costs_new (trip_id INTEGER, cents INTEGER)"],
        (1, 2, 4, 5),
        "006_cents",
        [
            "column costs.amount is still there",
            "column costs.cents is not there",
            "table costs_new is left over",
        ],
    ),
    (
        ["CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, account_id INTEGER)"],
        (1,),
        "002_trips",
        ["table trips is there", "table costs is not there"],
    ),
    (
        [sql.strip() for sql in FILES["002_trips.sql"].split(";")[:2]],
        (1,),
        "002_trips",
        ["table trips is there", "table costs is there", "index by_trip is not there"],
    ),
]


@pytest.mark.parametrize(("statements", "whole", "migration", "effects"), HALF)
def test_of_a_half_applied_migration_it_is_said_what_is_there(
    catalogue: Catalogue,
    statements: list[str],
    whole: tuple[int, ...],
    migration: str,
    effects: list[str],
) -> None:
    found = recognised(catalogue, ";".join([sql_of(*whole), *statements]))

    assert found.positions == ()
    assert found.findings == (f"of {migration}: {', '.join(effects)}",)
    assert found.decided is None


def test_migrations_run_out_of_order_are_told(catalogue: Catalogue) -> None:
    found = recognised(catalogue, sql_of(1, 2, 5))

    assert found.positions == ()
    (finding,) = found.findings
    assert finding == (
        "of 005_balance: column accounts.balance is gone, index by_name is gone, trigger t is there"
    )
    assert found.nearest == 2


def test_a_migration_left_out_is_told(catalogue: Catalogue) -> None:
    found = recognised(
        catalogue,
        sql_of(1, 2, 4, 5, 6)
        .replace("ALTER TABLE trips ADD COLUMN currency TEXT;", "")
        .replace("WHERE currency <> 'EUR'", ""),
    )

    assert found.nearest == 6
    (finding,) = found.findings
    assert finding == (
        "of 004_rates: column trips.rate is there, column trips.currency is not there, "
        "view abroad is not there"
    )


@pytest.mark.parametrize(
    ("sql", "findings"),
    [
        (
            sql_of(1).replace("name TEXT", "name TEXT NOT NULL COLLATE NOCASE"),
            (
                f"by no migration: the NOT NULL of accounts.name: {NULLS}",
                f"by no migration: the collation of accounts.name: {COLLATIONS}",
            ),
        ),
        (
            sql_of(1).replace("balance REAL", "balance REAL, note TEXT, CHECK (id > 0)"),
            (
                "by no migration: column accounts.note is there",
                "by no migration: CHECK (id > 0) of accounts is there",
            ),
        ),
    ],
)
def test_what_no_migration_makes_is_told(
    catalogue: Catalogue, sql: str, findings: tuple[str, ...]
) -> None:
    found = recognised(catalogue, sql)

    assert (found.nearest, found.findings) == (1, findings)


def test_tables_that_no_migration_mentions_are_let_be(catalogue: Catalogue) -> None:
    found = recognised(
        catalogue,
        f"{sql_of(1)}; CREATE TABLE my_notes (a); CREATE INDEX my_own ON accounts (balance);"
        "CREATE VIEW mine AS SELECT * FROM my_notes",
    )

    assert found.positions == (1,)
    assert found.extras == ("table my_notes", "index my_own", "view mine")
    assert describe_recognition(found, catalogue, DATABASE) == [
        "budget.db: it is at the version 001_accounts",
        "there      001_accounts",
        "not there  002_trips .. 007_tidy (6)",
        "there, and in no migration: table my_notes, index my_own, view mine; left as is",
    ]


def test_a_database_that_is_quite_another_is_told_in_a_few_lines(catalogue: Catalogue) -> None:
    columns = ", ".join(f"c{number} TEXT" for number in range(40))
    found = recognised(catalogue, sql_of(1, 2).replace("name TEXT,", f"name TEXT, {columns},"))

    assert found.positions == ()
    assert len(found.findings) == 13
    assert found.findings[-1].startswith("and ")


@pytest.fixture
def stopping(tmp_path: Path) -> Catalogue:
    """Return a catalogue whose third migration needs a row."""
    third = "CREATE TABLE a (x NOT NULL); INSERT INTO a SELECT max(id) FROM accounts;"
    return read_catalogue(write(tmp_path, {**FILES, "003_names.sql": third}))


def test_a_migration_that_needs_rows_is_named(stopping: Catalogue) -> None:
    found = recognised(stopping, sql_of(1))

    assert found.positions == (1,)
    assert found.decided == 1
    assert found.stopped == (
        "003_names does not run on a database without rows (003_names.sql:1: NOT NULL constraint "
        "failed: a.x), so what comes after it could not be compared; have it run on an empty "
        "database, too"
    )


def test_whether_a_migration_that_needs_rows_has_run_is_not_guessed(stopping: Catalogue) -> None:
    found = recognised(stopping, sql_of(1, 2))

    assert found.positions == (2,)
    assert found.decided is None
    with pytest.raises(StepFailed, match="003_names does not run on a database without rows"):
        migrations_to_record(found, stopping, "auto", DATABASE)
    assert [m.name for m in migrations_to_record(found, stopping, "2", DATABASE)] == [
        "001_accounts",
        "002_trips",
    ]


def test_behind_a_migration_that_needs_rows_nothing_is_let_be(stopping: Catalogue) -> None:
    found = recognised(stopping, f"{sql_of(1, 2)}; CREATE TABLE of_a_later_one (a)")

    assert (found.positions, found.extras) == ((), ())
    assert found.findings == ("by no migration: table of_a_later_one is there",)


def test_the_version_recognised_is_adopted(catalogue: Catalogue) -> None:
    found = recognised(catalogue, sql_of(1, 2, 4))

    assert [m.name for m in migrations_to_record(found, catalogue, "auto", DATABASE)] == [
        "001_accounts",
        "002_trips",
        "003_names",
        "004_rates",
    ]


def test_between_versions_that_look_alike_the_user_decides(catalogue: Catalogue) -> None:
    found = recognised(catalogue, sql_of(1, 2))

    with pytest.raises(StepFailed) as caught:
        migrations_to_record(found, catalogue, "auto", DATABASE)
    first, *standing, whether, last = str(caught.value).splitlines()
    assert first == "budget.db: it is at one of the versions 002_trips, 003_names"
    assert standing == [
        "there      001_accounts, 002_trips",
        "not seen   003_names: the schema does not show what changes data alone",
        "not there  004_rates, 005_balance, 006_cents, 007_tidy",
    ]
    assert whether == (
        "whether 003_names has run cannot be seen from the schema: --bb-adopt=NAME names the "
        "last one that has"
    )
    assert last == "nothing was recorded"
    assert len(migrations_to_record(found, catalogue, "002_trips", DATABASE)) == 2
    assert len(migrations_to_record(found, catalogue, "003_names.sql", DATABASE)) == 3


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        ("4", "--bb-adopt=4: budget.db: it is at one of the versions 002_trips, 003_names"),
        ("none", "--bb-adopt=none: budget.db: it is at one of the versions 002_trips, *"),
        ("002_trip", "--bb-adopt=002_trip: no migration is called '002_trip'; the nearest *"),
    ],
)
def test_a_version_that_the_database_is_not_at_is_refused(
    catalogue: Catalogue, wanted: str, first: str
) -> None:
    found = recognised(catalogue, sql_of(1, 2))

    with pytest.raises(StepFailed) as caught:
        migrations_to_record(found, catalogue, wanted, DATABASE)
    line = str(caught.value).splitlines()[0]
    assert line == first or (first.endswith("*") and line.startswith(first[:-1]))


def test_a_half_applied_migration_is_described_when_adopted(catalogue: Catalogue) -> None:
    found = recognised(catalogue, ";".join([sql_of(1, 2), *HALF[0][0]]))

    with pytest.raises(StepFailed) as caught:
        migrations_to_record(found, catalogue, "auto", DATABASE)
    assert str(caught.value).splitlines() == [
        "budget.db: no version has its schema; the nearest is 002_trips",
        f"of 004_rates: {', '.join(HALF[0][3])}",
        "complete or undo that by hand, and run --bb-adopt again",
        "nothing was recorded",
    ]


def test_a_database_before_the_first_migration_is_adopted_as_that(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    found = recognised(catalogue, "CREATE TABLE my_notes (a)")

    assert describe_recognition(found, catalogue, DATABASE)[0] == (
        "budget.db: it is at the version before the first migration"
    )
    for wanted in ("auto", "none"):
        assert migrations_to_record(found, catalogue, wanted, DATABASE) == ()
    work = file_of(image_of("CREATE TABLE my_notes (a)"), tmp_path / "work.db")
    adopt(work, (), 1)
    with closing(sqlite3.connect(work)) as db:
        assert read_history(db) == ()
        assert db.execute("SELECT count(*) FROM _bb_migrations").fetchone() == (0,)


def file_of(image: bytes, path: Path) -> Path:
    path.write_bytes(image)
    return path


def test_what_is_adopted_is_recorded_as_applied_by_nobody(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    work = file_of(image_of(sql_of(1, 2)), tmp_path / "work.db")

    adopt(work, catalogue.migrations[:2], 1)

    with closing(sqlite3.connect(work)) as db:
        history = read_history(db)
    assert [(a.name, a.seconds, a.batch, a.statements) for a in history] == [
        ("001_accounts", 0.0, 1, 0),
        ("002_trips", 0.0, 1, 0),
    ]
    statuses = compare_with_history(
        catalogue, {applied.name: applied.checksum for applied in history}
    )
    assert statuses.applied == catalogue.migrations[:2]
    assert sorted(path.name for path in tmp_path.glob("work*")) == ["work.db"]


def test_a_history_that_is_there_is_not_written_over(catalogue: Catalogue, tmp_path: Path) -> None:
    work = file_of(image_of(sql_of(1)), tmp_path / "work.db")
    adopt(work, catalogue.migrations[:1], 1)
    before = work.read_bytes()

    with pytest.raises(StepFailed, match=r"work\.db: it has a history already; --bb-status"):
        adopt(work, catalogue.migrations[:2], 2)
    assert work.read_bytes() == before


def test_a_foreign_history_is_told_and_left(catalogue: Catalogue, tmp_path: Path) -> None:
    work = file_of(image_of("CREATE TABLE _bb_migrations (version)"), tmp_path / "work.db")
    before = work.read_bytes()

    with pytest.raises(BBMigrateError, match="not a history that this version can read"):
        adopt(work, catalogue.migrations[:1], 1)
    assert work.read_bytes() == before


ROWS = """
INSERT INTO institutions (id, name, logo) VALUES (1, 'Bank', 'x');
INSERT INTO accounts (id, institution_id, name, account_type, is_active) VALUES
    (1, 1, 'Giro', 'checking', 1);
INSERT INTO transactions (id, account_id, date, amount, merchant_name, bb_category, is_pending)
VALUES (1, 1, '2026-01-02', -12.5, ' Cafe ', 'Dining Out', 0);
INSERT INTO chat_goals (id, title, status, trip_dimension) VALUES (1, 'Save', 'open', 'Rome');
"""


@dataclass(frozen=True)
class Legacy:
    """The legacy catalogue, its database with rows at every version, and the replay of it."""

    catalogue: Catalogue
    images: list[bytes]
    replayed: ReplayedSchemas


@pytest.fixture(scope="module")
def legacy() -> Legacy:
    migrations = LEGACY / "backend" / "database" / "migrations"
    catalogue = read_catalogue(migrations, rules=LEGACY_RULES)
    baseline = (LEGACY / "baseline.sql").read_text(encoding="utf-8")
    environment = RunEnvironment(root=LEGACY)
    images = [image_of(baseline + ROWS)]
    for migration in catalogue.migrations:
        run, image = run_part(migration, migration.up, images[-1], environment)
        assert run.failure is None
        images.append(image)
    return Legacy(catalogue, images, replay(catalogue, environment, image_of(baseline)))


@pytest.mark.parametrize("count", every(3, range(13)))
def test_the_legacy_database_is_recognised_at_every_version(legacy: Legacy, count: int) -> None:
    with closing(open_image(legacy.images[count])) as db:
        schema = read_schema(db)

    found = find_version(schema, legacy.replayed, legacy.catalogue)

    assert legacy.replayed.failure is None
    assert count in found.positions
    assert set(found.undecided) <= {"clean_merchant_names", "migrate_dining_out_to_going_out"}
    assert len(found.positions) == 1 + len(found.undecided)


@pytest.mark.parametrize("count", [0, 5, 12])
def test_the_legacy_database_is_adopted_and_the_rest_is_pending(
    legacy: Legacy, tmp_path: Path, count: int
) -> None:
    work = file_of(legacy.images[count], tmp_path / "work.db")
    with closing(open_image(legacy.images[count])) as db:
        found = find_version(read_schema(db), legacy.replayed, legacy.catalogue)
    last = legacy.catalogue.migrations[count - 1].name if count else "none"

    adopt(work, migrations_to_record(found, legacy.catalogue, last, work), 1)

    preflight_found = preflight(work, legacy.catalogue, backup_folder=tmp_path)
    assert preflight_found.pending == legacy.catalogue.migrations[count:]
    assert preflight_found.batch == (2 if count else 1)
    assert preflight_found.notes == ()
