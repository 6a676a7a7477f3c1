-- Migration: Aggregations are account totals
-- Date: 2025-11-03
-- Author: Budget Buddy
-- Purpose: The table's name says what it holds: the totals of an account in a month.

-- migrate:up

ALTER TABLE transaction_aggregations RENAME TO account_monthly_totals;

-- An index keeps its name when its table gets another one.
DROP INDEX idx_transaction_aggregations_month;
CREATE INDEX idx_account_monthly_totals_month ON account_monthly_totals (month);

-- migrate:down

DROP INDEX idx_account_monthly_totals_month;
ALTER TABLE account_monthly_totals RENAME TO transaction_aggregations;
CREATE INDEX idx_transaction_aggregations_month ON transaction_aggregations (month);
