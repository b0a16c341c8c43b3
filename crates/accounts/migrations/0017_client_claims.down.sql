ALTER TABLE applications DROP COLUMN claims;
