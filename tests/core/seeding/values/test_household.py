"""The Faker provider of a household's money."""

from __future__ import annotations

import datetime

import pytest

from pytest_bbmigrate.seeding.values.household import BankTransaction, make_faker
from pytest_bbmigrate.seeding.values.household_words import (
    ACCOUNTS,
    CATEGORIES,
    FUNDS,
    GOALS,
    INSTITUTIONS,
    MERCHANTS,
    RECURRING,
    TRIPS,
)

MONDAY = datetime.date(2025, 3, 3)
TRANSACTIONS = [
    BankTransaction(MONDAY, "Noodle House", "Dining Out", -0.29),
    BankTransaction(MONDAY + datetime.timedelta(6), "Green Basket Market", "Groceries", -1.15),
    BankTransaction(MONDAY + datetime.timedelta(6), "Acme Payroll", "Income", 2500.1),
    BankTransaction(MONDAY + datetime.timedelta(7), "Noodle House", "Dining Out", -4.35),
    BankTransaction(MONDAY - datetime.timedelta(4), "Noodle House", "Dining Out", -8.2),
]


def test_the_same_seed_gives_the_same_household() -> None:
    one, other = make_faker(7), make_faker(7)

    assert [one.bank_transaction() for _ in range(9)] == [
        other.bank_transaction() for _ in range(9)
    ]


@pytest.mark.parametrize(
    ("method", "choices"),
    [
        ("institution", INSTITUTIONS),
        ("account_type", tuple(ACCOUNTS)),
        ("category", CATEGORIES),
        ("sinking_fund", FUNDS),
        ("goal", GOALS),
        ("trip_tag", TRIPS),
        ("recurring_bill", tuple(RECURRING.items())),
    ],
)
def test_names_are_a_households(method: str, choices: tuple[object, ...]) -> None:
    faker = make_faker(1)

    assert {getattr(faker, method)() for _ in range(300)} == set(choices)


def test_an_account_is_named_after_its_type() -> None:
    assert make_faker(1).account_name("mortgage") == "Home Mortgage"


def test_a_movement_is_of_its_category_and_sign() -> None:
    faker = make_faker(2)
    for _ in range(200):
        one = faker.bank_transaction()

        assert one.merchant in MERCHANTS[one.category]
        assert (one.amount > 0) == (one.category == "Income")
        assert round(one.amount, 2) == one.amount
        assert 2024 <= one.date.year <= 2026


def test_a_movement_can_be_of_a_given_day() -> None:
    assert make_faker(2).bank_transaction(MONDAY).date == MONDAY


def test_a_week_starts_on_monday() -> None:
    assert {0} == {make_faker(seed).week_start().weekday() for seed in range(20)}


def test_a_weekly_review_agrees_with_the_transactions() -> None:
    assert make_faker(0).weekly_review(TRANSACTIONS, MONDAY) == {
        "week_start_date": "2025-03-03",
        "week_end_date": "2025-03-09",
        "total_spent": 1.44,
        "total_income": 2500.1,
        "net_savings": 2498.66,
        "top_category": "Groceries",
        "transaction_count": 3,
        "spending_summary": "Spent $1.44, most of it on Groceries.",
    }


def test_a_monthly_review_agrees_with_the_transactions() -> None:
    review = make_faker(0).monthly_review(TRANSACTIONS, "2025-02")

    assert review == {
        "month": "2025-02",
        "total_spent": 8.2,
        "total_income": 0.0,
        "net_savings": -8.2,
        "top_category": "Dining Out",
        "transaction_count": 1,
        "spending_summary": "Spent $8.20, most of it on Dining Out.",
    }


def test_a_review_of_nothing_says_so() -> None:
    review = make_faker(0).monthly_review([], "2025-02")

    assert review["spending_summary"] == "Spent $0.00, most of it on nothing."


@pytest.mark.parametrize("method", ["price", "salary", "budget"])
def test_amounts_are_whole_cents(method: str) -> None:
    faker = make_faker(3)
    amounts = [getattr(faker, method)() for _ in range(50)]

    assert amounts == [round(amount, 2) for amount in amounts]
    assert min(amounts) > 0


def test_texts_are_somebodys() -> None:
    faker = make_faker(4)

    assert len({faker.review_text() for _ in range(30)}) > 10
    assert faker.memo()
    assert faker.month()[:3] == "202"
