DROP TABLE application_assertions;
ALTER TABLE applications DROP COLUMN jwks;
