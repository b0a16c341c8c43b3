-- Sessions of applications would otherwise become ones of this service's own.
DELETE FROM refresh_tokens WHERE session_id IN (SELECT id FROM sessions WHERE application_id IS NOT NULL);
DELETE FROM sessions WHERE application_id IS NOT NULL;
DROP INDEX sessions_by_application;
DROP INDEX sessions_by_parent;
ALTER TABLE sessions DROP COLUMN resource;
ALTER TABLE sessions DROP COLUMN scopes;
ALTER TABLE sessions DROP COLUMN parent_id;
ALTER TABLE sessions DROP COLUMN application_id;
DROP TABLE authorization_codes;
DROP TABLE authorization_requests;
DROP TABLE application_grants;
DROP TABLE application_secrets;
DROP TABLE applications;
