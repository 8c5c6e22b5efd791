# Does ALTER EXTENSION UPDATE leave what CREATE EXTENSION makes, from every version that was released?  And would the
# comparison see it if not?  test/upgrade/README.md says what a release adds.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $catalog = slurp_file("$FindBin::RealBin/../upgrade/catalog.sql");
my $node = bk_cluster('upgrade');
$node->start;
my $version = bk_value($node, 'postgres', q{SELECT default_version FROM pg_available_extensions WHERE name = 'backup_service'});

# A new database with the extension in that version, updated to others.
my $databases = 0;
sub made
{
	my ($first, @next) = @_;
	my $database = 'made' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, join "\n", "CREATE EXTENSION backup_service VERSION '$first';", map { "ALTER EXTENSION backup_service UPDATE TO '$_';" } @next);
	return $database;
}

# The lines of catalog.sql there, after these statements, which are rolled back.
sub lines
{
	my ($database, $statements) = @_;
	return split /\n/, bk_value($node, $database, "BEGIN; " . ($statements || '') . ";\n$catalog; ROLLBACK");
}

# What only one of the two has.
sub difference
{
	my ($one, $other) = @_;
	my %count;
	$count{$_}++ for @$one;
	$count{$_}-- for @$other;
	return map { ($count{$_} > 0 ? '- ' : '+ ') . $_ } grep { $count{$_} } sort keys %count;
}

# From every version whose script is there.
my @fresh = lines(made($version));
cmp_ok(scalar(@fresh), '>', 500, 'the catalog has many lines');
my @released = grep { !/-/ && $_ ne $version } split /\n/,
  bk_value($node, 'postgres', q{SELECT version FROM pg_available_extension_versions WHERE name = 'backup_service'});
for my $old (@released)
{
	is_deeply([ difference(\@fresh, [ lines(made($old, $version)) ]) ], [], "$old updated to $version is as $version");
}
is_deeply([ difference(\@fresh, [ lines(made($version)) ]) ], [], "$version is as $version; released before: " . (join(', ', @released) || 'none'));

# The version that is made up, with rows in the tables.
my $upgraded = made($version);
my $document = '{"kept": true}';
$node->safe_psql($upgraded, "SELECT backup_id FROM bk_create('kept', '$document'); SELECT backup_id FROM bk_create('kept', '{}', 'incremental')");
$node->safe_psql($upgraded, "ALTER EXTENSION backup_service UPDATE TO '$version-next'");
my @next = lines(made("$version-next"));
is_deeply([ difference(\@next, [ lines($upgraded) ]) ], [], 'an upgrade script that does all leaves what a new one has');
is(bk_value($node, $upgraded, 'SELECT bk_read(1)'), $document, 'and the backups');
isnt(join("\n", @next), join("\n", @fresh), 'which is not what there was before');

# One that forgets everything: each kind of line is missed.
my @missed = difference([ lines(made("$version-forgot")) ], [ lines(made($version, "$version-forgot")) ]);
for my $kind ('member \| table', 'member \| function', 'function \| bk_next\(\) \| .*backup_service_user=X', 'relation \| backup_service.backup_by_next_label', 'column \| backup_service.backup \| \d+ \| next_label',
	'constraint \| backup_service.next_thing', 'comment \| table column \| backup_service.backup.next_label', 'comment \| function', 'dumped \| backup_service.next_thing', 'policy', 'first rights \| function')
{
	ok((grep { /^- $kind/ } @missed), "an upgrade script that forgets it is seen: $kind");
}

# A difference of each kind, by a statement.
for my $statement (
	'GRANT SELECT ON backup_service.backup TO backup_service_user',
	'GRANT USAGE ON SCHEMA backup_service TO backup_service_user',
	'REVOKE EXECUTE ON FUNCTION bk_read FROM backup_service_user',
	'GRANT backup_service_user TO backup_service_auditor',
	q{COMMENT ON VIEW bk_backups IS 'other'},
	'COMMENT ON COLUMN backup_service.backup.status IS NULL',
	'ALTER TABLE backup_service.backup ALTER COLUMN status SET DEFAULT 3',
	'ALTER TABLE backup_service.backup ALTER COLUMN status DROP NOT NULL',
	'ALTER TABLE backup_service.chunk ALTER COLUMN data SET STORAGE EXTENDED',
	'ALTER TABLE backup_service.policy ADD CHECK (keep_last < 1000)',
	'ALTER TABLE backup_service.backup ADD COLUMN other int',
	'ALTER VIEW bk_backups SET (security_barrier = false)',
	'ALTER FUNCTION bk_read STABLE',
	q{ALTER FUNCTION bk_read SET work_mem = '8MB'},
	'ALTER SEQUENCE backup_service.backup_backup_id_seq CACHE 10',
	'DROP INDEX backup_service.backup_by_expiry',
	'DELETE FROM backup_service.policy',
	q{UPDATE pg_extension SET extconfig = extconfig[2:], extcondition = extcondition[2:] WHERE extname = 'backup_service'})
{
	ok(difference(\@fresh, [ lines('made1', $statement) ]), "seen: $statement");
}
$node->stop;
done_testing();
