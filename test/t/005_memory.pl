# Does a session's memory grow with the number of calls, or a restore's with the length of the chain?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $restores = bk_long(2_000, 10_000);
my $creates = bk_long(200, 2_000);

# Small shared buffers, which count into a process's resident memory.
my $node = bk_start('memory', conf => "shared_buffers = 4MB\njit = off\nmax_wal_size = 2GB\n");
$node->safe_psql('postgres', bk_noise_function() . q{
CREATE FUNCTION small(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('n', n, 'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'text', 'row ' || i * CASE WHEN i % 7 = n % 7 THEN n ELSE 1 END)) FROM generate_series(1, 100) i)) $$;
SELECT FROM bk_create('full', small(1));
SELECT FROM bk_create('chain', small(1));
SELECT FROM bk_create('chain', small(2), 'incremental');
SELECT FROM bk_create('chain', small(3), 'incremental', compression => 'zstd');
SELECT FROM bk_create('plain', small(3), encrypt => false, compression => 'none');
SELECT FROM bk_create('damaged', small(1));
UPDATE backup_service.chunk SET data = set_byte(data, 9, 0) WHERE backup_id = 6;
});

# Bytes in the backend's memory contexts and in its private resident memory.
my $measure = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};

sub resident
{
	my ($pid, $field) = @_;
	my ($kilobytes) = slurp_file("/proc/$pid/status") =~ /^$field:\s+(\d+) kB/m;
	return $kilobytes;
}

# Run one thing so many times in one session, as single statements and in one loop; compare with after a warm-up.
sub grows_not
{
	my ($name, $statement, $times) = @_;
	for my $how ('statements', 'loop')
	{
		my $session = $node->background_psql('postgres', on_error_stop => 1, timeout => 600);
		my $pid = $session->query_safe('SELECT pg_backend_pid()');
		my $run = sub {
			my ($count) = @_;
			(my $in_loop = $statement) =~ s/^SELECT/PERFORM/;
			my $sql = $how eq 'loop' ? "DO \$\$ BEGIN FOR i IN 1..$count LOOP $in_loop; END LOOP; END \$\$;"
			  : "SELECT format('%s', \$q\$$statement\$q\$) FROM generate_series(1, $count) \\gexec\n";
			$session->query("\\o /dev/null\nSET client_min_messages = error;\n$sql\n\\o\n");
			die $session->{stderr} if $session->{stderr};
		};
		$run->(200);
		my ($contexts, $memory) = ($session->query_safe($measure), resident($pid, 'VmRSS'));
		$run->($times);
		my ($contexts_now, $memory_now) = ($session->query_safe($measure), resident($pid, 'VmRSS'));
		note(sprintf '%s, %d %s: contexts %d -> %d bytes, resident %d -> %d kB', $name, $times, $how, $contexts, $contexts_now, $memory, $memory_now);
		cmp_ok($contexts_now - $contexts, '<', 256 * 1024, "$name, $times times ($how): memory contexts do not grow");
		cmp_ok($memory_now - $memory, '<', 2048 + $times / 4, "$name, $times times ($how): the process does not grow");
		is($session->query_safe(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'backup_service%'}), 0, "$name ($how): no memory context is left");
		$session->quit;
	}
	return;
}

grows_not('bk_read of a full', 'SELECT bk_read(1)', $restores);
grows_not('bk_restore of a chain', 'SELECT bk_restore(4)', $restores);
grows_not('bk_read of plain', 'SELECT bk_read(5)', $restores / 8);
grows_not('bk_verify', 'SELECT bk_verify(4)', $restores / 8);
grows_not('bk_verify of damage', 'SELECT bk_verify(6)', $restores / 8);
grows_not('bk_export', 'SELECT bk_export(4)', $restores / 8);
grows_not('bk_history', q{SELECT count(*) FROM bk_history('chain', 'n')}, $restores / 8);
grows_not('bk_delta', q{SELECT bk_delta('{"a": [1, 2, 3]}', '{"a": [2, 3, 4]}')}, $restores);
grows_not('bk_create full', q{SELECT count(*) FROM bk_create('made', small(1))}, $creates);
grows_not('bk_create incremental', q{SELECT count(*) FROM bk_create('grown', small((random() * 100)::int), 'incremental')}, $creates);
grows_not('bk_create and bk_delete', q{SELECT bk_delete(backup_id) FROM bk_create('gone', small(1))}, $creates / 2);

# Errors that are caught leave nothing either.
$node->safe_psql('postgres', q{
CREATE FUNCTION refused() RETURNS int LANGUAGE plpgsql AS $$
BEGIN PERFORM bk_read(6); RETURN 0; EXCEPTION WHEN data_corrupted THEN RETURN 1; END $$});
grows_not('a refused restore', 'SELECT refused()', $restores / 8);

# A chain of 100 incrementals over some 2 MB, whose deltas together are ten times that.
$node->safe_psql('postgres', q{
CREATE FUNCTION large(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('rows', jsonb_agg(jsonb_build_object('id', i, 'data', repeat(bk_noise('r' || i || ':' || (n - (n - i) % 10), 100), 10)))) FROM generate_series(1, 2000) i $$;
SET backup_service.max_chain_length = 200;
DO $$ BEGIN FOR n IN 10..110 LOOP PERFORM FROM bk_create('long', large(n), CASE n WHEN 10 THEN 'full' ELSE 'incremental' END, compression => 'none'); END LOOP; END $$;
SELECT FROM bk_create('alone', large(110), compression => 'none')});
my ($last, $deltas, $size) = split /\|/, bk_value($node, 'postgres', q{
SELECT max(backup_id), sum(size) FILTER (WHERE type = 'incremental'), max(document_size) FROM bk_backups WHERE resource_id = 'long' AND type = 'incremental' HAVING count(*) = 100});
my $alone = bk_value($node, 'postgres', q{SELECT max(backup_id) FROM bk_backups WHERE resource_id = 'alone'});
cmp_ok($deltas, '>', 5 * $size, "100 deltas of $deltas bytes over a document of $size");

# The peak above what a session needs for a tiny restore.
sub peak
{
	my ($call) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 1);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_safe('SELECT FROM bk_read(4); SELECT count(*) FROM backup_service.chunk');
	my $before = resident($pid, 'VmHWM');
	$session->query_safe("SET backup_service.max_chain_length = 200; $call");
	my $peak = resident($pid, 'VmHWM') - $before;
	$session->quit;
	return $peak;
}
my $full = peak("SELECT FROM bk_read($alone)");
my $chain = peak("SELECT FROM bk_read($last)");
diag(sprintf 'a document of %.1f MB, %.1f MB of deltas: peak %.1f MB for the full backup, %.1f MB for the chain of 100, ratio %.2f', $size / 1e6, $deltas / 1e6, $full / 1e3, $chain / 1e3, $chain / $full);
cmp_ok($chain, '<', $full * 3, 'a chain takes less than three times the memory of the full backup');
cmp_ok($chain, '<', $deltas / 1024, 'and less than its deltas');
is(bk_value($node, 'postgres', "SELECT bk_read($last) = bk_read($alone)"), 't', 'and is the same document');
my $create = peak("SELECT FROM bk_create('long', large(111), 'incremental')");
note("an incremental on the chain of 100: peak $create kB");

$node->stop;
done_testing();
