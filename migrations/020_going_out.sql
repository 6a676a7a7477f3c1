-- Migration: Dining Out becomes Going Out
-- Date: 2025-08-04
-- Author: Budget Buddy
-- Purpose: Restaurants, bars and concerts are planned together, under one name.
-- bb: changes transactions.bb_category where bb_category = 'Dining Out'
-- bb: changes budget_allocations.category where category = 'Dining Out'
-- bb: changes budget_allocations.amount_cents where category = 'Going Out' AND month IN (SELECT month FROM budget_allocations WHERE category = 'Dining Out')
-- bb: deletes budget_allocations where category = 'Dining Out' AND month IN (SELECT month FROM budget_allocations WHERE category = 'Going Out')
-- bb: irreversible because two categories become one

-- A change of name is no edit: updated_at stays what it was.
DROP TRIGGER trg_transactions_touch;
DROP TRIGGER trg_budget_allocations_touch;

UPDATE transactions SET bb_category = 'Going Out' WHERE bb_category = 'Dining Out';

-- A category has one budget a month: where a month has both names, one budget of their sum remains.
UPDATE budget_allocations
SET amount_cents = budget_allocations.amount_cents + dining.amount_cents
FROM budget_allocations AS dining
WHERE budget_allocations.category = 'Going Out'
    AND dining.category = 'Dining Out'
    AND dining.month = budget_allocations.month;

DELETE FROM budget_allocations
WHERE category = 'Dining Out'
    AND month IN (SELECT month FROM budget_allocations WHERE category = 'Going Out');

UPDATE budget_allocations SET category = 'Going Out' WHERE category = 'Dining Out';

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
