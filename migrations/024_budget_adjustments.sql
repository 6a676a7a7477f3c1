-- Migration: Budget adjustments
-- Date: 2025-10-06
-- Author: Budget Buddy
-- Purpose: Money moved into or out of a month's budget is written down with its reason.

-- migrate:up

-- STRICT: a text that slipped into delta_cents would be added up as 0.
CREATE TABLE budget_adjustments (
    id INTEGER PRIMARY KEY,
    category TEXT NOT NULL COLLATE NOCASE,
    month TEXT NOT NULL,
    delta_cents INTEGER NOT NULL CHECK (delta_cents <> 0),
    reason TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (category, month) REFERENCES budget_allocations (category, month)
        ON UPDATE CASCADE ON DELETE CASCADE
) STRICT;

CREATE INDEX idx_budget_adjustments_budget ON budget_adjustments (category, month);

-- migrate:down

DROP TABLE budget_adjustments;
