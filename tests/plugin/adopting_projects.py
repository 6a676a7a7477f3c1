"""The folders and databases of docs/adopting.md, each as its tool leaves it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TRANSACTIONS = """\
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    date DATE NOT NULL,
    amount FLOAT NOT NULL,
    merchant_name TEXT
);
"""
TRIP_TAG = """\
ALTER TABLE transactions ADD COLUMN trip_tag VARCHAR(60);
CREATE INDEX idx_transactions_trip_tag ON transactions (trip_tag);
"""
TRIM = "UPDATE transactions SET merchant_name = trim(merchant_name);\n"
INSIGHTS = """\
import sqlite3


def migrate():
    conn = sqlite3.connect('budget_buddy.db')
    conn.execute("CREATE TABLE IF NOT EXISTS weekly_reflections (id INTEGER PRIMARY KEY)")
    conn.commit()
    conn.close()


if __name__ == '__main__':
    migrate()
"""
ACCOUNTS = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n"
OWNER = "ALTER TABLE accounts ADD COLUMN owner TEXT;\n"
NO_OWNER = "ALTER TABLE accounts DROP COLUMN owner;\n"


@dataclass(frozen=True)
class Sample:
    """A project: the texts of its ``files`` by name, and the statements that made its database."""

    files: Mapping[str, str]
    database: str
    statements: Sequence[str]

    def make(self, folder: Path) -> None:
        """Write it into ``folder``."""
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with closing(sqlite3.connect(folder / self.database)) as db:
            db.executescript(";".join(self.statements))


def digest(text: str) -> str:
    """Return what drizzle records of a file."""
    return hashlib.sha256(text.encode()).hexdigest()


SCRIPTS = "backend/database/migrations"
DBMATE = "-- migrate:up\n{}\n-- migrate:down\n{}"
GOOSE = "-- +goose Up\n{}\n-- +goose Down\n{}"
DRIZZLE = ("CREATE TABLE `accounts` (`id` integer PRIMARY KEY, `name` text NOT NULL);\n", OWNER)
ENTRIES = [{"idx": at, "when": at, "tag": f"000{at}_{n}"} for at, n in enumerate(["init", "owner"])]
JOURNAL = json.dumps({"dialect": "sqlite", "entries": ENTRIES})

SAMPLES = {
    "household": Sample(
        {
            f"{SCRIPTS}/add_trip_tag_column.sql": TRIP_TAG,
            f"{SCRIPTS}/clean_merchant_names.sql": TRIM,
            f"{SCRIPTS}/add_buddy_insights.py": INSIGHTS,
            "order.txt": (
                "add_trip_tag_column.sql\nclean_merchant_names.sql\nadd_buddy_insights.py\n"
            ),
        },
        "budget_buddy.db",
        [
            TRANSACTIONS,
            TRIP_TAG,
            "INSERT INTO transactions VALUES (1, '2026-01-02', -9.5, 'Cafe', 'x')",
        ],
    ),
    "half": Sample(
        {
            f"{SCRIPTS}/add_trip_tag_column.sql": TRIP_TAG,
            "pytest.ini": f"[pytest]\nbb_migrations = {SCRIPTS}\n",
        },
        "budget_buddy.db",
        [TRANSACTIONS, "ALTER TABLE transactions ADD COLUMN trip_tag VARCHAR(60)"],
    ),
    "dbmate": Sample(
        {
            "db/migrations/20260101000001_accounts.sql": DBMATE.format(
                ACCOUNTS, "DROP TABLE accounts;"
            ),
            "db/migrations/20260101000002_owner.sql": DBMATE.format(OWNER, NO_OWNER),
        },
        "db/app.db",
        [
            'CREATE TABLE "schema_migrations" (version varchar(128) primary key)',
            ACCOUNTS,
            "INSERT INTO schema_migrations VALUES ('20260101000001')",
        ],
    ),
    "goose": Sample(
        {
            "migrations/00001_accounts.sql": GOOSE.format(ACCOUNTS, "DROP TABLE accounts;"),
            "migrations/00002_owner.sql": GOOSE.format(OWNER, NO_OWNER),
        },
        "app.db",
        [
            (
                "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id INTEGER "
                "NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))"
            ),
            ACCOUNTS,
            "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)",
        ],
    ),
    "drizzle": Sample(
        {
            "drizzle/0000_init.sql": DRIZZLE[0],
            "drizzle/0001_owner.sql": DRIZZLE[1],
            "drizzle/meta/_journal.json": JOURNAL,
        },
        "app.db",
        [
            (
                "CREATE TABLE __drizzle_migrations "
                "(id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)"
            ),
            *DRIZZLE,
            (
                "INSERT INTO __drizzle_migrations (hash, created_at) VALUES "
                f"('{digest(DRIZZLE[0])}', 0), ('{digest(DRIZZLE[1])}', 1)"
            ),
        ],
    ),
    "prisma": Sample(
        {
            "prisma/migrations/20260101000001_init/migration.sql": ACCOUNTS,
            "prisma/migrations/20260101000002_owner/migration.sql": OWNER,
            "prisma/migrations/migration_lock.toml": 'provider = "sqlite"\n',
        },
        "prisma/dev.db",
        [
            (
                'CREATE TABLE "_prisma_migrations" ("id" TEXT PRIMARY KEY, "checksum" TEXT NOT '
                'NULL, "finished_at" DATETIME, "migration_name" TEXT NOT NULL, "logs" TEXT, '
                '"rolled_back_at" DATETIME, "started_at" DATETIME DEFAULT current_timestamp, '
                '"applied_steps_count" INTEGER UNSIGNED NOT NULL DEFAULT 0)'
            ),
            ACCOUNTS,
            (
                "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES "
                "('a', 'a', 1, '20260101000001_init'), ('b', 'b', 1, '20260101000002_owner')"
            ),
        ],
    ),
    "sqlx": Sample(
        {
            "migrations/20260101000001_accounts.up.sql": ACCOUNTS,
            "migrations/20260101000001_accounts.down.sql": "DROP TABLE accounts;\n",
            "migrations/20260101000002_owner.up.sql": OWNER,
            "migrations/20260101000002_owner.down.sql": NO_OWNER,
        },
        "app.db",
        [
            (
                "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT, "
                "installed_on TIMESTAMP, success BOOLEAN NOT NULL, "
                "checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)"
            ),
            ACCOUNTS,
            (
                "INSERT INTO _sqlx_migrations VALUES "
                "(20260101000001, 'accounts', 0, 1, x'00', 1), "
                "(20260101000002, 'owner', 0, 0, x'00', 1)"
            ),
        ],
    ),
    "flyway": Sample(
        {"sql/V1__accounts.sql": ACCOUNTS, "sql/V1.1__owner.sql": OWNER},
        "app.db",
        [
            (
                "CREATE TABLE flyway_schema_history (installed_rank INT PRIMARY KEY, version TEXT, "
                "description VARCHAR(200), type VARCHAR(20), script VARCHAR(1000), checksum INT, "
                "installed_by VARCHAR(100), installed_on TEXT, execution_time INT, success BOOLEAN)"
            ),
            ACCOUNTS,
            OWNER,
            (
                "INSERT INTO flyway_schema_history VALUES "
                "(1, '1', 'accounts', 'SQL', 'V1__accounts.sql', 1, '', '', 1, 1), "
                "(2, '1.1', 'owner', 'SQL', 'V1.1__owner.sql', 1, '', '', 1, 1)"
            ),
        ],
    ),
}
