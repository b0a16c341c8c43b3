DROP INDEX outbox_by_user;
ALTER TABLE outbox DROP COLUMN user_id;
