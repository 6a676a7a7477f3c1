"""Flags that some libraries store as words, where the migrations say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.seeding.values.flags import flag_texts
from tests.core.checking import chain_of
from tests.core.running import rows

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, {} BOOLEAN NOT NULL{});"


def test_each_word_comes_with_its_opposite() -> None:
    assert set(flag_texts(["t", "YES", 1, "closed", None])) == {"t", "f", "YES", "NO"}


@pytest.mark.parametrize(("name", "rest"), [("closed", ""), ("is_open", " DEFAULT 1")])
def test_a_flag_that_a_migration_compares_with_a_word_holds_words(
    tmp_path: Path, name: str, rest: str
) -> None:
    step = f"-- bb: changes accounts.{name}\nUPDATE accounts SET {name} = 1 WHERE {name} = 't';"
    chain = chain_of(tmp_path, ACCOUNTS.format(name, rest), step, rows=60)
    found = set(rows(chain.evidence(1).state.image, f"SELECT {name} FROM accounts"))

    assert {"t", "f", 0, 1} <= found


def test_a_flag_holds_numbers_where_nothing_speaks_of_words(tmp_path: Path) -> None:
    step = "UPDATE accounts SET closed = 1 WHERE closed = 0;"
    chain = chain_of(tmp_path, ACCOUNTS.format("closed", ""), step, rows=60)

    assert set(rows(chain.evidence(1).state.image, "SELECT closed FROM accounts")) == {0, 1}
