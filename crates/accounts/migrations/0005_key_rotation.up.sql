-- A signing key is published first and signs later. `retired_at` may lie ahead: until then the key verifies.
ALTER TABLE signing_keys ADD COLUMN signs_at BIGINT NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_at = created_at;

-- The key of the names that counters are kept under. Encrypted like the signing keys, so that counters outlive a
-- change of the secret key.
CREATE TABLE wrapped_keys (
    name        TEXT   NOT NULL PRIMARY KEY,
    wrapped_key BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL
);
