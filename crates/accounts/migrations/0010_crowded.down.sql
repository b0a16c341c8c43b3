ALTER TABLE registrations DROP COLUMN crowded_at;
