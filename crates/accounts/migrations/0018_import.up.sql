-- The name of a user in the system it came from. NULL: none.
ALTER TABLE users ADD COLUMN external_id TEXT COLLATE "C";
CREATE UNIQUE INDEX users_external_id ON users (external_id);
-- What password hashes of other programs have in common that take equally long to check. NULL: the hash is ours.
ALTER TABLE users ADD COLUMN hash_class TEXT COLLATE "C";
CREATE INDEX users_hash_class ON users (hash_class) WHERE hash_class IS NOT NULL;
