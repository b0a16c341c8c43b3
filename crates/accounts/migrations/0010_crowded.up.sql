-- When an address had more sign-ups, or mails, than a day has room for: the link of such a sign-up lets whoever reads the mails
-- of the address choose the password, and no code is sent.
ALTER TABLE registrations ADD COLUMN crowded_at BIGINT;
