-- What a mailed link proves later: the right to set a password, to use an address, to take a change back. The token of
-- a link is recomputed from this row and the secret key; the row alone gives none.
CREATE TABLE challenges (
    id                 BYTEA  NOT NULL PRIMARY KEY,
    purpose            TEXT   NOT NULL,
    user_id            BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id         BYTEA,
    email              TEXT   NOT NULL,
    email_key          TEXT   COLLATE "C" NOT NULL,
    credential_version BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    used_at            BIGINT,
    CHECK (length(id) = 16)
);
CREATE INDEX challenges_by_user ON challenges (user_id, purpose);
CREATE INDEX challenges_by_expiry ON challenges (expires_at);

-- Grows with every change of the password or the address: links that were made before stop working.
ALTER TABLE users ADD COLUMN credential_version BIGINT NOT NULL DEFAULT 0;
