-- Migration: Opening balances of sinking funds
-- Date: 2026-01-26
-- Author: Budget Buddy
-- Purpose: Balance = opening + movements can be checked.
-- Some funds held money before their movements were recorded: until now that part was a difference.

-- migrate:up

ALTER TABLE sinking_funds ADD COLUMN opening_cents INTEGER NOT NULL DEFAULT 0;

UPDATE sinking_funds
SET opening_cents = current_cents - (
    SELECT coalesce(
        sum(CASE movement.kind WHEN 'deposit' THEN movement.amount_cents
            ELSE -movement.amount_cents END),
        0
    )
    FROM sinking_fund_transactions AS movement
    WHERE movement.fund_id = sinking_funds.id
);

-- migrate:down

ALTER TABLE sinking_funds DROP COLUMN opening_cents;
