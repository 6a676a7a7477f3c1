"""Advice that is followed: what is printed with a failure leads to a migration that passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import CHECKS, Outcome, Verdict

if TYPE_CHECKING:
    from pathlib import Path

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER, at TEXT);\n"
NAMED = NOTES.replace("name TEXT", "name TEXT UNIQUE")
FILLED = NOTES.replace("cents INTEGER", "cents INTEGER NOT NULL DEFAULT 3")
FAMILY = (
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT);\n"
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip_id INT REFERENCES trips (id){}, n TEXT);\n"
)
CASCADE = FAMILY.format(" ON DELETE CASCADE")
PLAIN = FAMILY.format("")
REBUILD = (
    "CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT, k INTEGER);\n"
    "INSERT INTO trips_new (id, name) SELECT id, name FROM trips;\n"
    "{}DROP TABLE trips;\nALTER TABLE trips_new RENAME TO trips;\n{}"
)
ALONE = REBUILD.format("", "")
KEPT = REBUILD.format(
    "CREATE TABLE kept AS SELECT * FROM costs;\nDELETE FROM costs;\n",
    "INSERT INTO costs SELECT * FROM kept;\nDROP TABLE kept;\n",
)
COPY = (
    "CREATE TABLE new (id INTEGER PRIMARY KEY, name TEXT, cents INTEGER, at TEXT);\n"
    "INSERT INTO new SELECT * FROM notes{};\nDROP TABLE notes;\nALTER TABLE new RENAME TO notes;\n"
)
NEW_KEY = "CREATE TABLE new (id INTEGER PRIMARY KEY, name);"
ON = "-- bb: foreign_keys on\n"
ADDS = "-- bb: inserts notes\n"
RENAMES = "-- bb: changes notes.name\n"


class Advised(NamedTuple):
    """A step after ``first`` that fails, a piece of the advice, and the step that follows it."""

    first: str
    step: str
    advice: str
    followed: str
    runs_as: str = ""
    keys: bool | None = None


FOLLOWED = (
    # What SQLite refuses
    Advised(
        NOTES,
        "ALTER TABLE notes ADD COLUMN k INTEGER DEFAULT 0 CHECK (k > 0);",
        "choose another default, or let the CHECK pass NULL",
        "ALTER TABLE notes ADD COLUMN k INTEGER CHECK (k IS NULL OR k > 0);",
    ),
    Advised(
        NOTES,
        "ALTER TABLE notes ADD COLUMN k TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP;",
        "without the default, and without NOT NULL, and UPDATE",
        "ALTER TABLE notes ADD COLUMN k TEXT; UPDATE notes SET k = CURRENT_TIMESTAMP;",
    ),
    Advised(
        NOTES,
        "ALTER TABLE notes ADD COLUMN k TEXT DEFAULT 'x' UNIQUE;",
        "a plain column without a default, give each row NULL or a value of its own",
        "ALTER TABLE notes ADD COLUMN k TEXT; CREATE UNIQUE INDEX i ON notes (k);",
    ),
    Advised(
        NAMED,
        "-- bb: drops notes.name\nALTER TABLE notes DROP COLUMN name;",
        "a key, a constraint or a generated column needs it: build a new table",
        "-- bb: drops notes.name\n"
        "CREATE TABLE new (id INTEGER PRIMARY KEY, cents INTEGER, at TEXT);"
        "INSERT INTO new SELECT id, cents, at FROM notes; DROP TABLE notes;"
        "ALTER TABLE new RENAME TO notes;",
    ),
    Advised(
        "CREATE TABLE notes (name TEXT);",
        "-- bb: drops notes.name\nALTER TABLE notes DROP COLUMN name;",
        "a table has one column at least",
        (
            "-- bb: drops notes.name\n"
            "ALTER TABLE notes ADD COLUMN k; ALTER TABLE notes DROP COLUMN name;"
        ),
    ),
    Advised(
        NOTES,
        "CREATE INDEX notes ON notes (name);",
        "give this one another",
        "CREATE INDEX by_name ON notes (name);",
    ),
    Advised(
        NOTES.replace("id INTEGER", "id TEXT"),
        f"{NEW_KEY}INSERT INTO new SELECT id, name FROM notes;",
        "else leave the key out, so that SQLite numbers the rows",
        f"{NEW_KEY}INSERT INTO new (name) SELECT name FROM notes;",
    ),
    Advised(
        NOTES,
        "CREATE TABLE new (a VARCHAR(9)) STRICT;",
        "INTEGER, REAL, TEXT, BLOB or ANY: write one of these",
        "CREATE TABLE new (a TEXT) STRICT;",
    ),
    Advised(
        NOTES,
        "CREATE TABLE new (a INTEGER) STRICT; INSERT INTO new SELECT name FROM notes;",
        "or declare the column ANY",
        "CREATE TABLE new (a ANY) STRICT; INSERT INTO new SELECT name FROM notes;",
    ),
    Advised(
        FILLED,
        f"{ADDS}INSERT INTO notes (name, cents) VALUES ('a', DEFAULT);",
        "leave the column out of the INSERT",
        f"{ADDS}INSERT INTO notes (name) VALUES ('a');",
    ),
    Advised(
        FILLED,
        f"{ADDS}INSERT INTO notes (name, cents) VALUES ('a', NULL);",
        "it leaves cents out, or gives NULL for it: write a value",
        f"{ADDS}INSERT INTO notes (name, cents) VALUES ('a', 1);",
    ),
    Advised(
        NOTES,
        "-- bb: changes notes.at\nUPDATE notes SET at = at - INTERVAL '1 day';",
        "write date(x, '+1 day')",
        "-- bb: changes notes.at\nUPDATE notes SET at = date(at, '-1 day');",
    ),
    Advised(
        NAMED,
        f"{RENAMES}UPDATE notes SET name = 'x';",
        "another row has these values already, or gets them as well",
        f"{RENAMES}UPDATE notes SET name = 'x' WHERE id = 1 AND NOT EXISTS"
        " (SELECT 1 FROM notes WHERE name = 'x');",
    ),
    # Foreign keys
    Advised(
        PLAIN,
        f"{ON}-- bb: deletes trips\nDELETE FROM trips;",
        "rows that refer to what it deletes are there yet: delete them first, or move them",
        f"{ON}-- bb: deletes trips, costs\n"
        "DELETE FROM costs WHERE trip_id IS NOT NULL; DELETE FROM trips;",
    ),
    Advised(
        PLAIN,
        f"{ON}-- bb: inserts costs\nINSERT INTO costs (trip_id) VALUES (77777);",
        "it writes a reference to a row that is not there",
        f"{ON}-- bb: inserts costs, trips\n"
        "INSERT INTO trips (id) VALUES (77777); INSERT INTO costs (trip_id) VALUES (77777);",
    ),
    Advised(
        CASCADE, f"{ON}{ALONE}", "take out what turns them on: the line foreign_keys on", ALONE
    ),
    *(
        Advised(CASCADE, ALONE, "to another table and delete them", KEPT, runs_as=tool)
        for tool in ("d1", "sqlx", "prisma")
    ),
    *(
        Advised(CASCADE, ALONE, "copy the children to another table", KEPT, tool, keys=True)
        for tool in ("diesel", "golang-migrate", "flyway")
    ),
    Advised(CASCADE, ALONE, "use ALTER TABLE", "ALTER TABLE trips ADD COLUMN k INTEGER;", "d1"),
    Advised(
        CASCADE,
        f"PRAGMA foreign_keys = OFF;\n{ALONE}",
        "have the tool run the file in no transaction, and say so here by -- bb: no_transaction",
        f"-- bb: no_transaction\nPRAGMA foreign_keys = OFF;\n{ALONE}",
        "golang-migrate",
        keys=True,
    ),
    # What is lost on the way
    Advised(
        PLAIN,
        "CREATE TABLE new (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips (id), n TEXT);"
        "INSERT INTO new SELECT c.id, c.trip_id, c.n FROM costs c JOIN trips t ON t.id = c.trip_id;"
        "DROP TABLE costs; ALTER TABLE new RENAME TO costs;",
        "a LEFT JOIN keeps it, with",
        "CREATE TABLE new (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips (id), n TEXT);"
        "INSERT INTO new SELECT c.id, t.id, c.n FROM costs c LEFT JOIN trips t ON t.id = c.trip_id;"
        "DROP TABLE costs; ALTER TABLE new RENAME TO costs;",
    ),
    Advised(NOTES, COPY.format(" WHERE name <> ''"), "leave the WHERE out", COPY.format("")),
    Advised(
        NOTES,
        f"{RENAMES}DELETE FROM notes WHERE cents = 0; UPDATE notes SET name = 'x';",
        "add the line:  -- bb: deletes notes where cents = 0",
        f"-- bb: deletes notes where cents = 0\n{RENAMES}"
        "DELETE FROM notes WHERE cents = 0; UPDATE notes SET name = 'x';",
    ),
    Advised(
        NOTES,
        f"ALTER TABLE notes RENAME TO old;\n{NOTES}",
        "copy the data over, or declare the rename",
        f"ALTER TABLE notes RENAME TO old;\n{NOTES}INSERT INTO notes SELECT * FROM old;",
    ),
    Advised(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);",
        "CREATE TABLE new (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"
        "INSERT INTO new SELECT * FROM notes; DROP TABLE notes; ALTER TABLE new RENAME TO notes;",
        "the number over in sqlite_sequence",
        "CREATE TABLE new (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);"
        "INSERT INTO new SELECT * FROM notes; UPDATE sqlite_sequence SET seq ="
        " (SELECT seq FROM sqlite_sequence WHERE name = 'notes') WHERE name = 'new';"
        "DROP TABLE notes; ALTER TABLE new RENAME TO notes;",
    ),
)


def judged(folder: Path, case: Advised, step: str) -> tuple[Verdict, ...]:
    """Return what all checks say of ``step`` after the first migration of ``case``."""
    (folder / "001_first.sql").write_text(case.first)
    (folder / "002_step.sql").write_text(step)
    catalogue = read_catalogue(folder)
    literals = tuple(pair for m in catalogue.migrations for pair in m.literals)
    environment = RunEnvironment(
        profile=PROFILES.get(case.runs_as, UNDECIDED), foreign_keys=case.keys
    )
    evidence = Chain(catalogue, Recipe(rows=60, literals=literals), environment).evidence(1)
    return tuple(judge(check, evidence) for check in CHECKS)


@pytest.mark.parametrize("case", FOLLOWED, ids=[case.advice for case in FOLLOWED])
def test_who_does_what_is_advised_has_no_failure(tmp_path: Path, case: Advised) -> None:
    failed = [v for v in judged(tmp_path, case, case.step) if v.outcome is Outcome.FAILED]
    texts = [" ".join(describe_failure(verdict, "").split()) for verdict in failed]

    assert any(" ".join(case.advice.split()) in text for text in texts)

    followed = judged(tmp_path, case, case.followed)

    assert {verdict.check: verdict.outcome for verdict in followed}.items() <= {
        *((check, Outcome.PASSED) for check in CHECKS),
        *((check, Outcome.SKIPPED) for check in CHECKS[-2:]),  # no down part
    }


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("VACUUM", "declare # bb: no_transaction"),
        ("COMMIT", "# bb: no_transaction is for what cannot run in one"),
    ],
)
def test_a_line_that_is_advised_for_python_is_a_comment_of_python(
    tmp_path: Path, statement: str, advice: str
) -> None:
    (tmp_path / "001_step.py").write_text(f"def up(db):\n    db.conn.execute('{statement}')\n")
    catalogue = read_catalogue(tmp_path)
    evidence = Chain(catalogue, Recipe(rows=5), RunEnvironment()).evidence(0)
    (finding,) = judge("up_applies", evidence).findings

    assert advice in finding.cause
    assert "-- bb" not in finding.cause
    assert "sqlite3 shell" not in finding.cause


def test_what_ends_its_transaction_before_a_vacuum_runs_as_the_tool_that_is_named(
    tmp_path: Path,
) -> None:
    step = "BEGIN; CREATE TABLE more (id INTEGER PRIMARY KEY); COMMIT; VACUUM;"
    refused = judged(tmp_path, Advised(NOTES, "", "", ""), step)
    run = judged(tmp_path, Advised(NOTES, "", "", "", runs_as="sqlite3"), step)

    assert "say bb_runs_as = sqlite3" in refused[0].findings[0].cause
    assert run[0].outcome is Outcome.PASSED


def test_a_view_that_is_made_again_to_show_what_it_showed_has_lost_nothing(tmp_path: Path) -> None:
    order = "CREATE TABLE new (id INTEGER PRIMARY KEY, cents INTEGER, name TEXT, at TEXT);"
    case = Advised(NOTES + "CREATE VIEW v (a, b, c, d) AS SELECT * FROM notes;", "", "", "")
    step = (
        f"DROP VIEW v; {order} INSERT INTO new SELECT id, cents, name, at FROM notes;"
        "DROP TABLE notes; ALTER TABLE new RENAME TO notes;"
        "CREATE VIEW v (a, b, c, d) AS SELECT id, name, cents, at FROM notes;"
    )

    schema_survives = judged(tmp_path, case, step)[2]

    assert (schema_survives.outcome, schema_survives.notes) == (Outcome.PASSED, ())
