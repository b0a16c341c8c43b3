-- What a used token bought, so that it can buy another one while that was not used; and when that one died unused.
ALTER TABLE refresh_tokens ADD COLUMN successor BYTEA;
ALTER TABLE refresh_tokens ADD COLUMN voided_at BIGINT;
