# What happens when memory ends: 53200 wherever it ends, nothing half made, nothing leaked, and the session goes on?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use FaultTest;
use PostgreSQL::Test::Utils;
use Test::More;

bk_seed();
my $node = fault_start('memory', conf => "autovacuum = off\n");
my $secret = 'needle-in-the-haystack';
$node->safe_psql('postgres', bk_noise_function() . qq{
CREATE TABLE docs AS SELECT n, jsonb_build_object('n', n, 'secret', '$secret', 'text', bk_noise('n', 300000), 'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'v', i * n)) FROM generate_series(1, 3000) i)) AS d FROM generate_series(1, 4) n;
SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 1));
SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 2), 'incremental');
SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 3), 'incremental', compression => 'zstd');
-- How a call ends whose allocations fail as said: what it gives, or its SQLSTATE.
CREATE FUNCTION attempt(statement text, first bigint, count bigint) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	BEGIN
		RETURN 'ok ' || fault_run(statement, first, count);
	EXCEPTION WHEN OTHERS THEN
		RETURN sqlstate || ' ' || sqlerrm || ' after 0';
	END;
END \$\$});
my $rows = join ' UNION ALL ', map { "SELECT '$_', count(*), md5(string_agg(md5(t::text), ' ' ORDER BY t::text)) FROM backup_service.$_ t" } qw(resource key backup chunk snapshot restore_operation audit_event);
my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name NOT IN ('CacheMemoryContext', 'index info') AND parent IS DISTINCT FROM 'CacheMemoryContext'};

# What is tried, what it gives when it works, and whether it leaves something behind then (which is undone).
my @cases = (
	[ q{SELECT type FROM bk_create('r', (SELECT d FROM docs WHERE n = 4))}, 'full' ],
	[ q{SELECT type FROM bk_create('r', (SELECT d FROM docs WHERE n = 4), 'incremental')}, 'incremental' ],
	[ q{SELECT type FROM bk_create('new', (SELECT d FROM docs WHERE n = 4), compression => 'zstd')}, 'full' ],
	[ q{SELECT bk_restore(3) ->> 'n'}, '3' ],
	[ q{SELECT bk_read(3) ->> 'n'}, '3' ],
	[ q{SELECT type FROM bk_consolidate(3)}, 'full' ],
	[ q{SELECT bk_delete(1)}, '1' ],
	[ q{SELECT bk_verify(3) ->> 'valid'}, 'true' ],
	[ q{SELECT bk_key_rotate()}, '2' ],
	[ q{SELECT length(bk_export(3)) > 1000}, 't' ],
	[ q{SELECT bk_diff(1, 3) ->> 'additions'}, '[]' ]);

my $session = $node->background_psql('postgres', on_error_stop => 0);
# Its time is a statement's, not the test's, which takes minutes in full.
$session->set_query_timer_restart;
my $key_file = slurp_file(bk_key_path($node));

# The answer, rolled back; the session must be there to give it.
sub attempt
{
	my ($statement, $first, $count) = @_;
	my $answer = $session->query("BEGIN; SELECT attempt(\$x\$$statement\$x\$, $first, $count); ROLLBACK;");
	$answer =~ /^(.*) after (\d+)$/m or die "no answer: $answer $session->{stderr}";
	return ($1, $2);
}

