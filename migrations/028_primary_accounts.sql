-- Migration: A bank's primary account
-- Date: 2026-01-12
-- Author: Budget Buddy
-- Purpose: The overview shows one balance for each bank. The first account still in use is chosen.

-- migrate:up

ALTER TABLE institutions ADD COLUMN primary_account_id INTEGER
    REFERENCES accounts (id) ON DELETE SET NULL;

UPDATE institutions
SET primary_account_id = (
    SELECT min(accounts.id)
    FROM accounts
    WHERE accounts.institution_id = institutions.id AND accounts.is_active = 1
);

-- migrate:down

ALTER TABLE institutions DROP COLUMN primary_account_id;
