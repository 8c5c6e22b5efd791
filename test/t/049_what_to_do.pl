# Do the commands work that docs/operations.md names for when something is wrong?  What is run here as page() stands there, to
# the letter; what breaks things first does not.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file("$FindBin::RealBin/../../docs/operations.md");
my $conf = "shared_preload_libraries = 'backup_service'\nbackup_service.worker_idle_timeout = 0\n";
my $node = bk_start('wrong', conf => $conf);
my $key_file = bk_key_path($node);
my $safe = PostgreSQL::Test::Utils::tempdir();

sub value { return bk_value($node, 'postgres', $_[0]); }

# Run a statement of the page.
sub page
{
	my ($sql, $database) = @_;
	my $known = index($text, $sql) >= 0;
	ok(0, "docs/operations.md has: $sql") unless $known;
	return bk_value($node, $database || 'postgres', $sql);
}

sub health
{
	my ($name) = @_;
	return value("SELECT ok FROM bk_health() WHERE name = '$name'");
}

# Copy a file as it is, mode and all.
sub copy
{
	my ($from, $to) = @_;
	system('cp', '-p', $from, $to) == 0 or die "cp: $?";
	return;
}

sub configure
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
	page('SELECT pg_reload_conf();');
	ok(bk_wait_for(30, sub { value("SELECT current_setting('$name')") eq $value }), "$name = '$value'");
	return;
}

$node->safe_psql('postgres', q{
SELECT FROM generate_series(1, 4) n, LATERAL bk_create('shop', jsonb_build_object('n', n, 'text', repeat('x', 1000)), CASE n WHEN 1 THEN 'full' ELSE 'incremental' END);
SELECT FROM bk_create('shop', '{"n": 5}', 'full');
SELECT FROM bk_create('other', '{"n": 6}')});

# ----- A key file that is gone, and comes back.
is(health('keys_copied'), 'f', 'a key that nobody has copied is complained of');
copy($key_file, "$safe/backup_service.key");
page('SELECT bk_key_copied(1);');
is(health('keys_copied'), 't', 'and not when that is noted');
unlink $key_file;
bk_fails($node, 'postgres', 'SELECT bk_read(1)', '58000', qr/does not exist/, 'without its key file nothing is read');
is(health('keys'), 'f', 'bk_health() says so');
copy("$safe/backup_service.key", $key_file);
is(page('SELECT * FROM bk_verify_keys();'), '1|t|', 'the copy put back');
is(page('SELECT version, state, backups FROM bk_keys;'), '1|active|6', 'how many backups hang on which version');

# ----- Lost in every copy: it is given up, the old backups stay, and come back with the old one.
bk_fails($node, 'postgres', 'SELECT bk_key_rotate(lost => true)', '55000', qr/key version 1 is not lost\nDETAIL:.*\nHINT:  Run bk_key_rotate\(\) without lost/, 'what is not lost is not given up');
unlink $key_file;
bk_fails($node, 'postgres', 'SELECT bk_key_rotate(lost => true)', '58000', qr/does not exist/, 'no file is made where there is none');
like($text, qr{^install -m 0600 /dev/null "\$\(psql -XAtc 'SHOW data_directory'\)/backup_service.key"$}m, 'the page makes an empty one');
system('install', '-m', '0600', '/dev/null', $key_file) == 0 or die;
bk_fails($node, 'postgres', q{SELECT FROM bk_create('shop', '{"n": 7}')}, '58000', qr/does not hold master key version 1/, 'a version that is lost for good');
bk_fails($node, 'postgres', 'SELECT bk_key_rotate()', '58000', qr/does not hold master key version 1/, 'is not rotated away by the way');
is(page('SELECT bk_key_rotate(lost => true);'), 2, 'but when it is said so');
is(value(q{SELECT detail FROM bk_audit WHERE action = 'key_rotate'}), '{"lost": 1, "version": 2}', 'which is in the trail');
is(health('keys'), 'f', 'and bk_health() still knows');
is(value(q{SELECT key_version FROM bk_create('shop', '{"n": 7}')}), 2, 'the next backup uses the new version');
is(value(q{SELECT bk_read(backup_id) ->> 'n' FROM bk_list('shop', max_rows => 1)}), 7, 'and can be read');
is(page('SELECT * FROM bk_audit_verify();'), '', 'the trail is whole');
append_to_file($key_file, slurp_file("$safe/backup_service.key"));
my ($second_key) = slurp_file($key_file) =~ /^(2:[0-9a-f]{64}\n)/m;
is(value('SELECT bk_read(4) ->> $$n$$'), 4, 'found again, the old key reads the old backups');
is(page('SELECT bk_rekey();'), 6, 'and need not be kept any longer');
is(page('SELECT bk_key_retire(1);'), '', 'so it is retired');

