-- When the operator's terms were accepted. NULL: nobody was asked, or has not accepted them.
ALTER TABLE users ADD COLUMN terms_accepted_at BIGINT;
-- The same of a sign-up, until it is activated.
ALTER TABLE registrations ADD COLUMN terms_accepted_at BIGINT;
