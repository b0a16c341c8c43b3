DROP TABLE user_trigrams;
DROP INDEX users_last_sign_in;
DROP INDEX users_not_indexed;
ALTER TABLE users DROP COLUMN search_text;
