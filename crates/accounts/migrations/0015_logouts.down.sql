DROP INDEX webhook_deliveries_logouts;
-- An earlier program sends nothing to applications.
DELETE FROM webhook_deliveries WHERE session_id IS NOT NULL;
ALTER TABLE webhook_deliveries DROP COLUMN session_id;
