-- Migration: Subscription patterns
-- Date: 2025-02-24
-- Author: Budget Buddy
-- Purpose: Recurring payments that were recognised in the transactions, and when the next is due.

-- migrate:up

CREATE TABLE subscription_patterns (
    id INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES accounts (id) ON UPDATE CASCADE ON DELETE CASCADE,
    merchant_name TEXT NOT NULL,
    cadence TEXT NOT NULL DEFAULT 'monthly'
        CHECK (cadence IN ('weekly', 'biweekly', 'monthly', 'quarterly', 'yearly')),
    typical_cents INTEGER NOT NULL,
    confidence REAL NOT NULL DEFAULT 0.5 CHECK (confidence BETWEEN 0 AND 1),
    first_seen_date TEXT NOT NULL,
    last_seen_date TEXT NOT NULL,
    next_expected_date TEXT,
    is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1))
);

CREATE INDEX idx_subscription_patterns_account ON subscription_patterns (account_id);
CREATE INDEX idx_subscription_patterns_due
    ON subscription_patterns (next_expected_date) WHERE is_active = 1;

-- migrate:down

DROP TABLE subscription_patterns;
