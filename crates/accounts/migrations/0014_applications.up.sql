-- Applications that send people here to sign in (OAuth 2, OpenID Connect). Those of the settings file are not in the database.
CREATE TABLE applications (
    id                        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name                      TEXT   NOT NULL,
    kind                      TEXT   NOT NULL,
    redirect_uris             TEXT   NOT NULL,
    post_logout_redirect_uris TEXT   NOT NULL,
    logout_uri                TEXT,
    resources                 TEXT   NOT NULL,
    scopes                    TEXT   NOT NULL,
    machine_scopes            TEXT   NOT NULL,
    consent                   TEXT   NOT NULL,
    created_at                BIGINT NOT NULL,
    updated_at                BIGINT NOT NULL
);

-- At most two of an application, so that one can be exchanged without a gap.
CREATE TABLE application_secrets (
    hash           BYTEA  NOT NULL PRIMARY KEY,
    application_id TEXT COLLATE "C" NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
    created_at     BIGINT NOT NULL,
    CHECK (length(hash) = 32)
);
CREATE INDEX application_secrets_by_application ON application_secrets (application_id);

-- What a user has allowed an application, which may be one of the settings file.
CREATE TABLE application_grants (
    user_id        BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application_id TEXT COLLATE "C" NOT NULL,
    scopes         TEXT   NOT NULL,
    created_at     BIGINT NOT NULL,
    last_used_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, application_id)
);
CREATE INDEX application_grants_by_application ON application_grants (application_id);

-- Requests that wait for their user: to sign in, or to be asked.
CREATE TABLE authorization_requests (
    id         BYTEA  NOT NULL PRIMARY KEY,
    holder     BYTEA  NOT NULL,
    client     BYTEA,
    request    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CHECK (length(id) = 16),
    CHECK (length(holder) = 32)
);
CREATE INDEX authorization_requests_by_holder ON authorization_requests (holder);
CREATE INDEX authorization_requests_by_client ON authorization_requests (client);
CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at);

-- Codes by their SHA-256. A used one stays until it would have expired and names the session that it began.
CREATE TABLE authorization_codes (
    hash               BYTEA  NOT NULL PRIMARY KEY,
    user_id            BYTEA  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    parent_id          BYTEA  NOT NULL,
    credential_version BIGINT NOT NULL,
    request            TEXT   NOT NULL,
    amr                TEXT   NOT NULL,
    password_at        BIGINT,
    factor_at          BIGINT,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    consumed_at        BIGINT,
    session_id         BYTEA,
    CHECK (length(hash) = 32)
);
CREATE INDEX authorization_codes_by_user ON authorization_codes (user_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- The application whose session it is, the browser's session it came from, and what its tokens are for.
ALTER TABLE sessions ADD COLUMN application_id TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN parent_id BYTEA;
ALTER TABLE sessions ADD COLUMN scopes TEXT;
ALTER TABLE sessions ADD COLUMN resource TEXT;
CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_by_application ON sessions (application_id, user_id) WHERE application_id IS NOT NULL;
