-- Sessions that were opened with a second factor end: what is left behind knows passwords only.
UPDATE sessions SET ended_at = created_at WHERE ended_at IS NULL AND amr <> 'pwd';
ALTER TABLE users DROP COLUMN factor_due_at;
ALTER TABLE users DROP COLUMN webauthn_handle;
ALTER TABLE sessions DROP COLUMN enrol_until;
ALTER TABLE sessions DROP COLUMN factor_at;
ALTER TABLE sessions DROP COLUMN password_at;
DROP TABLE spent_ceremonies;
DROP TABLE sign_in_challenges;
DROP TABLE recovery_codes;
DROP TABLE authenticators;
DROP TABLE passkeys;
