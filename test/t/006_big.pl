# Do the largest documents make the round trip to the letter: long strings, a million rows, deep nesting?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $seed = bk_seed();
my $share = bk_long(4, 1);    # 1 / share of the full sizes
my $node = bk_start('big', conf => "shared_buffers = 256MB\nmax_wal_size = 4GB\nmax_stack_depth = 7MB\n");
$node->safe_psql('postgres', bk_noise_function() . q{
CREATE UNLOGGED TABLE document (name text, n int, d jsonb, PRIMARY KEY (name, n));
ALTER TABLE document ALTER d SET STORAGE EXTERNAL;
});

my $bytes = int(100_000_000 / $share);
my $rows = int(1_000_000 / $share);
# the whole, then edits: of one place, of many, of the root
$node->safe_psql('postgres', qq{
INSERT INTO document
	SELECT 'string', n, jsonb_build_object('s', repeat('abc\\"é€ ' || n || chr(10), $bytes / 14), 't', n) FROM generate_series(1, 2) n;
INSERT INTO document
	SELECT 'bare string', n, to_jsonb(bk_noise('x' || n, $bytes)) FROM generate_series(1, 1) n;
INSERT INTO document
	SELECT 'rows', n, (SELECT jsonb_agg(CASE WHEN n = 2 AND i % 1000 = 0 THEN to_jsonb(i::text) WHEN n = 3 THEN to_jsonb($rows - i) ELSE to_jsonb(i) END)
		|| CASE WHEN n = 2 THEN '[1.50, null, {}]'::jsonb ELSE '[]' END FROM generate_series(1, $rows) i) FROM generate_series(1, 3) n;
INSERT INTO document
	SELECT 'objects', n, (SELECT jsonb_object_agg('key ' || i, jsonb_build_array(i, CASE WHEN i % 100 = n THEN n END, 'é')) FROM generate_series(1, $rows / 4) i) FROM generate_series(1, 2) n;
});

# Nested arrays, objects, and both, with a value at the bottom that changes.
for my $depth (1_000, bk_long(6_000, 10_000), 10_000)
{
	for my $n (1, 2)
	{
		my %nested = (
			# nothing in common: the whole document is the change, and so made full
			bare => [ '[' x $depth, ']' x $depth ],
			arrays => [ '[0, ' x $depth, ']' x $depth ],
			objects => [ '{"a": 0, "b": ' x $depth, '}' x $depth ],
			both => [ '[1, {"a": 0, "b": ' x ($depth / 2), '}]' x ($depth / 2) ]);
		for my $kind (sort keys %nested)
		{
			$node->safe_psql('postgres', "INSERT INTO document VALUES ('$kind $depth', $n, '$nested{$kind}[0]$n$nested{$kind}[1]') ON CONFLICT DO NOTHING");
		}
	}
}

my @took;
for my $name (map { $_->[0] } bk_rows($node, 'postgres', 'SELECT DISTINCT name FROM document ORDER BY name'))
{
	my $codec = (qw(gzip zstd none))[ rand 3 ];
	my $begin = time;
	my ($status, $output, $messages) = bk_run($node, 'postgres', qq{
SELECT d.n, b.type, b.document_size = octet_length(d.d::text), md5(bk_read(b.backup_id)::text) = md5(d.d::text), bk_verify(b.backup_id) -> 'valid'
  FROM document d, LATERAL bk_create('$name', d.d, CASE d.n WHEN 1 THEN 'full' WHEN 2 THEN 'incremental' ELSE 'differential' END, compression => '$codec') b
 WHERE d.name = '$name' ORDER BY d.n});
	push @took, sprintf '%-16s %5.1f s (%s)', $name, time - $begin, $codec;
	is($status, 0, "$name: goes through") or diag($messages);
	my @lines = split /\n/, $output;
	ok(scalar @lines, "$name: there are backups");
	like($_, qr/^\d\|\w+\|t\|t\|true$/, "$name: the same text: $_") for @lines;
	like($lines[1], qr/^2\|incremental/, "$name: the second is an incremental") if $name =~ /rows|objects|both|arrays/;
}
diag(join "\n", @took);

# Deltas of the same documents, outside of backups.
for my $name (map { $_->[0] } bk_rows($node, 'postgres', 'SELECT DISTINCT name FROM document WHERE n = 2 ORDER BY name'))
{
	is(bk_value($node, 'postgres', "SELECT md5(bk_apply(a.d, bk_delta(a.d, b.d))::text) = md5(b.d::text) FROM document a, document b WHERE a.name = '$name' AND a.n = 1 AND b.name = '$name' AND b.n = 2"), 't', "$name: bk_apply of bk_delta");
}

# Deeper than the stack allows is an error, not a crash: what was stored with a deep stack, read with a shallow one.
my ($status, $output, $messages) = bk_run($node, 'postgres', q{
SET max_stack_depth = '100kB';
SELECT count(bk_read(backup_id)) FROM bk_backups WHERE resource_id LIKE '% 10000' AND type = 'full'}, on_error_stop => 0);
ok($messages eq '' || $messages =~ /ERROR:  54001: stack depth limit exceeded/, 'a shallow stack reads, or says so') or diag($messages);
is(bk_value($node, 'postgres', 'SELECT 1'), 1, 'the server is there');
ok(!(grep { /terminated by signal|PANIC|TRAP:/ } split /\n/, slurp_file($node->logfile)), 'the log tells of no crash');
$node->stop;
done_testing();
