-- Migration: Budgets, income and balances in whole cents
-- Date: 2025-04-21
-- Author: Budget Buddy
-- Purpose: The rest of the money that was REAL follows the transactions.
-- bb: drops budget_allocations.amount
-- bb: drops monthly_income.amount
-- bb: drops accounts.current_balance
-- bb: derives budget_allocations.amount_cents = CAST(round(amount * 100) AS INTEGER)
-- bb: derives monthly_income.amount_cents = CAST(round(amount * 100) AS INTEGER)
-- bb: derives accounts.current_balance_cents = CAST(round(current_balance * 100) AS INTEGER)
-- The way back is exact for amounts that are cents, and only for those.
-- bb: requires budget_allocations: amount IS CAST(round(amount * 100) AS INTEGER) / 100.0
-- bb: requires budget_allocations: abs(amount) < 1e12
-- bb: requires monthly_income: amount IS CAST(round(amount * 100) AS INTEGER) / 100.0
-- bb: requires monthly_income: abs(amount) < 1e12
-- bb: requires accounts: current_balance IS CAST(round(current_balance * 100) AS INTEGER) / 100.0
-- bb: requires accounts: current_balance IS NULL OR abs(current_balance) < 1e12

-- migrate:up

CREATE TABLE budget_allocations_new (
    id INTEGER PRIMARY KEY,
    category TEXT NOT NULL COLLATE NOCASE,
    month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    amount_cents INTEGER NOT NULL DEFAULT 0 CHECK (amount_cents >= 0),
    rolls_over INTEGER NOT NULL DEFAULT 0 CHECK (rolls_over IN (0, 1)),
    notes TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (category, month)
);
INSERT INTO budget_allocations_new
    (id, category, month, amount_cents, rolls_over, notes, created_at, updated_at)
SELECT id, category, month, CAST(round(amount * 100) AS INTEGER),
    rolls_over, notes, created_at, updated_at
FROM budget_allocations;
DROP TABLE budget_allocations;
ALTER TABLE budget_allocations_new RENAME TO budget_allocations;
CREATE INDEX idx_budget_allocations_month ON budget_allocations (month);

CREATE TABLE monthly_income_new (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    source TEXT NOT NULL,
    amount_cents INTEGER NOT NULL,
    received_date TEXT,
    is_recurring INTEGER NOT NULL DEFAULT 1 CHECK (is_recurring IN (0, 1))
);
INSERT INTO monthly_income_new (id, month, source, amount_cents, received_date, is_recurring)
SELECT id, month, source, CAST(round(amount * 100) AS INTEGER), received_date, is_recurring
FROM monthly_income;
DROP TABLE monthly_income;
ALTER TABLE monthly_income_new RENAME TO monthly_income;
CREATE INDEX idx_monthly_income_month ON monthly_income (month);

-- The balance is the last column of its table, so that no rebuild is needed. A balance that the
-- bank has not told stays NULL: unknown is not nothing.
ALTER TABLE accounts ADD COLUMN current_balance_cents INTEGER;
UPDATE accounts SET current_balance_cents = CAST(round(current_balance * 100) AS INTEGER);
ALTER TABLE accounts DROP COLUMN current_balance;

-- migrate:down

ALTER TABLE accounts ADD COLUMN current_balance REAL;
UPDATE accounts SET current_balance = current_balance_cents / 100.0;
ALTER TABLE accounts DROP COLUMN current_balance_cents;

CREATE TABLE monthly_income_old (
    id INTEGER PRIMARY KEY,
    month TEXT NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[0-1][0-9]'),
    source TEXT NOT NULL,
    amount REAL NOT NULL,
    received_date TEXT,
    is_recurring INTEGER NOT NULL DEFAULT 1 CHECK (is_recurring IN (0, 1))
);
INSERT INTO monthly_income_old (id, month, source, amount, received_date, is_recurring)
SELECT id, month, source, amount_cents / 100.0, received_date, is_recurring
FROM monthly_income;
DROP TABLE monthly_income;
ALTER TABLE monthly_income_old RENAME TO monthly_income;
CREATE INDEX idx_monthly_income_month ON monthly_income (month);

CREATE TABLE budget_allocations_old (
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
INSERT INTO budget_allocations_old
    (id, category, month, amount, rolls_over, notes, created_at, updated_at)
SELECT id, category, month, amount_cents / 100.0, rolls_over, notes, created_at, updated_at
FROM budget_allocations;
DROP TABLE budget_allocations;
ALTER TABLE budget_allocations_old RENAME TO budget_allocations;
CREATE INDEX idx_budget_allocations_month ON budget_allocations (month);
