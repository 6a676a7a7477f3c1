"""What the collection of faults does not reach: strictness, reasons, notes, remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import read_catalogue
from pytest_bbmigrate.chain import Chain
from pytest_bbmigrate.checks.judging import QUESTIONS, judge_catalogue
from pytest_bbmigrate.report import describe_failure
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.seeding.model import Recipe
from pytest_bbmigrate.verdict import CHECKS, Outcome
from tests.cases import CASES, judge_case, read_case
from tests.core.checking import CODES, NEVER_FILLED, NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path


REMEDY_OF_CASE = [
    (
        "data_survives/undeclared_update",
        "-- bb: changes transactions.bb_category where bb_category = 'Dining Out'",
    ),
    (
        "data_survives/deduplication_undeclared",
        (
            "-- bb: deletes transactions where id NOT IN (SELECT min(id) FROM transactions"
            " GROUP BY merchant, bb_category)"
        ),
    ),
    ("data_survives/update_in_a_without_rowid_table", "-- bb: changes exchange_rates.rate"),
    (
        "up_applies/name_taken_already",
        "-- bb: requires merchants: handle NOT IN ('green basket', 'aldergate')",
    ),
    ("data_survives/rows_inserted_undeclared", "-- bb: inserts categories"),
    ("data_survives/table_dropped_undeclared", "-- bb: drops monthly_reflections"),
    ("data_survives/column_dropped_undeclared", "-- bb: drops transactions.note"),
    ("data_survives/accents_composed", "# bb: changes merchants.name"),
    ("data_survives/upsert_overwrites", "-- bb: changes categories.color where id IN (1, 2, 900)"),
    (
        "data_survives/one_setting_overwritten",
        "-- bb: changes app_settings.value where name = 'theme'",
    ),
    ("schema_survives/trigger_event_changed", "-- bb: alters trigger budgets_touch"),
    ("schema_survives/sequence_lowered", "-- bb: alters sequence chat_goals"),
    ("schema_survives/index_lost_in_rebuild", "-- bb: drops index idx_sinking_funds_due"),
    ("schema_survives/trigger_lost_in_rebuild", "-- bb: drops trigger weekly_reflections_touch"),
    ("schema_survives/view_lost", "# bb: drops view v_active_accounts"),
    ("schema_survives/default_lost", "-- bb: alters accounts.balance_cents"),
    ("schema_survives/check_over_columns_lost", "-- bb: alters trips"),
    ("schema_survives/generated_column_lost", "-- bb: drops transactions.month"),
    ("foreign_keys_hold/reference_lost_in_rebuild", "-- bb: alters transactions.category_id"),
    ("up_applies/check_that_data_breaks", "-- bb: requires transactions: amount_cents < 0"),
    ("up_applies/not_null_that_data_breaks", "# bb: requires transactions: note IS NOT NULL"),
    (
        "up_applies/unique_index_over_duplicates",
        "-- bb: requires unique transactions(merchant)",
    ),
    (
        "foreign_keys_hold/reference_made_of_free_text",
        "-- bb: requires members: household_slug IN (SELECT slug FROM households)",
    ),
]


def failed_text(name: str) -> str:
    """Return the text of the one failure of a case of the collection, in one line."""
    (failed,) = (v for v in judge_case(read_case(CASES / name)) if v.outcome is Outcome.FAILED)
    return describe_failure(failed, "pytest")


def test_a_check_that_needed_rows_which_cannot_be_made_is_skipped_and_says_why(
    tmp_path: Path,
) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, "UPDATE odd SET text = 'x';")
    verdict = judge_last("data_survives", chain)

    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason.startswith("no generated rows in odd: ")


def test_a_strict_run_fails_where_rows_cannot_be_made(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, "UPDATE odd SET text = 'x';")
    verdict = judge_last("data_survives", chain, strict=True)

    assert verdict.outcome is Outcome.FAILED
    assert [(f.kind, f.table) for f in verdict.findings] == [("no rows", "odd")]
    assert "no generated rows in odd" in describe_failure(verdict, "pytest")


def test_a_table_without_rows_matters_only_to_what_works_on_it(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED + NOTES, "CREATE INDEX i ON notes (text);")

    assert judge_last("data_survives", chain, strict=True).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("sql", "is_seen"),
    [
        ("DELETE FROM codes WHERE code GLOB 'b*';", False),
        ("DELETE FROM main.codes WHERE code GLOB 'b*';", False),
        ("UPDATE codes SET note = 'x' WHERE code GLOB 'b*';", False),
        ("UPDATE OR IGNORE codes SET (n, note) = (1, 'x') WHERE code GLOB 'b*';", False),
        ("UPDATE codes SET n = max(n, 1), note = 'x' WHERE code GLOB 'b*';", False),
        ("ALTER TABLE codes RENAME TO keys; DELETE FROM keys WHERE code GLOB 'b*';", False),
        (
            "-- bb: deletes codes where code GLOB 'b*'\nDELETE FROM codes WHERE code GLOB 'b*';",
            False,
        ),
        ("-- bb: changes codes.n\nUPDATE codes SET n = note WHERE code GLOB 'b*';", False),
        ("UPDATE codes SET note = note;", True),
        ("ALTER TABLE codes ADD COLUMN d; UPDATE codes SET d = note WHERE code GLOB 'b*';", True),
        ("CREATE TABLE e (a); DELETE FROM e;", True),
        ("-- bb: deletes codes\nDELETE FROM codes; UPDATE codes SET n = 1;", False),
    ],
)
def test_a_statement_that_meets_no_generated_row_is_not_passed_over(
    tmp_path: Path, sql: str, *, is_seen: bool
) -> None:
    chain = chain_of(tmp_path, CODES, sql)
    verdict = judge_last("data_survives", chain)
    strict = judge_last("data_survives", chain, strict=True)

    assert verdict.outcome is (Outcome.PASSED if is_seen else Outcome.SKIPPED)
    assert strict.outcome is (Outcome.PASSED if is_seen else Outcome.FAILED)
    if not is_seen:
        said = "used" if "bb: changes" in sql or "where" in sql else "in codes meets"
        assert verdict.reason.startswith(f"no generated row {said} `")
        assert [(f.kind, f.table) for f in strict.findings] == [("no rows", "codes")]


def test_a_check_that_needs_no_rows_is_asked_without_any(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, "UPDATE odd SET text = 'x';")

    assert judge_last("schema_survives", chain, strict=True).outcome is Outcome.PASSED
    assert judge_last("up_applies", chain, strict=True).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("second", "check", "reason"),
    [
        ("SELECT 1;", "down_restores", "no down part"),
        ("SELECT 1;", "up_repeats", "no down part"),
        (
            "-- bb: irreversible because it is\n-- migrate:up\nSELECT 1;\n-- migrate:down\n-- no",
            "down_restores",
            "declared irreversible because it is",
        ),
        (
            "-- bb: irreversible\n-- migrate:up\nSELECT 1;\n-- migrate:down\n-- no",
            "up_repeats",
            "declared irreversible",
        ),
        ("DROP TABLE nots;", "data_survives", "up does not apply"),
        ("DROP TABLE nots;", "schema_survives", "up does not apply"),
        ("DROP TABLE nots;", "foreign_keys_hold", "up does not apply"),
        ("DROP TABLE nots;", "down_restores", "up does not apply"),
        ("DROP TABLE nots;", "up_repeats", "up does not apply"),
        (
            "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE nots;",
            "up_repeats",
            "down does not apply",
        ),
        (
            "-- migrate:up\nSELECT 1;\n-- migrate:down\nDELETE FROM notes;",
            "up_repeats",
            "down does not restore what was there before",
        ),
    ],
)
def test_what_cannot_be_asked_is_skipped_with_its_reason(
    tmp_path: Path, second: str, check: str, reason: str
) -> None:
    verdict = judge_last(check, chain_of(tmp_path, NOTES, second))

    assert (verdict.outcome, verdict.reason) == (Outcome.SKIPPED, reason)


def test_a_table_that_no_row_could_be_written_to_is_noted(tmp_path: Path) -> None:
    kinds = "CREATE TABLE kinds (name TEXT NOT NULL UNIQUE CHECK (name IN ('a', 'b')));"
    step = (
        "-- migrate:up\nALTER TABLE kinds ADD COLUMN hint TEXT;\n"
        "-- migrate:down\nALTER TABLE kinds DROP COLUMN hint;\n"
    )
    verdict = judge_last("down_restores", chain_of(tmp_path, kinds, step))

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == ("no row could be written to kinds after up: no further row fits",)


def test_what_comes_back_blank_after_a_declared_drop_is_noted(tmp_path: Path) -> None:
    chain = chain_of(
        tmp_path,
        NOTES + "CREATE TABLE moods (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
        "-- bb: drops notes.mood, moods\n"
        "-- migrate:up\nALTER TABLE notes DROP COLUMN mood; DROP TABLE moods;\n"
        "-- migrate:down\nALTER TABLE notes ADD COLUMN mood TEXT;\n"
        "CREATE TABLE moods (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
    )
    verdict = judge_last("down_restores", chain)

    assert verdict.outcome is Outcome.PASSED
    assert sorted(verdict.notes) == [
        "down creates moods again without its values",
        "down creates notes.mood again without its values",
    ]


def test_contracts_are_looked_up_as_far_as_the_migrations_apply(tmp_path: Path) -> None:
    verdict = judge_catalogue(chain_of(tmp_path, NOTES, "DROP TABLE nots;", "-- bb: drops nothing"))

    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason.startswith("contracts could be looked up only as far as 002_step: ")


def test_a_pair_of_two_names_is_noted_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "002_a.up.sql").write_text("SELECT 1")
    (tmp_path / "002_b.down.sql").write_text("SELECT 1")

    verdict = judge_catalogue(chain_of(tmp_path, NOTES))

    assert verdict.outcome is Outcome.PASSED
    assert verdict.notes == ("002_b.down.sql is the way back of 002_a.up.sql, by its number alone",)


def test_of_a_derived_column_that_there_is_not_only_that_is_told(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NOTES, "-- bb: derives notes.txt = 1\nSELECT 1;")

    assert [finding.kind for finding in judge_catalogue(chain).findings] == ["names nothing"]


def test_a_name_that_nothing_has_is_answered_with_the_names_there_are(tmp_path: Path) -> None:
    verdict = judge_catalogue(chain_of(tmp_path, NOTES, "-- bb: changes notes.txt\nSELECT 1;"))

    assert [(f.name, f.line, f.expected) for f in verdict.findings] == [
        ("notes.txt", 1, "notes.id, notes.text, notes.mood")
    ]


def test_a_verdict_counts_what_was_compared(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NOTES, "UPDATE notes SET text = text;", rows=20)
    verdict = judge_last("data_survives", chain)

    assert (verdict.outcome, verdict.rows, verdict.values) == (Outcome.PASSED, 20, 60)


def test_five_rows_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NOTES, "DELETE FROM notes;", rows=20)
    (finding,) = judge_last("data_survives", chain).findings

    assert (finding.count, finding.total, len(finding.examples)) == (20, 20, 5)


def test_a_finding_stands_at_the_statement_that_made_it(tmp_path: Path) -> None:
    text = "CREATE INDEX i ON notes (text);\n\n-- tidy\nUPDATE notes\nSET mood = 'fine';\n"
    (finding,) = judge_last("data_survives", chain_of(tmp_path, NOTES, text)).findings

    assert (finding.path.name, finding.line) == ("002_step.sql", 4)


def test_of_statements_on_one_table_a_finding_stands_at_the_one_of_its_column(
    tmp_path: Path,
) -> None:
    files = (
        "ALTER TABLE notes ADD COLUMN day TEXT;\n"
        "UPDATE notes SET day = '2026-01-01';\n"
        "UPDATE notes SET text = 'none';\n"
        "ALTER TABLE notes DROP COLUMN mood;"
    )
    findings = judge_last("data_survives", chain_of(tmp_path, NOTES, files)).findings

    assert {(f.column, f.line) for f in findings} == {("text", 3), ("mood", 4)}


def test_rows_added_stand_at_the_statement_that_writes_their_table(tmp_path: Path) -> None:
    tables = f"{NOTES} CREATE TABLE moods (notes TEXT);"
    text = "INSERT INTO moods (notes) VALUES ('a');\nINSERT INTO notes (text) VALUES ('b');\n"
    found = judge_last("data_survives", chain_of(tmp_path, tables, text)).findings

    assert {(finding.table, finding.line) for finding in found} == {("moods", 1), ("notes", 2)}


def test_a_table_that_down_does_not_put_back_is_told_with_the_rows_it_had(tmp_path: Path) -> None:
    text = "-- migrate:up\nDROP TABLE notes;\n-- migrate:down\nSELECT 1;\n"
    (finding,) = judge_last("down_restores", chain_of(tmp_path, NOTES, text)).findings

    assert (finding.kind, finding.count) == ("table lost", 20)


def test_a_copy_put_aside_is_not_taken_for_the_new_table(tmp_path: Path) -> None:
    rebuilt = (
        "CREATE TABLE notes_aside AS SELECT * FROM notes;\nDROP TABLE notes;\n"
        "CREATE TABLE notes (id INTEGER, text TEXT, mood TEXT, PRIMARY KEY (id, mood));\n"
        "INSERT INTO notes SELECT * FROM notes_aside;\nDROP TABLE notes_aside;\n"
    )
    (finding,) = judge_last("schema_survives", chain_of(tmp_path, NOTES, rebuilt)).findings

    assert (finding.kind, finding.cause) == ("primary key", "another create table")


def test_a_reference_that_was_mended_is_not_put_down_to_the_rename_that_mended_it(
    tmp_path: Path,
) -> None:
    broken = (
        "CREATE TABLE trips (id INTEGER PRIMARY KEY, title TEXT);\n"
        "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips_old (id),\n"
        "    next_id INTEGER REFERENCES trips (id));\n"
    )
    mended = (
        "ALTER TABLE costs RENAME TO costs_old;\n"
        "CREATE TABLE costs (id INTEGER PRIMARY KEY, trip_id INTEGER REFERENCES trips (id),\n"
        "    next_id INTEGER);\n"
        "INSERT INTO costs SELECT id, NULL, NULL FROM costs_old;\nDROP TABLE costs_old;\n"
    )
    (finding,) = judge_last("foreign_keys_hold", chain_of(tmp_path, broken, mended)).findings

    assert (finding.kind, finding.column) == ("foreign key lost", "next_id")
    assert finding.cause == "another create table"


@pytest.mark.parametrize(("name", "line"), REMEDY_OF_CASE)
def test_a_failure_says_which_line_would_allow_it(name: str, line: str) -> None:
    assert f"add the line:  {line}\n" in failed_text(name)


@pytest.mark.parametrize(
    "name",
    [
        "data_survives/update_wider_than_declared",
        "data_survives/delete_wider_than_declared",
        "schema_survives/view_of_a_dropped_table",
        "foreign_keys_hold/parent_deleted",
        "down_restores/index_not_put_back",
        "up_repeats/user_version_stays",
    ],
)
def test_what_no_line_can_allow_offers_none(name: str) -> None:
    assert "add the line" not in failed_text(name)


def test_rows_outside_a_declared_condition_are_told_by_that_condition() -> None:
    assert "only rows where amount_cents = 0" in failed_text(
        "data_survives/delete_wider_than_declared"
    )


def test_a_column_that_down_adds_once_more_is_said_to_be_there(tmp_path: Path) -> None:
    added = "ALTER TABLE t ADD COLUMN note TEXT;"
    chain = chain_of(
        tmp_path, "CREATE TABLE t (id);", f"-- migrate:up\n{added}\n-- migrate:down\n{added}"
    )

    (found,) = judge_last("down_restores", chain).findings

    assert found.cause.startswith("it is there when down comes to it")


def test_a_down_part_that_says_there_is_no_way_back_is_told_the_line_for_it(tmp_path: Path) -> None:
    (tmp_path / "001_step.sql").write_text(NOTES)
    (tmp_path / "002_step.py").write_text(
        "def up(db):\n    db.execute('ALTER TABLE notes ADD COLUMN tag TEXT')\n\n\n"
        "def down(db):\n    raise NotImplementedError\n"
    )
    chain = Chain(read_catalogue(tmp_path), Recipe(rows=5), RunEnvironment())
    (finding,) = judge_last("down_restores", chain).findings

    assert finding.allow == (
        "# bb: irreversible because the down part itself says that there is none"
    )
    assert finding.cause.startswith("there is no way back")


def test_the_names_of_the_checks_are_those_of_the_questions() -> None:
    assert tuple(QUESTIONS) == CHECKS


def test_names_are_told_as_they_are_declared(tmp_path: Path) -> None:
    base = 'CREATE TABLE "Label" ("rowKey" INTEGER PRIMARY KEY, "defaultKey" TEXT, "other" TEXT);'
    step = "UPDATE label SET defaultkey = NULL; ALTER TABLE label DROP COLUMN other;"
    lost, changed = judge_last("data_survives", chain_of(tmp_path, base, step)).findings

    assert changed.table == "Label"
    assert changed.column == "defaultKey"
    assert changed.allow == '-- bb: changes "Label"."defaultKey"'.replace('"', "")
    assert changed.examples[0].key[0][0] == "rowKey"
    assert changed.examples[0].before[0][0] == "defaultKey"
    assert lost.column == "other"


def test_a_view_that_up_broke_is_told_once(tmp_path: Path) -> None:
    base = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);"
    base += "CREATE VIEW v AS SELECT text FROM notes;"
    (tmp_path / "002_step.down.sql").write_text("SELECT 1;")
    step = "-- bb: drops notes.text\nDROP VIEW v; ALTER TABLE notes DROP COLUMN text;\n"
    chain = chain_of(tmp_path, base, f"{step}CREATE VIEW v AS SELECT text FROM notes;")
    kinds = {
        check: [finding.kind for finding in judge_last(check, chain).findings]
        for check in ("schema_survives", "down_restores")
    }

    assert kinds["schema_survives"] == ["view broken"]
    assert "view broken" not in kinds["down_restores"]
    assert "column lost" in kinds["down_restores"]


COPY = "INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;"


def test_columns_that_change_by_one_cause_are_one_finding_with_a_line_each(tmp_path: Path) -> None:
    declared = ", ".join(f'"c {number}" {{0}}' for number in range(10))
    before, after = declared.format("INTEGER"), declared.format("TEXT")
    base = f"CREATE TABLE t (id INTEGER PRIMARY KEY, {before});"
    step = f"CREATE TABLE n (id INTEGER PRIMARY KEY, {after}); {COPY}"
    chain = chain_of(tmp_path, base, step)
    (types,) = judge_last("schema_survives", chain).findings
    (values,) = judge_last("data_survives", chain).findings
    verdict = judge_last("schema_survives", chain)

    assert len(types.observed.splitlines()) == len(values.examples) == 10
    assert types.observed.startswith("c 0: INTEGER -> TEXT\n")
    assert types.allow.startswith('-- bb: alters t."c 0", t."c 1", ')
    assert values.allow.startswith('-- bb: changes t."c 0", t."c 1", ')
    assert describe_failure(verdict, "").startswith("column type of 10 columns of t changed\n")


def test_columns_that_change_for_unknown_reasons_are_findings_of_their_own(tmp_path: Path) -> None:
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER);"
    step = "UPDATE t SET a = a + 1, b = b + 1;"
    found = judge_last("data_survives", chain_of(tmp_path, base, step)).findings

    assert {finding.column for finding in found} == {"a", "b"}


@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("UPDATE t SET id = id + 1000 WHERE n > 0;", "changes t.id where n > 0"),
        ("UPDATE t SET c = 'x' || c WHERE c > 'm';", "changes t.c where c > 'm'"),
        ("UPDATE t SET n = 1 WHERE n > 1; UPDATE t SET n = -1 WHERE n < -1;",
         "changes t.n where (n > 1) OR (n < -1)"),
        ("DELETE FROM t AS one WHERE one.n > 0 AND EXISTS (SELECT 1 FROM t AS o WHERE o.n < one.n)",
         "deletes t where t.n > 0 AND EXISTS (SELECT 1 FROM t AS o WHERE o.n < t.n)"),
    ],
)  # fmt: skip
def test_the_line_says_where_and_holds(tmp_path: Path, step: str, line: str) -> None:
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, c TEXT UNIQUE, n INTEGER);"
    for name in ("as_found", "allowed"):
        (tmp_path / name).mkdir()

    found = judge_last("data_survives", chain_of(tmp_path / "as_found", base, step)).findings
    allowed = judge_last(
        "data_survives", chain_of(tmp_path / "allowed", base, f"-- bb: {line}\n{step}")
    )

    assert {finding.allow for finding in found} == {f"-- bb: {line}"}
    assert allowed.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    "step",
    [
        "ALTER TABLE notes RENAME COLUMN mood TO tone;\nUPDATE notes SET tone = NULL;",
        "UPDATE notes SET mood = NULL;\nALTER TABLE notes RENAME COLUMN mood TO tone;",
    ],
)
def test_a_rename_that_is_followed_is_no_line_for_values_that_are_gone(
    tmp_path: Path, step: str
) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, NOTES, step))

    (finding,) = verdict.findings
    assert finding.allow == "-- bb: changes notes.mood"
