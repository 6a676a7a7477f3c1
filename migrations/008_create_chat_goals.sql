-- Migration: Goals set in the chat
-- Date: 2025-03-31
-- Author: Budget Buddy
-- Purpose: "Spend less on coffee in Lisbon": what a user told Buddy, with its milestones below it.

-- migrate:up

CREATE TABLE chat_goals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    parent_goal_id INTEGER REFERENCES chat_goals (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'reached', 'given_up')),
    target_cents INTEGER,
    target_date TEXT,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    category_dimension TEXT,
    merchant_dimension TEXT,
    trip_dimension TEXT
);

CREATE INDEX idx_chat_goals_parent ON chat_goals (parent_goal_id);
CREATE INDEX idx_chat_goals_open ON chat_goals (target_date) WHERE status = 'open';

-- migrate:down

DROP TABLE chat_goals;
