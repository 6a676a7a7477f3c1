# Migration: A sync is what the connection log expects
# Date: 2025-09-22
# Author: Budget Buddy
# Purpose: Most entries are syncs: the default now. The message is the detail that diagnostics show.
# bb: alters account_connection_log.event
# bb: renames account_connection_log.message -> account_connection_log.detail

"""Rename a column of the connection log and give another one a default, which needs a rebuild."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database


def up(db: Database) -> None:
    """Rebuild the log; it has no trigger, collation or generated column for transform to lose."""
    db["account_connection_log"].transform(rename={"message": "detail"}, defaults={"event": "sync"})


def down(db: Database) -> None:
    """Rebuild it as it was."""
    db["account_connection_log"].transform(rename={"detail": "message"}, defaults={"event": None})