for my $case (@cases)
{
	my ($statement, $expected) = @$case;
	# A key file that was rotated in a transaction that is rolled back has a line more.
	my $restore_keys = sub { unlink bk_key_path($node); append_to_file(bk_key_path($node), $key_file); chmod 0600, bk_key_path($node); };
	subtest $statement => sub {
		my $before = bk_value($node, 'postgres', $rows);
		my ($answer, $allocations);
		for (1 .. 3)
		{
			($answer, $allocations) = attempt($statement, 0, 0);
			$restore_keys->();
		}
		is($answer, "ok $expected", 'works');
		my ($pid) = $session->query('SELECT pg_backend_pid();') =~ /(\d+)/;
		my ($files, $bytes) = (fault_files($pid), $session->query("$memory;"));
		my (%ends, %wrong);

		# The nth allocation alone fails; and all from it on.
		my $tries = bk_long(20, 100_000);
		my @at = $allocations <= $tries ? (1 .. $allocations) : map { bk_random(1, $allocations) } 1 .. $tries;
		for my $n (@at)
		{
			for my $count (1, 1_000_000)
			{
				my ($end) = attempt($statement, $n, $count);
				$restore_keys->();
				$ends{ $end =~ s/ .*//r }++;
				# An allocation that somebody does without leaves no trace.
				$wrong{$end} = "$n of $allocations, $count" unless $end eq "ok $expected" || $end =~ /^53200 /;
			}
		}
		is(join("\n", map { "$_ ($wrong{$_})" } sort keys %wrong), '', 'either works as always or ends with 53200');
		note(join ', ', map { "$_: $ends{$_}" } sort keys %ends);
		cmp_ok($ends{53200} || 0, '>', 0, 'memory did end');
		is(bk_value($node, 'postgres', $rows), $before, 'nothing is half made');
		($answer) = attempt($statement, 0, 0);
		$restore_keys->();
		is($answer, "ok $expected", 'the same session does it afterwards');
		is(fault_files($pid), $files, 'and has as many files open as before');
		cmp_ok($session->query("$memory;"), '<=', $bytes * 1.2 + 500_000, 'and as much memory');
	};
}
is(bk_value($node, 'postgres', q{SELECT count(*), count(*) FILTER (WHERE bk_verify(backup_id) ->> 'valid' = 'true') FROM bk_backups; SELECT count(*) FROM bk_audit_verify()}), "3|3\n0", 'at the end all is sound');

# ----- A session that has nothing yet, not even what OpenSSL and the server keep for good.  An OpenSSL that finds no memory
# for its algorithms when it first looks for them does not look again (3.0).
my %ends;
{
	my $statement = q{SELECT bk_read(3) ->> 'n'};
	my $fresh = sub { return join '', (bk_run($node, 'postgres', "SELECT attempt(\$x\$$statement\$x\$, $_[0], $_[1]);\n$statement"))[ 1, 2 ]; };
	my ($allocations) = $fresh->(0, 0) =~ /after (\d+)/;
	my %wrong;
	for (1 .. bk_long(20, 1000))
	{
		my $n = bk_random(1, $allocations);
		my $said = $fresh->($n, bk_random(0, 1) ? 1 : 1_000_000);
		$ends{ $said =~ s/ .*//sr }++;
		# PostgreSQL itself ends a session in which there is no room for a setting's default.
		next if $said =~ /FATAL:  53200: out of memory\n(?:CONTEXT:[^\n]*\n[^\n]*\n)?LOCATION:  guc_strdup/ && ++$ends{FATAL};
		$wrong{$said} = "$n of $allocations" unless $said =~ /\A(ok 3|53200) .*\n3\z/
			|| $said =~ /\A53200 .*XX000: OpenSSL failed in .*unsupported\.\nHINT:  Try again in a new session\./s;
	}
	note(join ', ', map { "$_: $ends{$_}" } sort keys %ends);
	is(join("\n", map { "$_ ($wrong{$_})" } sort keys %wrong), '', "new sessions: of $allocations allocations one fails, or all from it on; then the next call works, or says what to do");
	is(bk_value($node, 'postgres', $statement), '3', 'as a new session does');
}

# ----- A limit of the system's, under which a large document does not fit.
{
	my ($pid) = $session->query('SELECT pg_backend_pid();') =~ /(\d+)/;
	$session->query(q{CREATE TEMP TABLE large AS SELECT jsonb_build_object('secret', 'needle-in-the-haystack', 'text', string_agg(repeat(md5(i::text), 100), '')) AS d FROM generate_series(1, 10000) i;
SELECT count(bk_read(backup_id)) FROM bk_create('large', (SELECT d FROM large));});
	my ($id) = $session->query(q{SELECT max(backup_id) FROM bk_list('large');}) =~ /(\d+)/;
	my $before = bk_value($node, 'postgres', $rows);
	my ($kilobytes) = slurp_file("/proc/$pid/status") =~ /^VmSize:\s+(\d+)/m;
	my %seen;
	for my $more (map { $_ * bk_long(24, 4) } 0 .. bk_long(6, 36))
	{
		system('prlimit', '--pid', $pid, '--as=' . (($kilobytes + $more * 1024) * 1024) . ':') == 0 or die 'prlimit';
		for my $statement ("FROM bk_create('large', (SELECT d FROM large))", "length(bk_read($id)::text)", "bk_restore($id) IS NULL")
		{
			$session->{stderr} = '';
			$session->query("BEGIN; SELECT $statement; ROLLBACK;");
			$seen{ $session->{stderr} =~ /ERROR:  (.*)/ ? $1 =~ s/\d+/N/gr : 'ok' }++;
		}
	}
	system('prlimit', '--pid', $pid, '--as=unlimited:') == 0 or die 'prlimit';
	note(join ', ', map { "$_: $seen{$_}" } sort keys %seen);
	is(join(', ', grep { !/^ok|^out of memory/ } keys %seen), '', 'under a limit: works, or out of memory');
	ok($seen{'out of memory'} && $seen{ok}, 'both were seen');
	is(bk_value($node, 'postgres', $rows), $before, 'nothing is half made');
	is($session->query("SELECT length(bk_read($id)::text) > 30000000;"), 't', 'without the limit the session does it');
}
$session->quit;
unlike(slurp_file($node->logfile), qr/$secret|[0-9a-f]{64}/, 'nothing of documents and keys is in the log');
is(join("\n", slurp_file($node->logfile) =~ /FATAL:.*/g), join("\n", ('FATAL:  out of memory') x ($ends{FATAL} || 0)), 'no other session ended');
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal/, 'and no process');
$node->stop;
done_testing();
