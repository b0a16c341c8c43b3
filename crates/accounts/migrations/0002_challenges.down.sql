ALTER TABLE users DROP COLUMN credential_version;
DROP TABLE challenges;
