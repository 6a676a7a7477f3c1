-- Migration: Sinking funds have a priority
-- Date: 2025-11-17
-- Author: Budget Buddy
-- Purpose: When money is short, the fund of the highest priority is paid first.

-- migrate:up

ALTER TABLE sinking_funds ADD COLUMN priority INTEGER NOT NULL DEFAULT 3
    CHECK (priority BETWEEN 1 AND 5);

-- The sooner a fund is due, the higher; those without a date stay in the middle.
UPDATE sinking_funds
SET priority = ranked.fifth
FROM (
    SELECT id, ntile(5) OVER (ORDER BY target_date, id) AS fifth
    FROM sinking_funds
    WHERE target_date IS NOT NULL AND is_archived = 0
) AS ranked
WHERE sinking_funds.id = ranked.id;

-- migrate:down

ALTER TABLE sinking_funds DROP COLUMN priority;
