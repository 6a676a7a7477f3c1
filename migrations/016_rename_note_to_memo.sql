-- Migration: A transaction's note is its memo
-- Date: 2025-06-23
-- Author: Budget Buddy
-- Purpose: The page, the export and sinking_fund_transactions all say memo.

-- migrate:up

ALTER TABLE transactions RENAME COLUMN note TO memo;

-- migrate:down

ALTER TABLE transactions RENAME COLUMN memo TO note;
