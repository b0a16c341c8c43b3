-- How each session began, in the terms of RFC 8176; and users may do without a password.
ALTER TABLE sessions ADD COLUMN amr TEXT NOT NULL DEFAULT 'pwd';
-- PostgreSQL only:
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;
-- SQLite only:
ALTER TABLE users ADD COLUMN hash_or_null TEXT;
UPDATE users SET hash_or_null = password_hash;
ALTER TABLE users DROP COLUMN password_hash;
ALTER TABLE users RENAME COLUMN hash_or_null TO password_hash;
