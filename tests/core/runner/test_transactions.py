"""What a file says of its own transaction."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_bbmigrate.runner.transactions import Transactions, read_transactions
from pytest_bbmigrate.sql import split_statements


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("", Transactions((), None, frozenset())),
        ("PRAGMA foreign_keys", Transactions((), None, frozenset())),
        ("PRAGMA user_version = 1", Transactions((), None, frozenset())),
        (
            "PRAGMA foreign_keys = off; SELECT 1",
            Transactions((), foreign_keys=False, switches=frozenset({0})),
        ),
        ("SELECT 1; PRAGMA foreign_keys = on", Transactions((), None, frozenset({1}))),
        ("PRAGMA foreign_keys = 2", Transactions((), foreign_keys=True, switches=frozenset({0}))),
        ("BEGIN; SELECT 1; COMMIT", Transactions((0, 2), None, frozenset())),
        ("BEGIN; SELECT 1; END; BEGIN; COMMIT", Transactions((0, 2, 3, 4), None, frozenset())),
        ("BEGIN; COMMIT; SELECT 1; BEGIN; COMMIT", Transactions((), None, frozenset())),
        ("BEGIN; BEGIN; COMMIT; COMMIT", Transactions((), None, frozenset())),
        ("SELECT 1; BEGIN; COMMIT", Transactions((), None, frozenset())),
        ("BEGIN; COMMIT; SELECT 1", Transactions((), None, frozenset())),
        ("COMMIT; BEGIN", Transactions((), None, frozenset(), inverted=(0, 1))),
        (
            "COMMIT; PRAGMA foreign_keys = 0; BEGIN; SELECT 1; END; PRAGMA foreign_keys = 1; BEGIN",
            Transactions((), None, frozenset({1, 5}), inverted=(0, 2, 4, 6), between=False),
        ),
        ("COMMIT; SELECT 1; BEGIN", Transactions((), None, frozenset())),
        ("COMMIT; BEGIN; SELECT 1", Transactions((), None, frozenset())),
        ("SELECT 1; COMMIT; BEGIN", Transactions((), None, frozenset())),
        ("COMMIT; BEGIN; ROLLBACK; BEGIN", Transactions((), None, frozenset())),
        ("BEGIN; ROLLBACK", Transactions((), None, frozenset())),
    ],
)
def test_transactions_are_read_from_the_statements(sql: str, expected: Transactions) -> None:
    found = read_transactions(split_statements(sql))

    assert replace(found, control=frozenset()) == expected


def test_all_that_begins_or_ends_a_transaction_is_found_and_no_savepoint_is_that() -> None:
    sql = "SAVEPOINT a; COMMIT; PRAGMA foreign_keys = OFF; BEGIN; ROLLBACK TO a; SELECT 1"

    assert read_transactions(split_statements(sql)).control == {1, 3}
