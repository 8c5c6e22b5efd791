# Can what every released format has written be restored by this code?  test/golden/README.md says what is there.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = "$FindBin::RealBin/../golden";
my @formats = map { m{/(\d+)\.sql$} } sort glob("$folder/*.sql");
ok(@formats, 'there are golden rows');

for my $format (@formats)
{
	my $node = bk_start("golden_$format");
	append_to_file(bk_key_path($node), slurp_file("$folder/$format.key"));
	chmod 0600, bk_key_path($node) or die "chmod: $!";
	my ($status, $output, $messages) = $node->psql('postgres', slurp_file("$folder/$format.sql"), on_error_stop => 1);
	is($status, 0, "format $format: its rows fit") or diag($messages);

	my %wanted = map { split /\t/, $_, 2 } split /\n/, slurp_file("$folder/$format.documents");
	my @ids = sort { $a <=> $b } keys %wanted;
	is_deeply([ map { $_->[0] } bk_rows($node, 'postgres', 'SELECT backup_id FROM bk_backups ORDER BY 1') ], \@ids, "format $format: every backup has a document");
	for my $id (@ids)
	{
		my $kind = bk_value($node, 'postgres', "SELECT concat_ws(' ', resource_id, type, compression, 'key', key_version) FROM bk_backups WHERE backup_id = $id");
		is(bk_value($node, 'postgres', "SELECT bk_read($id)"), $wanted{$id}, "format $format: backup $id restores ($kind)");
		is(bk_value($node, 'postgres', "SELECT bk_verify($id) - 'warnings'"), '{"valid": true, "errors": [], "checksumValid": true, "dataIntegrity": true, "structureValid": true}', 'and verifies');
	}
	is(bk_value($node, 'postgres', 'SELECT * FROM bk_audit_verify()'), '', "format $format: the trail verifies");

	# What today's code can do with its own, it can with these.
	like(bk_value($node, 'postgres', q{SELECT backup_id, type FROM bk_create('chain/gzip', '{"new": 1}', 'incremental')}), qr/^(\d+)\|/, 'a new backup follows them');
	cmp_ok(bk_value($node, 'postgres', 'SELECT max(backup_id) FROM bk_backups'), '>', $ids[-1], 'with an id of its own');
	bk_value($node, 'postgres', 'SELECT bk_rekey(1000)');
	is(bk_value($node, 'postgres', 'SELECT count(*) FROM bk_backups WHERE key_version = 1'), 0, 'all are re-wrapped');
	bk_value($node, 'postgres', 'SELECT bk_consolidate(backup_id) FROM bk_list(max_rows => 1000)');
	is(bk_value($node, 'postgres', "SELECT count(*) FROM bk_backups WHERE type <> 'full' OR NOT (bk_verify(backup_id) ->> 'valid')::bool"), 0, 'and made full');
	my $same = join '', map { "$_\t$wanted{$_}\n" } @ids;
	is(bk_value($node, 'postgres', "SELECT backup_id || E'\\t' || bk_read(backup_id) FROM bk_backups WHERE backup_id <= $ids[-1] ORDER BY backup_id") . "\n", $same, 'the documents are the same');
	$node->stop;
}
done_testing();
