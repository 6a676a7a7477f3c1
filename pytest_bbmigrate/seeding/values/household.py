"""A Faker provider for a household's money: banks, merchants, bills, budgets and reviews."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from faker import Faker
from faker.providers import BaseProvider

from pytest_bbmigrate.seeding.values.household_words import (
    ACCOUNTS,
    CATEGORIES,
    FIRST_DAY,
    FUNDS,
    GOALS,
    INSTITUTIONS,
    LAST_DAY,
    MERCHANTS,
    NOTES,
    RECURRING,
    TRIPS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


class BankTransaction(NamedTuple):
    """One movement on an account; ``amount`` in the currency's unit, spending is negative."""

    date: datetime.date
    merchant: str
    category: str
    amount: float


class HouseholdProvider(BaseProvider):
    """Values of a household budget; add it to a Faker with ``add_provider``."""

    def institution(self) -> str:
        """Return the name of a bank."""
        return self._one_of(INSTITUTIONS)

    def account_type(self) -> str:
        """Return a kind of account, such as 'checking'."""
        return self._one_of(tuple(ACCOUNTS))

    def account_name(self, account_type: str | None = None) -> str:
        """Return what a household calls an account (of ``account_type``)."""
        return self._one_of(ACCOUNTS[account_type or self.account_type()])

    def category(self) -> str:
        """Return a budget category."""
        return self._one_of(CATEGORIES)

    def merchant(self, category: str | None = None) -> str:
        """Return somebody who is paid, for things of ``category``."""
        return self._one_of(MERCHANTS[category or self.category()])

    def recurring_bill(self) -> tuple[str, float]:
        """Return a bill that comes every month and what it comes to."""
        return self.random_element(tuple(RECURRING.items()))

    def salary(self) -> float:
        """Return a month's pay after tax."""
        return self._cents(210_000, 480_000)

    def price(self) -> float:
        """Return an amount as it stands on a receipt: mostly small, seldom large."""
        return self._cents(89, self.random_element((1_500, 6_000, 25_000, 140_000)))

    def budget(self) -> float:
        """Return what a category may cost in a month; round, as people choose it."""
        return float(self.random_int(4, 90) * 10)

    def sinking_fund(self) -> str:
        """Return something that is saved for bit by bit."""
        return self._one_of(FUNDS)

    def goal(self) -> str:
        """Return a goal that somebody sets in a chat."""
        return self._one_of(GOALS)

    def trip_tag(self) -> str:
        """Return the tag of a journey."""
        return self._one_of(TRIPS)

    def memo(self) -> str:
        """Return a note on a transaction."""
        return self._one_of(NOTES)

    def day(self) -> datetime.date:
        """Return a day from 2024 to 2026."""
        return FIRST_DAY + datetime.timedelta(self.random_int(0, (LAST_DAY - FIRST_DAY).days))

    def month(self) -> str:
        """Return a month, as '2025-03'."""
        return self.day().isoformat()[:7]

    def week_start(self) -> datetime.date:
        """Return a Monday."""
        day = self.day()
        return day - datetime.timedelta(day.weekday())

    def bank_transaction(self, day: datetime.date | None = None) -> BankTransaction:
        """Return a movement (on ``day``) whose merchant fits its category."""
        category = self.category()
        amount = self.salary() if category == "Income" else -self.price()
        return BankTransaction(day or self.day(), self.merchant(category), category, amount)

    def weekly_review(
        self, transactions: Iterable[BankTransaction], week_start: datetime.date
    ) -> dict[str, str | float | int]:
        """Return the review of a week, which agrees with ``transactions``."""
        end = week_start + datetime.timedelta(6)
        week = [one for one in transactions if week_start <= one.date <= end]
        return {
            "week_start_date": week_start.isoformat(),
            "week_end_date": end.isoformat(),
            **_totals(week),
        }

    def monthly_review(
        self, transactions: Iterable[BankTransaction], month: str
    ) -> dict[str, str | float | int]:
        """Return the review of a month ('2025-03'), which agrees with ``transactions``."""
        return {
            "month": month,
            **_totals([one for one in transactions if one.date.isoformat().startswith(month)]),
        }

    def review_text(self) -> str:
        """Return a sentence of a review, as a budget app would write it."""
        category = self.category()
        return self._one_of(
            (
                f"{category} came to ${self.price():.2f}, less than the week before.",
                f"Most of it went to {self.merchant(category)}; {category} is ahead of its budget.",
                f"You put ${self.budget():.0f} into {self.sinking_fund()}. Keep going!",
                f"Consider a smaller budget for {category} next month.",
            )
        )

    def _cents(self, lowest: int, highest: int) -> float:
        return self.random_int(lowest, highest) / 100

    def _one_of(self, choices: tuple[str, ...]) -> str:
        return self.random_element(choices)


def make_faker(seed: int, kinds: Iterable[str] | None = None) -> Faker:
    """Return a Faker of its own, with household money, that gives the same for the same seed.

    ``kinds`` are those of Faker's own providers that it is to have; None for all.
    """
    providers = None if kinds is None else [f"faker.providers.{kind}" for kind in kinds]
    faker = Faker("en_US", providers=providers, use_weighting=False)
    faker.add_provider(HouseholdProvider)
    faker.seed_instance(seed)
    return faker


def _totals(transactions: list[BankTransaction]) -> dict[str, str | float | int]:
    """Return what a review says of ``transactions``; summed in cents, for floats would drift."""
    spent: Counter[str] = Counter()
    earned = 0
    for one in transactions:
        if one.amount < 0:
            spent[one.category] += round(-one.amount * 100)
        else:
            earned += round(one.amount * 100)
    top = max(sorted(spent), key=spent.__getitem__, default="")
    return {
        "total_spent": spent.total() / 100,
        "total_income": earned / 100,
        "net_savings": (earned - spent.total()) / 100,
        "top_category": top,
        "transaction_count": len(transactions),
        "spending_summary": f"Spent ${spent.total() / 100:.2f}, most of it on {top or 'nothing'}.",
    }
