-- Migration: Buddy's weekly reflections
-- Date: 2025-03-03
-- Author: Budget Buddy
-- Purpose: What Buddy has to say about a week, in four parts.

CREATE TABLE weekly_reflections (
    id INTEGER PRIMARY KEY,
    week_start_date TEXT NOT NULL,
    spending_summary TEXT,
    category_insights TEXT,
    goal_progress TEXT,
    recommendations TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_weekly_reflections_week ON weekly_reflections (week_start_date DESC);
