ALTER TABLE registrations DROP COLUMN claimed_at;
DROP INDEX sessions_by_browser;
ALTER TABLE sessions DROP COLUMN browser_hash;
