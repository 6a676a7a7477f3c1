-- Migration: Weekly plans
-- Date: 2025-03-17
-- Author: Budget Buddy
-- Purpose: What a household means to spend in a week, in all or in one category.

-- A plan without a category is for the whole week.
CREATE TABLE weekly_plans (
    id INTEGER PRIMARY KEY,
    week_start_date TEXT NOT NULL,
    category TEXT COLLATE NOCASE,
    planned_cents INTEGER NOT NULL CHECK (planned_cents >= 0),
    status TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'done')),
    notes TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (week_start_date, category)
);

-- UNIQUE lets NULL stand beside NULL; one plan for the whole week is enough all the same.
CREATE UNIQUE INDEX uq_weekly_plans_whole_week
    ON weekly_plans (week_start_date) WHERE category IS NULL;
