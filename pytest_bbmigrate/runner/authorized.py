"""What a migration may not have SQLite do: what would leave its transaction, or its database."""

from __future__ import annotations

import sqlite3

from pytest_bbmigrate.sql.names import fold_name

REFUSED = {
    sqlite3.SQLITE_TRANSACTION: "{} is refused in a migration",
    sqlite3.SQLITE_ATTACH: "ATTACH of {} is refused in a migration",
    sqlite3.SQLITE_DETACH: "DETACH of {} is refused in a migration",
}

# What D1 authorises nobody to do; of pragmas that set something, those that it does.
CONFINED = frozenset(
    {
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
    }
)
ALLOWED_PRAGMAS = frozenset(
    {
        "case_sensitive_like",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "foreign_keys",
        "ignore_check_constraints",
        "index_info",
        "index_list",
        "index_xinfo",
        "legacy_alter_table",
        "optimize",
        "quick_check",
        "recursive_triggers",
        "reverse_unordered_selects",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)


def is_beyond_d1(action: int, name: str | None, value: str | None) -> bool:
    """Return whether D1 would not authorise ``action``, whose arguments are the others."""
    if action == sqlite3.SQLITE_PRAGMA:
        return value is not None and fold_name(name or "") not in ALLOWED_PRAGMAS
    return action in CONFINED
