"""What columns mean, what constraints let through, and values that differ."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pytest_bbmigrate.seeding.model import exact_key, storable
from pytest_bbmigrate.seeding.values.accepted import ColumnProbe, accepted_values, evaluate
from pytest_bbmigrate.seeding.values.expressions import columns_mentioned, literals_in, texts_for
from pytest_bbmigrate.seeding.values.meaning import Family, length_limit, read_family, read_meaning
from pytest_bbmigrate.seeding.values.pools import ColumnProfile, Pool, build_pool, mix_values
from pytest_bbmigrate.seeding.values.unique import SPARE, unique_values
from pytest_bbmigrate.seeding.values.vocabulary import realistic
from pytest_bbmigrate.sql import folded

if TYPE_CHECKING:
    from pytest_bbmigrate.sql.values import Cell


@pytest.mark.parametrize(
    ("table", "column", "declared", "meaning"),
    [
        ("transactions", "bb_category", "TEXT", "category"),
        ("transactions", "merchant_name", "TEXT", "merchant"),
        ("transactions", "amount", "DECIMAL(10, 2)", "money"),
        ("transactions", "amount_cents", "INTEGER", "cents"),
        ("transactions", "tripTag", "TEXT", "trip"),
        ("transactions", "transaction date", "TEXT", "date"),
        ("transactions", "deletedAt", "TEXT", "timestamp"),
        ("transactions", "is_pending", "INTEGER", "flag"),
        ("transactions", "pending_amount", "REAL", "money"),
        ("transactions", "type", "TEXT", "kind"),
        ("transactions", "external_id", "TEXT", "id"),
        ("accounts", "type", "TEXT", "account_type"),
        ("accounts", "name", "TEXT", "account_name"),
        ("accounts", "mask", "TEXT", "mask"),
        ("accounts", "iso_currency_code", "TEXT", "currency"),
        ("institutions", "name", "TEXT", "institution"),
        ("categories", "Name", "TEXT", "category"),
        ("users", "name", "TEXT", "person"),
        ("users", "e_mail", "TEXT", "email"),
        ("users", "phone", "TEXT", "phone"),
        ("users", "favourite_colour", "TEXT", "color"),
        ("sinking_funds", "name", "TEXT", "fund"),
        ("chat_goals", "title", "TEXT", "goal"),
        ("chat_goals", "status", "TEXT", "status"),
        ("books", "title", "TEXT", "title"),
        ("books", "name", "TEXT", "label"),
        ("subscription_patterns", "name", "TEXT", "bill"),
        ("subscription_patterns", "frequency", "TEXT", "frequency"),
        ("weekly_reflections", "week_start_date", "TEXT", "week_start"),
        ("weekly_reflections", "week_end_date", "DATE", "week_end"),
        ("weekly_reflections", "spending_summary", "TEXT", "review"),
        ("weekly_summaries", "transaction_count", "INTEGER", "count"),
        ("monthly_income", "month", "TEXT", "month"),
        ("monthly_income", "month", "DATE", "month_start"),
        ("monthly_income", "week_start", "DATE", "week_start"),
        ("t", "x", "DATETIME", "timestamp"),
        ("t", "x", "TIMESTAMP WITH TIME ZONE", "timestamp"),
        ("t", "month", "DATETIME", "timestamp"),
        ("t", "x", "TIME", "time"),
        ("t", "x", "BOOLEAN", "flag"),
        ("t", "x", "JSONB", "json"),
        ("t", "x", "UUID", "uuid"),
        ("t", "Größe", "TEXT", "label"),
    ],
)
def test_a_column_is_understood_by_type_and_name(
    table: str, column: str, declared: str, meaning: str
) -> None:
    assert meaning == read_meaning(table, column, declared)


@pytest.mark.parametrize(
    ("declared", "affinity", "family"),
    [
        ("", "BLOB", Family.ANY),
        ("ANY", "NUMERIC", Family.ANY),
        ("BLOB", "BLOB", Family.BLOB),
        ("BOOLEAN", "NUMERIC", Family.INTEGER),
        ("DATE", "NUMERIC", Family.TEXT),
        ("STRING", "NUMERIC", Family.TEXT),
        ("JSON", "NUMERIC", Family.TEXT),
        ("DECIMAL(10, 2)", "NUMERIC", Family.REAL),
        ("REAL", "REAL", Family.REAL),
        ("BIGINT", "INTEGER", Family.INTEGER),
        ("VARCHAR(9)", "TEXT", Family.TEXT),
    ],
)
def test_a_declared_type_asks_for_storage_classes(
    declared: str, affinity: str, family: Family
) -> None:
    assert family is read_family(declared, affinity)


@pytest.mark.parametrize(
    ("declared", "limit"),
    [("VARCHAR(50)", 50), ("NATIVE CHARACTER( 7 )", 7), ("TEXT", None), ("DECIMAL(10, 2)", None)],
)
def test_a_declared_length_is_known(declared: str, limit: int | None) -> None:
    assert limit == length_limit(declared)


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("meaning", ["category", "money", "date", "month", "flag", "id", "json"])
def test_there_are_realistic_values_for_everything(family: Family, meaning: str) -> None:
    values = realistic(5, family, meaning)

    assert values
    assert None not in values
    assert values is realistic(5, family, meaning)


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("a > 0 AND B < a", {"a", "b"}),
        ("date(a) = date", {"a", "date"}),
        ("length(c) > 0", set()),
        ("\"b\" IN ('a')", {"b"}),
        ("1", set()),
        ("", set()),
    ],
)
def test_columns_of_an_expression_are_found(expression: str, columns: set[str]) -> None:
    assert columns == columns_mentioned(folded(expression), {"a", "b", "date"})


@pytest.mark.parametrize(
    ("expression", "numbers", "values"),
    [
        ("a IN ('x', 'it''s', 3)", True, ["x", "it's", 3, 4, 2]),
        ("a IN ('x', 3)", False, ["x"]),
        ("a BETWEEN -1.5 AND 1e2", True, [-1.5, -0.5, -2.5, 100.0, 101.0, 99.0]),
        ("a LIKE 'x%' OR a GLOB '[a]'", True, []),
        ("typeof(a) = 'text'", True, []),
    ],
)
def test_literals_of_an_expression_are_found(
    expression: str, *, numbers: bool, values: list[object]
) -> None:
    assert values == literals_in(folded(expression), numbers=numbers)


@pytest.mark.parametrize(
    "expression",
    [
        "a GLOB '[0-9][0-9]-[A-Cx]?*'",
        "a GLOB '[^0-9][^a-z]'",
        "a LIKE '%@_%.org'",
        "length(a) = 3",
        "length(a) < 4 AND length(a) > 2",
    ],
)
def test_texts_are_made_that_patterns_and_lengths_ask_for(expression: str) -> None:
    texts = [*texts_for(folded(expression), random.Random(1))]
    probe = ColumnProbe("a", "TEXT", "TEXT", "BINARY", strict=False, checks=(expression,))

    assert accepted_values(probe, [texts])[0]


def test_no_texts_are_made_for_very_long_lengths() -> None:
    assert [*texts_for(folded("length(a) > 4000"), random.Random(1))] == []


@pytest.mark.parametrize(
    ("declared", "strict", "values", "stored"),
    [
        ("INTEGER", False, ["1", 1.0, "x", 2, 2], (1, "x", 2)),
        ("INTEGER", True, ["1", 1.5, "x", 2], (1, 2)),
        ("TEXT", False, [1, "1", 1.0], ("1", "1.0")),
        ("", False, [1, 1.0, "1", -0.0, 0.0], (1, 1.0, "1", -0.0, 0.0)),
        ("", False, [2**64, float("nan"), "\ud800"], ()),
    ],
)
def test_values_come_back_as_they_are_stored(
    declared: str, *, strict: bool, values: list[int | float | str], stored: tuple[object, ...]
) -> None:
    probe = ColumnProbe("a", declared, "BLOB", "BINARY", strict=strict)

    assert [repr(stored)] == [repr(found) for found in accepted_values(probe, [values])]


def test_a_check_that_does_not_compile_alone_lets_all_through() -> None:
    probe = ColumnProbe(
        "a", "TEXT", "TEXT", "app", strict=False, checks=("unknown(a)", "a <> 'x' -- so it is")
    )

    assert accepted_values(probe, [["x", "y"], ["z"]]) == [("y",), ("z",)]


def test_a_check_that_fails_to_run_refuses_the_value() -> None:
    probe = ColumnProbe(
        "a", "TEXT", "TEXT", "BINARY", strict=False, checks=("json_extract(a, '$')",)
    )

    assert accepted_values(probe, [["{", "1"]]) == [("1",)]


def test_constants_are_evaluated() -> None:
    assert evaluate(["-1.5", "'it''s'"]) == (-1.5, "it's")


@pytest.mark.parametrize(
    ("value", "stores"),
    [
        ("é", True),
        ("\udc80", False),
        (2**63 - 1, True),
        (2**63, False),
        (float("nan"), False),
        (float("inf"), True),
        (None, True),
        (b"\xff", True),
    ],
)
def test_what_sqlite_cannot_store_is_known(value: Cell, *, stores: bool) -> None:
    assert stores is storable(value)


def test_no_two_values_that_differ_share_a_key() -> None:
    assert len({exact_key(value) for value in (1, 1.0, "1", b"1", None, 0.0, -0.0)}) == 7


def unique_column(
    family: Family, meaning: str, *, collation: str = "BINARY", **other: object
) -> ColumnProfile:
    """Return the profile of a column that is unique by itself."""
    declared = {Family.ANY: "", Family.REAL: "REAL"}.get(family, family.value.upper())
    checks = tuple(str(check) for check in (other.pop("check", None),) if check)
    probe = ColumnProbe("a", declared, "BLOB", collation, strict=False, checks=checks)
    tokens = tuple(folded(check) for check in checks)
    return ColumnProfile(probe, family, meaning, 1, distinct=True, check_tokens=tokens, **other)  # type: ignore[arg-type] # whatever field a case is about


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(
    "meaning", ["uuid", "email", "date", "week_end", "timestamp", "money", "note", "json", "flag"]
)
def test_unique_values_do_not_run_out(family: Family, meaning: str) -> None:
    values = unique_values(unique_column(family, meaning), 300, [], random.Random(1))
    given = [value for value in values if value is not None]

    assert 299 <= len(values) <= 300 + SPARE + 1
    assert len(set(given)) == len(given)


@pytest.mark.parametrize(
    ("collation", "fold"), [("NOCASE", str.lower), ("RTRIM", lambda text: text.rstrip(" "))]
)
def test_unique_values_differ_by_their_collation(collation: str, fold: object) -> None:
    column = unique_column(Family.TEXT, "category", collation=collation)
    values = unique_values(column, 100, ["GROCERIES", "Pets  "], random.Random(1))
    folded_values = [fold(str(value)) for value in values if value is not None]  # type: ignore[operator] # either is a function of text

    assert len(set(folded_values)) == len(folded_values)
    assert {"NOCASE": "groceries", "RTRIM": "Pets"}[collation] not in folded_values


def test_unique_values_keep_to_a_pattern() -> None:
    column = unique_column(Family.TEXT, "note", check="a GLOB 'x[0-9][0-9]'", nullable=False)
    values = unique_values(column, 50, [], random.Random(1))

    assert len(set(values)) > 40
    assert all(str(value)[0] == "x" for value in values)


def test_unique_values_leave_the_migrations_their_own() -> None:
    mentioned = tuple((exact_key(value), value) for value in (3, 4, 5))
    column = unique_column(Family.INTEGER, "note", literals=mentioned)
    values = unique_values(column, 400, [], random.Random(1))

    assert not {3, 4, 5} & set(values)


def test_unique_values_go_back_before_2024_when_there_are_not_enough() -> None:
    months = [
        str(value)
        for value in unique_values(unique_column(Family.TEXT, "month"), 50, [], random.Random(1))
        if value is not None
    ]

    assert {f"{year}-{month:02}" for year in (2024, 2025, 2026) for month in range(1, 13)} <= set(
        months
    )
    assert "2023-12" in months


def test_there_are_no_values_where_none_is_accepted() -> None:
    column = unique_column(Family.TEXT, "note", check="a = 'a' || random()", nullable=False)

    assert unique_values(column, 10, [], random.Random(1)) == []


def test_a_pool_falls_back_on_what_is_left() -> None:
    probe = ColumnProbe("a", "TEXT", "TEXT", "BINARY", strict=False, checks=("instr(a, char(10))",))
    pool = build_pool(ColumnProfile(probe, Family.ANY, "note", 1))

    assert pool.realistic == ("line one\nline two", "carriage\r\nreturn\ttab", None)


def test_no_values_are_spread_over_no_rows() -> None:
    assert mix_values(Pool(("a",)), 0, random.Random(1)) == []


def test_more_literals_than_rows_leave_half_of_the_rows_realistic() -> None:
    pool = Pool(("usual",), (), tuple(range(500)))
    values = mix_values(pool, 200, random.Random(1))

    assert [*range(79)] == sorted(value for value in values if isinstance(value, int))
