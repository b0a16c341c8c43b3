ALTER TABLE registrations DROP COLUMN imported_at;
