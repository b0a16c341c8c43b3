-- The public keys with which an application authenticates: a JWK Set. NULL: it has none.
ALTER TABLE applications ADD COLUMN jwks TEXT;

-- Assertions that were used, so that none is used twice: SHA-256 of their `jti`. The application may be one of the settings file.
CREATE TABLE application_assertions (
    application_id TEXT COLLATE "C" NOT NULL,
    jti_hash       BYTEA  NOT NULL,
    expires_at     BIGINT NOT NULL,
    PRIMARY KEY (application_id, jti_hash),
    CHECK (length(jti_hash) = 32)
);
CREATE INDEX application_assertions_by_expiry ON application_assertions (expires_at);
