from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.migrations.rows import add_row, values

if TYPE_CHECKING:
    from pytest_bbmigrate.plugin.testing import MigrationUnderTest

DIMENSIONS = "SELECT dimension, value FROM goal_dimensions WHERE goal_id = ? ORDER BY dimension"
COLUMNS = (
    "SELECT category_dimension, merchant_dimension, trip_dimension FROM chat_goals WHERE id = ?"
)


@pytest.mark.bb_migration("015_consolidate_goal_dimensions")
def test_each_dimension_of_a_goal_becomes_a_row_and_a_column_again(
    bb_migration: MigrationUnderTest,
) -> None:
    goal = add_row(
        bb_migration.before,
        "chat_goals",
        title="Spend less on coffee",
        category_dimension="Coffee",
        trip_dimension="",
    )

    bb_migration.up()
    assert values(bb_migration.after, DIMENSIONS, goal) == [("category", "Coffee"), ("trip", "")]

    bb_migration.down()
    assert values(bb_migration.after, COLUMNS, goal) == [("Coffee", None, "")]


@pytest.mark.bb_migration("015_consolidate_goal_dimensions")
def test_a_goal_set_since_keeps_its_dimensions_on_the_way_back(
    bb_migration: MigrationUnderTest,
) -> None:
    after = bb_migration.up()
    goal = add_row(after, "chat_goals", title="Fly less")
    add_row(after, "goal_dimensions", goal_id=goal, dimension="trip", value="lisbon")
    bb_migration.down()

    assert values(bb_migration.after, COLUMNS, goal) == [(None, None, "lisbon")]
