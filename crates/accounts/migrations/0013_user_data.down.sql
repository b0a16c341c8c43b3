ALTER TABLE registrations DROP COLUMN data;
ALTER TABLE registrations DROP COLUMN display_name;
ALTER TABLE users DROP COLUMN app_data;
ALTER TABLE users DROP COLUMN data;
ALTER TABLE users DROP COLUMN display_name;
