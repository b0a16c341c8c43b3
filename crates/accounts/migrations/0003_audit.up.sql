-- Who did what to whom, when and from where. Rows are added and, when they are old, swept; nothing changes one. There is
-- no reference to users: the trail outlives them. The address is a keyed hash to search by, and a masked text to read.
CREATE TABLE audit_events (
    id         BYTEA  NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    kind       TEXT   COLLATE "C" NOT NULL,
    actor      TEXT   NOT NULL,
    actor_id   BYTEA,
    user_id    BYTEA,
    address    BYTEA,
    email      TEXT,
    ip         TEXT,
    user_agent TEXT,
    detail     TEXT,
    CHECK (length(id) = 16),
    CHECK ((actor = 'user') = (actor_id IS NOT NULL))
);
CREATE INDEX audit_events_age ON audit_events (at);
CREATE INDEX audit_events_by_kind ON audit_events (kind, id);
CREATE INDEX audit_events_by_user ON audit_events (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_by_address ON audit_events (address, id) WHERE address IS NOT NULL;
