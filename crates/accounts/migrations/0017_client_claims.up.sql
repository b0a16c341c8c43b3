-- What tokens for an application say beyond their own claims: JSON, each claim with the place of its value. NULL: nothing.
ALTER TABLE applications ADD COLUMN claims TEXT;
