from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_account, add_row, add_transaction, value, values

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest


@pytest.mark.bb_migration("014_create_transaction_aggregations")
def test_a_month_is_added_up_by_account_in_and_out(bb_migration: MigrationUnderTest) -> None:
    account = add_account(bb_migration.before)
    for date, cents in [("1970-01-01", 250), ("1970-01-31", -75), ("1970-02-01", -1)]:
        add_transaction(bb_migration.before, account_id=account, date=date, amount_cents=cents)
    add_transaction(bb_migration.before, date="1970-01-15", amount_cents=9_999)
    bb_migration.up()

    found = values(
        bb_migration.after,
        "SELECT month, money_in_cents, money_out_cents, transaction_count"
        " FROM transaction_aggregations WHERE account_id = ? ORDER BY month",
        account,
    )
    assert found == [("1970-01", 250, 75, 2), ("1970-02", 0, 1, 1)]


@pytest.mark.bb_migration("028_primary_accounts")
def test_the_first_account_in_use_is_a_banks_primary_one(
    bb_migration: MigrationUnderTest,
) -> None:
    before = bb_migration.before
    bank = add_row(before, "institutions", name="Granite Mutual")
    add_account(before, institution_id=bank, is_active=0)
    first = add_account(before, institution_id=bank)
    add_account(before, institution_id=bank)
    bb_migration.up()

    assert value(bb_migration.after, "institutions", bank, "primary_account_id") == first


@pytest.mark.bb_migration("028_primary_accounts")
def test_a_bank_without_an_account_in_use_has_no_primary_one(
    bb_migration: MigrationUnderTest,
) -> None:
    bank = add_row(bb_migration.before, "institutions", name="Granite Mutual")
    add_account(bb_migration.before, institution_id=bank, is_active=0)
    bb_migration.up()

    assert value(bb_migration.after, "institutions", bank, "primary_account_id") is None
