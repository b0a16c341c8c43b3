-- Addresses that were invited, one row each at most: a new invitation takes the place of the one before. The token of its
-- link is recomputed from the row and the secret key. There is no reference to users: whoever invited may go.
CREATE TABLE invitations (
    id          BYTEA  NOT NULL PRIMARY KEY,
    email       TEXT   NOT NULL,
    email_key   TEXT   COLLATE "C" NOT NULL UNIQUE,
    user_name   TEXT,
    roles       TEXT   NOT NULL,
    locale      TEXT,
    invited_by  BYTEA,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    accepted_at BIGINT,
    CHECK (length(id) = 16)
);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- The right to make the first administrator. There is one row at most, so that whoever claims it claims the only one.
CREATE TABLE setup_links (
    slot       BIGINT NOT NULL PRIMARY KEY,
    id         BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    CHECK (slot = 1),
    CHECK (length(id) = 16)
);
