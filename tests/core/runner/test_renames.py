"""Which tables and columns a part renames."""

from __future__ import annotations

import pytest

from pytest_bbmigrate.runner.renames import RenamedNames, follow_renames, mention_renames
from tests.core.running import image_of, run_sql

ACCOUNTS = """
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, balance REAL DEFAULT 0);
    INSERT INTO accounts (id, name) VALUES (1, 'Checking'), (2, 'Savings');
"""


@pytest.mark.parametrize(
    ("sql", "tables", "columns"),
    [
        ("ALTER TABLE accounts RENAME TO Books", (("accounts", "books"),), ()),
        (
            'ALTER TABLE main."accounts" RENAME TO [Old]; ALTER TABLE Old RENAME TO `new`',
            (("accounts", "new"),),
            (),
        ),
        ("ALTER TABLE 'accounts' RENAME TO 'books'", (("accounts", "books"),), ()),
        ("ALTER TABLE accounts RENAME TO a; ALTER TABLE a RENAME TO accounts", (), ()),
        ("ALTER TABLE accounts RENAME name TO title", (), ((("accounts", "name"), "title"),)),
        (
            (
                "ALTER TABLE accounts RENAME COLUMN name TO a;ALTER TABLE accounts RENAME TO books;"
                "ALTER TABLE books RENAME COLUMN a TO Title"
            ),
            (("accounts", "books"),),
            ((("accounts", "name"), "title"),),
        ),
        (
            "CREATE TABLE fresh (id); DROP TABLE accounts; ALTER TABLE fresh RENAME TO accounts",
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO old; CREATE TABLE accounts (id); DROP TABLE old",
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO old; DROP TABLE IF EXISTS main.old;CREATE TABLE old(a)",
            (),
            (),
        ),
        (
            (
                "ALTER TABLE accounts ADD COLUMN x; ALTER TABLE accounts RENAME x TO y;"
                "ALTER TABLE accounts RENAME name TO z; ALTER TABLE accounts DROP COLUMN z"
            ),
            (),
            (),
        ),
        (
            "ALTER TABLE accounts RENAME TO b; CREATE INDEX i ON b (id); DROP INDEX i",
            (("accounts", "b"),),
            (),
        ),
        ("SAVEPOINT s; ALTER TABLE accounts RENAME TO b; ROLLBACK TO s", (), ()),
        ("SAVEPOINT s; ALTER TABLE accounts RENAME name TO b; ROLLBACK TO s", (), ()),
        (
            (
                "ALTER TABLE accounts RENAME name TO x;ALTER TABLE accounts RENAME balance TO name;"
                "ALTER TABLE accounts RENAME x TO balance"
            ),
            (),
            ((("accounts", "balance"), "name"), (("accounts", "name"), "balance")),
        ),
        (
            (
                "ALTER TABLE accounts RENAME name TO title; CREATE TABLE fresh (id, title);"
                "DROP TABLE accounts; ALTER TABLE fresh RENAME TO accounts"
            ),
            (),
            ((("accounts", "name"), "title"),),
        ),
        (
            (
                "ALTER TABLE accounts RENAME TO old; ALTER TABLE old RENAME name TO title;"
                "CREATE TABLE accounts (id, title); DROP TABLE old"
            ),
            (),
            ((("accounts", "name"), "title"),),
        ),
        (
            (
                "CREATE TABLE fresh (id, name); DROP TABLE accounts;"
                "ALTER TABLE fresh RENAME TO accounts; ALTER TABLE accounts RENAME name TO title"
            ),
            (),
            ((("accounts", "name"), "title"),),
        ),
        (
            (
                "ALTER TABLE accounts RENAME name TO title; DROP TABLE accounts;"
                "CREATE TABLE accounts (id, label)"
            ),
            (),
            (),
        ),
        (
            (
                "ALTER TABLE accounts RENAME name TO title; DROP TABLE accounts;"
                "CREATE TABLE books (id, title)"
            ),
            (),
            (),
        ),
    ],
)
def test_renames_are_followed_from_before_the_run_to_after_it(
    sql: str, tables: tuple[object, ...], columns: tuple[object, ...]
) -> None:
    run, _ = run_sql(sql, image_of(ACCOUNTS))

    assert run.failure is None
    assert run.renamed_tables == tables
    assert run.renamed_columns == columns


def test_text_that_only_sqlite_reads_renames_nothing() -> None:
    assert (
        follow_renames(["ALTER TABLE t RENAME TO u /* "], {"t": {"a"}}, {"u": {"a"}})
        == RenamedNames()
    )


def test_only_the_word_rename_makes_it_worth_while_to_follow() -> None:
    assert mention_renames(["SELECT 1", "alter table t rename to u"])
    assert not mention_renames(["SELECT renamed FROM t"])
