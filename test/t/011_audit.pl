# Does the server's log have every read and every failure on a line of its own, whatever the names, and do the chains
# survive load, kill -9, dumps and other encodings?  The commands of docs/audit.md are taken from the page.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Encode qw(decode encode);
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seed = bk_seed();
my $root = "$FindBin::RealBin/../..";
my $page = slurp_file("$root/docs/audit.md");
my $digests = slurp_file("$root/test/sql/audit.psql");
my $place = PostgreSQL::Test::Utils::tempdir();
$ENV{PGCLIENTENCODING} = 'UTF8';
$ENV{PGAPPNAME} = 'load';

# The only or the n-th block of a language below a heading of the page.
sub block
{
	my ($heading, $language, $n) = @_;
	my ($section) = $page =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms or die "no section $heading";
	my @blocks = $section =~ /^```\Q$language\E\n(.*?)^```/msg;
	return $blocks[ $n || 0 ] // die "no block $language below $heading";
}

my $node = bk_cluster('audit', allows_streaming => 1, conf => "listen_addresses = '127.0.0.1'\nshared_buffers = 32MB\nmax_connections = 40\nlog_line_prefix = '%m [%p] '\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
$node->safe_psql('postgres', q{
CREATE ROLE alice LOGIN IN ROLE backup_service_user;
CREATE ROLE mallory LOGIN IN ROLE backup_service_user;
CREATE ROLE oscar LOGIN IN ROLE backup_service_operator;
CREATE ROLE audra LOGIN IN ROLE backup_service_auditor});

# ----- The log: audit lines since a position, parsed.
my $prefix = 'LOG:  backup_service audit: ';
my %position;

sub lines
{
	my ($server, $all) = @_;
	my $log = substr slurp_file($server->logfile), $all ? 0 : $position{ $server->name } // 0;
	# what follows a line feed in a message of the server's begins with a tab
	return grep { /^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] \Q$prefix\E/ } split /\n/, $log;
}

sub forget
{
	my ($server) = @_;
	$position{ $server->name } = -s $server->logfile;
	return;
}

