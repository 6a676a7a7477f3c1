-- Migration: Sinking funds
-- Date: 2025-02-10
-- Author: Budget Buddy
-- Purpose: Savings goals, what is paid into them and taken out, and balances that keep themselves.

-- migrate:up

-- New tables hold whole cents. A fund without a target is saved into for good.
CREATE TABLE sinking_funds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    target_cents INTEGER CHECK (target_cents > 0),
    current_cents INTEGER NOT NULL DEFAULT 0,
    target_date TEXT,
    is_archived INTEGER NOT NULL DEFAULT 0 CHECK (is_archived IN (0, 1)),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE sinking_fund_transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fund_id INTEGER NOT NULL REFERENCES sinking_funds (id) ON DELETE CASCADE,
    transaction_id INTEGER REFERENCES transactions (id) ON DELETE SET NULL,
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    date TEXT NOT NULL,
    memo TEXT
);

CREATE INDEX idx_sinking_fund_transactions_fund ON sinking_fund_transactions (fund_id, date DESC);
CREATE INDEX idx_sinking_fund_transactions_transaction
    ON sinking_fund_transactions (transaction_id) WHERE transaction_id IS NOT NULL;

CREATE TRIGGER trg_fund_balance_insert AFTER INSERT ON sinking_fund_transactions
BEGIN
    UPDATE sinking_funds
    SET current_cents = current_cents
        + CASE NEW.kind WHEN 'deposit' THEN NEW.amount_cents ELSE -NEW.amount_cents END
    WHERE id = NEW.fund_id;
END;

CREATE TRIGGER trg_fund_balance_delete AFTER DELETE ON sinking_fund_transactions
BEGIN
    UPDATE sinking_funds
    SET current_cents = current_cents
        - CASE OLD.kind WHEN 'deposit' THEN OLD.amount_cents ELSE -OLD.amount_cents END
    WHERE id = OLD.fund_id;
END;

-- Two statements, because a movement can be put into another fund.
CREATE TRIGGER trg_fund_balance_update
AFTER UPDATE OF fund_id, kind, amount_cents ON sinking_fund_transactions
BEGIN
    UPDATE sinking_funds
    SET current_cents = current_cents
        - CASE OLD.kind WHEN 'deposit' THEN OLD.amount_cents ELSE -OLD.amount_cents END
    WHERE id = OLD.fund_id;
    UPDATE sinking_funds
    SET current_cents = current_cents
        + CASE NEW.kind WHEN 'deposit' THEN NEW.amount_cents ELSE -NEW.amount_cents END
    WHERE id = NEW.fund_id;
END;

-- migrate:down

-- The triggers and indexes go with their table.
DROP TABLE sinking_fund_transactions;
DROP TABLE sinking_funds;
