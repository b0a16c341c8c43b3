-- When an import made this sign-up, of an address that was not confirmed elsewhere. NULL: somebody signed up.
ALTER TABLE registrations ADD COLUMN imported_at BIGINT;
