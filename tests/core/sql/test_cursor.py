"""Clauses are read from left to right, and what stands in parentheses in one step."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.sql import tokenize
from pytest_bbmigrate.sql.cursor import split_at_and


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("a > 1", ["a > 1"]),
        ("a > 1 AND b IS NULL", ["a > 1", "b IS NULL"]),
        ("a BETWEEN 1 AND 2 and b", ["a BETWEEN 1 AND 2", "b"]),
        ("(a AND b) AND c", ["( a AND b )", "c"]),
        ("a AND b OR c", ["a AND b OR c"]),
        ("CASE WHEN a AND b THEN 1 END AND c", ["CASE WHEN a AND b THEN 1 END AND c"]),
    ],
)
def test_conditions_that_must_all_hold_are_told_apart(condition: str, parts: list[str]) -> None:
    found = split_at_and(tokenize(condition))

    assert [" ".join(token.text for token in part) for part in found] == parts
