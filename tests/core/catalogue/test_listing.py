"""The order that stands elsewhere: in the file of bb_order, or in drizzle's journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.catalogue import ReadingRules
from pytest_bbmigrate.runner import RunEnvironment
from pytest_bbmigrate.runner.profiles import PROFILES
from pytest_bbmigrate.sandbox.run_part import run_part
from tests.core.cataloguing import complaints, migration, migrations, sql

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = dict.fromkeys(("version_1.sql", "version_2.sql", "version_10.up.sql"), "SELECT 1")


def listed(folder: Path, *lines: str) -> ReadingRules:
    return ReadingRules(order_file=folder / "order.txt", order=lines)


def journal(*tags: str) -> str:
    entries = [{"idx": at, "when": at, "tag": tag} for at, tag in enumerate(tags)]
    return json.dumps({"version": "7", "dialect": "sqlite", "entries": entries})


def test_a_file_lists_the_migrations_in_their_order(tmp_path: Path) -> None:
    rules = listed(tmp_path, "# oldest first", "version_1.sql", "", " version_2 ", "version_10")

    found = migrations(tmp_path, PLAIN, rules)

    assert [each.name for each in found] == ["version_1", "version_2", "version_10"]


def test_a_listed_order_is_above_numbers_also_where_two_have_one(tmp_path: Path) -> None:
    files = dict.fromkeys(("0001_a.sql", "0001_b.sql", "0002_c.sql"), "SELECT 1")

    found = migrations(tmp_path, files, listed(tmp_path, "0002_c", "0001_b", "0001_a"))

    assert [each.name for each in found] == ["0002_c", "0001_b", "0001_a"]


def test_a_list_that_lacks_a_file_or_has_one_too_much_is_refused(tmp_path: Path) -> None:
    rules = listed(tmp_path, "version_1", "version_3", "version_1.sql", "version_10")

    assert complaints(tmp_path, PLAIN, rules) == [
        (
            "order.txt:2: it lists 'version_3', and no migration is called so; put its file back, "
            "or take it out of the list (of what it does not list, the nearest is 'version_2')"
        ),
        "order.txt:3: it lists 'version_1.sql' a second time; leave one of them out",
        (
            "version_2.sql: order.txt, which lists the migrations in their order, has not this "
            "one; add it there, or pass it over with bb_ignore"
        ),
    ]


def test_drizzles_journal_is_the_order(tmp_path: Path) -> None:
    files = {
        "0001_b.sql": "SELECT 1",
        "0000_a.sql": "SELECT 1",
        "meta/_journal.json": journal("0001_b", "0000_a"),
        "meta/0000_snapshot.json": "{}",
    }

    assert [each.name for each in migrations(tmp_path, files)] == ["0001_b", "0000_a"]


def test_a_journal_and_the_files_must_agree(tmp_path: Path) -> None:
    files = {
        "0000_a.sql": "SELECT 1",
        "0001_b.sql": "SELECT 1",
        "meta/_journal.json": journal("0000_a", "0002_c"),
    }

    assert complaints(tmp_path, files) == [
        (
            "0001_b.sql: _journal.json, which lists the migrations in their order, has not this "
            "one; add it there, or pass it over with bb_ignore"
        ),
        (
            "meta/_journal.json: it lists '0002_c', and no migration is called so; put its file "
            "back, or take it out of the list (of what it does not list, the nearest is '0001_b')"
        ),
    ]


def test_a_number_that_list_and_folder_have_under_two_names_is_one_problem(tmp_path: Path) -> None:
    files = {
        "0000_a.sql": "SELECT 1",
        "0001_b.sql": "SELECT 1",
        "meta/_journal.json": journal("0000_a", "0001_c"),
    }

    assert complaints(tmp_path, files) == [
        (
            "meta/_journal.json: it lists '0001_c', and no migration is called so, but not "
            "0001_b.sql, which has that number; have both say the same name"
        )
    ]


def test_a_listed_file_that_is_gone_is_to_be_put_back(tmp_path: Path) -> None:
    files = {"0000_a.sql": "SELECT 1", "meta/_journal.json": journal("0000_a", "0001_c")}

    assert complaints(tmp_path, files) == [
        (
            "meta/_journal.json: it lists '0001_c', and no migration is called so; put its file "
            "back, or take it out of the list"
        )
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"entries": 1}', '{"entries": [{}]}', '{"entries": [{"tag": 1}]}']
)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: str) -> None:
    (found,) = complaints(tmp_path, {"0000_a.sql": "SELECT 1", "meta/_journal.json": text})

    assert found.startswith("meta/_journal.json: this is not drizzle's journal")


def test_a_list_of_the_settings_is_above_the_journal(tmp_path: Path) -> None:
    files = {"b.sql": "SELECT 1", "a.sql": "SELECT 1", "meta/_journal.json": journal("a", "b")}

    found = migrations(tmp_path, files, listed(tmp_path, "b", "a"))

    assert [each.name for each in found] == ["b", "a"]


def test_drizzle_ends_statements_at_its_breakpoints(tmp_path: Path) -> None:
    text = (
        "CREATE TABLE a (id)--> statement-breakpoint\n"
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\nEND;--> statement-breakpoint\n"
        "ALTER TABLE a ADD b -- why\n--> statement-breakpoint\n\nALTER TABLE a ADD c;"
    )

    (parsed,) = migrations(tmp_path, {"0000_a.sql": text, "meta/_journal.json": journal("0000_a")})

    assert sql(parsed.up) == [
        (1, "CREATE TABLE a (id)"),
        (2, "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\nEND"),
        (5, "ALTER TABLE a ADD b"),
        (8, "ALTER TABLE a ADD c"),
    ]


def test_a_breakpoint_within_a_string_is_text(tmp_path: Path) -> None:
    text = "INSERT INTO a VALUES ('one\n--> statement-breakpoint\ntwo');\nSELECT 1;"

    (parsed,) = migrations(tmp_path, {"0000_a.sql": text})

    assert sql(parsed.up)[0] == (1, "INSERT INTO a VALUES ('one\n--> statement-breakpoint\ntwo')")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("SELECT 1;", None),
        ("SELECT 1;\n--> statement-breakpoint\nSELECT 2;", None),
        ("SELECT 1;--> statement-breakpoint\nSELECT 2;\n-- why\nSELECT 3; SELECT 4", 4),
        ("SELECT 1;\nSELECT 2;", 2),
        ("-- put your code below", 1),
        ("SELECT 1;\n--> statement-breakpoint\n", 2),
    ],
)
def test_what_is_not_one_statement_between_two_breakpoints_fails_under_drizzle(
    tmp_path: Path, text: str, line: int | None
) -> None:
    only = migration(tmp_path, {"0000_a.sql": text})

    run, _ = run_part(only, only.up, b"", RunEnvironment(profile=PROFILES["drizzle"]))
    elsewhere, _ = run_part(only, only.up, b"", RunEnvironment(profile=PROFILES["sqlx"]))

    assert (run.failure.line if run.failure else None) == line
    assert elsewhere.succeeded
