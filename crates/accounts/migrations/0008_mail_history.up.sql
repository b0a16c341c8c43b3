-- Whose message it is: what it is about (a link, a sign-up) is forgotten earlier. There is no reference to users: a message
-- outlives its user until it is swept, and names nobody.
ALTER TABLE outbox ADD COLUMN user_id BYTEA;
CREATE INDEX outbox_by_user ON outbox (user_id) WHERE user_id IS NOT NULL;

UPDATE outbox SET user_id = about WHERE about IN (SELECT id FROM users);
UPDATE outbox SET user_id = (SELECT c.user_id FROM challenges c WHERE c.id = outbox.about)
WHERE about IN (SELECT id FROM challenges);
UPDATE outbox SET user_id =
    (SELECT u.id FROM registrations r JOIN users u ON u.email_key = r.email_key WHERE r.id = outbox.about)
WHERE about IN (SELECT id FROM registrations WHERE activated_at IS NOT NULL);
