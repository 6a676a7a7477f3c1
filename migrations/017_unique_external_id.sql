-- Migration: The bank's id is given once
-- Date: 2025-07-07
-- Author: Budget Buddy
-- Purpose: A sync that was cut short and repeated no longer writes transactions twice.
-- bb: requires unique transactions(external_id)

-- migrate:up

-- Entries made by hand have no such id: NULL may stand beside NULL.
CREATE UNIQUE INDEX uq_transactions_external_id ON transactions (external_id);

-- migrate:down

DROP INDEX uq_transactions_external_id;
