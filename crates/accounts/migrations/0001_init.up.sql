-- Columns are text, 64-bit integers (times in milliseconds since 1970, NULL where a thing has not happened) and bytes.
-- One text for both databases: SQLite takes the collation "C", bytewise order, under its name BINARY.

CREATE TABLE users (
    id                 BYTEA  NOT NULL PRIMARY KEY,
    email              TEXT   NOT NULL,
    email_key          TEXT   COLLATE "C" NOT NULL UNIQUE,
    user_name          TEXT,
    user_name_key      TEXT   COLLATE "C" UNIQUE,
    user_name_skeleton TEXT   COLLATE "C" UNIQUE,
    password_hash      TEXT   NOT NULL,
    roles              TEXT   NOT NULL,
    locale             TEXT,
    email_confirmed_at BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    last_sign_in_at    BIGINT,
    disabled_at        BIGINT,
    CHECK (length(id) = 16),
    CHECK ((user_name IS NULL) = (user_name_key IS NULL)),
    CHECK ((user_name IS NULL) = (user_name_skeleton IS NULL))
);
CREATE INDEX users_disabled ON users (id) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_with_roles ON users (id) WHERE roles <> '';

-- A sign-up that waits for its confirmation. A decoy stands for an address that had an account already.
CREATE TABLE registrations (
    id                 BYTEA  NOT NULL PRIMARY KEY,
    email              TEXT   NOT NULL,
    email_key          TEXT   COLLATE "C" NOT NULL,
    user_name          TEXT,
    password_hash      TEXT   NOT NULL,
    locale             TEXT,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    decoy_at           BIGINT,
    mailed_at          BIGINT,
    code_mail          BYTEA,
    code_expires_at    BIGINT,
    code_attempts      BIGINT NOT NULL,
    activated_at       BIGINT,
    CHECK (length(id) = 16),
    CHECK (decoy_at IS NULL OR activated_at IS NULL)
);
CREATE INDEX registrations_by_email ON registrations (email_key, id);
CREATE INDEX registrations_by_expiry ON registrations (expires_at);

CREATE TABLE sessions (
    id           BYTEA  NOT NULL PRIMARY KEY,
    user_id      BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    user_agent   TEXT,
    ip           TEXT,
    CHECK (length(id) = 16)
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Each token works once; a used one stays until the session's end, so that its reuse is noticed.
CREATE TABLE refresh_tokens (
    hash        BYTEA  NOT NULL PRIMARY KEY,
    session_id  BYTEA  NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    consumed_at BIGINT,
    CHECK (length(hash) = 32)
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Messages to hand over, written in the transaction of their cause. due_at is NULL when there is nothing left to do.
CREATE TABLE outbox (
    id         BYTEA  NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL,
    about      BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT,
    attempts   BIGINT NOT NULL,
    code_at    BIGINT,
    last_error TEXT,
    sent_at    BIGINT,
    failed_at  BIGINT,
    CHECK (length(id) = 16)
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_failed ON outbox (id) WHERE failed_at IS NOT NULL;
CREATE INDEX outbox_about ON outbox (about);
CREATE INDEX outbox_created ON outbox (created_at);

-- What limits count. A subject is a keyed hash of an address or a client, so nobody is named here. Failures are those
-- of sign-in since the last success; until free_at no password is accepted.
CREATE TABLE limit_subjects (
    subject    BYTEA  NOT NULL PRIMARY KEY,
    touched_at BIGINT NOT NULL,
    failures   BIGINT NOT NULL,
    free_at    BIGINT NOT NULL
);
CREATE INDEX limit_subjects_touched ON limit_subjects (touched_at);

CREATE TABLE limit_events (
    subject BYTEA  NOT NULL,
    rule    TEXT   COLLATE "C" NOT NULL,
    at      BIGINT NOT NULL
);
CREATE INDEX limit_events_counted ON limit_events (subject, rule, at);
CREATE INDEX limit_events_age ON limit_events (at);

-- Answers given under an Idempotency-Key. Both columns of bytes are keyed hashes.
CREATE TABLE idempotency_keys (
    key         BYTEA  NOT NULL PRIMARY KEY,
    fingerprint BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- The private keys are encrypted with the secret key, which is not in the database.
CREATE TABLE signing_keys (
    id          TEXT   NOT NULL PRIMARY KEY,
    algorithm   TEXT   NOT NULL,
    private_key BYTEA  NOT NULL,
    public_key  BYTEA  NOT NULL,
    created_at  BIGINT NOT NULL,
    retired_at  BIGINT
);
