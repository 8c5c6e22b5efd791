# Is every committed backup restorable after kill -9 under load, and no half one there?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $seed = bk_seed();
my $rounds = bk_long(3, 20);
my $node = bk_start('crash', conf => "restart_after_crash = on\nshared_buffers = 32MB\ncheckpoint_timeout = 30s\n");

# document(n): known from its number, which a backup carries as its version; some are large.
$node->safe_psql('postgres', bk_noise_function() . q{
CREATE FUNCTION document(n int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('n', n, 'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'text', bk_noise(i || ':' || CASE WHEN i % 9 = n % 9 THEN n ELSE 0 END, 500)))
		FROM generate_series(1, CASE WHEN n % 10 = 0 THEN 3000 ELSE 40 END) i)) $$;
CREATE TABLE deleted (version int)});

my $number = 0;
my $committed_in_all = 0;
my $state = q{SELECT count(*) FROM backup_service.backup};

# A session's load: backups one after the other, each number printed after its commit, some in larger transactions.
sub start_load
{
	my ($resource) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 1);
	my $pid = $session->query_safe('SELECT pg_backend_pid()');
	my $script = '';
	for (1 .. 400)
	{
		my @numbers = map { ++$number } 1 .. (rand() < 0.2 ? 3 : 1);
		my $type = (qw(full incremental incremental differential))[ rand 4 ];
		my $codec = (qw(gzip zstd none))[ rand 3 ];
		my $create = join '', map { "SELECT FROM bk_create('$resource', document($_), '$type', compression => '$codec', version => '$_');\n" } @numbers;
		# where nobody else deletes, so that this does not fail
		$create .= "SELECT backup_id AS id, version FROM bk_list('$resource', max_rows => 8) ORDER BY backup_id LIMIT 1 \\gset\nINSERT INTO deleted VALUES (:version);\nSELECT bk_delete(:id) IS NULL;\n"
		  if $resource ne 'a' && rand() < 0.1;
		$script .= "BEGIN;\n${create}COMMIT;\n\\echo committed @numbers\n";
	}
	# from a file: a pipe does not take it all at once
	my $file = $node->basedir . "/load$number.sql";
	append_to_file($file, $script);
	$session->{stdin} .= "\\i $file\n";
	$session->{run}->pump_nb;
	return { session => $session, pid => $pid };
}

for my $round (1 .. $rounds)
{
	my @loads = map { start_load($_) } 'a', 'b', $round % 2 ? 'a' : 'c';
	my $until = time + 1 + rand 2;
	while (time < $until)
	{
		$_->{session}{run}->pump_nb for @loads;
		sleep(0.02);
	}
	# the postmaster and all, or one session, after which the server starts over
	my $whole = $round % 2;
	if ($whole)
	{
		my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
		my @pids = ($pid, map { $_->[0] } bk_rows($node, 'postgres', q{SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()}));
		$node->kill9;
		kill 9, @pids;
		bk_wait_for(20, sub { !grep { kill 0, $_ } @pids });
	}
	else
	{
		kill 9, $loads[ rand @loads ]{pid};
	}
	for my $load (@loads)
	{
		# what had been said before the end counts
		eval { $load->{session}{run}->pump_nb for 1 .. 20; };
		eval { $load->{session}{run}->kill_kill };
	}
	if ($whole)
	{
		my $started = 0;
		for (1 .. 100)
		{
			last if $started = $node->start(fail_ok => 1);
			sleep(0.1);
			$node->stop('fast', fail_ok => 1);
		}
		ok($started, "round $round: the server starts after kill -9 of all of it");
	}
	else
	{
		ok(bk_wait_ready($node, 60), "round $round: the server is back after kill -9 of a session");
	}
	my @committed = map { split ' ', $_ } map { $_->{session}{stdout} =~ /^committed ([\d ]+)$/mg } @loads;
	$committed_in_all += @committed;
	my ($all, $bad, $halves, $orphans, $points, $chains) = split /\|/, bk_value($node, 'postgres', q{
SELECT count(*),
	   count(*) FILTER (WHERE bk_read(backup_id) IS DISTINCT FROM document(version::int)),
	   (SELECT count(*) FROM backup_service.backup b WHERE NOT EXISTS (SELECT FROM backup_service.chunk c WHERE c.resource_id = b.resource_id AND c.backup_id = b.backup_id)),
	   (SELECT count(*) FROM backup_service.chunk c WHERE NOT EXISTS (SELECT FROM backup_service.backup b WHERE b.resource_id = c.resource_id AND b.backup_id = c.backup_id)),
	   (SELECT count(*) FROM backup_service.backup b WHERE NOT EXISTS (SELECT FROM backup_service.snapshot s WHERE s.resource_id = b.resource_id AND s.backup_id = b.backup_id)
		   AND b.created_at >= (SELECT min(s.created_at) FROM backup_service.snapshot s WHERE s.resource_id = b.resource_id)),
	   count(*) FILTER (WHERE base_id IS NOT NULL)
  FROM bk_backups});
	my $lost = bk_value($node, 'postgres', "SELECT count(*) FROM unnest('{" . join(',', @committed) . "}'::int[]) n WHERE NOT EXISTS (SELECT FROM bk_backups WHERE version = n::text)
		AND n NOT IN (SELECT version FROM deleted)");
	note("round $round: " . scalar(@committed) . " committed, $all there, $chains of them on a base");
	is($bad, 0, "round $round: each of $all backups restores its document");
	is("$halves $orphans $points", '0 0 0', "round $round: no backup without chunks, no chunks without backup, none without its point");
	is($lost, 0, "round $round: none of " . @committed . ' committed ones is lost');
	is(bk_value($node, 'postgres', "SELECT bk_read(backup_id) = '{}' FROM bk_create('a', '{}', 'incremental', version => '0') ; SELECT bk_delete(backup_id) FROM bk_list('a', max_rows => 1)"), "t\n1", "round $round: work goes on");
}
cmp_ok($committed_in_all, '>', $rounds, 'there was a load');
$node->stop;
done_testing();
