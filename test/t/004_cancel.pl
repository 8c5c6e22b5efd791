# Do a time-out and a cancel take effect at once in the middle of a large backup or restore, and leave nothing?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use constant LIMIT => 10;

my $seed = bk_seed();
my $rounds = bk_long(2, 15);
my $node = bk_start('cancel', conf => "shared_buffers = 256MB\nmax_wal_size = 4GB\nlog_error_verbosity = terse\n");

# Some 60 MB each: one of many nodes, one of a few long strings that hardly shrink.
$node->safe_psql('postgres', bk_noise_function() . q{
CREATE UNLOGGED TABLE document (name text PRIMARY KEY, d jsonb);
ALTER TABLE document ALTER d SET STORAGE EXTERNAL;
INSERT INTO document SELECT 'nodes', jsonb_agg(jsonb_build_object('id', i, 'name', 'row ' || i, 'tags', jsonb_build_array(i % 7, i % 11, true), 'price', i * 1.5)) FROM generate_series(1, 800000) i;
INSERT INTO document SELECT 'edited', jsonb_agg(CASE WHEN i % 10 = 0 THEN e || '{"price": 0}' ELSE e END) FROM document, jsonb_array_elements(d) WITH ORDINALITY AS x(e, i) WHERE name = 'nodes';
INSERT INTO document SELECT 'noise', jsonb_agg(i || repeat(bk_noise('x', 1000000), 15)) FROM generate_series(1, 4) i;
});
note("$_->[0]: $_->[1] bytes") for bk_rows($node, 'postgres', 'SELECT name, octet_length(d::text) FROM document');

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $session->query('SELECT pg_backend_pid()');

# One statement on the session; how long it took, and what it said.
sub timed
{
	my ($sql) = @_;
	$session->{stderr} = '';
	my $begin = time;
	my $output = $session->query($sql);
	my $messages = $session->{stderr};
	$session->{stderr} = '';
	return (time - $begin, $messages, $output);
}

my %call = (
	'full, gzip' => q{SELECT FROM bk_create('new', (SELECT d FROM document WHERE name = 'nodes'))},
	'full, zstd' => q{SELECT FROM bk_create('new', (SELECT d FROM document WHERE name = 'noise'), compression => 'zstd')},
	'full, none' => q{SELECT FROM bk_create('new', (SELECT d FROM document WHERE name = 'noise'), compression => 'none')},
	'incremental' => q{SELECT FROM bk_create('nodes', (SELECT d FROM document WHERE name = 'edited'), 'incremental')},
	'delta' => q{SELECT length(bk_delta(a.d, b.d)::text) FROM document a, document b WHERE a.name = 'nodes' AND b.name = 'edited'},
	'restore of a full' => q{SELECT jsonb_typeof(bk_restore(1))},
	'restore of noise' => q{SELECT jsonb_typeof(bk_restore(2))},
	'restore of an incremental' => q{SELECT jsonb_typeof(bk_restore(4))},
	'verify' => q{SELECT bk_verify(4)},
	'export' => q{SELECT length(bk_export(4))},
	'consolidate' => q{SELECT FROM bk_consolidate(4)});
delete @call{ 'full, none', 'delta', 'restore of noise', 'export' } unless $ENV{LONG};

# What restores need: a full, noise, and a chain.
timed(q{
SELECT FROM bk_create('nodes', (SELECT d FROM document WHERE name = 'nodes'));
SELECT FROM bk_create('noise', (SELECT d FROM document WHERE name = 'noise'));
SELECT FROM bk_create('chain', (SELECT d FROM document WHERE name = 'nodes'));
SELECT FROM bk_create('chain', (SELECT d FROM document WHERE name = 'edited'), 'incremental');
});
my $counts = q{SELECT (SELECT count(*) FROM backup_service.resource), (SELECT count(*) FROM backup_service.backup), (SELECT count(*) FROM backup_service.chunk),
	(SELECT count(*) FROM backup_service.snapshot), (SELECT count(*) FROM backup_service.restore_operation), (SELECT sum(size) FROM backup_service.backup)};
