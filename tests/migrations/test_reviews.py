from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_row, value, values

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest


@pytest.mark.bb_migration("002_add_buddy_insights")
def test_a_week_is_told_beside_the_week_before(bb_migration: MigrationUnderTest) -> None:
    before = bb_migration.before
    add_row(
        before,
        "weekly_summaries",
        week_start_date="1970-01-05",
        total_spent_cents=10_000,
        transaction_count=4,
    )
    week = add_row(
        before,
        "weekly_summaries",
        week_start_date="1970-01-12",
        total_spent_cents=7_505,
        transaction_count=1,
    )
    bb_migration.up()

    told = "1 purchase, $75.05 in all: $24.95 less than the week before."
    assert value(bb_migration.after, "weekly_summaries", week, "insight") == told
    assert value(bb_migration.after, "weekly_summaries", week, "insight_source") == "rule"


@pytest.mark.bb_migration("002_add_buddy_insights")
def test_a_week_without_purchases_gets_no_sentence(bb_migration: MigrationUnderTest) -> None:
    week = add_row(bb_migration.before, "weekly_summaries", week_start_date="1970-01-05")
    bb_migration.up()

    assert value(bb_migration.after, "weekly_summaries", week, "insight") is None
    assert value(bb_migration.after, "weekly_summaries", week, "insight_source") == "none"


@pytest.mark.bb_migration("011_add_income_savings_to_reflections")
def test_a_review_adds_up_the_income_of_its_month(bb_migration: MigrationUnderTest) -> None:
    before = bb_migration.before
    for table in ("monthly_income", "monthly_reflections"):
        before.execute(f"DELETE FROM {table} WHERE month = '1970-01'")
    add_row(before, "monthly_income", month="1970-01", source="Salary", amount_cents=300_000)
    add_row(before, "monthly_income", month="1970-01", source="Gift", amount_cents=100_000)
    review = add_row(before, "monthly_reflections", month="1970-01", total_spent_cents=300_000)
    bb_migration.up()

    assert value(bb_migration.after, "monthly_reflections", review, "total_income_cents") == 400_000
    assert value(bb_migration.after, "monthly_reflections", review, "savings_rate") == 0.25


@pytest.mark.bb_migration("011_add_income_savings_to_reflections")
def test_a_month_without_income_has_no_savings_rate(bb_migration: MigrationUnderTest) -> None:
    for table in ("monthly_income", "monthly_reflections"):
        bb_migration.before.execute(f"DELETE FROM {table} WHERE month = '1970-01'")
    review = add_row(
        bb_migration.before, "monthly_reflections", month="1970-01", total_spent_cents=5
    )
    bb_migration.up()

    found = values(
        bb_migration.after,
        "SELECT total_income_cents, savings_rate FROM monthly_reflections WHERE id = ?",
        review,
    )
    assert found == [(None, None)]
