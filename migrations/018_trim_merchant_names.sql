-- Migration: Merchant names without blanks around them
-- Date: 2025-07-14
-- Author: Budget Buddy
-- Purpose: Banks pad names and end them with line breaks: 'Aldi ' and 'Aldi' were two merchants.
-- bb: changes transactions.merchant_name where merchant_name = '' OR merchant_name <> trim(merchant_name, char(9, 10, 13, 32))
-- bb: changes subscription_patterns.merchant_name where merchant_name <> trim(merchant_name, char(9, 10, 13, 32))
-- bb: irreversible because the blanks are kept nowhere

-- A clean-up is no edit: updated_at stays what it was, so the trigger stands aside meanwhile.
DROP TRIGGER trg_transactions_touch;

-- A name of nothing but blanks is no name.
UPDATE transactions
SET merchant_name = nullif(trim(merchant_name, char(9, 10, 13, 32)), '')
WHERE merchant_name = '' OR merchant_name <> trim(merchant_name, char(9, 10, 13, 32));

CREATE TRIGGER trg_transactions_touch AFTER UPDATE ON transactions
WHEN NEW.updated_at IS OLD.updated_at AND NEW.updated_at IS NOT CURRENT_TIMESTAMP
BEGIN
    UPDATE transactions SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

UPDATE subscription_patterns
SET merchant_name = trim(merchant_name, char(9, 10, 13, 32))
WHERE merchant_name <> trim(merchant_name, char(9, 10, 13, 32));
