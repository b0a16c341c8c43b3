-- A delivery to an application, which is told that a session has ended: it names the session, which may be gone.
ALTER TABLE webhook_deliveries ADD COLUMN session_id BYTEA;
CREATE INDEX webhook_deliveries_logouts ON webhook_deliveries (due_at, endpoint)
    WHERE session_id IS NOT NULL AND due_at IS NOT NULL;
