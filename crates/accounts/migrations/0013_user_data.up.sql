-- A name that is spelled as people like; and two JSON objects per user: their own data, and the application's. NULL: none.
ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN data TEXT;
ALTER TABLE users ADD COLUMN app_data TEXT;
-- What a sign-up brings along until it is activated.
ALTER TABLE registrations ADD COLUMN display_name TEXT;
ALTER TABLE registrations ADD COLUMN data TEXT;
