ALTER TABLE refresh_tokens DROP COLUMN voided_at;
ALTER TABLE refresh_tokens DROP COLUMN successor;
