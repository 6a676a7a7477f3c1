-- Migration: updated_at keeps itself
-- Date: 2025-05-12
-- Author: Budget Buddy
-- Purpose: Edits made by hand or by another program show in updated_at as the app's own do.

-- migrate:up

-- A writer that sets updated_at itself is left alone. The last condition ends it where
-- recursive_triggers is on.
CREATE TRIGGER trg_transactions_touch AFTER UPDATE ON transactions
WHEN NEW.updated_at IS OLD.updated_at AND NEW.updated_at IS NOT CURRENT_TIMESTAMP
BEGIN
    UPDATE transactions SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

CREATE TRIGGER trg_budget_allocations_touch AFTER UPDATE ON budget_allocations
WHEN NEW.updated_at IS OLD.updated_at AND NEW.updated_at IS NOT CURRENT_TIMESTAMP
BEGIN
    UPDATE budget_allocations SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

CREATE TRIGGER trg_weekly_reflections_touch AFTER UPDATE ON weekly_reflections
WHEN NEW.updated_at IS OLD.updated_at AND NEW.updated_at IS NOT CURRENT_TIMESTAMP
BEGIN
    UPDATE weekly_reflections SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

-- migrate:down

DROP TRIGGER trg_weekly_reflections_touch;
DROP TRIGGER trg_budget_allocations_touch;
DROP TRIGGER trg_transactions_touch;