my $state = bk_value($node, 'postgres', $counts);
my $contexts = q{SELECT string_agg(name, ', ') FROM pg_backend_memory_contexts WHERE name LIKE 'backup_service%'};

my %worst;
my %whole;
my $missed = 0;

# After an interruption: nothing in tables, in memory or locked, and the session goes on.
sub check_nothing_left
{
	my ($name) = @_;
	is(bk_value($node, 'postgres', $counts), $state, "$name: no row is left");
	is((timed($contexts))[2], '', "$name: no memory context is left");
	is(bk_value($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid AND locktype = 'relation' AND relation::regclass::text LIKE 'backup_service.%'"), 0, "$name: no lock is left");
	is((timed(q{SELECT bk_delta('{"a": 1, "b": 0}', '{"a": 2, "b": 0}') -> 'changes' -> 0 ->> 'key'}))[2], 'a', "$name: the session goes on");
	return;
}

for my $name (sort keys %call)
{
	my ($whole, $messages) = timed("BEGIN; $call{$name}; ROLLBACK");
	is($messages, '', "$name runs through") or next;
	$whole{$name} = $whole;
	$worst{$name} = 0;
	my @at = map { ($_ - rand) / $rounds } 1 .. $rounds;
	for my $n (0 .. $#at)
	{
		my $delay = $at[$n] * $whole * 0.9 + 0.002;
		my ($late, $messages);
		if ($n % 2)
		{
			# a cancel from another session
			$session->{stderr} = '';
			$session->{stdin} .= "$call{$name};\n\\echo finished\n\\warn finished\n";
			$session->{run}->pump_nb;
			sleep($delay);
			my $begin = time;
			bk_value($node, 'postgres', "SELECT pg_cancel_backend($pid)");
			bk_wait_for(60, sub { $session->{run}->pump_nb; $session->{stderr} =~ /finished/ && $session->{stdout} =~ /finished/ });
			$late = time - $begin;
			$messages = $session->{stderr};
			$session->{stdout} = $session->{stderr} = '';
		}
		else
		{
			my $milliseconds = int($delay * 1000) || 1;
			timed("SET statement_timeout = $milliseconds");
			my $taken;
			($taken, $messages) = timed("BEGIN; $call{$name}; ROLLBACK");
			$late = $taken - $milliseconds / 1000;
			timed('SET statement_timeout = 0');
		}
		if ($messages !~ /canceling statement/)
		{
			# it was done before; nothing to judge
			$missed++;
			timed("SELECT bk_delete(backup_id) FROM bk_list() WHERE backup_id > 4; DELETE FROM backup_service.restore_operation; DELETE FROM backup_service.snapshot WHERE backup_id > 4; DELETE FROM backup_service.resource WHERE resource_id = 'new'; DELETE FROM backup_service.audit_event WHERE resource_id = 'new'");
			$state = bk_value($node, 'postgres', $counts);
			next;
		}
		$worst{$name} = $late if $late > $worst{$name};
	}
	cmp_ok($worst{$name}, '<', LIMIT, sprintf '%s: an interruption takes effect within %d s', $name, LIMIT);
	check_nothing_left($name);
}
diag(join "\n", map { sprintf '%-26s whole %6.2f s, interrupted at most %6.3f s late', $_, $whole{$_}, $worst{$_} } sort keys %worst);
note("$missed came too late to interrupt");
cmp_ok($missed, '<', keys(%call) * $rounds / 2, 'most interruptions came in time');

is((timed(q{SELECT bk_read(1) = (SELECT d FROM document WHERE name = 'nodes'), bk_read(2) = (SELECT d FROM document WHERE name = 'noise'), bk_read(4) = (SELECT d FROM document WHERE name = 'edited')}))[2],
	't|t|t', 'what was there is restored as before');
$session->quit;
$node->stop;
done_testing();
