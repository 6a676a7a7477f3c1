-- Migration: Income and savings in the month's review
-- Date: 2025-05-05
-- Author: Budget Buddy
-- Purpose: A review says what came in and which part of it stayed, for past months too.

-- migrate:up

-- NULL where no income was entered: such a month has no savings rate, not one of 0.
ALTER TABLE monthly_reflections ADD COLUMN total_income_cents INTEGER;
ALTER TABLE monthly_reflections ADD COLUMN savings_rate REAL
    GENERATED ALWAYS AS (
        CASE WHEN total_income_cents > 0
            THEN (total_income_cents - total_spent_cents) * 1.0 / total_income_cents
        END
    ) VIRTUAL;

UPDATE monthly_reflections
SET total_income_cents = (
    SELECT sum(monthly_income.amount_cents)
    FROM monthly_income
    WHERE monthly_income.month = monthly_reflections.month
);

-- migrate:down

ALTER TABLE monthly_reflections DROP COLUMN savings_rate;
ALTER TABLE monthly_reflections DROP COLUMN total_income_cents;
