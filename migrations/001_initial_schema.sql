-- Migration: Initial schema
-- Date: 2025-01-06
-- Author: Budget Buddy
-- Purpose: What the app started with: banks, accounts, transactions, budgets, income and reviews.

-- migrate:up

CREATE TABLE institutions (
    id INTEGER PRIMARY KEY,
    plaid_institution_id TEXT UNIQUE,
    name TEXT NOT NULL COLLATE NOCASE,
    logo_url TEXT,
    status TEXT NOT NULL DEFAULT 'active'
        CHECK (status IN ('active', 'error', 'disconnected')),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- The mask is the last digits of the account number: text, because 0042 is not 42.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    institution_id INTEGER NOT NULL REFERENCES institutions (id) ON DELETE CASCADE,
    plaid_account_id TEXT UNIQUE,
    name TEXT NOT NULL,
    mask TEXT,
    account_type TEXT NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)),
    current_balance REAL
);

CREATE INDEX idx_accounts_institution ON accounts (institution_id);

CREATE TABLE account_connection_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER REFERENCES accounts (id) ON DELETE SET NULL,
    event TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ok' CHECK (status IN ('ok', 'retry', 'failed')),
    message TEXT,
    occurred_at TEXT NOT NULL
);

CREATE INDEX idx_connection_log_account ON account_connection_log (account_id, occurred_at);

-- Money that leaves the account is negative.
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON UPDATE CASCADE ON DELETE CASCADE,
    external_id TEXT,
    date TEXT NOT NULL CHECK (date GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]'),
    amount REAL NOT NULL,
    merchant_name TEXT,
    description TEXT NOT NULL DEFAULT '',
    bb_category TEXT COLLATE NOCASE,
    note TEXT,
    is_pending INTEGER NOT NULL DEFAULT 0 CHECK (is_pending IN (0, 1)),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_transactions_date ON transactions (date DESC);
CREATE INDEX idx_transactions_account_date ON transactions (account_id, date DESC);
CREATE INDEX idx_transactions_category ON transactions (bb_category, date);
CREATE INDEX idx_transactions_pending ON transactions (account_id) WHERE is_pending = 1;
CREATE INDEX idx_transactions_lower_merchant ON transactions (lower(merchant_name));

CREATE TABLE budget_allocations (
    id INTEGER PRIMARY KEY,
    category TEXT NOT NULL COLLATE NOCASE,
    month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    amount REAL NOT NULL DEFAULT 0 CHECK (amount >= 0),
    rolls_over INTEGER NOT NULL DEFAULT 0 CHECK (rolls_over IN (0, 1)),
    notes TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (category, month)
);

CREATE INDEX idx_budget_allocations_month ON budget_allocations (month);

CREATE TABLE monthly_income (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    source TEXT NOT NULL,
    amount REAL NOT NULL,
    received_date TEXT,
    is_recurring INTEGER NOT NULL DEFAULT 1 CHECK (is_recurring IN (0, 1))
);

CREATE INDEX idx_monthly_income_month ON monthly_income (month);

-- Figures that the app works out by itself are whole cents.
CREATE TABLE monthly_reflections (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL UNIQUE CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    total_spent_cents INTEGER NOT NULL DEFAULT 0,
    went_well TEXT,
    to_improve TEXT,
    mood INTEGER CHECK (mood BETWEEN 1 AND 5),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE weekly_summaries (
    id INTEGER PRIMARY KEY,
    week_start_date TEXT NOT NULL UNIQUE,
    total_spent_cents INTEGER NOT NULL DEFAULT 0,
    transaction_count INTEGER NOT NULL DEFAULT 0 CHECK (transaction_count >= 0),
    top_category TEXT COLLATE NOCASE,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- migrate:down

DROP TABLE weekly_summaries;
DROP TABLE monthly_reflections;
DROP TABLE monthly_income;
DROP TABLE budget_allocations;
DROP TABLE transactions;
DROP TABLE account_connection_log;
DROP TABLE accounts;
DROP TABLE institutions;
