from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_account, add_row, add_transaction, value, values

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest

STAMP = "1970-01-20 08:00:00"


@pytest.mark.parametrize(
    ("name", "trimmed"),
    [(" Aldi\r\n", "Aldi"), ("Corner  Grocer", "Corner  Grocer"), ("\t ", None), ("", None)],
)
@pytest.mark.bb_migration("018_trim_merchant_names")
def test_blanks_around_a_merchants_name_go(
    bb_migration: MigrationUnderTest, name: str, trimmed: str | None
) -> None:
    paid = add_transaction(
        bb_migration.before, amount_cents=-1, merchant_name=name, updated_at=STAMP
    )
    bb_migration.up()

    assert value(bb_migration.after, "transactions", paid, "merchant_name") == trimmed
    assert value(bb_migration.after, "transactions", paid, "updated_at") == STAMP


@pytest.mark.bb_migration("018_trim_merchant_names")
def test_an_edit_after_the_clean_up_is_stamped_again(bb_migration: MigrationUnderTest) -> None:
    paid = add_transaction(bb_migration.before, amount_cents=-1, updated_at=STAMP)
    bb_migration.up()
    bb_migration.after.execute("UPDATE transactions SET memo = 'gift' WHERE id = ?", [paid])

    assert value(bb_migration.after, "transactions", paid, "updated_at") != STAMP


@pytest.mark.bb_migration("019_merge_duplicate_subscriptions")
def test_the_first_of_equal_patterns_stays_and_spans_all_dates(
    bb_migration: MigrationUnderTest,
) -> None:
    account = add_account(bb_migration.before)
    kept, *_ = (
        add_row(
            bb_migration.before,
            "subscription_patterns",
            account_id=account,
            merchant_name=name,
            typical_cents=-1_549,
            first_seen_date=first,
            last_seen_date=last,
        )
        for name, first, last in [
            ("Streamly", "1970-03-01", "1970-04-01"),
            ("Streamly", "1970-01-01", "1970-02-01"),
            ("Streamly", "1970-05-01", "1970-06-01"),
            ("streamly", "1970-07-01", "1970-08-01"),
        ]
    )
    bb_migration.up()

    found = values(
        bb_migration.after,
        "SELECT id, merchant_name, first_seen_date, last_seen_date"
        " FROM subscription_patterns WHERE account_id = ? ORDER BY id",
        account,
    )
    assert found == [
        (kept, "Streamly", "1970-01-01", "1970-06-01"),
        (kept + 3, "streamly", "1970-07-01", "1970-08-01"),
    ]


@pytest.mark.bb_migration("021_normalise_merchants")
def test_one_name_is_one_merchant_and_every_byte_comes_back(
    bb_migration: MigrationUnderTest,
) -> None:
    names = ["Aldi", "Aldi", "aldi", "Al\0di", "Al\0do", "", None]
    paid = [add_transaction(bb_migration.before, amount_cents=-1, merchant_name=n) for n in names]

    bb_migration.up()
    merchants = [value(bb_migration.after, "transactions", row, "merchant_id") for row in paid]
    assert merchants[0] == merchants[1]
    assert len(set(merchants)) == len(set(names))
    assert merchants[-1] is None

    bb_migration.down()
    back = [value(bb_migration.after, "transactions", row, "merchant_name") for row in paid]
    assert back == names
