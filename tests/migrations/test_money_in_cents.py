from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_account, add_row, add_transaction, value

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest

# Each of the first three is a cent short where it is cut off instead of rounded.
AMOUNTS = [(0.29, 29), (1.15, 115), (-4.35, -435), (0.0, 0), (1234567.89, 123_456_789)]


@pytest.mark.parametrize(("dollars", "cents"), AMOUNTS)
@pytest.mark.bb_migration("009_transactions_in_cents")
def test_an_amount_becomes_cents_and_the_same_amount_again(
    bb_migration: MigrationUnderTest, dollars: float, cents: int
) -> None:
    paid = add_transaction(bb_migration.before, amount=dollars)

    bb_migration.up()
    assert value(bb_migration.after, "transactions", paid, "amount_cents") == cents

    bb_migration.down()
    assert value(bb_migration.after, "transactions", paid, "amount") == dollars


@pytest.mark.bb_migration("009_transactions_in_cents")
def test_the_id_of_a_deleted_transaction_is_not_given_again(
    bb_migration: MigrationUnderTest,
) -> None:
    before = bb_migration.before
    deleted = add_transaction(before, amount=1.0)
    before.execute("DELETE FROM transactions WHERE id = ?", [deleted])
    bb_migration.up()

    assert add_transaction(bb_migration.after, amount_cents=100) > deleted


@pytest.mark.parametrize(("dollars", "cents"), [amount for amount in AMOUNTS if amount[1] >= 0])
@pytest.mark.bb_migration("010_budgets_in_cents")
def test_a_budget_becomes_cents_and_the_same_budget_again(
    bb_migration: MigrationUnderTest, dollars: float, cents: int
) -> None:
    budget = add_row(
        bb_migration.before, "budget_allocations", category="Pets", month="1970-01", amount=dollars
    )

    bb_migration.up()
    assert value(bb_migration.after, "budget_allocations", budget, "amount_cents") == cents

    bb_migration.down()
    assert value(bb_migration.after, "budget_allocations", budget, "amount") == dollars


@pytest.mark.bb_migration("010_budgets_in_cents")
def test_income_becomes_cents(bb_migration: MigrationUnderTest) -> None:
    income = add_row(
        bb_migration.before, "monthly_income", month="1970-01", source="Salary", amount=2150.29
    )
    bb_migration.up()

    assert value(bb_migration.after, "monthly_income", income, "amount_cents") == 215_029


@pytest.mark.parametrize(("dollars", "cents"), [*AMOUNTS, (None, None)])
@pytest.mark.bb_migration("010_budgets_in_cents")
def test_a_balance_that_is_not_known_is_not_zero(
    bb_migration: MigrationUnderTest, dollars: float | None, cents: int | None
) -> None:
    account = add_account(bb_migration.before, current_balance=dollars)

    bb_migration.up()
    assert value(bb_migration.after, "accounts", account, "current_balance_cents") == cents

    bb_migration.down()
    assert value(bb_migration.after, "accounts", account, "current_balance") == dollars
