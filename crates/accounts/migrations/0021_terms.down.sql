ALTER TABLE registrations DROP COLUMN terms_accepted_at;
ALTER TABLE users DROP COLUMN terms_accepted_at;
