-- Migration: Trip tags
-- Date: 2025-02-03
-- Author: Budget Buddy
-- Purpose: Purchases made on a journey carry its name, so that a trip can be added up.

-- migrate:up

ALTER TABLE transactions ADD COLUMN trip_tag TEXT;

-- Few purchases belong to a trip: the others need no place in the index.
CREATE INDEX idx_transactions_trip_tag ON transactions (trip_tag) WHERE trip_tag IS NOT NULL;

-- migrate:down

-- SQLite does not drop a column that an index names.
DROP INDEX idx_transactions_trip_tag;
ALTER TABLE transactions DROP COLUMN trip_tag;
