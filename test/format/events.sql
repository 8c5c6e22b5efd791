-- Events of every kind for test/format/run, beside those of backups.sql: names that are not ASCII, nulls, numbers in
-- details.
SET application_name = E'form\\at "run"';
DO $$ BEGIN CREATE ROLE "bk format grün ☃" IN ROLE backup_service_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
SET ROLE "bk format grün ☃";
SELECT 1 FROM bk_create('été/☃', '{"é": 1}', tags => '{"é": 1.50, "ab": null, "z": {"": "☃", "a": [1e3, -0.0010]}}', version => '', source => 'à', retention => '1 year', resource_type => 'typé');
SELECT 1 FROM bk_create('été/☃', '{"é": 2}', 'incremental');
SELECT 1 FROM bk_create('été/☃', '{"é": 3}', 'incremental', version => 'v');
SELECT bk_restore(max(backup_id), 'où 😀', true, 'moi') FROM bk_list('été/☃');
SELECT count(*) FROM bk_history('été/☃', '["é"]');
RESET ROLE;
SELECT bk_diff(min(backup_id), max(backup_id)) FROM bk_list('été/☃');
SELECT bk_audit_seal();
SELECT bk_owner_set('chain', 'bk format grün ☃');
SELECT 1 FROM bk_create('gone', '[]');
SELECT bk_delete(backup_id) FROM bk_list('gone');
SELECT bk_key_copied(version) FROM bk_keys;
