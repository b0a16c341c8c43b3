DROP TABLE wrapped_keys;
ALTER TABLE signing_keys DROP COLUMN signs_at;