# ----- Damage: found, looked at, put back from a base backup.
# The rows of backup 2, as a recovered server has them.
my @tables = qw(chunk backup snapshot);
value("COPY (SELECT * FROM backup_service.$_ WHERE resource_id = 'shop' AND backup_id = 2) TO '$safe/$_.rows'") for @tables;

sub put_back
{
	page("DELETE FROM backup_service.$_ WHERE resource_id = 'shop' AND backup_id = 2;") for @tables;
	foreach my $table (@tables)
	{
		like($text, qr/^\\copy backup_service.$table FROM $table.rows$/m, "the page puts rows of $table back");
		value("COPY backup_service.$table FROM '$safe/$table.rows'");
	}
	return;
}

value(q{UPDATE backup_service.chunk SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE backup_id = 2});
bk_fails($node, 'postgres', 'SELECT bk_read(4)', 'XX001', qr/backup 2 is damaged\n.*The checksum check failed/s, 'damage in a base');
my $looked = q{SELECT b.backup_id, b.type, b.base_id, b.created_at, v -> 'errors' AS errors
  FROM bk_list('shop') b, LATERAL bk_verify(b.backup_id) v WHERE v ->> 'valid' <> 'true';};
like(page($looked), qr/^4\|.*\n3\|.*\n2\|/, 'what is damaged, and what builds on it');
is(page(q{SELECT backup_id, resource_id, created_at FROM bk_backups WHERE status = 'corrupt' ORDER BY backup_id;}) =~ s/\|.*//gr, "2\n3\n4", 'is marked');
is(health('corrupt_backups'), 'f', 'bk_health() says so');
like(page(q{SELECT backup_id, created_at FROM bk_list('shop') WHERE status = 'completed' ORDER BY created_at DESC;}), qr/^7\|.*\n5\|.*\n1\|/s, 'what is sound');
bk_fails($node, 'postgres', 'SELECT bk_consolidate(4)', 'XX001', qr/backup 2 is damaged/, 'none of them can be made full');
put_back();
is(page(q{SELECT backup_id, bk_verify(backup_id) -> 'valid' AS valid FROM bk_backups WHERE status = 'corrupt' ORDER BY backup_id;}), "3|true\n4|true", 'put back, what builds on it is sound');
is(page($looked), '', 'and so is it');
is(health('corrupt_backups'), 't', 'and bk_health() is content');
# Each other kind of damage that a table can have is named, and put back in the same way.
my $where = q{WHERE resource_id = 'shop' AND backup_id = 2};
for my $case (
	[ 'chunks', "UPDATE backup_service.chunk SET seq = 7 $where", 'SELECT bk_read(4)' ],
	[ 'size', "UPDATE backup_service.chunk SET data = data || '\\x00' $where", 'SELECT bk_read(4)' ],
	[ 'MAC', "UPDATE backup_service.backup SET document_size = document_size + 1 $where", 'SELECT bk_read(4)' ],
	[ 'header', "UPDATE backup_service.backup SET compression = 'lz4' $where", 'SELECT bk_read(4)' ],
	[ 'wrapped key', "UPDATE backup_service.backup SET wrapped_key = set_byte(wrapped_key, 9, get_byte(wrapped_key, 9) # 1) $where", 'SELECT bk_read(4)' ],
	[ 'chain', "DELETE FROM backup_service.backup $where", 'SELECT bk_read(4)' ],
	[ 'timeline', "DELETE FROM backup_service.backup $where", q{SELECT bk_restore_at('shop', (SELECT created_at FROM bk_snapshots WHERE backup_id = 2))} ])
{
	my ($check, $damage, $call) = @$case;
	like($text, qr/^\|.*`$check`.*\|$/m, "the page has the check $check");
	value($damage);
	bk_fails($node, 'postgres', $call, 'XX001', qr/The $check check failed/, "damage: $check");
	put_back();
	is(value('SELECT bk_read(4) ->> $$n$$'), 4, 'put back');
}
is(page('SELECT * FROM bk_audit_verify();'), '', 'and the trail is whole');
value(q{UPDATE backup_service.chunk SET data = set_byte(data, 5, get_byte(data, 5) # 1) WHERE backup_id = 2});
is(page(q{SELECT bk_delete(2, 'cascade');}), 3, 'where nothing can be put back, it goes with what builds on it');
is(page('SELECT * FROM bk_audit_verify();'), '', 'and the trail is whole');

# ----- A queue that does not move: held up by a session, given up, and after a key that was not there.
my $session = $node->background_psql('postgres', on_error_stop => 1);
$session->query_safe(q{BEGIN; SELECT FROM bk_create('other', '{"n": 8}');});
my $operation = value(q{SELECT bk_restore_enqueue(6)});
my $who = q{SELECT a.pid, a.usename, a.state, a.xact_start, left(a.query, 60) AS query
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.relation = 'backup_service.resource'::regclass AND l.mode IN ('RowShareLock', 'RowExclusiveLock') AND l.granted AND a.pid <> pg_backend_pid()
 ORDER BY a.xact_start;};
like(page($who), qr/^\d+\|\w+\|idle in transaction\|/m, 'who holds resources is seen');
like(page(q{SELECT operation_id, resource_id, status, attempts, next_attempt_at, error FROM bk_operations
 WHERE status IN ('queued', 'running') ORDER BY operation_id;}), qr/^$operation\|other\|/, 'and what waits');
$session->query_safe('ROLLBACK');
$session->quit;
is(value("SELECT bk_restore_wait($operation, '30 s')"), 'completed', 'it goes on when the session has ended');
unlink $key_file;
$operation = value(q{SELECT bk_restore_enqueue(6)});
ok(bk_wait_for(30, sub { value("SELECT error ~ 'does not exist' FROM bk_operations WHERE operation_id = $operation") eq 't' }), 'without its key a restore is tried again');
copy("$safe/backup_service.key", $key_file);
append_to_file($key_file, $second_key);
page('SELECT pg_reload_conf();');
is(value("SELECT bk_restore_wait($operation, '60 s')"), 'completed', 'with it, it is done');

# ----- The worker: is it there, what is it doing?
like(page(q{SELECT pid, datname, backend_type, state, query FROM pg_stat_activity WHERE backend_type ~ '^backup_service';}), qr/backup_service launcher/, 'its processes are seen');
is(page(q{SHOW shared_preload_libraries;}), 'backup_service', 'and why there are any');

# ----- What is overdue, and where clean-up has stopped.
value(q{SELECT bk_policy_set('often', keep_last => 2, expect_every => '1 ms'), bk_policy_assign('other', 'often')});
is(page(q{SELECT r.resource_id, r.owner, r.last_backup_at, p.expect_every FROM bk_resources r JOIN bk_policies p ON p.name = r.policy
 WHERE p.expect_every IS NOT NULL AND (r.last_backup_at IS NULL OR r.last_backup_at + p.expect_every < now()) ORDER BY 1;}) =~ s/\|.*//r, 'other', 'what is overdue');
value(q{SELECT FROM generate_series(1, 20) n, LATERAL bk_create('many', to_jsonb(n))});
value(q{SELECT bk_policy_set('two', keep_last => 2), bk_policy_assign('many', 'two')});
value(q{UPDATE backup_service.resource SET cleanup_stopped_at = now() WHERE resource_id = 'many'});
is(page(q{SELECT resource_id, policy, cleanup_stopped_at FROM bk_resources WHERE cleanup_stopped_at IS NOT NULL;}) =~ s/\|[^|]*$//r, 'many|two', 'where clean-up has stopped');
is(page(q{SELECT action, count(*) FROM bk_prune('many', dry_run => true) GROUP BY 1 ORDER BY 1;}), "expire|18\nkeep|2", 'what it would do');
value(q{SELECT FROM bk_prune('many')});
is(health('cleanup'), 't', 'done');

# ----- A disk that fills: what takes the space.
like(page(q{SELECT resource_id, owner, backups, pg_size_pretty(stored_size) FROM bk_resources ORDER BY stored_size DESC LIMIT 10;}), qr/^\w+\|/, 'the largest resources');
like(page(q{SELECT relname, pg_size_pretty(pg_total_relation_size(relid)) AS size, n_live_tup, n_dead_tup, last_autovacuum
  FROM pg_stat_user_tables WHERE schemaname = 'backup_service' ORDER BY pg_total_relation_size(relid) DESC;}), qr/^\w+\|\d+ \w+\|/, 'the largest tables');
page($_) for 'VACUUM backup_service.chunk;', 'VACUUM FULL backup_service.chunk;';
page(q{SELECT bk_audit_trim(now() - interval '2 years');});

# ----- A resource that was dropped: from a copy of the database, as it was before.
my $archive = value(q{SELECT encode(bk_archive('shop'), 'hex')});
my $count = value(q{SELECT count(*) FROM bk_list('shop')});
value(q{SELECT bk_resource_drop('shop')});
like(page(q{SELECT at, action, role, session_role, client, backup_id FROM bk_audit WHERE resource_id = 'shop' ORDER BY number DESC LIMIT 20;}), qr/^[^|]*\|drop\|\w+\|/, 'who has dropped it is in the trail');
is(value("SELECT bk_archive_import(decode('$archive', 'hex'))"), $count, 'an archive of it brings it back');
is(value(q{SELECT bk_restore_at('shop', now()) ->> 'n'}), 7, 'with its documents');

# ----- Somebody has tampered.
value(q{UPDATE backup_service.backup SET expires_at = '2099-01-01' WHERE resource_id = 'other' AND backup_id = 6});
like(page('SELECT * FROM bk_audit_verify();'), qr/^other\|\d*\|6\|the backup's row was changed/, 'a hand in the tables is found');
like(page(q{SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants
 WHERE table_schema = 'backup_service' AND grantee <> (SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'backup_service');}), qr/^$/, 'nobody but the owner has rights there');
value(q{UPDATE backup_service.backup SET expires_at = NULL WHERE resource_id = 'other' AND backup_id = 6});
value(q{UPDATE backup_service.key SET state = 'previous' WHERE version = 1});
is(page('SELECT * FROM bk_audit_verify();'), '|||the state of key version 1 was changed from "retired" to "previous"', 'and so is one in the keys');
value(q{UPDATE backup_service.key SET state = 'retired' WHERE version = 1});

# ----- A tenant leaves.
value(q{CREATE ROLE acme LOGIN IN ROLE backup_service_user; SET ROLE acme; SELECT FROM bk_create('acme/1', '1'), bk_create('acme/2', '2') b; SELECT bk_hold(backup_id, 'case', 'why') FROM bk_list('acme/1')});
is(page(q{SELECT resource_id, backups FROM bk_resources WHERE owner = 'acme' ORDER BY 1;}), "acme/1|1\nacme/2|1", 'what it has');
is(page(q{SELECT resource_id, bk_archive(resource_id) FROM bk_resources WHERE owner = 'acme' ORDER BY 1;}) =~ s/\|.*//gr, "acme/1\nacme/2", 'as archives');
is(page(q{SELECT h.* FROM bk_holds h JOIN bk_resources r USING (resource_id) WHERE r.owner = 'acme';}) =~ s/^\d+\|([^|]*)\|.*/$1/r, 'acme/1', 'what is held');
value(q{SELECT bk_release(backup_id, 'case', 'acme/1') FROM bk_list('acme/1')});
is(page(q{SELECT resource_id, bk_resource_drop(resource_id) AS backups FROM bk_resources WHERE owner = 'acme' ORDER BY 1;}), "acme/1|1\nacme/2|1", 'all of it goes');
page('DROP ROLE acme;');
is(page('SELECT * FROM bk_audit_verify();'), '', 'and the trail is whole');

# ----- Slow creates.
page(q{SELECT pid, pg_blocking_pids(pid) AS waits_for, state, wait_event_type, wait_event, now() - xact_start AS for_so_long, left(query, 60) AS query
  FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY xact_start;});
page(q{SELECT relname, n_live_tup, n_dead_tup, n_tup_upd, n_tup_hot_upd, last_autovacuum
  FROM pg_stat_user_tables WHERE schemaname = 'backup_service' ORDER BY n_dead_tup DESC;});
page(q{ALTER TABLE backup_service.resource SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);});
page($_) for 'VACUUM FULL backup_service.resource;',
	'ALTER TABLE backup_service.notice SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);',
	'ALTER TABLE backup_service.audit_unsealed SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);',
	'ALTER TABLE backup_service.chunk SET (autovacuum_vacuum_scale_factor = 0.05);';
SKIP:
{
	skip 'pgstattuple is not here', 1 if value(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'pgstattuple'}) eq '0';
	page('CREATE EXTENSION IF NOT EXISTS pgstattuple;');
	like(page(q{SELECT t AS name, (pgstattuple(t)).dead_tuple_percent, (pgstattuple(t)).free_percent
  FROM unnest('{backup_service.resource,backup_service.backup,backup_service.chunk,backup_service.notice,backup_service.audit_unsealed}'::text[]) t;}), qr/^backup_service.resource\|/, 'pgstattuple');
}
page(q{SELECT bk_audit_seal();});

# ----- Every check of bk_health() has a line, and no line is of another.
my ($section) = $text =~ /^### bk_health\(\) is not content\n(.*?)^###/ms;
my @lines = $section =~ /^\| `([a-z_]+)` \|/mg;
is(join(' ', sort @lines), value(q{SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM bk_health()}), 'each check of bk_health() has its line');

$node->stop;
done_testing();
