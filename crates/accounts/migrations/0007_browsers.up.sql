-- A session that a browser holds: the SHA-256 of its cookie's value. Such a session has no refresh tokens.
ALTER TABLE sessions ADD COLUMN browser_hash BYTEA;
CREATE UNIQUE INDEX sessions_by_browser ON sessions (browser_hash);

-- When the browser that signed up was signed in by the confirmation, which happens once.
ALTER TABLE registrations ADD COLUMN claimed_at BIGINT;
