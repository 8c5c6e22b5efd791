# After crashes at random moments of every kind of work at once: is what clients were told committed there, equal to what
# they posted, and nothing half made?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

bk_seed();
my $rounds = bk_long(3, 30);
my $node = bk_start('load', conf => "shared_preload_libraries = 'backup_service'\nshared_buffers = 32MB\nmax_wal_size = 64MB\ncheckpoint_timeout = 30s\nbackup_service.cleanup_interval = 1s\nbackup_service.scrub_interval = 60s\n");

# document(n): known from its number, which a backup carries as its version; some are large.
$node->safe_psql('postgres', bk_noise_function() . q{
CREATE FUNCTION document(n int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('n', n, 'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'text', bk_noise(i || ':' || CASE WHEN i % 9 = n % 9 THEN n ELSE 0 END, 500)))
		FROM generate_series(1, CASE WHEN n % 10 = 0 THEN 400 ELSE 20 END) i)) $$;
-- What the deletions of a transaction took, in that transaction.
CREATE TABLE deleted (backup_id bigint PRIMARY KEY);
-- One transaction of a client; the answer, which it sees after the commit, says which backups it made and which it deleted.
CREATE FUNCTION step(name text, op text, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	chosen bigint;
	made bigint[];
	gone bigint[];
BEGIN
	SELECT backup_id INTO chosen FROM bk_list(name, max_rows => 40) OFFSET n % 12 LIMIT 1;
	CASE op
	WHEN 'full', 'incremental', 'differential' THEN
		SELECT array_agg(backup_id) INTO made FROM bk_create(name, document(n), op, version => n::text, compression => (ARRAY['gzip', 'zstd', 'none'])[n % 3 + 1]);
	WHEN 'three' THEN
		SELECT array_agg(b.backup_id) INTO made FROM generate_series(0, 2) i, LATERAL bk_create(name, document(n + i), 'incremental', version => (n + i)::text) b;
	WHEN 'consolidate', 'cascade', 'restrict' THEN
		-- nobody adds to what is counted
		PERFORM FROM backup_service.resource WHERE resource_id = name FOR NO KEY UPDATE;
		CREATE TEMP TABLE before ON COMMIT DROP AS SELECT backup_id FROM bk_backups WHERE resource_id = name;
		PERFORM bk_delete(chosen, op);
		SELECT array_agg(backup_id) INTO gone FROM before WHERE backup_id NOT IN (SELECT backup_id FROM bk_backups WHERE resource_id = name);
		INSERT INTO deleted SELECT unnest(gone);
	WHEN 'become_full' THEN
		PERFORM FROM bk_consolidate(chosen);
	WHEN 'queue' THEN
		PERFORM bk_restore_enqueue(chosen, 'restored-' || name);
	WHEN 'restore' THEN
		IF bk_restore(chosen) IS NULL THEN RAISE 'no document'; END IF;
	WHEN 'hold' THEN
		PERFORM bk_hold(chosen, 'h' || n, 'test');
		PERFORM bk_release(chosen, 'h' || n);
	WHEN 'rekey' THEN
		PERFORM bk_rekey(5);
	END CASE;
	RETURN concat('made ', array_to_string(made, ','), ' gone ', array_to_string(gone, ','));
END $$});

my $number = 0;
my (%made, %gone);			# as clients were told: id => number; id => 1
my %told;				# how often what was done

# A client: one statement after another, each answer written down as it comes.
sub start_client
{
	my ($resource) = @_;
	my $name = $node->basedir . '/client' . ++$number;
	my $script = '';
	for (1 .. 600)
	{
		my @ops = (('incremental') x 6, 'full', 'differential', 'three', 'consolidate', 'cascade', 'restrict', 'become_full', 'queue', 'restore', 'hold', 'rekey');
		my $op = $ops[ rand @ops ];
		$script .= sprintf "SELECT '%s %d ' || step('%s', '%s', %d);\n", $op, $number, $resource, $op, $number;
		$number += 3;
	}
	append_to_file("$name.sql", $script);
	# An error of one statement, as of a deletion that is refused, is one of that statement alone.
	return { out => "$name.out", handle => IPC::Run::start([ 'psql', '-XAtq', '-f', "$name.sql", '-d', $node->connstr('postgres') ], '>', "$name.out", '2>', "$name.err") };
}

# What the clients were told.  A line is there when its transaction had been committed.
sub listen_to
{
	my ($client) = @_;
	for my $line (split /\n/, slurp_file($client->{out}))
	{
		my ($op, $n, $new, $old) = $line =~ /^(\w+) (\d+) made ([\d,]*) gone ([\d,]*)$/ or next;
		$told{$op}++;
		$made{$_} = $n++ for split /,/, $new;
		$gone{$_} = 1 for split /,/, $old;
	}
	return;
}

sub crash
{
	if (bk_random(0, 1))
	{
		$node->stop('immediate');
		return 'pg_ctl stop -m immediate';
	}
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	my @pids = ($pid, map { $_->[0] } bk_rows($node, 'postgres', q{SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()}));
	$node->kill9;
	kill 9, @pids;
	bk_wait_for(20, sub { !grep { kill 0, $_ } @pids });
	return 'kill -9 of all processes';
}

# psql finds the server gone, and ends by itself.
sub end_client { my ($client) = @_; eval { $client->{handle}->finish; }; return; }

for my $round (1 .. $rounds)
{
	my @clients = map { start_client($_) } 'a', 'b', 'a', 'c';
	sleep(1 + rand 2.5);
	my $how = crash();
	end_client($_) for @clients;
	listen_to($_) for @clients;
	$node->start;

	# Every backup there is reads, and is what was posted under its number; a restored one is what some number was.
	my ($all, $wrong, $chains) = split /\|/, bk_value($node, 'postgres', q{
SELECT count(*), count(*) FILTER (WHERE document IS DISTINCT FROM document((document ->> 'n')::int) OR version::int IS DISTINCT FROM (document ->> 'n')::int AND source IS DISTINCT FROM 'restore'), count(base_id)
  FROM (SELECT b.*, bk_read(backup_id) AS document FROM bk_backups b) b});
	is($wrong, 0, "round $round ($how): each of $all backups, $chains of them on a base, is what was posted");
	my %there = map { @$_ } bk_rows($node, 'postgres', q{SELECT backup_id, coalesce(version, 'restored') FROM bk_backups});
	my %deleted = map { $_->[0] => 1 } bk_rows($node, 'postgres', 'SELECT backup_id FROM deleted');
	my @lost = grep { !$deleted{$_} && ($there{$_} // '') ne $made{$_} } sort keys %made;
	is("@lost", '', "round $round: all " . keys(%made) . ' that clients were told of are there, or were deleted');
	my @back = grep { $there{$_} } keys %gone, keys %deleted;
	is("@back", '', "round $round: none of " . keys(%deleted) . ' that were deleted is back');
	is(bk_value($node, 'postgres', q{
SELECT (SELECT count(*) FROM backup_service.backup b WHERE NOT EXISTS (SELECT FROM backup_service.chunk c WHERE c.resource_id = b.resource_id AND c.backup_id = b.backup_id)),
	   (SELECT count(*) FROM backup_service.chunk c WHERE NOT EXISTS (SELECT FROM backup_service.backup b WHERE b.resource_id = c.resource_id AND b.backup_id = c.backup_id)),
	   (SELECT count(*) FROM backup_service.snapshot s WHERE removed_at IS NULL AND NOT EXISTS (SELECT FROM backup_service.backup b WHERE b.resource_id = s.resource_id AND b.backup_id = s.backup_id)),
	   (SELECT count(*) FROM backup_service.hold)}), '0|0|0|0', "round $round: no half backup, no chunk or point without its backup, no hold that was released");
	is(bk_value($node, 'postgres', q{SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'}), 0, "round $round: bk_verify() finds all valid");
	is(bk_value($node, 'postgres', q{SELECT count(*) FROM bk_audit_verify()}), 0, "round $round: the trail verifies");
	ok(bk_wait_for(60, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM bk_operations WHERE status IN ('queued', 'running')}) eq '0' }), "round $round: the queue is worked off")
	  or diag bk_value($node, 'postgres', q{SELECT operation_id, status, attempts, error FROM bk_operations WHERE status IN ('queued', 'running') LIMIT 5});
	is(bk_value($node, 'postgres', q{SELECT count(*) FROM bk_operations WHERE status = 'completed' AND restored_backup_id IS NULL AND attempts > 0}), 0, "round $round: each that was completed has its backup");
}
note(join ', ', map { "$_: $told{$_}" } sort keys %told);
cmp_ok(scalar(keys %told), '>', 9, 'every kind of work was done') or diag join ' ', %told;
cmp_ok(scalar(keys %made), '>', 10 * $rounds, 'there was a load');
$node->stop;
done_testing();
