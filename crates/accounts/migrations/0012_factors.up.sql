-- Passkeys, authenticator apps and recovery codes.
CREATE TABLE passkeys (
    id              BYTEA  NOT NULL PRIMARY KEY,
    user_id         BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id   BYTEA  NOT NULL UNIQUE,
    public_key      BYTEA  NOT NULL,
    algorithm       BIGINT NOT NULL,
    sign_count      BIGINT NOT NULL,
    aaguid          BYTEA  NOT NULL,
    transports      TEXT   NOT NULL,
    uv_at_creation  BIGINT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    backed_up       BIGINT NOT NULL,
    name            TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    last_used_at    BIGINT,
    CHECK (length(id) = 16),
    CHECK (length(aaguid) = 16)
);
CREATE INDEX passkeys_by_user ON passkeys (user_id);

-- The shared secret of an authenticator app, encrypted under the secret key named by `sealed_with`.
CREATE TABLE authenticators (
    user_id      BYTEA  NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret       BYTEA  NOT NULL,
    sealed_with  BYTEA  NOT NULL,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step    BIGINT NOT NULL
);
CREATE INDEX authenticators_by_seal ON authenticators (sealed_with);

CREATE TABLE recovery_codes (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    user_id    BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at    BIGINT,
    CHECK (length(hash) = 32)
);
CREATE INDEX recovery_codes_by_user ON recovery_codes (user_id);

-- A right password that waits for its second factor. Whoever answers takes the row by deleting it.
CREATE TABLE sign_in_challenges (
    id                 BYTEA  NOT NULL PRIMARY KEY,
    user_id            BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_version BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    CHECK (length(id) = 16)
);
CREATE INDEX sign_in_challenges_by_user ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_by_expiry ON sign_in_challenges (expires_at);

-- Ceremonies of passkeys that were answered, so that none is answered twice. Those that wait are nowhere.
CREATE TABLE spent_ceremonies (
    id         BYTEA  NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL,
    CHECK (length(id) = 16)
);
CREATE INDEX spent_ceremonies_by_expiry ON spent_ceremonies (expires_at);

-- When each proof of a session was last given; and until when a session without a second factor may enrol one.
ALTER TABLE sessions ADD COLUMN password_at BIGINT;
ALTER TABLE sessions ADD COLUMN factor_at BIGINT;
ALTER TABLE sessions ADD COLUMN enrol_until BIGINT;
UPDATE sessions SET password_at = created_at;

-- The name of the user for authenticators, which says nothing to anybody else; and since when a second factor is due.
ALTER TABLE users ADD COLUMN webauthn_handle BYTEA;
ALTER TABLE users ADD COLUMN factor_due_at BIGINT;
