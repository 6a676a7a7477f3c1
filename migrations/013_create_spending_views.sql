-- Migration: Views for the overview page
-- Date: 2025-05-19
-- Author: Budget Buddy
-- Purpose: Spending by month, budgets beside it, and each bank's accounts, asked for in one place.

-- migrate:up

-- Negative amounts are money spent; what is pending may still change.
CREATE VIEW v_monthly_spending AS
SELECT
    substr(date, 1, 7) AS month,
    bb_category AS category,
    -sum(amount_cents) AS spent_cents,
    count(*) AS transaction_count
FROM transactions
WHERE amount_cents < 0 AND is_pending = 0
GROUP BY substr(date, 1, 7), bb_category;

CREATE VIEW v_budget_status AS
SELECT
    budget.month,
    budget.category,
    budget.amount_cents AS budget_cents,
    coalesce(spending.spent_cents, 0) AS spent_cents,
    budget.amount_cents - coalesce(spending.spent_cents, 0) AS left_cents
FROM budget_allocations AS budget
LEFT JOIN v_monthly_spending AS spending
    ON spending.month = budget.month AND spending.category = budget.category;

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
DROP VIEW v_budget_status;
DROP VIEW v_monthly_spending;
