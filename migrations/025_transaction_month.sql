-- Migration: A transaction knows its month
-- Date: 2025-10-20
-- Author: Budget Buddy
-- Purpose: Every report groups by month, and an index can serve what a column holds.

-- migrate:up

-- Worked out when it is read: it takes no room and is never out of date.
ALTER TABLE transactions ADD COLUMN month TEXT
    GENERATED ALWAYS AS (substr(date, 1, 7)) VIRTUAL;
CREATE INDEX idx_transactions_month_category ON transactions (month, bb_category);

DROP VIEW v_monthly_spending;
CREATE VIEW v_monthly_spending AS
SELECT
    month,
    bb_category AS category,
    -sum(amount_cents) AS spent_cents,
    count(*) AS transaction_count
FROM transactions
WHERE amount_cents < 0 AND is_pending = 0
GROUP BY month, bb_category;

-- migrate:down

-- The view first: no column goes while a view, or a view on that view, cannot be read without it.
DROP VIEW v_monthly_spending;
CREATE VIEW v_monthly_spending AS
SELECT
    substr(date, 1, 7) AS month,
    bb_category AS category,
    -sum(amount_cents) AS spent_cents,
    count(*) AS transaction_count
FROM transactions
WHERE amount_cents < 0 AND is_pending = 0
GROUP BY substr(date, 1, 7), bb_category;

DROP INDEX idx_transactions_month_category;
ALTER TABLE transactions DROP COLUMN month;
