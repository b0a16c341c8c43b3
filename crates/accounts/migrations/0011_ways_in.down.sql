-- Whoever has no password gets an empty hash, which no password matches.
ALTER TABLE sessions DROP COLUMN amr;
UPDATE users SET password_hash = '' WHERE password_hash IS NULL;
-- PostgreSQL only:
ALTER TABLE users ALTER COLUMN password_hash SET NOT NULL;
-- SQLite only:
ALTER TABLE users ADD COLUMN hash_never_null TEXT NOT NULL DEFAULT '';
UPDATE users SET hash_never_null = password_hash;
ALTER TABLE users DROP COLUMN password_hash;
ALTER TABLE users RENAME COLUMN hash_never_null TO password_hash;
