-- Migration: Accounts have one of six types
-- Date: 2025-09-08
-- Author: Budget Buddy
-- Purpose: A type is one that the app knows, and a bank that still has accounts is not deleted.
-- With ON DELETE CASCADE one tap took years of transactions along. Names now compare without case.
-- bb: requires accounts: account_type IN ('checking', 'savings', 'credit', 'loan', 'mortgage', 'investment')
-- bb: alters accounts.institution_id
-- bb: alters accounts.name

-- migrate:up

-- RENAME refuses while a view reads a table that is not there.
DROP VIEW v_account_overview;

CREATE TABLE accounts_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    institution_id INTEGER NOT NULL REFERENCES institutions (id) ON DELETE RESTRICT,
    plaid_account_id TEXT UNIQUE,
    name TEXT NOT NULL COLLATE NOCASE,
    mask TEXT,
    account_type TEXT NOT NULL
        CHECK (account_type IN ('checking', 'savings', 'credit', 'loan', 'mortgage', 'investment')),
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    current_balance_cents INTEGER
);

-- The sequence goes along, or the ids of deleted accounts would be given out again.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'accounts_new', seq FROM sqlite_sequence WHERE name = 'accounts';

INSERT INTO accounts_new
    (id, institution_id, plaid_account_id, name, mask, account_type, is_active,
    current_balance_cents)
SELECT
    id, institution_id, plaid_account_id, name, mask, account_type, is_active,
    current_balance_cents
FROM accounts;

-- The new table takes the old one's name, never the other way round: renaming the old one first
-- would make every reference to it follow (https://sqlite.org/lang_altertable.html#otheralter).
DROP TABLE accounts;
ALTER TABLE accounts_new RENAME TO accounts;
CREATE INDEX idx_accounts_institution ON accounts (institution_id);

CREATE VIEW v_account_overview AS
SELECT
    institutions.name AS institution,
    accounts.id AS account_id,
    accounts.name AS account,
    accounts.account_type,
    accounts.current_balance_cents
FROM accounts
JOIN institutions ON institutions.id = accounts.institution_id
WHERE accounts.is_active = 1;

-- migrate:down

DROP VIEW v_account_overview;

CREATE TABLE accounts_old (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    institution_id INTEGER NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    plaid_account_id TEXT UNIQUE,
    name TEXT NOT NULL,
    mask TEXT,
    account_type TEXT NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    current_balance_cents INTEGER
);

INSERT INTO sqlite_sequence (name, seq)
SELECT 'accounts_old', seq FROM sqlite_sequence WHERE name = 'accounts';

INSERT INTO accounts_old
    (id, institution_id, plaid_account_id, name, mask, account_type, is_active,
    current_balance_cents)
SELECT
    id, institution_id, plaid_account_id, name, mask, account_type, is_active,
    current_balance_cents
FROM accounts;

DROP TABLE accounts;
ALTER TABLE accounts_old RENAME TO accounts;
CREATE INDEX idx_accounts_institution ON accounts (institution_id);

CREATE VIEW v_account_overview AS
SELECT
    institutions.name AS institution,
    accounts.id AS account_id,
    accounts.name AS account,
    accounts.account_type,
    accounts.current_balance_cents
FROM accounts
JOIN institutions ON institutions.id = accounts.institution_id
WHERE accounts.is_active = 1;
