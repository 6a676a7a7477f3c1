-- Migration: One pattern for each subscription
-- Date: 2025-07-21
-- Author: Budget Buddy
-- Purpose: Names that were trimmed left several patterns for one payment; one of them is enough.
-- bb: changes subscription_patterns.first_seen_date, subscription_patterns.last_seen_date where id IN (SELECT min(id) FROM subscription_patterns GROUP BY account_id, merchant_name, cadence HAVING count(*) > 1)
-- bb: deletes subscription_patterns where id NOT IN (SELECT min(id) FROM subscription_patterns GROUP BY account_id, merchant_name, cadence)
-- bb: irreversible because several patterns become one

-- The first found stays, and spans the dates of all.
UPDATE subscription_patterns
SET first_seen_date = merged.first_seen_date, last_seen_date = merged.last_seen_date
FROM (
    SELECT
        min(id) AS id,
        min(first_seen_date) AS first_seen_date,
        max(last_seen_date) AS last_seen_date
    FROM subscription_patterns
    GROUP BY account_id, merchant_name, cadence
    HAVING count(*) > 1
) AS merged
WHERE subscription_patterns.id = merged.id;

DELETE FROM subscription_patterns
WHERE id NOT IN (
    SELECT min(id) FROM subscription_patterns GROUP BY account_id, merchant_name, cadence
);

CREATE UNIQUE INDEX uq_subscription_patterns_payment
    ON subscription_patterns (account_id, merchant_name, cadence);
