"""What the collection of faults cannot show: when a check is skipped, and with which reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ScriptPart
from pytest_bbmigrate.checks.judging import judge
from pytest_bbmigrate.checks.untested_statements import idle_statements
from pytest_bbmigrate.verdict import Outcome
from tests.core.checking import CODES, NEVER_FILLED, NOTES, chain_of, judge_last

if TYPE_CHECKING:
    from pathlib import Path

THERE_AND_BACK = (
    "-- migrate:up\nALTER TABLE odd ADD COLUMN extra;\n"
    "-- migrate:down\nALTER TABLE odd DROP COLUMN extra;\n"
)
NEVER_A_KIND = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, "
    "kind TEXT CHECK (kind IS NULL OR (kind > 'b' AND kind < 'a')));"
)
OTHER = "CREATE TABLE other (id INTEGER PRIMARY KEY, note TEXT);"
NONE_MET = "WHERE code GLOB 'b*';"


@pytest.mark.parametrize(
    "check", ["data_survives", "foreign_keys_hold", "down_restores", "up_repeats"]
)
def test_each_check_that_compares_rows_needs_some(tmp_path: Path, check: str) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, THERE_AND_BACK)
    verdict = judge_last(check, chain)
    strict = judge_last(check, chain, strict=True)

    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason.startswith("no generated rows in odd: ")
    assert strict.outcome is Outcome.FAILED
    assert [(f.kind, f.table, f.column) for f in strict.findings] == [("no rows", "odd", "")]


@pytest.mark.parametrize("strict", [False, True])
def test_a_check_that_cannot_be_asked_keeps_its_own_reason(tmp_path: Path, *, strict: bool) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, "UPDATE odd SET text = 'x';")
    verdict = judge_last("down_restores", chain, strict=strict)

    assert (verdict.outcome, verdict.reason) == (Outcome.SKIPPED, "no down part")


@pytest.mark.parametrize("strict", [False, True])
def test_a_statement_that_meets_no_row_says_nothing_against_the_other_checks(
    tmp_path: Path, *, strict: bool
) -> None:
    chain = chain_of(tmp_path, CODES, f"DELETE FROM codes {NONE_MET}")

    assert judge_last("foreign_keys_hold", chain, strict=strict).outcome is Outcome.PASSED


def test_a_table_without_rows_is_told_before_a_statement_that_met_none(tmp_path: Path) -> None:
    text = f"UPDATE odd SET text = 'x'; DELETE FROM codes {NONE_MET}"
    chain = chain_of(tmp_path, NEVER_FILLED + CODES, text)
    verdict = judge_last("data_survives", chain)
    strict = judge_last("data_survives", chain, strict=True)

    assert verdict.reason.startswith("no generated rows in odd: ")
    assert [(f.kind, f.table) for f in strict.findings] == [("no rows", "odd")]


def test_a_column_that_no_value_can_be_made_for_is_named(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_A_KIND, "CREATE INDEX i ON notes (kind);")
    verdict = judge_last("foreign_keys_hold", chain)
    strict = judge_last("foreign_keys_hold", chain, strict=True)

    assert verdict.outcome is Outcome.SKIPPED
    assert verdict.reason.startswith("no generated rows in notes.kind: no value made for kind ")
    assert [(f.kind, f.table, f.column) for f in strict.findings] == [("no rows", "notes", "kind")]


def test_a_column_without_values_matters_only_to_what_names_it(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_A_KIND, "CREATE INDEX i ON notes (text);")

    assert judge_last("data_survives", chain, strict=True).outcome is Outcome.PASSED


def test_any_table_without_rows_matters_to_a_script(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED + NOTES, "CREATE INDEX i ON notes (text);")
    seen = chain.evidence(1)
    script = ScriptPart(tmp_path / "002_step.py")
    by_script = replace(
        seen,
        migration=replace(seen.migration, up=script),
        up=replace(seen.up, executed=()),  # what a script runs is not known
    )

    assert judge("data_survives", seen).outcome is Outcome.PASSED
    assert judge("data_survives", by_script).reason.startswith("no generated rows in odd: ")


@pytest.mark.parametrize(
    ("sql", "is_seen"),
    [
        (f"-- bb: changes codes.n\nUPDATE codes SET n = max(n, note) {NONE_MET}", False),
        (f"UPDATE codes SET n = (SELECT max(id) FROM other) {NONE_MET}", False),
        (
            (
                "-- bb: changes codes.n\n"
                f"UPDATE codes SET n = (SELECT max(id) FROM other), note = 'x' {NONE_MET}"
            ),
            False,
        ),
        (
            (
                "-- bb: changes codes.n\nCREATE TABLE note (id INTEGER PRIMARY KEY);\n"
                f"UPDATE codes SET n = 1 FROM other, note {NONE_MET}"
            ),
            False,
        ),
        (
            (
                "-- bb: changes codes.n\n"
                "UPDATE codes SET n = 1 WHERE code GLOB 'b*' RETURNING n, note;"
            ),
            False,
        ),
        (f"-- bb: changes other.note\nUPDATE codes SET note = 'x' {NONE_MET}", False),
        (f"-- bb: deletes other\nDELETE FROM codes {NONE_MET}", False),
        (f"-- bb: drops codes\nDELETE FROM codes {NONE_MET}; DROP TABLE codes;", True),
        (
            (
                f"-- bb: drops codes.n\nUPDATE codes SET n = 1 {NONE_MET};"
                " ALTER TABLE codes DROP COLUMN n;"
            ),
            True,
        ),
        (f"WITH b AS (SELECT 1) DELETE FROM main.codes {NONE_MET}", False),
        (f"WITH b AS (SELECT 1) UPDATE OR FAIL codes SET n = 1 {NONE_MET}", False),
        (f"WITH b AS (SELECT 1) INSERT INTO other (note) SELECT code FROM codes {NONE_MET}", True),
        (f"WITH b AS (SELECT 1) SELECT * FROM codes {NONE_MET}", True),
        ("UPDATE codes SET n = n WHERE code GLOB '*';", False),
        ("UPDATE codes SET n = (SELECT c.n FROM codes AS c WHERE c.code IS codes.code);", True),
    ],
)
def test_a_statement_is_passed_over_only_where_nothing_of_what_it_writes_stays(
    tmp_path: Path, sql: str, *, is_seen: bool
) -> None:
    verdict = judge_last("data_survives", chain_of(tmp_path, CODES + OTHER, sql))

    assert verdict.outcome is (Outcome.PASSED if is_seen else Outcome.SKIPPED)


def test_a_statement_on_an_empty_table_is_not_said_to_have_met_no_row(tmp_path: Path) -> None:
    chain = chain_of(tmp_path, NEVER_FILLED, "DELETE FROM odd; UPDATE odd SET text = 'x';")

    assert list(idle_statements(chain.evidence(1))) == []


@pytest.mark.parametrize("name", ["order", "limit", "set", "(", "where"])
def test_a_column_that_is_called_like_a_keyword_is_no_clause(tmp_path: Path, name: str) -> None:
    table = f'CREATE TABLE codes (id INTEGER PRIMARY KEY, "{name}" TEXT, code TEXT);'
    step = f"UPDATE codes SET \"{name}\" = 'x' WHERE code GLOB 'no such code *'"
    chain = chain_of(tmp_path, table, step)

    assert judge_last("data_survives", chain).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("condition", "is_seen"),
    [
        ("WHERE id > 0", False),
        ("LIMIT 1000", False),
        ("WHERE 1", True),
        ("WHERE 1 = 1", True),
        ("ORDER BY id", True),
        ("JOIN (SELECT 1 AS one) WHERE one = 1", True),
        (", (SELECT 1 AS one) LIMIT 1000", False),
    ],
)
def test_a_rebuild_that_may_leave_rows_out_and_left_out_none_was_not_seen(
    tmp_path: Path, condition: str, *, is_seen: bool
) -> None:
    rebuild = (
        "CREATE TABLE later (id INTEGER PRIMARY KEY, note TEXT);"
        f"INSERT INTO later (id, note) SELECT id, note FROM other {condition};"
        "DROP TABLE other; ALTER TABLE later RENAME TO other;"
    )
    verdict = judge_last("data_survives", chain_of(tmp_path, OTHER, rebuild))

    assert verdict.outcome is (Outcome.PASSED if is_seen else Outcome.SKIPPED)
    if not is_seen:
        said = verdict.reason.partition(" `")[0]
        assert said == "no generated row in other is left out by"
