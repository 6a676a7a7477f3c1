# Migration: One table for the dimensions of a goal
# Date: 2025-06-16
# Author: Budget Buddy
# Purpose: Each new kind of goal wanted a column of its own; a kind is now a row.
# bb: drops chat_goals.category_dimension
# bb: drops chat_goals.merchant_dimension
# bb: drops chat_goals.trip_dimension

"""Move the three dimension columns of a goal into rows of their own table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

# In the order of the columns, so that the way back puts them where they were.
DIMENSIONS = ("category", "merchant", "trip")


def up(db: Database) -> None:
    """Write a row for each dimension that a goal has; '' is a value, NULL is none."""
    db.execute(
        """
        CREATE TABLE goal_dimensions (
            goal_id INTEGER NOT NULL REFERENCES chat_goals (id) ON DELETE CASCADE,
            dimension TEXT NOT NULL CHECK (dimension IN ('category', 'merchant', 'trip')),
            value TEXT NOT NULL,
            PRIMARY KEY (goal_id, dimension)
        ) WITHOUT ROWID
        """
    )
    db.execute("CREATE INDEX idx_goal_dimensions_value ON goal_dimensions (dimension, value)")
    for dimension in DIMENSIONS:
        db.execute(
            f"INSERT INTO goal_dimensions (goal_id, dimension, value)"
            f" SELECT id, '{dimension}', {dimension}_dimension FROM chat_goals"
            f" WHERE {dimension}_dimension IS NOT NULL"
        )
        db.execute(f"ALTER TABLE chat_goals DROP COLUMN {dimension}_dimension")


def down(db: Database) -> None:
    """Give each goal its three columns back."""
    for dimension in DIMENSIONS:
        db.execute(f"ALTER TABLE chat_goals ADD COLUMN {dimension}_dimension TEXT")
        db.execute(
            f"UPDATE chat_goals SET {dimension}_dimension = (SELECT value FROM goal_dimensions"
            f" WHERE goal_id = chat_goals.id AND dimension = '{dimension}')"
        )
    db.execute("DROP TABLE goal_dimensions")
