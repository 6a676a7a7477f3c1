from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_row, add_transaction, value, values

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest

STAMP = "1970-01-20 08:00:00"


@pytest.mark.parametrize(
    ("category", "renamed"),
    [("Dining Out", "Going Out"), ("dining out", "Going Out"), ("Dining", "Dining"), (None, None)],
)
@pytest.mark.bb_migration("020_going_out")
def test_a_transaction_changes_its_category_and_nothing_else(
    bb_migration: MigrationUnderTest, category: str | None, renamed: str | None
) -> None:
    paid = add_transaction(
        bb_migration.before, amount_cents=-1, bb_category=category, updated_at=STAMP
    )
    bb_migration.up()

    assert value(bb_migration.after, "transactions", paid, "bb_category") == renamed
    assert value(bb_migration.after, "transactions", paid, "updated_at") == STAMP


@pytest.mark.parametrize(
    ("budgets", "merged"),
    [
        ({"Dining Out": 12_000}, [("Going Out", 12_000)]),
        ({"Going Out": 8_000}, [("Going Out", 8_000)]),
        ({"Dining Out": 12_000, "Going Out": 8_000}, [("Going Out", 20_000)]),
        ({"Going Out": 8_000, "Dining Out": 0}, [("Going Out", 8_000)]),
    ],
)
@pytest.mark.bb_migration("020_going_out")
def test_a_month_keeps_one_budget_of_the_sum(
    bb_migration: MigrationUnderTest, budgets: dict[str, int], merged: list[tuple[str, int]]
) -> None:
    for category, cents in budgets.items():
        add_row(
            bb_migration.before,
            "budget_allocations",
            category=category,
            month="1970-01",
            amount_cents=cents,
        )
    bb_migration.up()

    found = values(
        bb_migration.after,
        "SELECT category, amount_cents FROM budget_allocations WHERE month = '1970-01'",
    )
    assert found == merged


@pytest.mark.bb_migration("020_going_out")
def test_no_trace_of_the_old_name_is_left(bb_migration: MigrationUnderTest) -> None:
    add_transaction(bb_migration.before, amount_cents=-1, bb_category="Dining Out")
    bb_migration.up()

    old_name = ["Dining Out"]
    assert bb_migration.after["transactions"].count_where("bb_category = ?", old_name) == 0
    assert bb_migration.after["budget_allocations"].count_where("category = ?", old_name) == 0
