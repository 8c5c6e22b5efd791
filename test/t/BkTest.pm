# What the TAP tests share: a server with the extension, and queries that must fail in a given way.
#
# They run with
#   prove -I $(dirname $(pg_config --pgxs))/../test/perl test/t
# and PostgreSQL::Test::Cluster's environment (PG_REGRESS, TESTDIR, TESTDATADIR, TESTLOGDIR); LONG=1 runs
# sweeps in full, SEED=n repeats one.
package BkTest;

use strict;
use warnings;

use Exporter 'import';
use File::Find;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(bk_long bk_seed bk_random bk_cluster bk_start bk_key_path bk_database bk_run bk_fails bk_value
  bk_rows bk_recover bk_wait_for bk_wait_ready bk_noise_function bk_files_with);

# A process that is shot does not write down which lines it ran (make coverage).
if (($ENV{COVERAGE} || '') eq 'yes')
{
	no warnings 'redefine';
	*PostgreSQL::Test::Cluster::teardown_node = sub { my ($node, %params) = @_; $node->stop('fast', %params); return 1; };
}

# Whether the full numbers are asked for; else the sample.
sub bk_long
{
	my ($sample, $full) = @_;
	return $ENV{LONG} ? $full : $sample;
}

# Seed the generator, and say with what.
sub bk_seed
{
	my $seed = $ENV{SEED} || int(time() * 1000 + $$) % 1_000_000_007;
	srand($seed);
	diag("SEED=$seed");
	return $seed;
}

# A whole number from $low to $high.
sub bk_random
{
	my ($low, $high) = @_;
	return $low + int(rand($high - $low + 1));
}

# A cluster that is not yet running.
sub bk_cluster
{
	my ($name, %init) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $conf = delete $init{conf} || '';
	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ], %init);
	$node->append_conf('postgresql.conf', "log_statement = none\n$conf");
	return $node;
}

# A running one with the extension in database postgres.
sub bk_start
{
	my $node = bk_cluster(@_);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
	return $node;
}

sub bk_key_path
{
	my ($node) = @_;
	return $node->data_dir . '/backup_service.key';
}

# A new database with the extension.
sub bk_database
{
	my ($node, $database, $encoding) = @_;
	$node->safe_psql('postgres',
		"CREATE DATABASE $database TEMPLATE template0 ENCODING '" . ($encoding || 'UTF8') . "' LC_COLLATE 'C' LC_CTYPE 'C'");
	$node->safe_psql($database, 'CREATE EXTENSION backup_service');
	return;
}

# Run a script; returns exit status, output and messages, with SQLSTATEs.
sub bk_run
{
	my ($node, $database, $sql, %params) = @_;
	return $node->psql($database, "\\set VERBOSITY verbose\n$sql", %params);
}

# The script must fail with this SQLSTATE, its messages like this.
sub bk_fails
{
	my ($node, $database, $sql, $sqlstate, $like, $name) = @_;
	my ($status, $output, $messages) = bk_run($node, $database, $sql);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		isnt($status, 0, 'fails');
		like($messages, qr/ERROR:  \Q$sqlstate\E: /, "with $sqlstate");
		like($messages, $like, 'and says so');
	};
}

# One value, quietly.
sub bk_value
{
	my ($node, $database, $sql) = @_;
	my ($status, $output, $messages) = $node->psql($database, $sql, on_error_stop => 1);
	die "query failed: $messages\n$sql" if $status;
	return $output;
}

# Rows as lists of columns, which may not hold bars or line feeds.
sub bk_rows
{
	my ($node, $database, $sql) = @_;
	return map { [ split /\|/, $_, -1 ] } split /\n/, bk_value($node, $database, $sql);
}

# Run bk_recover: its exit status, output and messages, and the signal that ended it.  BK_RECOVER="valgrind -q bk_recover" runs it so;
# what such a tool finds fails the test.
sub bk_recover
{
	my @arguments = @_;
	IPC::Run::run([ split(' ', $ENV{BK_RECOVER} || 'bk_recover'), @arguments ], '<', '/dev/null', '>', \my $output, '2>', \my $messages);
	my @ended = ($? >> 8, $output, $messages, $? & 127);
	fail("bk_recover @arguments: no fault is found") and diag(substr $messages, 0, 4000) if $messages =~ /^==\d+==|Sanitizer|runtime error:/m;
	return @ended;
}

# Wait until the server takes connections, for at most so many seconds.
sub bk_wait_ready
{
	my ($node, $seconds) = @_;
	return bk_wait_for($seconds, sub { system('pg_isready', '-q', '-d', $node->connstr('postgres')) == 0 });
}

# Wait until something is true, for at most so many seconds.
sub bk_wait_for
{
	my ($seconds, $condition) = @_;
	for (1 .. $seconds * 20)
	{
		return 1 if $condition->();
		select(undef, undef, undef, 0.05);
	}
	return 0;
}

# SQL of bk_noise(seed, bytes): text that compression hardly shrinks.
sub bk_noise_function
{
	return q{
CREATE FUNCTION bk_noise(seed text, bytes int) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT left(string_agg(translate(encode(sha512(convert_to(seed || i, 'UTF8')), 'base64'), E'\n=', ''), ''), bytes)
	  FROM generate_series(0, bytes / 86) i
$$;};
}

# The files that hold one of the byte strings: of the data directory (without the key file), the log, and more.
sub bk_files_with
{
	my ($node, $more, @needles) = @_;
	my $any = join '|', map { quotemeta } @needles;
	my $pattern = qr/$any/;
	my @found;
	my $look = sub {
		return unless -f $_ && $_ ne bk_key_path($node);
		open my $file, '<:raw', $_ or return;
		my $tail = '';
		while (read $file, my $bytes, 1 << 20)
		{
			my $both = $tail . $bytes;
			return push @found, $_ if $both =~ $pattern;
			$tail = substr $both, -128;
		}
		return;
	};
	find({ wanted => $look, no_chdir => 1 }, $node->data_dir);
	$look->() for $node->logfile, @$more;
	return @found;
}

1;