sub parsed
{
	return map { /^[^{]+?\Q$prefix\E(\{.*\})$/ ? JSON::PP::decode_json($1) : die "no JSON: $_" } @_;
}

# What the lines since the last call say, without who and message.
sub said
{
	my ($server) = @_;
	my @events = parsed(lines($server));
	forget($server);
	my @said;
	for my $event (@events)
	{
		push @said, join ' ', map { $event->{$_} // '-' } qw(action outcome resource_id backup_id sqlstate);
	}
	return join "\n", @said;
}

# The canary is built, so that no statement spells it.
my $canary = 'canary' . 'bird' . $seed;
my $spelled = q{('can' || 'ary' || 'bi' || 'rd' || } . $seed . q{)};
my $as = sub { my ($role, $sql, %options) = @_; return bk_run($node, 'postgres', $sql, extra_params => [ '-U', $role ], %options); };
my $me = bk_value($node, 'postgres', 'SELECT current_user');
my ($status, $output, $messages) = $as->('alice', qq{SELECT backup_id FROM bk_create('shop', jsonb_build_object('secret', $spelled, 'n', 1));
SELECT backup_id FROM bk_create('shop', jsonb_build_object('secret', $spelled, 'n', 2), 'incremental')});
is($output, "1\n2", 'two backups');
is(said($node), '', 'a create is in the trail, not in the log');

# Each read function's line is there before its document is: the second column reads the log.
my $log = $node->logfile;
my %reads = (
	"bk_read(1)" => 'read done shop 1 -',
	"bk_export(2)" => 'export done shop 2 -',
	"bk_restore(1, 'elsewhere', created_by => 'the night shift')" => 'restore done shop 1 -',
	"bk_restore_at('shop', 'infinity')" => 'restore done shop 2 -',
	"bk_diff(1, 2)" => "diff done shop 1 -\ndiff done shop 2 -",
	"(SELECT count(*) FROM bk_history('shop', 'n'))" => 'history done shop - -');
for my $read (sort keys %reads)
{
	my $count = () = $reads{$read} =~ /^/mg;
	is(bk_value($node, 'postgres', "SELECT $read IS NOT NULL, (length(t) - length(replace(t, 'backup_service audit: ', ''))) / length('backup_service audit: ')
		FROM (SELECT 1 OFFSET 0) o, LATERAL (SELECT pg_read_file('$log', $position{audit}, 100000) WHERE $read IS NOT NULL) l(t)") =~ /^t\|(\d+)$/ && $1, $count,
		"$read: its line is there before its document");
	is(said($node), "$reads{$read}\n$reads{$read}", 'and says what was read');
}
my ($event) = do { bk_value($node, 'postgres', q{SELECT bk_restore(1, 'elsewhere', false, 'the night shift')}); parsed(lines($node)) };
is_deeply($event->{detail}, { operation_id => 5, target_resource_id => 'elsewhere', created_by => 'the night shift', validated => JSON::PP::false }, 'with its details');
is_deeply([ @$event{qw(role session_role application)} ], [ $me, $me, 'load' ], 'and by whom');
ok(!exists $event->{client} && !exists $event->{sqlstate} && !exists $event->{message}, 'what there is none of is left out');
bk_value($node, 'postgres', q{SET ROLE oscar; SELECT bk_read(1)});
($event) = (parsed(lines($node)))[-1];
is("@$event{qw(role session_role)}", "oscar $me", 'SET ROLE: both roles');
forget($node);

# Rolled back, and read-only: in the log alone.
my $rows = bk_value($node, 'postgres', 'SELECT count(*) FROM bk_audit');
bk_value($node, 'postgres', 'BEGIN; SELECT bk_read(1); SAVEPOINT s; SELECT bk_export(1); ROLLBACK TO s; ROLLBACK; BEGIN READ ONLY; SELECT bk_read(2); SELECT count(*) FROM bk_history(\'shop\', \'n\'); COMMIT');
is(said($node), "read done shop 1 -\nexport done shop 1 -\nread done shop 2 -\nhistory done shop - -", 'reads that were rolled back, or could not write, are in the log');
is(bk_value($node, 'postgres', 'SELECT count(*) FROM bk_audit'), $rows, 'and not in the trail');

# What fails, by its SQLSTATE; what is denied, also where the caller is told that there is nothing.
my @failing = (
	[ mallory => 'SELECT bk_read(1)', 'read denied shop 1 42704' ],
	[ mallory => q{SELECT bk_read(1, resource_id => 'shop')}, 'read denied shop 1 42704' ],
	[ mallory => 'SELECT bk_read(999)', 'read failed - 999 42704' ],
	[ mallory => 'SELECT bk_export(2)', 'export denied shop 2 42704' ],
	[ mallory => 'SELECT bk_restore(2)', 'restore denied shop 2 42704' ],
	[ mallory => q{SELECT bk_restore_at('shop', 'infinity')}, 'restore_at denied shop - 42704' ],
	[ mallory => 'SELECT bk_diff(1, 2)', 'diff denied shop 1 42704' ],
	[ mallory => q{SELECT count(*) FROM bk_history('shop', 'n')}, 'history denied shop - 42704' ],
	[ mallory => q{SELECT count(*) FROM bk_history('none', 'n')}, 'history failed none - 42704' ],
	[ mallory => 'SELECT bk_verify(1)', 'verify denied shop 1 42704' ],
	[ mallory => 'SELECT bk_delete(1)', 'delete denied shop 1 42704' ],
	[ mallory => 'SELECT FROM bk_consolidate(2)', 'consolidate denied shop 2 42704' ],
	[ mallory => q{SELECT FROM bk_create('shop', '{}')}, 'create denied shop - 42501' ],
	[ mallory => q{SELECT bk_owner_set('shop', 'mallory')}, 'owner_set denied shop - 42704' ],
	[ alice => q{SELECT bk_owner_set('shop', 'oscar')}, 'owner_set denied shop - 42501' ],
	[ alice => q{SELECT FROM bk_create('shop', '{}', retention => '-1 day')}, 'create failed shop - 22023' ],
	[ alice => q{SELECT FROM bk_create('shop', '{}', 'half')}, 'create failed - - 22023' ],
	[ alice => q{SELECT bk_delete(1, 'restrict')}, 'delete failed shop 1 55006' ],
	[ alice => q{BEGIN READ ONLY; SELECT bk_restore(1)}, 'restore failed - - 25006' ],
	[ oscar => q{SELECT bk_key_retire(77)}, 'key_retire failed - - 42704' ],
	[ oscar => q{SELECT bk_audit_seal(0)}, 'audit_seal failed - - 22023' ],
	[ audra => q{SELECT bk_audit_verify('none')}, 'audit_verify failed - - 42704' ],
	[ audra => q{SELECT count(*) FROM bk_list(max_rows => 0)}, 'list failed - - 22023' ]);
for my $failing (@failing)
{
	my ($role, $sql, $expected) = @$failing;
	($status, $output, $messages) = $as->($role, $sql);
	like($messages, qr/ERROR/, "$role: $sql fails");
	is(said($node), $expected, 'and is in the log');
}
($status, $output, $messages) = $as->('mallory', q{DO $$ BEGIN PERFORM bk_read(1); EXCEPTION WHEN OTHERS THEN NULL; END $$});
is("$status: " . said($node), '0: read denied shop 1 42704', 'also where the caller caught the error');
rename bk_key_path($node), bk_key_path($node) . '.away' or die;
($status, $output, $messages) = $as->('alice', 'SELECT bk_read(1)');
is(said($node), 'read failed shop 1 58000', 'a key that cannot be had');
rename bk_key_path($node) . '.away', bk_key_path($node) or die;
($status, $output, $messages) = $as->('alice', q{SET statement_timeout = '300ms'; SELECT FROM bk_create('slow', (SELECT jsonb_agg(jsonb_build_object('i', i, 't', repeat('x', i % 100))) FROM generate_series(1, 1000000) i))});
like($messages, qr/57014/, 'a cancelled call');
said($node);
$node->safe_psql('postgres', q{UPDATE backup_service.chunk SET data = '\x00' WHERE backup_id = 1});
($status, $output, $messages) = $as->('alice', 'SELECT bk_read(1)');
($event) = parsed(lines($node));
is("$event->{outcome} $event->{sqlstate} $event->{message}", 'failed XX001 backup 1 is damaged', 'a damaged backup')
  or diag($messages);
forget($node);

# ----- Hostile names: each call still has one line, which says the name as it is.
my $spoof = "$prefix\{\}";
my @roles = ("new\nline $spoof", qq{quote" '); -- \\u0041}, "return\r$spoof", "\x{85}\x{2028}\x{2029}\x7f\x0b\x0c\x1b[2J", decode('UTF-8', 'é€😀'));
my $calls = 0;
for my $role (@roles)
{
	(my $ident = $role) =~ s/"/""/g;
	$ident = encode('UTF-8', "\"$ident\"");
	my $name = $role =~ s/[\r\n\x00-\x1f\x{7f}-\x{9f}\x{2028}\x{2029}]//gr;
	my $resource = encode('UTF-8', "to$name\x{2028}ward\x{2029} $calls \\ \"") =~ s/'/''/gr;
	$node->safe_psql('postgres', "CREATE ROLE $ident IN ROLE backup_service_user");
	forget($node);
	($status, $output, $messages) = bk_run($node, 'postgres', "SET ROLE $ident;\nSELECT backup_id FROM bk_create('$resource', '{\"n\": 1}', tags => '{\"a\\nb\": \"\\r\\n$prefix\"}') \\gset
SELECT bk_read(:backup_id);
SELECT count(*) FROM bk_history('$resource', '[\"a\\n$prefix\"]');
SELECT bk_restore(:backup_id, '$resource', created_by => '$resource');
SELECT bk_read(1);
SELECT FROM bk_create('shop', '{}', E'half\\n$prefix\{\}');
SELECT FROM bk_create(E'shop\\n$prefix\{\}', '{}');
SELECT count(*) FROM bk_history('$resource', E'[\"a\\n$prefix');
SELECT bk_owner_set('$resource', E'nobody\\n$prefix\{\}');", on_error_stop => 0);
	my @lines = lines($node);
	my @events = parsed(@lines);
	forget($node);
	is(scalar @events, 8, 'a line for each of eight calls') or diag($messages, join "\n", @lines);
	is_deeply([ map { "$_->{action} $_->{outcome}" } @events ], [ 'read done', 'history done', 'restore done', 'read denied', 'create failed', 'create failed', 'history failed', 'owner_set failed' ], 'which they are');
	my %names = map { $_->{role} => 1 } @events;
	is_deeply([ keys %names ], [$role], 'the role is named as it is');
	is($events[0]{resource_id}, decode('UTF-8', $resource =~ s/''/'/gr), 'and the resource');
	is(scalar(grep { decode('UTF-8', $_) =~ /[\x00-\x08\x0a-\x1f\x{7f}-\x{9f}\x{2028}\x{2029}]/ } @lines), 0, 'no character that ends a line for anybody');
	$calls++;
}
is(bk_value($node, 'postgres', 'SELECT bk_audit_seal() > 0, (SELECT count(*) FROM bk_audit_verify())'), 't|0', 'they are sealed, and verify');
# a path of a megabyte does not become a line of one
$node->psql('postgres', q{SELECT FROM bk_create('long', '{}'); SELECT count(*) FROM bk_history('long', repeat('a.', 500000) || 'b'); SELECT bk_read(1, repeat('x', 1000000)); SELECT FROM bk_create('long', '{}', repeat(U&'\20AC', 300000))}, on_error_stop => 0);
is(scalar(grep { length > 2000 } lines($node)), 0, 'no line is long');
cmp_ok(scalar(parsed(lines($node))), '>=', 3, 'and they are there');
forget($node);

# ----- Over TCP the client's address is known, in the log and in the trail.
my $tcp = "host=127.0.0.1 port=" . $node->port . " dbname=postgres user=alice application_name=web";
IPC::Run::run([ 'psql', '-XAt', '-d', $tcp, '-c', q{SELECT backup_id FROM bk_create('tcp', '{"n": 1}')}, '-c', q{SELECT bk_read(backup_id) FROM bk_list('tcp')} ], '>', \$output, '2>', \$messages) or die $messages;
($event) = parsed(lines($node));
is("@$event{qw(action role client application)}", 'read alice 127.0.0.1 web', 'the address is in the log');
is(bk_value($node, 'postgres', q{SELECT string_agg(concat_ws(' ', action, client, application), ', ' ORDER BY number) FROM bk_audit WHERE resource_id = 'tcp'}), 'create 127.0.0.1 web, read 127.0.0.1 web', 'and in the trail');
forget($node);

# ----- A plain user can neither suppress the lines nor see them.
($status, $output, $messages) = $as->('alice', q{SET log_min_messages = fatal;
SET log_error_verbosity = terse;
SET backtrace_functions = 'bk_read';
SET client_min_messages = debug5;
SELECT bk_read(backup_id) FROM bk_list('tcp');
SELECT bk_read(999);
SET client_min_messages = error;
SET log_min_error_statement = panic;
SELECT bk_read(backup_id) FROM bk_list('tcp');}, on_error_stop => 0);
is(() = $messages =~ /42501: .*permission denied to set parameter/g, 4, 'the settings of the log are not for users');
is(said($node), join("\n", 'read done tcp ' . bk_value($node, 'postgres', q{SELECT backup_id FROM bk_list('tcp')}) . ' -', 'read failed - 999 42704', 'read done tcp ' . bk_value($node, 'postgres', q{SELECT backup_id FROM bk_list('tcp')}) . ' -'), 'the lines are there');
unlike($output . $messages, qr/backup_service audit/, 'and not at the client, whatever it asks for');

# what looks like a line of ours but is not is followed by its context
($status, $output, $messages) = $as->('mallory', q{DO $$ BEGIN RAISE LOG 'backup_service audit: {"action": "read", "outcome": "done", "role": "alice"}'; END $$});
like(substr(slurp_file($node->logfile), $position{audit}), qr/\Q$prefix\E\{"action": "read", "outcome": "done", "role": "alice"\}\n[^\n]*CONTEXT:  PL\/pgSQL/, 'a forged line shows its context');
my $log_so_far = substr slurp_file($node->logfile), 0, $position{audit};
ok($log_so_far !~ /^\d{4}[^\t\n]+\] \Q$prefix\E[^\n]*\n[^\n]*(?:CONTEXT|STATEMENT|QUERY):/m, 'ours have none');
forget($node);

# ----- Neither document nor key in any of it.
my ($key) = slurp_file(bk_key_path($node)) =~ /^1:([0-9a-f]{64})/m;
my @all = lines($node, 'all');
cmp_ok(scalar @all, '>', 80, 'many lines were written: ' . @all);
is(scalar(grep { /\Q$canary\E|\Q$key\E/i } @all), 0, 'no line holds document or key');

# ----- Versions of the master key: what a hand does to them is named.
sub keys_say
{
	my ($sql) = @_;
	my $output = bk_value($node, 'postgres', "SET client_min_messages = error; BEGIN; $sql; SELECT '> ' || coalesce(number || ': ', '') || problem FROM bk_audit_verify(''); ROLLBACK");
	return join '; ', $output =~ /^> (.*)$/mg;
}
bk_value($node, 'postgres', 'SET client_min_messages = error; SELECT bk_key_rotate()');
is(keys_say('SELECT 1'), '', 'untouched, nothing is found');
for my $case (
	[ q{UPDATE backup_service.key SET state = 'retired' WHERE version = 1}, 'the state of key version 1 was changed from "previous" to "retired"' ],
	[ q{UPDATE backup_service.key SET state = CASE state WHEN 'active' THEN 'previous' ELSE 'active' END},
		'the state of key version 1 was changed from "previous" to "active"; the state of key version 2 was changed from "active" to "previous"' ],
	[ q{DELETE FROM backup_service.key WHERE version = 1}, 'key version 1 was removed' ],
	[ q{UPDATE backup_service.key SET version = 7 WHERE version = 1}, 'key version 7 was added; key version 1 was removed' ],
	[ q{DELETE FROM backup_service.audit_event WHERE resource_id = '' AND number = (SELECT max(number) FROM backup_service.audit_event WHERE resource_id = '')},
		'the state of key version 1 was changed from "active" to "previous"; key version 2 was added' ],
	[ q{UPDATE backup_service.audit_event SET detail = '{"version": 1e100}' WHERE resource_id = '' AND number = 1}, '1: the event was changed' ],
	[ q{SELECT bk_audit_trim(now() + interval '1 s'); SELECT bk_key_rotate(); UPDATE backup_service.key SET state = 'active' WHERE version = 1}, 'key version 1 was made active again' ],
	[ q{SELECT bk_rekey(1000000); SELECT bk_key_retire(1); SELECT bk_audit_trim(now() + interval '1 s')}, '' ])
{
	is(keys_say($case->[0]), $case->[1], "keys: $case->[0]");
}

# ----- A standby: in the log alone.
$node->safe_psql('postgres', q{SELECT FROM bk_create('standby', '{"n": 1}')});
my $there = bk_value($node, 'postgres', q{SELECT backup_id FROM bk_list('standby')});
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('audit_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "listen_addresses = ''");
chmod 0600, bk_key_path($standby) or die;
$standby->start;
forget($standby);
$rows = bk_value($standby, 'postgres', 'SELECT count(*) FROM bk_audit');
is(bk_value($standby, 'postgres', "SELECT bk_read($there)"), '{"n": 1}', 'a read on a standby');
bk_run($standby, 'postgres', 'SELECT bk_read(999)');
is(said($standby), "read done standby $there -\nread failed - 999 42704", 'is in its log');
is(bk_value($standby, 'postgres', 'SELECT count(*), (SELECT count(*) FROM bk_audit_verify()) FROM bk_audit'), "$rows|0", 'and not in the trail, which verifies there');
$standby->stop('immediate');

# ----- Load: creates, reads, deletions, sealing, owners, rotation, trimming, each beside all others.
$node->safe_psql('postgres', q{
CREATE FUNCTION one(what text, r text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id bigint := (SELECT backup_id FROM bk_list(r, max_rows => 8) ORDER BY random() LIMIT 1);
BEGIN
	CASE what
		WHEN 'read' THEN PERFORM bk_read(id);
		WHEN 'restore' THEN PERFORM bk_restore(id, 'x', resource_id => r);
		WHEN 'delete' THEN PERFORM bk_delete(id, (ARRAY['cascade', 'consolidate'])[1 + (random())::int], r);
		WHEN 'consolidate' THEN PERFORM FROM bk_consolidate(id);
		WHEN 'owner' THEN PERFORM bk_owner_set(r, (ARRAY['alice', 'mallory'])[1 + (random())::int]);
		WHEN 'history' THEN PERFORM count(*) FROM bk_history(r, 'n');
		-- a transaction of its own that undoes half of its work
		WHEN 'undo' THEN
			BEGIN
				PERFORM FROM bk_create(r, '{"undone": true}', 'incremental');
				PERFORM bk_read(id);
				RAISE EXCEPTION USING ERRCODE = 'RB000';
			EXCEPTION WHEN SQLSTATE 'RB000' THEN
				NULL;
			END;
	END CASE;
EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN
	-- deleted meanwhile, or nothing was left
	NULL;
END $$;});
my %scripts = (
	writer => q{\set r random(0, 9)
SELECT FROM bk_create('load' || :r, jsonb_build_object('n', random(), 'same', repeat('x', 200)), (ARRAY['full', 'incremental', 'differential'])[1 + (random() * 2)::int]);
SELECT one('read', 'load' || :r);
SELECT one((ARRAY['restore', 'delete', 'consolidate', 'owner', 'history', 'undo'])[1 + floor(random() * 6)::int], 'load' || :r);
},
	sealer => q{\set n random(1, 40)
SELECT bk_audit_seal(:n);
\sleep 20 ms
},
	keys => q{SELECT bk_key_rotate();
SELECT bk_rekey(20);
\sleep 150 ms
},
	copied => q{SELECT bk_key_copied(1);
\sleep 5 ms
},
	trimmer => q{SELECT bk_audit_trim(now() - interval '1 second');
\sleep 300 ms
});
append_to_file("$place/$_.sql", $scripts{$_}) for keys %scripts;

sub start_load
{
	my ($seconds) = @_;
	my @load;
	for ([ writer => 4 ], [ sealer => 2 ], [ keys => 1 ], [ copied => 2 ], [ trimmer => 1 ])
	{
		my ($name, $clients) = @$_;
		my %load = (name => $name, output => '');
		$load{run} = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-T', $seconds, '-f', "$place/$name.sql", $node->connstr('postgres') ], '<', \undef, '>', \$load{output}, '2>&1');
		push @load, \%load;
	}
	return @load;
}

# Whatever happened: no problem, and numbers without a gap from the checkpoint to the end that the resource's row knows.
my $contiguous = q{
SELECT count(*), count(*) FILTER (WHERE first <> coalesce(c.number, 0) + 1 OR last - first + 1 <> events OR resource_id <> '' AND (r.audit_number, r.audit_hash) IS DISTINCT FROM (last, e.hash))
  FROM (SELECT resource_id, min(number) AS first, max(number) AS last, count(*) AS events, (array_agg(hash ORDER BY number DESC))[1] AS hash FROM backup_service.audit_event GROUP BY 1) e
  LEFT JOIN backup_service.audit_checkpoint c USING (resource_id) LEFT JOIN backup_service.resource r USING (resource_id)};

sub check_trail
{
	my ($name) = @_;
	is(bk_value($node, 'postgres', 'SELECT * FROM bk_audit_verify()'), '', "$name: the trail verifies");
	like(bk_value($node, 'postgres', $contiguous), qr/^\d\d+\|0$/, "$name: no chain has a gap");
	return;
}
my @load = start_load(bk_long(3, 60));
my ($verified, $problems) = (0, '');
my $end = time + bk_long(2.5, 55);
while (time < $end)
{
	$problems .= bk_value($node, 'postgres', 'SELECT * FROM bk_audit_verify()');
	$verified++;
}
for my $load (@load)
{
	$load->{run}->finish;
	my ($turns) = $load->{output} =~ /actually processed: (\d+)/;
	unlike($load->{output}, qr/ERROR/, "$load->{name}: $turns turns without an error");
	cmp_ok($turns, '>', 0, 'some');
}
is($problems, '', "$verified verifications beside them found nothing");
check_trail('after the load');
my $made = bk_value($node, 'postgres', q{SELECT count(*) FROM bk_audit WHERE action = 'key_rotate'});
is(bk_value($node, 'postgres', 'SELECT max(version) - 1 FROM bk_keys'), bk_value($node, 'postgres', q{SELECT max((detail ->> 'version')::int) - 1 FROM bk_audit WHERE action = 'key_rotate'}), 'the newest rotation is the newest version');
# sealed, once each: in all as many reads as lines in the log that were not rolled back
bk_value($node, 'postgres', 'SELECT bk_audit_seal(1000000)');
is(bk_value($node, 'postgres', 'SELECT count(*) FROM bk_audit WHERE number IS NULL'), 0, 'all is sealed');
check_trail('sealed');

# ----- kill -9 in the middle of it.
for my $round (1 .. bk_long(1, 10))
{
	@load = start_load(30);
	sleep(0.8 + rand 0.7);
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my @pids = ($pid, map { $_->[0] } bk_rows($node, 'postgres', 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));
	$node->kill9;
	kill 9, @pids;
	bk_wait_for(20, sub { !grep { kill 0, $_ } @pids });
	eval { $_->{run}->finish } for @load;
	my $started = 0;
	for (1 .. 100)
	{
		last if $started = $node->start(fail_ok => 1);
		sleep(0.1);
	}
	ok($started, "round $round: the server starts after kill -9");
	check_trail("round $round");
	is(bk_value($node, 'postgres', q{SELECT FROM bk_create('load1', '{}', 'incremental'); SELECT count(bk_read(backup_id)) FROM bk_list('load1', max_rows => 1); SELECT bk_audit_seal(1000000) > 0; SELECT bk_key_copied(1)}), "1\nt\n", "round $round: work goes on");
	check_trail("round $round, gone on");
}

# ----- Dumps keep the trail, also into a database of another encoding, with names that are not ASCII.
bk_database($node, 'latin', 'LATIN1');
my $sql = encode('UTF-8', decode('UTF-8', q{
CREATE ROLE "grün" IN ROLE backup_service_user;
SET ROLE "grün";
SELECT FROM bk_create('café', '{"é": 1}', tags => '{"clé": "é", "e": 1.50, "ab": null}', source => 'à', version => 'ÿ', retention => '1 year');
SELECT FROM bk_create('café', '{"é": 2}', 'incremental');
SELECT bk_restore(1, 'thé', created_by => 'moi-même');
SELECT count(*) FROM bk_history('café', '["é"]');
RESET ROLE;
SELECT bk_audit_seal();
SELECT bk_audit_trim((SELECT max(at) FROM bk_audit WHERE action = 'restore'));
SELECT FROM bk_create('café', '{"é": 3}', 'incremental');
SELECT bk_owner_set('café', 'alice');
SELECT bk_owner_set('café', 'grün');
SELECT bk_read(3)}));
bk_value($node, 'latin', $sql);
for my $copy ([ 'latin', 'utf', 'UTF8', '-Fc' ], [ 'latin', 'latin2', 'LATIN1', '-Fc' ], [ 'utf', 'back', 'LATIN1', '-Fp' ], [ 'postgres', 'copy', 'UTF8', '-Fc' ])
{
	my ($from, $to, $encoding, $format) = @$copy;
	$node->safe_psql('postgres', "CREATE DATABASE $to TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	local $ENV{PGCLIENTENCODING};
	delete $ENV{PGCLIENTENCODING};
	IPC::Run::run([ 'pg_dump', $format, '-f', "$place/$to.dump", '-d', $node->connstr($from) ]) or die;
	IPC::Run::run($format eq '-Fc' ? [ 'pg_restore', '--exit-on-error', '-d', $node->connstr($to), "$place/$to.dump" ] : [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($to), '-f', "$place/$to.dump" ], '>', \$output) or die;
	is(bk_value($node, $to, 'SELECT * FROM bk_audit_verify()'), '', "$from into $to ($encoding): verifies");
	is(bk_value($node, $to, q{SELECT count(*), count(*) FILTER (WHERE number IS NULL), md5(string_agg(hash, ' ' ORDER BY resource_id COLLATE "C", number)) FROM bk_audit}),
		bk_value($node, $from, q{SELECT count(*), count(*) FILTER (WHERE number IS NULL), md5(string_agg(hash, ' ' ORDER BY resource_id COLLATE "C", number)) FROM bk_audit}), 'the same events');
	bk_value($node, $to, 'SELECT bk_audit_seal()');
	bk_value($node, $to, encode('UTF-8', decode('UTF-8', q{SELECT FROM bk_create('café', '{"é": 4}', 'incremental')}))) if $from ne 'postgres';
	is(bk_value($node, $to, 'SELECT * FROM bk_audit_verify()'), '', 'and goes on');
}

# ----- Heads: what somebody who writes every table can do, and what shows it.
bk_database($node, 'shop');
bk_value($node, 'shop', q{
SELECT FROM generate_series(1, 3) r, generate_series(1, 4) i, LATERAL bk_create('r' || r, jsonb_build_object('i', i), 'incremental');
SELECT bk_read(1);
SELECT bk_audit_seal();
SELECT bk_key_copied(max(version)) FROM bk_keys;
SELECT bk_owner_set('r2', 'alice')});

# Run a block of the page where heads.csv is, as an auditor.
sub run_block
{
	my ($heading, $language, $n, $role) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGUSER} = $role;
	my ($out, $err) = ('', '');
	my @command = $language eq 'sh' ? ('sh', '-ec', "cd '$place'\n" . block($heading, $language, $n)) : ('psql', '-XAtq', '-d', 'shop', '-c', block($heading, $language, $n));
	IPC::Run::run(\@command, '>', \$out, '2>', \$err) or die "$heading: $err";
	is($err, '', "$heading: no message");
	return $out;
}
run_block('Heads', 'sh', 0, 'audra');
is(slurp_file("$place/heads.csv") =~ s/[0-9a-f]{64}/H/gr, qq{"",2,H\nr1,5,H\nr2,5,H\nr3,4,H\n}, 'the heads are exported');
is(run_block('Heads', 'sh', 1, 'audra'), '', 'and are all there');

my @tables = qw(resource backup chunk snapshot restore_operation key audit_event audit_unsealed audit_checkpoint);
$node->safe_psql('shop', join ";\n", 'CREATE SCHEMA kept', map { "CREATE TABLE kept.$_ AS TABLE backup_service.$_" } @tables);

# An attack, and what is seen by verification and by comparison; then it is undone.
sub attacked
{
	my ($attack, $expected, $name) = @_;
	bk_value($node, 'shop', "$digests\n$attack");
	is(bk_value($node, 'shop', 'SELECT count(*) FROM bk_audit_verify()'), 0, "$name: bk_audit_verify() finds nothing");
	is(run_block('Heads', 'sh', 1, 'audra') =~ s/ at \d.*$/ at T/mgr, $expected, "$name: the comparison says it");
	$node->safe_psql('shop', join ";\n", map { "TRUNCATE backup_service.$_; INSERT INTO backup_service.$_ TABLE kept.$_" } @tables);
	return;
}
attacked(q{UPDATE backup_service.audit_event SET role = 'mallory', session_role = 'mallory' WHERE resource_id = 'r1' AND action = 'read'; CALL pg_temp.rewrite('r1')},
	"r1|5|the event has another hash\n", 'a chain written anew');
attacked(q{CREATE TEMP TABLE last AS SELECT max(backup_id) AS backup_id FROM backup_service.backup WHERE resource_id = 'r1';
	DELETE FROM backup_service.backup USING last WHERE backup.backup_id = last.backup_id;
	DELETE FROM backup_service.audit_event e USING last WHERE e.backup_id = last.backup_id;
	CALL pg_temp.rewrite('r1')},
	"r1|5|the event is gone\n", 'a backup that never was');
attacked(q{DELETE FROM backup_service.audit_event WHERE resource_id = 'r2' AND number = 5;
	UPDATE backup_service.resource r SET owner = current_user, audit_number = 4, audit_hash = e.hash FROM backup_service.audit_event e WHERE r.resource_id = 'r2' AND e.resource_id = 'r2' AND e.number = 4},
	"r2|5|the event is gone\n", 'an end that was cut off');
attacked(q{DELETE FROM backup_service.audit_event WHERE resource_id = '' AND number = 2}, "|2|the event is gone\n", "the keys' last event");
attacked(q{UPDATE backup_service.audit_event SET role = 'x' WHERE resource_id = ''; CALL pg_temp.rewrite('')}, "|2|the event has another hash\n", "the keys' chain");
attacked(join(';', map { "DELETE FROM backup_service.$_ WHERE resource_id = 'r3'" } qw(resource backup chunk snapshot restore_operation audit_event)), "r3|4|the event is gone\n", 'a whole resource');
attacked(q{SELECT FROM bk_create('r1', '{}'); SELECT bk_key_copied(max(version)) FROM bk_keys; SELECT bk_read(1); SELECT bk_audit_seal()}, '', 'honest work');
attacked(q{SELECT bk_audit_trim('infinity')}, "|2|trimmed by $me at T\nr1|5|trimmed by $me at T\nr2|5|trimmed by $me at T\nr3|4|trimmed by $me at T\n", 'trimming');

# ----- Hostile rows: every column of the trail and of what it vouches for, set to what is never written, one at a time.
bk_database($node, 'hostile');
bk_value($node, 'hostile', q{
SELECT FROM generate_series(1, 4) i, LATERAL bk_create('a', jsonb_build_object('i', i), 'incremental', tags => '{"a": 1.0}', retention => '1 year', source => 's');
SELECT bk_read(1);
SELECT bk_audit_seal();
SELECT bk_owner_set('a', 'alice');
SELECT bk_audit_trim((SELECT at FROM bk_audit WHERE resource_id = 'a' AND number = 2));
SELECT FROM bk_consolidate(3);
CREATE TABLE outcome (tab text, col text, value text, found bigint, problem text);
DO $$
DECLARE
	c record;
	value text;
	rows bigint;
	found bigint;
	problem text;
BEGIN
	FOR c IN SELECT relname::text AS tab, attname::text AS col, format_type(atttypid, NULL) AS type, attnotnull FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
		WHERE relnamespace = 'backup_service'::regnamespace AND relname IN ('audit_event', 'audit_checkpoint', 'resource', 'backup') AND attnum > 0 LOOP
		FOREACH value IN ARRAY CASE c.type
			WHEN 'text' THEN ARRAY[$v$''$v$, $v$'x'$v$, $v$E'\u0001\n'$v$, $v$'%s%n'$v$, $v$repeat('x', 2000)$v$]
			WHEN 'name' THEN ARRAY[$v$''$v$, $v$'x'$v$]
			WHEN 'bytea' THEN ARRAY[$v$''$v$, $v$'\x00'$v$, $v$sha256('x')$v$, $v$decode(repeat('00', 100003), 'hex')$v$]
			WHEN 'bigint[]' THEN ARRAY[$v$'{}'$v$, $v$'{NULL}'$v$, $v$'[-2147483648:-2147483647]={1,-1}'$v$]
			WHEN 'bigint' THEN ARRAY['0', '-1', '9223372036854775807', '-9223372036854775808']
			WHEN 'integer' THEN ARRAY['0', '-1', '2147483647']
			WHEN 'timestamp with time zone' THEN ARRAY[$v$'infinity'$v$, $v$'-infinity'$v$, $v$'2000-01-01 00:00+00'$v$, $v$'1970-01-01 00:00+00'$v$, $v$'294276-12-31 23:59:59.999999+00'$v$, $v$'4714-11-24 00:00:00+00 BC'$v$]
			WHEN 'jsonb' THEN ARRAY[$v$'null'$v$, $v$'{}'$v$, $v$'[]'$v$, $v$'{"to": 1, "checkpoint": []}'$v$, $v$(repeat('[', 2000) || repeat(']', 2000))::jsonb$v$, $v$'[1e1000, -0.0000001]'$v$]
			ELSE ARRAY['false'] END || CASE WHEN c.attnotnull THEN '{}'::text[] ELSE ARRAY['NULL'] END LOOP
			problem := NULL;
			BEGIN
				EXECUTE format('UPDATE backup_service.%I SET %I = %s WHERE ctid = (SELECT ctid FROM backup_service.%I WHERE resource_id = ''a'' AND %I IS DISTINCT FROM (%s)::%s ORDER BY random() LIMIT 1)', c.tab, c.col, value, c.tab, c.col, value, c.type);
				GET DIAGNOSTICS rows = ROW_COUNT;
				BEGIN
					SELECT count(*) INTO found FROM bk_audit_verify();
				EXCEPTION WHEN OTHERS THEN
					problem := SQLERRM;
				END;
				RAISE EXCEPTION USING ERRCODE = 'RB000';
			EXCEPTION
				WHEN SQLSTATE 'RB000' THEN NULL;
				WHEN unique_violation THEN rows := 0;
			END;
			IF rows > 0 THEN
				INSERT INTO outcome VALUES (c.tab, c.col, value, found, problem);
			END IF;
		END LOOP;
	END LOOP;
END $$});
is(bk_value($node, 'hostile', 'SELECT tab, col, value, problem FROM outcome WHERE problem IS NOT NULL'), '', 'none makes verification fail');
cmp_ok(bk_value($node, 'hostile', 'SELECT count(*) FROM outcome WHERE found > 0'), '>', 100, 'many are found');
# What is not seen is what docs/audit.md says: the MAC covers it, or nothing does.
is(bk_value($node, 'hostile', q{SELECT tab, string_agg(DISTINCT col, ' ' ORDER BY col) FROM outcome WHERE found = 0 GROUP BY 1 ORDER BY 1}),
	"backup|archived_at base_id checksum compression created_at created_by document_digest document_size encrypted iv key_version number size status stored_size type verified_at wrapped_key\n"
	  . 'resource|archived_created_at archived_id archived_number backups_made bytes_stored cleanup_removed cleanup_stopped_at created_at differentials_made duration_buckets duration_total incrementals_made last_backup_at last_backup_id policy resource_type size_buckets size_total', 'those that are not are payload and totals');

# the other commands of the page
like(run_block('Sealing', 'sh', 0, 'oscar'), qr/^\d+$/, 'sealing');
is(run_block('Verifying', 'sql', 0, 'audra'), '', 'verifying');
like(run_block('Trimming', 'sql', 0, 'oscar'), qr/^0$/, 'trimming');
like($page, qr/^```sql\n(.*?)^```/ms, 'the page begins with a query');
my ($first) = $page =~ /^```sql\n(.*?)^```/ms;
cmp_ok(scalar(bk_rows($node, 'shop', "SET ROLE audra;\n$first")), '>', 10, 'which works');
# every problem that the page explains is shown by a test, and every one that the source knows is on the page
my $shown = slurp_file("$root/expected/audit.out");
my ($table) = $page =~ /^\| problem \| means \|\n(.*?)\n\n/ms;
my @explained = $table =~ /^\| `(.*?)` \|/mg;
for my $problem (@explained)
{
	my $pattern = join '.*', map { quotemeta } split /…/, $problem;
	like($shown, qr/$pattern/, "shown: $problem");
}
cmp_ok(scalar @explained, '==', 19, 'all of them');
ok(slurp_file($node->logfile) !~ /PANIC|TRAP|terminated by signal 11|WARNING:  [^\n]*(?:leak|buffer refcount)/, 'the log is clean');
$node->stop;
done_testing();
