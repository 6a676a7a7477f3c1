"""The tables that this package keeps in the user's database."""

from __future__ import annotations

HISTORY_TABLE = "_bb_migrations"
IDENTITY_TABLE = "_bb_database"
OWN_TABLES = frozenset({HISTORY_TABLE, IDENTITY_TABLE})
