DROP INDEX users_hash_class;
ALTER TABLE users DROP COLUMN hash_class;
DROP INDEX users_external_id;
ALTER TABLE users DROP COLUMN external_id;
