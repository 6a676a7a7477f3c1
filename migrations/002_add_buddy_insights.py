# Migration: Buddy's insight for each week
# Date: 2025-01-20
# Author: Budget Buddy
# Purpose: The week's page shows one sentence; it is worked out once and kept.

"""Give every weekly summary a sentence from Buddy, those already there included."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def up(db: Database) -> None:
    """Add the two columns and write the sentence for each week that had spending."""
    db.execute("ALTER TABLE weekly_summaries ADD COLUMN insight TEXT")
    db.execute(
        "ALTER TABLE weekly_summaries ADD COLUMN insight_source TEXT NOT NULL DEFAULT 'none'"
        " CHECK (insight_source IN ('none', 'rule', 'buddy'))"
    )
    weeks = db.execute(
        "SELECT id, total_spent_cents, transaction_count FROM weekly_summaries"
        " ORDER BY week_start_date, id"
    ).fetchall()
    last_spent = None
    for week, spent, count in weeks:
        if count:
            db.execute(
                "UPDATE weekly_summaries SET insight = ?, insight_source = 'rule' WHERE id = ?",
                [describe(spent, count, last_spent), week],
            )
        last_spent = spent


def down(db: Database) -> None:
    """Take the columns away again; the sentences can be worked out anew."""
    db.execute("ALTER TABLE weekly_summaries DROP COLUMN insight_source")
    db.execute("ALTER TABLE weekly_summaries DROP COLUMN insight")


def describe(spent: int, count: int, last_spent: int | None) -> str:
    """Return the sentence for a week: cents spent, purchases, and cents spent the week before."""
    purchases = "1 purchase" if count == 1 else f"{count} purchases"
    sentence = f"{purchases}, {dollars(spent)} in all"
    if last_spent is None or last_spent == spent:
        return f"{sentence}."
    less_or_more = "less" if spent < last_spent else "more"
    return f"{sentence}: {dollars(abs(spent - last_spent))} {less_or_more} than the week before."


def dollars(cents: int) -> str:
    """Return ``cents`` as a reader knows them; whole arithmetic, for floats would round."""
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02}"
