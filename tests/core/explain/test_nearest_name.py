"""The name that may be meant, where SQLite does not find one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from pytest_bbmigrate.explain.nearest_name import with_nearest
from pytest_bbmigrate.runner import Failure
from pytest_bbmigrate.schema import read_schema
from pytest_bbmigrate.sqlite_files import open_image
from pytest_bbmigrate.verdict import Finding
from tests.core.running import image_of

FILE = Path("002_step.sql")
BEFORE = """
    CREATE TABLE Accounts (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE transactions (id INTEGER PRIMARY KEY, account_id INTEGER);
    CREATE INDEX idx_accounts_name ON Accounts (name);
    CREATE INDEX transactions_by_account ON transactions (account_id);
    CREATE VIEW spending AS SELECT id FROM transactions;
    CREATE TRIGGER on_account AFTER INSERT ON Accounts BEGIN SELECT 1; END;
"""


def meant(
    message: str,
    *executed: str,
    cause: str = "",
    statement: str = "",
    earlier: tuple[str, ...] = (),
) -> str:
    with closing(open_image(image_of(BEFORE))) as db:
        before = read_schema(db)
    failure = Failure(FILE, 1, statement, message)
    return with_nearest(
        Finding("does not run", "up", FILE, cause=cause), failure, before, executed, earlier
    ).cause


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("no such index: index_accounts_name", "index idx_accounts_name"),
        ("no such table: account", "table Accounts"),
        ("no such table: main.transaction", "table transactions"),
        ("no such view: spendings", "view spending"),
        ("no such trigger: on_accounts", "trigger on_account"),
    ],
)
def test_what_is_there_under_a_name_like_it_is_offered(message: str, name: str) -> None:
    assert meant(message) == f"{name} is there, and may be meant"


@pytest.mark.parametrize(
    "message",
    [
        "no such index: categories_by_parent",
        "no such table: idx_accounts_nam",  # an index
        "no such column: nam",
        "UNIQUE constraint failed: accounts.name",
    ],
)
def test_what_is_not_like_it_or_of_another_kind_is_not_offered(message: str) -> None:
    assert meant(message, cause="as it was") == "as it was"


@pytest.mark.parametrize(
    ("executed", "message", "expected"),
    [
        (["DROP INDEX idx_accounts_name"], "no such index: idx_account_name", ""),
        (["DROP TABLE accounts"], "no such index: idx_account_name", ""),
        (
            ["ALTER TABLE accounts RENAME TO old", "DROP TABLE old"],
            "no such index: idx_account_name",
            "",
        ),
        (
            ["ALTER TABLE accounts RENAME TO accounts_old"],
            "no such table: account_old",
            "accounts_old",
        ),
        (["CREATE INDEX by_month ON transactions (id)"], "no such index: by_months", "by_month"),
        (
            ["CREATE INDEX by_month ON transactions (id)", "DROP TABLE transactions"],
            "no such index: by_months",
            "",
        ),
        (
            [
                "CREATE TRIGGER moved AFTER DELETE ON transactions BEGIN SELECT 1; END",
                "DROP TABLE transactions",
            ],
            "no such trigger: move",
            "",
        ),
    ],
)
def test_what_the_part_itself_has_made_and_dropped_counts(
    executed: list[str], message: str, expected: str
) -> None:
    assert expected in meant(message, *executed)
    assert bool(expected) == bool(meant(message, *executed))


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (
            "it may be gone already\nIt ran outside",
            "view spending is there, and may be meant; else it may be gone already\nIt ran outside",
        ),
        ("is it made later?", "view spending is there, and may be meant; else is it made later?"),
        ("", "view spending is there, and may be meant"),
    ],
)
def test_the_name_and_the_advice_are_one_sentence_before_a_note(cause: str, sentence: str) -> None:
    assert meant("no such view: spendings", cause=cause) == sentence


ABSENT = "no such table: new_accounts"
REBUILT = ("DROP TABLE accounts", "ALTER TABLE new_accounts RENAME TO Accounts")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DROP TABLE new_accounts", "leave the statement out, for DROP TABLE Accounts would take"),
        ("DELETE FROM new_accounts", "write Accounts"),
    ],
)
def test_of_a_table_that_up_renamed_that_alone_is_told(statement: str, expected: str) -> None:
    told = meant(ABSENT, cause="gone?\nnote", statement=statement, earlier=REBUILT)

    assert told.startswith(f"new_accounts was renamed to Accounts before: {expected}")
    assert "may be meant" not in told
    assert "gone?" not in told
    assert told.endswith("\nnote")


def test_of_one_that_was_dropped_after_it_was_renamed_nothing_of_that_is_told() -> None:
    renamed = "ALTER TABLE new_accounts RENAME TO n"

    assert meant(ABSENT, "DROP TABLE n", cause="gone?", earlier=(renamed,)).endswith("gone?")
    assert "was renamed" not in meant(ABSENT, "DROP TABLE n", earlier=(renamed,))
