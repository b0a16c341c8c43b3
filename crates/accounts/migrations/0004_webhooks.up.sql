-- What endpoints are to be told, one row per event and endpoint, written in the transaction of its cause. The user is
-- named by the id alone, and may be gone. due_at is NULL when there is nothing left to do.
CREATE TABLE webhook_deliveries (
    event_id   BYTEA  NOT NULL,
    endpoint   TEXT   COLLATE "C" NOT NULL,
    event      TEXT   NOT NULL,
    user_id    BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT,
    attempts   BIGINT NOT NULL,
    last_error TEXT,
    sent_at    BIGINT,
    failed_at  BIGINT,
    PRIMARY KEY (event_id, endpoint),
    CHECK (length(event_id) = 16)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (event_id) WHERE failed_at IS NOT NULL;
CREATE INDEX webhook_deliveries_about ON webhook_deliveries (user_id);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at);
