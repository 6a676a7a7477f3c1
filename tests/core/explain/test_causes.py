"""Why it happened: every cause has a case that shows it, and one like it that has another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.explain.causes import CAUSES, SECOND_TIME
from pytest_bbmigrate.explain.reasons import REASONS
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES, UNDECIDED
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.cases import CASES, judge_case, read_case

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_bbmigrate.verdict import Finding

KNOWN = {name for name, _ in (*CAUSES, *SECOND_TIME)}

CAUSE_OF_CASE = [
    ("data_survives/bytes_after_nul_cut", "nul"),
    ("data_survives/column_begun_anew", "recreated empty"),
    ("data_survives/cascade_by_drop_table", "cascade"),
    ("data_survives/cascade_by_replace", "cascade"),
    ("data_survives/cascade_in_spite_of_deferral", "deferred foreign keys"),
    ("data_survives/cascade_in_spite_of_the_pragma", "pragma in transaction"),
    ("data_survives/cascade_under_d1", "cascade under d1"),
    ("data_survives/cascade_under_drizzle", "cascade under drizzle"),
    ("data_survives/cascade_under_sqlx", "cascade under sqlx"),
    ("data_survives/cascade_under_sqlx_in_no_transaction", "cascade under sqlx"),
    ("data_survives/cascade_by_goose_with_keys_on", "pragma ignored by the runner"),
    ("data_survives/cascade_under_prisma", "cascade under the runner"),
    ("data_survives/copy_leaves_out_what_takes_no_null", "where beside not null"),
    ("data_survives/copy_where_loses_null_rows", "where"),
    ("data_survives/deletes_does_not_excuse_a_changed_value", "integer division"),
    ("data_survives/digits_become_a_number", "affinity"),
    ("data_survives/distinct_loses_equal_rows", "distinct"),
    ("data_survives/double_quotes_make_a_text", "quoted text"),
    ("data_survives/full_text_rows_lost", "not copied"),
    ("data_survives/group_by_loses_rows", "group by"),
    ("data_survives/inner_join_loses_rows", "inner join"),
    ("data_survives/integer_becomes_real", "affinity"),
    ("data_survives/integer_becomes_text", "affinity"),
    ("data_survives/join_doubles_rows", "join doubles"),
    ("data_survives/large_integer_rounded", "large integer"),
    ("data_survives/letter_case_lost", "letter case"),
    ("data_survives/not_in_a_list_with_null", "not in null"),
    ("data_survives/numeric_through_transform", "transform"),
    ("data_survives/on_update_cascade", "update cascade"),
    ("data_survives/or_ignore_loses_duplicates", "or ignore"),
    ("data_survives/or_replace_loses_duplicates", "replace"),
    ("data_survives/padding_trimmed", "trim"),
    ("data_survives/keys_made_anew", "other keys"),
    ("data_survives/rows_renumbered", "renumbered"),
    ("data_survives/select_star_swaps_columns", "copied by position"),
    ("data_survives/set_default_by_delete", "cascade"),
    ("data_survives/set_null_by_drop_table", "cascade"),
    ("data_survives/swap_without_a_key", "copied by position"),
    ("data_survives/time_fraction_cut", "whole seconds"),
    ("data_survives/utc_taken_for_local_time", "time zone"),
    ("data_survives/trigger_changes_another_table", "trigger"),
    ("data_survives/trigger_touches_updated_at", "trigger"),
    ("data_survives/trigger_writes_an_audit_row", "trigger"),
    ("data_survives/union_loses_rows", "where"),
    ("data_survives/cast_as_json", "cast to a number"),
    ("data_survives/not_in_a_list_with_a_limit", "limit in a list"),
    ("data_survives/update_ignores_case", "like"),
    ("data_survives/update_or_replace", "replace"),
    ("down_restores/backup_table_put_back", "replaced by an old copy"),
    ("down_restores/cents_cut_by_cast", "cast"),
    ("down_restores/cents_lost_by_integer_division", "integer division"),
    ("down_restores/column_comes_back_last", "column added last"),
    ("down_restores/column_dropped_and_added_again", "added again"),
    ("down_restores/columns_swapped_by_down", "copied by position"),
    ("down_restores/deleted_rows_do_not_come_back", "deleted by up"),
    ("down_restores/index_left_behind", "not dropped by down"),
    ("down_restores/index_not_put_back", "not recreated by down"),
    ("down_restores/options_not_put_back", "empty down part"),
    ("down_restores/references_follow_on_the_way_back", "old table renamed first"),
    ("down_restores/transform_on_the_way_back", "transform"),
    ("foreign_keys_hold/child_moved_to_nowhere", "written unchecked"),
    ("foreign_keys_hold/children_inserted_without_parent", "written unchecked"),
    ("foreign_keys_hold/composite_reference_cut", "parent updated"),
    ("foreign_keys_hold/default_refers_to_nothing", "default without parent"),
    ("foreign_keys_hold/new_table_misspells_its_parent", "unknown parent"),
    ("foreign_keys_hold/old_table_renamed_first", "old table renamed first"),
    ("foreign_keys_hold/parent_column_renamed_by_rebuild", "parent column renamed"),
    ("foreign_keys_hold/parent_deleted", "parent deleted"),
    ("foreign_keys_hold/parent_dropped", "parent dropped"),
    ("foreign_keys_hold/parent_key_index_dropped", "missing parent key"),
    ("foreign_keys_hold/reference_made_of_free_text", "new foreign key"),
    ("foreign_keys_hold/self_reference_left_on_the_new_name", "legacy rename"),
    ("schema_survives/collation_lost", "another create table"),
    ("schema_survives/generated_column_lost", "another create table"),
    ("schema_survives/index_gone_with_the_renamed_table", "left out of rebuild"),
    ("schema_survives/index_lost_in_rebuild", "left out of rebuild"),
    ("schema_survives/index_on_a_column_left_out_of_rebuild", "on a dropped column"),
    ("schema_survives/index_no_longer_unique", "recreated differently"),
    ("schema_survives/instead_of_trigger_lost_with_its_view", "dropped with its view"),
    ("schema_survives/primary_key_lost_by_create_as", "create table as"),
    ("schema_survives/sequence_lowered", "sequence dropped"),
    ("schema_survives/transform_freezes_a_generated_column", "transform"),
    ("schema_survives/transform_loses_a_trigger", "transform"),
    ("schema_survives/trigger_event_changed", "recreated differently"),
    ("schema_survives/trigger_fills_by_order", "depends on column order"),
    ("schema_survives/view_of_a_column_that_is_gone", "stale view"),
    ("schema_survives/view_of_a_dropped_table", "stale view"),
    ("schema_survives/trigger_before_its_column", "made too early"),
    ("schema_survives/view_of_columns_by_their_order", "depends on column order"),
    ("up_applies/average_of_nothing", "empty database"),
    ("up_applies/check_not_looked_at", "checks ignored"),
    ("up_applies/schema_edited_by_hand", "edited schema"),
    ("up_applies/table_of_another_shape", "if not exists"),
    ("up_applies/trigger_refuses", "trigger refuses"),
    ("up_repeats/blank_column_copied_again", "blank after down"),
    ("up_repeats/user_version_stays", "version not reset"),
]

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER);\n"
KEYLESS = "CREATE TABLE notes (text TEXT, cents INTEGER);\n"
UNTYPED = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, cents);\n"
FAMILY = (
    "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, code TEXT UNIQUE);\n"
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, cents INTEGER,\n"
    "    trip_id INTEGER REFERENCES trips (id) ON DELETE CASCADE ON UPDATE CASCADE);\n"
)
NEW_NOTES = "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT, cents INTEGER);\n"
INSTEAD = "DROP TABLE notes;\nALTER TABLE notes_new RENAME TO notes;\n"
TRIPS_AGAIN = (
    "CREATE TABLE trips_new (id INTEGER PRIMARY KEY, name TEXT, code TEXT UNIQUE);\n"
    "INSERT INTO trips_new SELECT * FROM trips;\n"
    "DROP TABLE trips;\nALTER TABLE trips_new RENAME TO trips;\n"
)
EDIT = "PRAGMA writable_schema = ON;\nUPDATE sqlite_master SET sql = {} WHERE name = '{}';\n"
WITH_TRIGGER = NOTES + "CREATE TRIGGER touch AFTER {} ON notes\nBEGIN\n    {};\nEND;\n"


TO_NOTES = NOTES + (
    "CREATE TABLE costs (id INTEGER PRIMARY KEY, note INTEGER REFERENCES notes (id));\n"
)
OTHER_KEYS = (
    "PRAGMA legacy_alter_table = ON;\nALTER TABLE notes RENAME TO notes_old;\n"
    f"{NOTES}INSERT INTO notes (id, text) SELECT abs(random()), text FROM notes_old;\n"
    "DELETE FROM notes WHERE text = 'none of them';\nDROP TABLE notes_old;\n"
)


def copied(rest: str, *, head: str = "INSERT INTO") -> str:
    """Return a rebuild of notes whose copy is ``SELECT`` and ``rest``."""
    return f"{NEW_NOTES}{head} notes_new (id, text, cents)\nSELECT {rest};\n{INSTEAD}"


def both(up: str, down: str) -> str:
    """Return a migration with a way back."""
    return f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n"


# A fault much like that of the cause, with another reason or with none that can be told.
NOT_FOR_THAT = [
    (
        "on a dropped column",
        NOTES + "CREATE INDEX i ON notes (text);\n",
        "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);\n"
        "INSERT INTO notes_new SELECT id, text FROM notes;\n" + INSTEAD,
    ),
    (
        "transform",
        WITH_TRIGGER.format("INSERT", "SELECT 1"),
        'CREATE TABLE "other_new_0123456789ab" (id INTEGER PRIMARY KEY);\n'
        + copied("id, text, cents FROM notes"),
    ),
    (
        "create table as",
        NOTES.replace("cents", "cents NOT NULL DEFAULT"),
        "CREATE TABLE notes_backup AS SELECT * FROM notes;\nDROP TABLE notes_backup;\n"
        + NEW_NOTES
        + "INSERT INTO notes_new SELECT * FROM notes;\n"
        + INSTEAD,
    ),
    (
        "dropped with its view",
        WITH_TRIGGER.format("INSERT", "SELECT 1") + "CREATE VIEW v AS SELECT 1 AS one;\n",
        "DROP VIEW v;\nCREATE VIEW v AS SELECT 1 AS one;\n" + copied("id, text, cents FROM notes"),
    ),
    (
        "left out of rebuild",
        NOTES + "CREATE INDEX i ON notes (text);\n",
        (
            "def up(db):\n"
            "    db.execute('CREATE TABLE gone (id INTEGER)')\n"
            "    db.execute('DROP TABLE gone')\n"
            "    db.execute('DROP ' + 'INDEX i')\n"
        ),
    ),
    (
        "another create table",
        NOTES.replace("text TEXT", "text TEXT COLLATE NOCASE"),
        EDIT.format("replace(sql, ' COLLATE NOCASE', '')", "notes"),
    ),
    (
        "recreated differently",
        NOTES + "CREATE VIEW v AS SELECT text FROM notes;\n",
        EDIT.format("'CREATE VIEW v AS SELECT id AS text FROM notes'", "v"),
    ),
    (
        "sequence dropped",
        NOTES.replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT"),
        "UPDATE sqlite_sequence SET seq = 1;\n",
    ),
    (
        "column added last",
        NOTES,
        both(
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, cents INTEGER, text TEXT);\n"
            "INSERT INTO notes_new (id, cents, text) SELECT id, cents, text FROM notes;\n"
            + INSTEAD,
        ),
    ),
    ("empty database", NOTES, "CREATE UNIQUE INDEX i ON notes (text);\n"),
    (
        "trigger refuses",
        WITH_TRIGGER.format("DELETE", "SELECT RAISE(ABORT, 'notes stay')"),
        "UPDATE notes SET id = 1;\n",
    ),
    ("if not exists", NOTES, "CREATE TABLE notes (id INTEGER PRIMARY KEY, mood TEXT);\n"),
    (
        "edited schema",
        NOTES.replace("cents INTEGER", "cents INTEGER CHECK (cents > 0)"),
        (
            "-- bb: changes notes.cents\n"
            "PRAGMA ignore_check_constraints = ON;\nUPDATE notes SET cents = 0;\n"
        ),
    ),
    (
        "checks ignored",
        NOTES,
        EDIT.format("replace(sql, 'cents INTEGER', 'cents INTEGER CHECK (cents > 50)')", "notes"),
    ),
    (
        "not dropped by down",
        NOTES,
        both("CREATE INDEX i ON notes (text);", "DROP INDEX i;\nCREATE INDEX j ON notes (text);"),
    ),
    (
        "not recreated by down",
        NOTES + "CREATE INDEX i ON notes (text);\n",
        both(
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "DROP INDEX i;\nALTER TABLE notes DROP COLUMN mood;",
        ),
    ),
    ("cascade under d1", FAMILY, f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"),
    ("cascade under drizzle", FAMILY, f"PRAGMA foreign_keys = ON;\n{TRIPS_AGAIN}"),
    ("cascade under sqlx", FAMILY, f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"),
    ("pragma ignored by the runner", FAMILY, f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"),
    ("cascade under the runner", FAMILY, f"PRAGMA foreign_keys = ON;\n{TRIPS_AGAIN}"),
    ("pragma in transaction", FAMILY, f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"),
    ("pragma in transaction", FAMILY, "PRAGMA foreign_keys = OFF;\nDELETE FROM costs;\n"),
    ("deferred foreign keys", FAMILY, f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"),
    ("cascade", FAMILY, f"DELETE FROM costs WHERE cents < 5000;\n{TRIPS_AGAIN}"),
    (
        "cascade",
        FAMILY.replace(" ON DELETE CASCADE", ""),
        "-- bb: foreign_keys on\nDELETE FROM costs;\nDELETE FROM trips;\n",
    ),
    (
        "update cascade",
        FAMILY,
        (
            "-- bb: changes trips.id\n"
            "UPDATE trips SET id = id + 1000;\nUPDATE costs SET trip_id = trip_id + 1000;\n"
        ),
    ),
    (
        "old table renamed first",
        FAMILY + NOTES,
        "-- bb: drops trips\nALTER TABLE notes RENAME TO remarks;\nDROP TABLE trips;\n",
    ),
    ("legacy rename", FAMILY, "-- bb: drops trips\nDROP TABLE trips;\n"),
    ("missing parent key", FAMILY, "-- bb: drops trips\nDROP TABLE trips;\n"),
    (
        "parent column renamed",
        FAMILY,
        "CREATE TABLE tags (trip_id INTEGER REFERENCES trips (number));\n",
    ),
    ("parent dropped", FAMILY, "CREATE TABLE tags (trip_id INTEGER REFERENCES trip (id));\n"),
    ("unknown parent", FAMILY, "-- bb: drops trips\nDROP TABLE trips;\n"),
    ("new foreign key", FAMILY, "-- bb: changes costs.trip_id\nUPDATE costs SET trip_id = -1;\n"),
    (
        "default without parent",
        FAMILY + NOTES,
        (
            "ALTER TABLE notes ADD COLUMN trip_id INTEGER REFERENCES trips (id);\n"
            "UPDATE notes SET trip_id = -1;\n"
        ),
    ),
    ("parent deleted", FAMILY, "-- bb: changes costs.trip_id\nUPDATE costs SET trip_id = -1;\n"),
    ("parent updated", FAMILY, "-- bb: deletes trips\nDELETE FROM trips;\n"),
    ("written unchecked", FAMILY, "-- bb: deletes trips\nDELETE FROM trips;\n"),
    (
        "stale view",
        NOTES + "CREATE VIEW v AS SELECT text FROM notes;\n",
        "DROP VIEW v;\nCREATE VIEW v AS SELECT txt FROM notes;\n",
    ),
    (
        "empty down part",
        NOTES,
        both("ALTER TABLE notes ADD COLUMN mood TEXT;", "UPDATE notes SET mood = NULL;"),
    ),
    ("limit in a list", NOTES, "DELETE FROM notes WHERE id > (SELECT id FROM notes LIMIT 1);\n"),
    ("cast to a number", NOTES, "UPDATE notes SET text = CAST(cents AS JSON);\n"),
    (
        "made too early",
        NOTES + "CREATE VIEW v AS SELECT text FROM notes;\n",
        (
            "ALTER TABLE notes RENAME TO papers;\nCREATE TABLE notes (id);\nDROP VIEW v;\n"
            "CREATE VIEW v AS SELECT text FROM notes;\n"
        ),
    ),
    (
        "deleted by up",
        NOTES,
        both("ALTER TABLE notes ADD COLUMN mood TEXT;", "DELETE FROM notes WHERE cents < 5000;"),
    ),
    (
        "depends on column order",
        NOTES + "CREATE VIEW v (a, b, c) AS SELECT * FROM notes;\n",
        "ALTER TABLE notes ADD COLUMN mood TEXT;\n",
    ),
    (
        "recreated empty",
        NOTES,
        f"ALTER TABLE notes RENAME TO old;\n{NOTES}INSERT INTO notes SELECT * FROM old LIMIT 3;\n",
    ),
    (
        "replaced by an old copy",
        NOTES,
        both(
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "DELETE FROM notes;\nALTER TABLE notes DROP COLUMN mood;",
        ),
    ),
    ("not copied", NOTES, copied("id, text, cents FROM notes WHERE cents > 1000")),
    (
        "not copied",
        NOTES,
        "DELETE FROM notes;\n" + copied("id, text, cents FROM notes"),
    ),
    ("copied by position", NOTES, copied("id, upper(text), cents FROM notes")),
    (
        "copied by position",
        NOTES,
        f"{NEW_NOTES}INSERT INTO notes_new SELECT * FROM notes WHERE cents > 1000;\n{INSTEAD}",
    ),
    ("legacy rename", TO_NOTES, OTHER_KEYS),
    ("other keys", NOTES, copied("abs(id) + 1000, text, cents FROM notes")),
    (
        "added again",
        NOTES,
        both(
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            "ALTER TABLE notes DROP COLUMN mood;\nUPDATE notes SET cents = 0;",
        ),
    ),
    ("renumbered", NOTES, copied("id + 1000, text, cents FROM notes")),
    (
        "renumbered",
        NOTES,
        (
            f"{NEW_NOTES}INSERT INTO notes_new (text) SELECT a.text FROM notes AS a"
            f" JOIN notes AS b ON b.id = -a.id;\n{INSTEAD}"
        ),
    ),
    (
        "renumbered",
        KEYLESS,
        "CREATE TABLE notes_new (text TEXT, cents INTEGER);\n"
        "INSERT INTO notes_new (text) SELECT text FROM notes;\n" + INSTEAD,
    ),
    (
        "replace",
        NOTES + "CREATE TABLE names (text TEXT UNIQUE);\n",
        "INSERT OR REPLACE INTO names SELECT text FROM notes;\nDELETE FROM notes;\n",
    ),
    (
        "replace",
        NOTES,
        "REPLACE INTO notes (id, text, cents) SELECT id, text, cents + 1 FROM notes;\n",
    ),
    (
        "or ignore",
        NOTES,
        copied("id, text, cents FROM notes WHERE cents > 1000", head="INSERT OR IGNORE INTO"),
    ),
    (
        "inner join",
        NOTES,
        copied(
            "n.id, n.text, n.cents FROM notes AS n "
            "LEFT JOIN notes AS m ON m.id = n.id WHERE m.text <> ''"
        ),
    ),
    (
        "not in null",
        NOTES,
        copied(
            "id, text, cents FROM notes WHERE id NOT IN (SELECT id FROM notes WHERE id IS NOT NULL)"
        ),
    ),
    ("not in null", NOTES, copied("id, text, cents FROM notes WHERE cents IS 'none'")),
    (
        "where",
        NOTES,
        copied("id, text, cents FROM notes WHERE cents > 1000", head="INSERT OR IGNORE INTO"),
    ),
    ("where", NOTES, copied("id, text, cents FROM notes LIMIT 9")),
    ("where beside not null", NOTES, copied("id, text, cents FROM notes WHERE cents > 1000")),
    ("distinct", NOTES, copied("DISTINCT id, text, cents FROM notes WHERE cents > 1000")),
    ("group by", NOTES, copied("id, text, cents FROM notes WHERE cents > 1000 GROUP BY id")),
    ("join doubles", KEYLESS, "INSERT INTO notes SELECT text, cents FROM notes;\n"),
    (
        "trigger",
        WITH_TRIGGER.format("DELETE", "UPDATE notes SET cents = 0"),
        "UPDATE notes SET text = 'x';\nUPDATE notes SET cents = 0;\n",
    ),
    (
        "trigger",
        WITH_TRIGGER.format("INSERT", "UPDATE notes SET cents = 0 WHERE NEW.text = 'x'"),
        "DROP TRIGGER touch;\nREPLACE INTO notes SELECT id, text, cents + 1 FROM notes;\n",
    ),
    (
        "trigger",
        WITH_TRIGGER.format("UPDATE OF cents", "UPDATE notes SET text = 'x'")
        + "CREATE TRIGGER noted AFTER UPDATE ON notes\nBEGIN\n    SELECT 1;\nEND;\n",
        (
            "-- bb: changes notes.id\nUPDATE notes SET id = id;\n"
            "REPLACE INTO notes SELECT id, text || '!', cents FROM notes;\n"
        ),
    ),
    (
        "affinity",
        NOTES,
        NEW_NOTES.replace("cents INTEGER", "cents TEXT")
        + f"INSERT INTO notes_new SELECT id, text, cents || ' cents' FROM notes;\n{INSTEAD}",
    ),
    ("affinity", UNTYPED, "UPDATE notes SET cents = CAST(cents AS TEXT);\n"),
    ("quoted text", NOTES, "UPDATE notes SET text = 'memo' WHERE text IS NULL;\n"),
    ("quoted text", NOTES, 'UPDATE notes SET text = "cents", cents = 5;\n'),
    ("nul", NOTES, "UPDATE notes SET text = substr(text, 1, 3);\n"),
    ("trim", NOTES, "UPDATE notes SET text = replace(text, ' ', '');\n"),
    ("trim", NOTES, "UPDATE notes SET text = trim(text) || '!';\n"),
    ("letter case", NOTES, "UPDATE notes SET text = upper(substr(text, 1, 3));\n"),
    ("large integer", NOTES, "UPDATE notes SET cents = cents + 1 WHERE cents > 9000000000;\n"),
    ("time zone", NOTES, "UPDATE notes SET text = text || datetime('now');\n"),
    (
        "whole seconds",
        NOTES + "CREATE TABLE log (id INTEGER PRIMARY KEY, created_at TEXT);\n",
        "UPDATE log SET created_at = substr(created_at, 1, 10) || datetime('now');\n",
    ),
    ("integer division", NOTES, "UPDATE notes SET cents = cents - cents % 100;\n"),
    ("integer division", NOTES, "UPDATE notes SET cents = cents / 7 + 12345;\n"),
    (
        "cast",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, price REAL);\n",
        "UPDATE notes SET price = CAST(price * 100 AS INTEGER);\n",
    ),
    (
        "cast",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, price REAL);\n",
        "UPDATE notes SET price = CAST(round(price * 100) AS INTEGER) / 1000.0;\n",
    ),
    ("like", NOTES, "UPDATE notes SET text = 'Food' WHERE text LIKE '%o%';\n"),
    ("like", NOTES, "UPDATE notes SET text = 'Food' WHERE text NOT LIKE 'groceries';\n"),
    (
        "version not reset",
        NOTES,
        (
            "def up(db):\n"
            "    made = db.execute('PRAGMA user_version').fetchone()[0] < 0\n"
            "    table = 'a' if made else 'b'\n"
            "    db.execute('PRAGMA user_version = -2')\n"
            "    db.execute(f'CREATE TABLE {table} (id INTEGER)')\n\n\n"
            "def down(db):\n"
            "    for name in {'a', 'b'} & set(db.table_names()):\n"
            "        db[name].drop()\n"
        ),
    ),
    (
        "blank after down",
        KEYLESS,
        both(
            "CREATE TABLE numbers AS SELECT rowid AS number, text FROM notes;",
            "DROP TABLE numbers;\nCREATE TABLE notes_new (text TEXT, cents INTEGER);\n"
            "INSERT INTO notes_new SELECT text, cents FROM notes ORDER BY cents;\n" + INSTEAD,
        ),
    ),
]


# The same cause by another road than that of its case.
JOINED = "CREATE TABLE names (text TEXT PRIMARY KEY);\n"
ALSO_FOR_THAT = [
    (
        "inner join",
        NOTES + JOINED,
        copied("n.id, n.text, n.cents FROM notes AS n JOIN names ON names.text = n.text").replace(
            "(id, text, cents)\nSELECT n.id,", "(text, cents)\nSELECT"
        ),
    ),
    ("other keys", TO_NOTES, OTHER_KEYS),
    (
        "on a dropped column",
        NOTES + "CREATE INDEX i ON notes (text, cents);\n",
        (
            "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);\n"
            "INSERT INTO notes_new SELECT id, text FROM notes;\n"
            f"{INSTEAD}CREATE INDEX i ON notes (text, id);\n"
        ),
    ),
    (
        "affinity",
        NOTES,
        both(
            "ALTER TABLE notes ADD COLUMN mood TEXT;",
            NEW_NOTES.replace("cents INTEGER", "cents REAL")
            + f"INSERT INTO notes_new SELECT id, text, cents FROM notes;\n{INSTEAD}",
        ),
    ),
    (
        "on a dropped column",
        NOTES + "CREATE INDEX i ON notes (text, cents);\n",
        "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);\n"
        "INSERT INTO notes_new SELECT id, text FROM notes;\n" + INSTEAD,
    ),
    (
        "on a dropped column",
        NOTES + "CREATE INDEX i ON notes (text) WHERE cents > 0;\n",
        "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);\n"
        "INSERT INTO notes_new SELECT id, text FROM notes;\n" + INSTEAD,
    ),
    (
        "left out of rebuild",
        NOTES + "CREATE INDEX i ON notes (text);\n",
        "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT);\n"
        "INSERT INTO notes_new SELECT id, text FROM notes;\n" + INSTEAD,
    ),
    (
        "old table renamed first",
        FAMILY,
        (
            "ALTER TABLE trips RENAME TO trips_old;\n"
            "CREATE TABLE trips (id INTEGER PRIMARY KEY, name TEXT, code TEXT UNIQUE);\n"
            "INSERT INTO trips SELECT * FROM trips_old;\n"
        ),
    ),
    (
        "cascade",
        FAMILY
        + "CREATE TABLE receipts (id INTEGER PRIMARY KEY,\n"
        + "    cost_id INTEGER REFERENCES costs (id) ON DELETE CASCADE);\n",
        f"-- bb: foreign_keys on\n-- bb: deletes costs\n{TRIPS_AGAIN}",
    ),
    ("cascade", FAMILY, f"-- bb: no_transaction\nPRAGMA foreign_keys = ON;\n{TRIPS_AGAIN}"),
    (
        "copied by position",
        NOTES,
        (
            "ALTER TABLE notes ADD COLUMN mood TEXT;\n"
            "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, text TEXT, mood TEXT, cents TEXT);\n"
            f"INSERT INTO notes_new SELECT * FROM notes;\n{INSTEAD}"
        ),
    ),
    (
        "where",
        NOTES,
        f"{NEW_NOTES}INSERT INTO notes_new SELECT * FROM notes WHERE text IS NOT NULL\n"
        "UNION ALL SELECT * FROM notes WHERE text IS NULL AND cents > 1000;\n" + INSTEAD,
    ),
    (
        "replace",
        NOTES,
        "REPLACE INTO notes (id, text) SELECT id, text FROM notes;\n",
    ),
    (
        "trigger",
        WITH_TRIGGER.format("DELETE", "INSERT INTO notes (text) VALUES (OLD.text)"),
        "-- bb: deletes notes\nDELETE FROM notes WHERE cents < 5000;\n",
    ),
    (
        "trigger",
        WITH_TRIGGER.format("INSERT", "DELETE FROM notes WHERE NEW.text = 'tidy'"),
        "-- bb: inserts notes\nREPLACE INTO notes (text) VALUES ('tidy');\n",
    ),
    (
        "replaced by an old copy",
        NOTES,
        both(
            "CREATE TABLE kept AS SELECT * FROM notes;\nDROP TABLE kept;\n"
            + NEW_NOTES.replace("notes_new", "kept")
            + "INSERT INTO kept SELECT * FROM notes;\n",
            "DROP TABLE notes;\nALTER TABLE kept RENAME TO notes;",
        ),
    ),
]


def findings_of(folder: Path, *files: str, runs_as: str = "") -> list[Finding]:
    """Return all that the checks find in the last of some migrations, by the rules of a tool."""
    for number, text in enumerate(files, 1):
        name = f"00{number}_step.{'py' if text.startswith('def ') else 'sql'}"
        (folder / name).write_text(text)
    catalogue = read_catalogue(folder)
    literals = tuple(pair for m in catalogue.migrations for pair in m.literals)
    environment = RunEnvironment(profile=PROFILES.get(runs_as, UNDECIDED))
    chain = Chain(catalogue, Recipe(rows=40, literals=literals), environment)
    evidence = chain.evidence(len(files) - 1)
    return [finding for check in CHECKS for finding in judge(check, evidence).findings]


@pytest.mark.parametrize(("name", "cause"), CAUSE_OF_CASE)
def test_a_failure_says_why_in_sqlite(name: str, cause: str) -> None:
    (failed,) = (v for v in judge_case(read_case(CASES / name)) if v.outcome is Outcome.FAILED)

    assert cause in {finding.cause for finding in failed.findings}
    assert REASONS[cause].splitlines()[0] in describe_failure(failed, "pytest")


def test_every_cause_has_its_reason_a_case_and_a_near_miss() -> None:
    assert set(REASONS) == KNOWN
    assert {cause for _, cause in CAUSE_OF_CASE} == KNOWN
    assert {cause for cause, _, _ in NOT_FOR_THAT} == KNOWN


@pytest.mark.parametrize(("cause", "before", "step"), NOT_FOR_THAT)
def test_a_cause_is_not_given_for_what_only_looks_like_it(
    tmp_path: Path, cause: str, before: str, step: str
) -> None:
    found = findings_of(tmp_path, before, step)

    assert found
    assert cause not in {finding.cause for finding in found}


COSTS_AGAIN = (
    "CREATE TABLE costs_new (id INTEGER PRIMARY KEY, cents INTEGER,\n"
    "    trip_id INTEGER REFERENCES trips (id) ON DELETE CASCADE ON UPDATE CASCADE);\n"
    "INSERT INTO costs_new SELECT * FROM costs WHERE cents > 0;\n"
    "DROP TABLE costs;\nALTER TABLE costs_new RENAME TO costs;\n"
)


def test_keys_that_a_pragma_has_turned_off_by_then_are_not_the_cause(tmp_path: Path) -> None:
    step = f"PRAGMA foreign_keys = OFF;\n{TRIPS_AGAIN}{COSTS_AGAIN}PRAGMA foreign_keys = ON;\n"

    (found,) = findings_of(tmp_path, FAMILY, step, runs_as="prisma")

    assert (found.kind, found.table, found.cause) == ("rows lost", "costs", "where")


def test_keys_that_the_tool_has_on_anyway_are_not_put_down_to_the_contract(tmp_path: Path) -> None:
    step = f"-- bb: foreign_keys on\n{TRIPS_AGAIN}"

    (found,) = findings_of(tmp_path, FAMILY, step, runs_as="d1")

    assert found.cause == "cascade under d1"


NEW_IDS = TRIPS_AGAIN.replace("trips_new SELECT *", "trips_new (name, code) SELECT name, code")


@pytest.mark.parametrize("declared", ["", "-- bb: changes trips.id\n"])
def test_references_to_rows_that_a_rebuild_gave_other_ids_are_put_down_to_that(
    tmp_path: Path, declared: str
) -> None:
    found = findings_of(tmp_path, FAMILY, f"{declared}{NEW_IDS}")

    of_costs = [(each.kind, each.cause) for each in found if each.table == "costs"]

    assert of_costs == [("dangling reference", "renumbered")]


def test_references_to_rows_that_a_rebuild_left_under_their_ids_are_not(tmp_path: Path) -> None:
    found = findings_of(tmp_path, FAMILY, TRIPS_AGAIN.replace("FROM trips", "FROM trips LIMIT 9"))

    of_costs = [(each.kind, each.cause) for each in found if each.table == "costs"]

    assert of_costs == [("dangling reference", "")]


@pytest.mark.parametrize(("cause", "before", "step"), ALSO_FOR_THAT)
def test_a_cause_is_known_by_more_than_one_road(
    tmp_path: Path, cause: str, before: str, step: str
) -> None:
    assert cause in {finding.cause for finding in findings_of(tmp_path, before, step)}


@pytest.mark.parametrize(
    "name",
    [
        "check_that_data_breaks",
        "not_null_that_data_breaks",
        "rolled_back_by_itself",
        "strict_table_refuses_text",
        "unique_index_over_duplicates",
    ],
)
def test_the_line_that_is_offered_for_a_constraint_makes_room_for_it(
    tmp_path: Path, name: str
) -> None:
    case = read_case(CASES / "up_applies" / name)
    before, step = read_catalogue(case.folder / "migrations").migrations
    (offered,) = (
        finding.allow
        for verdict in judge_case(case)
        if verdict.check == "up_applies"
        for finding in verdict.findings
    )
    (tmp_path / before.path.name).write_bytes(before.path.read_bytes())
    (tmp_path / step.path.name).write_text(f"{offered}\n{step.path.read_text()}")
    chain = Chain(read_catalogue(tmp_path), Recipe(rows=case.rows), RunEnvironment())
    run = chain.evidence(1).up

    assert run.failure is None
    assert chain.evidence(1).state.row_counts


UNIQUE_TEXT = NEW_NOTES.replace("text TEXT", "text TEXT UNIQUE")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            (
                "CREATE TABLE notes_new (id INTEGER PRIMARY KEY, body TEXT,\n"
                "    CONSTRAINT filled CHECK (length(body) > 3));\n"
                "INSERT INTO notes_new (id, body) SELECT id, text FROM notes;\n"
            ),
            "-- bb: requires notes: length(text) > 3",
        ),
        (
            "ALTER TABLE notes RENAME TO notes_old;\n"
            + UNIQUE_TEXT.replace("notes_new", "notes")
            + "INSERT INTO notes SELECT * FROM notes_old;\n",
            "-- bb: requires unique notes(text)",
        ),
        (
            NEW_NOTES.replace("text TEXT", "text TEXT NOT NULL")
            + "INSERT INTO notes_new SELECT id, text, cents FROM notes WHERE cents > 0;\n",
            "-- bb: requires notes: text IS NOT NULL",
        ),
        (
            NEW_NOTES.replace("text TEXT", "text TEXT CHECK (length(text) > 3)")
            + "INSERT INTO notes_new SELECT id, trim(text), cents FROM notes;\n",
            "",
        ),
        (
            UNIQUE_TEXT + "INSERT INTO notes_new SELECT id, lower(text), 1 FROM notes;\n",
            (
                "-- bb: requires notes: NOT EXISTS (SELECT 1 FROM notes AS o WHERE o.id < notes.id"
                " AND lower(o.text) = lower(notes.text))"
            ),
        ),
        (
            UNIQUE_TEXT.replace("UNIQUE", "COLLATE NOCASE UNIQUE")
            + "INSERT INTO notes_new SELECT * FROM notes;\n",
            "",
        ),
        (UNIQUE_TEXT + "INSERT INTO notes_new SELECT n.* FROM notes AS n, notes AS m;\n", ""),
        (
            "CREATE UNIQUE INDEX i ON notes (lower(text));\n",
            (
                "-- bb: requires notes: NOT EXISTS (SELECT 1 FROM notes AS o WHERE o.id < notes.id"
                " AND lower(o.text) = lower(notes.text))"
            ),
        ),
        ("INSERT INTO notes SELECT * FROM notes;\n", ""),
        ("UPDATE notes SET id = 1;\n", ""),
        (NEW_NOTES + "INSERT INTO notes_new SELECT id, nothing(text), 1 FROM notes;\n", ""),
        (NEW_NOTES + "INSERT INTO notes_new SELECT text, text, 1 FROM notes;\n", ""),
        (
            NEW_NOTES.replace("text TEXT", "text TEXT DEFAULT 'x' CHECK (text <> 'never')")
            + "CREATE TABLE log (text TEXT CHECK (length(text) > 30));\n"
            "CREATE TRIGGER logged AFTER INSERT ON notes_new\n"
            "BEGIN\n    INSERT INTO log VALUES (NEW.text);\nEND;\n"
            "INSERT INTO notes_new SELECT * FROM notes;\n",
            "",
        ),
    ],
)
def test_room_is_offered_for_constraints_on_columns_that_were_there(
    tmp_path: Path, step: str, line: str
) -> None:
    (found,) = findings_of(tmp_path, NOTES, step)

    assert found.allow == line


def test_what_a_trigger_did_is_told_at_the_statement_that_it_fired_for(tmp_path: Path) -> None:
    logged = "CREATE TABLE logs (id INTEGER PRIMARY KEY, said TEXT);\n" + WITH_TRIGGER.format(
        "UPDATE OF cents", "INSERT INTO logs (said) VALUES (NEW.text)"
    )
    up = "UPDATE notes SET text = 'x';\n\nUPDATE notes SET cents = 0;\n"

    found = {finding.table: finding for finding in findings_of(tmp_path, logged, up)[::-1]}

    told = found["logs"]
    assert (told.kind, told.cause, told.line) == ("rows added", "trigger", 3)


LIKE_NONE = "UPDATE notes SET text = 'x' WHERE cents < 0 AND cents > 0;\n"


@pytest.mark.parametrize(
    ("before", "step", "line"),
    [
        (NOTES, f"{LIKE_NONE}UPDATE notes SET text = upper(text);\n", 2),
        (TO_NOTES, OTHER_KEYS, 4),
        (FAMILY, f"-- bb: foreign_keys on\nDELETE FROM trips WHERE id < 0;\n{TRIPS_AGAIN}", 5),
    ],
)
def test_what_is_found_stands_at_the_statement_that_did_it(
    tmp_path: Path, before: str, step: str, line: int
) -> None:
    (first, *_) = findings_of(tmp_path, before, step)

    assert first.line == line


@pytest.mark.parametrize(
    ("again", "cause", "line"),
    [
        ("", "not recreated by down", 8),
        ("CREATE INDEX i ON notes (text);", "left out of rebuild", 10),
    ],
)
def test_an_index_that_up_took_away_is_not_lost_by_what_down_drops(
    tmp_path: Path, again: str, cause: str, line: int
) -> None:
    rebuild = copied("id, text, cents FROM notes").replace("\nSELECT", " SELECT")
    step = both(f"{rebuild}{again}", rebuild)

    found = findings_of(tmp_path, NOTES + "CREATE INDEX i ON notes (text);\n", step)

    told = [f for f in found if f.kind == "index lost" and f.step == "down"]
    assert [(each.cause, each.line) for each in told] == [(cause, line)]
