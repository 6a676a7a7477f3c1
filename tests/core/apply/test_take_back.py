"""What the first migration started from, where nobody has written it down."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.apply.adopt import recognise
from pytest_bbmigrate.apply.adoption import describe_unknown_base
from pytest_bbmigrate.apply.base_text import image_of, schema_text, write_base
from pytest_bbmigrate.apply.take_back import TakenBack, take_back
from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image
from tests.core.cataloguing import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_bbmigrate.schema import Schema

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT, kind TEXT);"
APP = f"""
    {ACCOUNTS}
    CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id REFERENCES accounts (id), x);
    CREATE INDEX by_account ON transactions (account_id);
    CREATE VIEW balances AS SELECT account_id FROM transactions;
"""
TAGS = """
    ALTER TABLE transactions ADD COLUMN tag TEXT;
    CREATE INDEX by_tag ON transactions (tag);
"""
GOALS = "CREATE TABLE IF NOT EXISTS goals (id INTEGER PRIMARY KEY, tag TEXT);"
TIDY = "UPDATE transactions SET tag = trim(tag);"
TRIGGER = "CREATE TRIGGER t AFTER INSERT ON goals BEGIN SELECT 1; END;"
NAMES = "ALTER TABLE transactions RENAME COLUMN x TO amount; ALTER TABLE goals RENAME TO aims;"
REBUILD = """
    CREATE TABLE accounts_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT);
    INSERT INTO accounts_new SELECT * FROM accounts;
    DROP TABLE accounts;
    ALTER TABLE accounts_new RENAME TO accounts;
    CREATE INDEX by_name ON accounts (name);
"""
DROP_KIND = "-- bb: drops accounts.kind\nALTER TABLE accounts DROP COLUMN kind;"
FILES = {
    "001_tags.sql": TAGS,
    "002_goals.sql": GOALS,
    "003_tidy.sql": TIDY,
    "004_trigger.sql": TRIGGER,
    "005_names.sql": NAMES,
}
PYTHON = """
def up(db):
    if "mood" not in {column.name for column in db["goals"].columns}:
        db.execute("ALTER TABLE goals ADD COLUMN mood TEXT")
    for table in ("accounts", "transactions"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN note TEXT")
"""


def taken(folder: Path, files: Mapping[str, str], *ran: str) -> TakenBack:
    """Return what is found to lie before ``files`` of a database after the statements ``ran``."""
    catalogue = read_catalogue(write(folder, files))
    return take_back(text_of(*ran), catalogue, RunEnvironment())


def text_of(*ran: str) -> str:
    with closing(open_image(b"")) as db:
        for script in ran:
            db.executescript(script)
        return schema_text(db)


def schema_of(text: str) -> Schema:
    with closing(open_image(image_of(text))) as db:
        return read_schema(db)


@pytest.mark.parametrize(("count", "positions"), [(0, (0,)), (1, (1,)), (2, (2, 3)), (5, (5,))])
def test_what_was_added_is_taken_back(
    tmp_path: Path, count: int, positions: tuple[int, ...]
) -> None:
    found = taken(tmp_path, FILES, APP, *list(FILES.values())[:count])

    assert found.matching is not None
    assert found.matching.positions == positions
    assert schema_of(found.text) == schema_of(APP)


def test_what_a_program_puts_together_is_found_out_by_running_it(tmp_path: Path) -> None:
    files = {"001_goals.sql": GOALS, "002_notes.py": PYTHON}

    found = taken(
        tmp_path,
        files,
        APP,
        GOALS,
        "ALTER TABLE goals ADD COLUMN mood TEXT;",
        "ALTER TABLE accounts ADD COLUMN note TEXT; ALTER TABLE transactions ADD COLUMN note TEXT",
    )

    assert schema_of(found.text) == schema_of(APP)


def test_what_is_dropped_is_taken_back_by_a_down_part(tmp_path: Path) -> None:
    files = {
        "001_tags.sql": TAGS,
        "002_kind.sql": DROP_KIND,
        "002_kind.down.sql": "ALTER TABLE accounts ADD COLUMN kind TEXT;",
    }

    found = taken(tmp_path, files, APP, TAGS, DROP_KIND)

    assert schema_of(found.text) == schema_of(APP)


def test_what_a_migration_made_and_a_later_one_drops_need_not_be_known(tmp_path: Path) -> None:
    files = {"001_accounts.sql": ACCOUNTS, "002_kind.sql": DROP_KIND, "003_new.sql": REBUILD}
    rebuild = REBUILD.replace(", kind TEXT", "")

    found = taken(tmp_path, {**files, "003_new.sql": rebuild}, ACCOUNTS, DROP_KIND, rebuild, GOALS)

    assert schema_of(found.text) == schema_of(GOALS)


@pytest.mark.parametrize(
    ("last", "what"),
    [
        (DROP_KIND, "it drops column accounts.kind"),
        (REBUILD, "it drops table accounts"),
    ],
)
def test_what_cannot_be_taken_back_is_named_with_the_reason(
    tmp_path: Path, last: str, what: str
) -> None:
    files = {"001_tags.sql": TAGS, "002_last.sql": last}

    found = taken(tmp_path, files, APP, TAGS, last)

    assert found.text == ""
    catalogue = read_catalogue(tmp_path)
    first, why, way_out = describe_unknown_base(found, catalogue, Path("budget.db"))
    assert first == (
        "budget.db: it looks as if it were at the version 002_last; what the first migration "
        "started from is not known"
    )
    assert why == (
        f"002_last cannot be taken back: {what}, and nothing says what that was: no migration "
        "before it, and no down part"
    )
    assert way_out.startswith("a backup from before that tells it: --bb-db=BACKUP --bb-adopt")


def test_a_rebuild_that_has_not_run_is_no_riddle(tmp_path: Path) -> None:
    found = taken(tmp_path, {"001_tags.sql": TAGS, "002_last.sql": REBUILD}, APP, TAGS)

    assert found.count == 1
    assert schema_of(found.text) == schema_of(APP)


def test_of_a_half_applied_migration_it_is_said_what_is_there_and_what_is_not(
    tmp_path: Path,
) -> None:
    half = "ALTER TABLE transactions ADD COLUMN tag TEXT"

    found = taken(tmp_path, {"001_goals.sql": GOALS, "002_tags.sql": TAGS}, APP, GOALS, half)

    assert found.text == ""
    assert found.matching is not None
    assert found.matching.nearest == 1
    assert found.matching.findings == (
        "of 002_tags: column transactions.tag is there, index by_tag is not there",
    )


def test_a_base_is_proved_by_running_the_migrations_on_it(tmp_path: Path) -> None:
    files = {"001_tags.sql": TAGS, "002_goals.sql": GOALS}
    found = taken(tmp_path, files, APP, TAGS.replace("TEXT", "TEXT DEFAULT ''"))

    assert found.text == ""
    assert found.matching is not None
    (finding,) = found.matching.findings
    assert finding.startswith("by no migration: the default of transactions.tag: DEFAULT <text of")


def test_what_is_written_is_what_was_proved(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    found = taken(folder, FILES, APP, "CREATE VIRTUAL TABLE docs USING fts5 (body)", TAGS)
    path = tmp_path / "base.sql"

    write_base(path, found.text)

    start = image_of(path.read_text())
    with closing(open_image(image_of(text_of(path.read_text(), TAGS)))) as db:
        schema = read_schema(db)
    assert recognise(schema, read_catalogue(folder), RunEnvironment(), start).positions == (1,)
    with pytest.raises(FileExistsError):
        write_base(path, found.text)
