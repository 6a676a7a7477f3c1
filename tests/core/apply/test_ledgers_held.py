"""What other tools have recorded as run, held against the schema."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.adopt import recognise
from pytest_bbmigrate.apply.adoption import (
    decided_version,
    describe_recognition,
    migrations_to_record,
    told_version,
)
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.errors import StepFailed
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.ledger_entries import Recorded, read_ledgers, recorded_in
from pytest_bbmigrate.runner.ledgers import tables_of_tools
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.cataloguing import write
from tests.core.running import image_of

if TYPE_CHECKING:
    from pytest_bbmigrate.apply.adopt import MatchingVersions
    from pytest_bbmigrate.catalogue import Catalogue

UP = (
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY)",
    "ALTER TABLE accounts ADD COLUMN owner",
    "UPDATE accounts SET owner = trim(owner)",
    "CREATE TABLE trips (id INTEGER PRIMARY KEY)",
)
VERSION = "CREATE TABLE schema_migrations (version {})"
PRISMA = (
    "CREATE TABLE _prisma_migrations (migration_name, finished_at, rolled_back_at, started_at);"
)
FLYWAY = (
    "CREATE TABLE flyway_schema_history (installed_rank, version, type, success);"
    "INSERT INTO flyway_schema_history VALUES "
)


def digests(count: int) -> str:
    values = [(hashlib.sha256(sql.encode()).hexdigest(), at) for at, sql in enumerate(UP[:count])]
    return ", ".join(map(str, values))


# tool: (the names of the files, what the tool leaves once it has run the first two)
TOOLS = {
    "dbmate": (
        "00{}_step.sql",
        VERSION.format("varchar(128) primary key")
        + "; INSERT INTO schema_migrations VALUES ('001'), ('002')",
    ),
    "goose": (
        "0000{}_step.sql",
        (
            "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id, is_applied);"
            "INSERT INTO goose_db_version (version_id, is_applied) "
            "VALUES (0, 1), (1, 1), (2, 1), (3, 1), (3, 0)"
        ),
    ),
    "golang-migrate": (
        "00{}_step.up.sql",
        (
            "CREATE TABLE schema_migrations (version uint64, dirty bool);"
            "INSERT INTO schema_migrations VALUES (2, 0)"
        ),
    ),
    "sqlx": (
        "2024010100000{}_step.sql",
        (
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, success BOOLEAN);"
            "INSERT INTO _sqlx_migrations VALUES (20240101000001, 1), (20240101000002, 1)"
        ),
    ),
    "diesel": (
        "2024-01-01-00000{}_step/up.sql",
        (
            "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY, run_on);"
            "INSERT INTO __diesel_schema_migrations VALUES ('20240101000001', ''), "
            "('20240101000002', '')"
        ),
    ),
    "prisma": (
        "2024010100000{}_step/migration.sql",
        (
            f"{PRISMA} INSERT INTO _prisma_migrations VALUES ('20240101000001_step', 1, NULL, 1), "
            "('20240101000002_step', NULL, 3, 2), ('20240101000002_step', 5, NULL, 4)"
        ),
    ),
    "drizzle": (
        "000{}_step.sql",
        (
            "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash, created_at numeric);"
            f"INSERT INTO __drizzle_migrations (hash, created_at) VALUES {digests(2)}"
        ),
    ),
    "d1": (
        "000{}_step.sql",
        (
            "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT, applied_at);"
            "INSERT INTO d1_migrations (name) VALUES ('0001_step.sql'), ('0002_step.sql')"
        ),
    ),
    "flyway": (
        "V1.{}__step.sql",
        f"{FLYWAY} (1, '1.1', 'SQL', 1), (2, '1.2', 'SQL', 1), (3, NULL, 'SQL', 1)",
    ),
    "flyway, from a baseline": (
        "V1.{}__step.sql",
        f"{FLYWAY} (1, '1.2', 'BASELINE', 1)",
    ),
    "yoyo": (
        "000{}.step.sql",
        (
            "CREATE TABLE _yoyo_migration (migration_hash, migration_id, applied_at_utc);"
            "CREATE TABLE _yoyo_log (id); CREATE TABLE yoyo_lock (locked);"
            "INSERT INTO _yoyo_migration VALUES ('a', '0001.step', 1), ('b', '0002.step', 2)"
        ),
    ),
    "sqlite-utils": (
        "",
        (
            "CREATE TABLE _sqlite_migrations (id, migration_set, name);"
            "INSERT INTO _sqlite_migrations VALUES (1, 'm', 'step1'), (2, 'm', 'step2')"
        ),
    ),
    "caribou": (
        "v2024010100000{}_step.sql",
        (
            "CREATE TABLE migration_version (version text);"
            "INSERT INTO migration_version VALUES ('20240101000002')"
        ),
    ),
}


def catalogue_of(folder: Path, name: str) -> Catalogue:
    """Return four migrations in files called ``name``; '' for a set of sqlite-utils."""
    files = {name.format(at): sql for at, sql in enumerate(UP, 1)}
    if not name:
        functions = [
            f"@m()\ndef step{at}(db):\n    db.execute({sql!r})\n" for at, sql in enumerate(UP, 1)
        ]
        text = "from sqlite_utils import Migrations\nm = Migrations('m')\n" + "\n".join(functions)
        files = {"migrations.py": text}
    if name.endswith(".up.sql"):
        files |= {file.replace(".up.", ".down."): "" for file in files}
    return read_catalogue(write(folder, files))


def held(
    catalogue: Catalogue, ledger: str, ran: int = 2
) -> tuple[MatchingVersions, tuple[Recorded, ...]]:
    """Return what a database is at after ``ran`` migrations and the statements of a ``ledger``."""
    with closing(open_image(image_of(";".join(UP[:ran]), ledger))) as db:
        schema, entries = read_schema(db).without(tables_of_tools(db)), read_ledgers(db)
    recorded = tuple(recorded_in(each, catalogue) for each in entries)
    return recognise(schema, catalogue, RunEnvironment(), b""), recorded


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_has_recorded_decides_where_the_schema_shows_nothing(
    tmp_path: Path, tool: str
) -> None:
    name, ledger = TOOLS[tool]
    catalogue = catalogue_of(tmp_path, name)

    matching, recorded = held(catalogue, ledger)

    assert (matching.positions, matching.decided, matching.extras) == ((2, 3), None, ())
    assert [each.ledger.runner for each in recorded] == [tool.partition(",")[0]]
    assert told_version(recorded[0], catalogue) == 2
    assert decided_version(matching, catalogue, recorded) == 2
    last = describe_recognition(matching, catalogue, Path("bank.db"), recorded)[-1]
    assert last.endswith("agrees: it records 2 of 4 migrations")
    assert (
        migrations_to_record(matching, catalogue, "auto", Path("bank.db"), recorded)
        == (catalogue.migrations[:2])
    )


DBMATE, LEDGER = TOOLS["dbmate"]


@pytest.mark.parametrize(
    ("ledger", "ran", "differs"),
    [
        (LEDGER, 1, "records 002_step, which the schema does not have"),
        (LEDGER, 4, "does not record 003_step, 004_step, which the schema has"),
        (f"{LEDGER}, ('009')", 2, "records 009, of which there is no file"),
        (
            TOOLS["golang-migrate"][1].replace("0)", "1)"),
            1,
            "records 002_step as broken off",
        ),
    ],
)
def test_where_it_differs_from_the_schema_nothing_is_guessed(
    tmp_path: Path, ledger: str, ran: int, differs: str
) -> None:
    catalogue = catalogue_of(tmp_path, DBMATE)

    matching, recorded = held(catalogue, ledger, ran)

    lines = describe_recognition(matching, catalogue, Path("bank.db"), recorded)
    assert lines[-1].endswith(f"table schema_migrations differs: it {differs}")
    with pytest.raises(StepFailed, match="nothing was recorded"):
        migrations_to_record(matching, catalogue, "auto", Path("bank.db"), recorded)
    if matching.decided is not None:  # the user knows better, and says so
        name = catalogue.migrations[matching.decided - 1].name
        assert migrations_to_record(matching, catalogue, name, Path("bank.db"), recorded)


def test_a_table_of_another_version_of_a_tool_is_told(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, DBMATE)

    matching, recorded = held(catalogue, "CREATE TABLE d1_migrations (id, what)")

    lines = describe_recognition(matching, catalogue, Path("bank.db"), recorded)
    assert lines[-1] == "d1's table d1_migrations cannot be read: no such column: name"
    assert decided_version(matching, catalogue, recorded) is None
