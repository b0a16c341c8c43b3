-- What a user is searched by: address and names, folded, each after two line feeds. NULL: not indexed yet, which the sweeper does.
ALTER TABLE users ADD COLUMN search_text TEXT COLLATE "C";
CREATE INDEX users_not_indexed ON users (id) WHERE search_text IS NULL;
-- Never counts as the earliest sign-in.
CREATE INDEX users_last_sign_in ON users (COALESCE(last_sign_in_at, 0), id);
-- PostgreSQL only:
-- Every three characters in a row of each search_text. There is no reference to users, which would need a second index: whoever
-- deletes a user deletes its rows, and a row without its user finds nobody.
CREATE TABLE user_trigrams (
    trigram TEXT   COLLATE "C" NOT NULL,
    user_id BYTEA  NOT NULL,
    CONSTRAINT user_trigrams_key PRIMARY KEY (trigram, user_id)
);
-- SQLite only:
-- Every three characters in a row of each search_text. There is no reference to users, which would need a second index: whoever
-- deletes a user deletes its rows, and a row without its user finds nobody.
CREATE TABLE user_trigrams (
    trigram TEXT   COLLATE BINARY NOT NULL,
    user_id BYTEA  NOT NULL,
    CONSTRAINT user_trigrams_key PRIMARY KEY (trigram, user_id)
) WITHOUT ROWID;
