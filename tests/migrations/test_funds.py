from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_row, value

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest


@pytest.mark.bb_migration("027_fund_priorities")
def test_the_fund_that_is_due_first_has_the_highest_priority(
    bb_migration: MigrationUnderTest,
) -> None:
    soon = add_row(
        bb_migration.before, "sinking_funds", name="Boiler inspection", target_date="1970-01-01"
    )
    late = add_row(
        bb_migration.before, "sinking_funds", name="Roof in fifty years", target_date="9999-01-01"
    )
    for year in range(2101, 2109):
        add_row(
            bb_migration.before,
            "sinking_funds",
            name=f"Gutters {year}",
            target_date=f"{year}-01-01",
        )
    bb_migration.up()

    assert value(bb_migration.after, "sinking_funds", soon, "priority") == 1
    assert value(bb_migration.after, "sinking_funds", late, "priority") == 5


@pytest.mark.parametrize(
    ("target_date", "is_archived"), [(None, 0), ("1970-01-01", 1)], ids=["dateless", "archived"]
)
@pytest.mark.bb_migration("027_fund_priorities")
def test_other_funds_stay_in_the_middle(
    bb_migration: MigrationUnderTest, target_date: str | None, is_archived: int
) -> None:
    fund = add_row(
        bb_migration.before,
        "sinking_funds",
        name="Boiler inspection",
        target_date=target_date,
        is_archived=is_archived,
    )
    bb_migration.up()

    assert value(bb_migration.after, "sinking_funds", fund, "priority") == 3


@pytest.mark.bb_migration("029_fund_opening_balances")
def test_what_no_movement_explains_was_there_at_first(bb_migration: MigrationUnderTest) -> None:
    before = bb_migration.before
    fund = add_row(before, "sinking_funds", name="Boiler inspection", current_cents=5_000)
    for kind, cents in [("deposit", 2_500), ("withdrawal", 700)]:
        add_row(
            before,
            "sinking_fund_transactions",
            fund_id=fund,
            kind=kind,
            amount_cents=cents,
            date="1970-01-15",
        )
    bb_migration.up()

    assert value(bb_migration.after, "sinking_funds", fund, "current_cents") == 6_800
    assert value(bb_migration.after, "sinking_funds", fund, "opening_cents") == 5_000


@pytest.mark.bb_migration("029_fund_opening_balances")
def test_a_fund_without_movements_held_all_of_it_at_first(
    bb_migration: MigrationUnderTest,
) -> None:
    fund = add_row(
        bb_migration.before, "sinking_funds", name="Boiler inspection", current_cents=-300
    )
    bb_migration.up()

    assert value(bb_migration.after, "sinking_funds", fund, "opening_cents") == -300
