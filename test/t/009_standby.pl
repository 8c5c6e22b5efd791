# What works on a streaming standby, and after its promotion?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = bk_start('primary', allows_streaming => 1);
$primary->safe_psql('postgres', q{
SELECT FROM bk_create('r', '{"state": 1, "same": [1, 2, 3]}');
SELECT FROM bk_create('r', '{"state": 2, "same": [1, 2, 3]}', 'incremental')});

# A base backup of the data directory carries the key file, with its mode.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
my $key = bk_key_path($standby);
ok(-f $key, 'a base backup carries the key file');
is(slurp_file($key), slurp_file(bk_key_path($primary)), 'as it is');
is(sprintf('%04o', (stat $primary->backup_dir . '/base/backup_service.key')[2] & 07777), '0600', 'with its mode');
# init_from_backup() copies without modes
chmod 0600, $key or die;
$standby->start;

$primary->safe_psql('postgres', q{SELECT FROM bk_create('r', '{"state": 3, "same": [1, 2, 3]}', 'differential'); SELECT FROM bk_create('new', '[true]', 'incremental')});
$primary->wait_for_catchup($standby);
is(bk_value($standby, 'postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');

is(bk_value($standby, 'postgres', q{SELECT backup_id, type, bk_read(backup_id) FROM bk_list() ORDER BY backup_id}),
	join("\n", '1|full|{"same": [1, 2, 3], "state": 1}', '2|incremental|{"same": [1, 2, 3], "state": 2}', '3|differential|{"same": [1, 2, 3], "state": 3}', '4|full|[true]'), 'bk_list and bk_read');
is(bk_value($standby, 'postgres', q{SELECT count(*) FILTER (WHERE (bk_verify(backup_id) -> 'valid')::bool), count(verified_at) FROM bk_backups}), '4|0', 'bk_verify, without verified_at');
is(bk_value($standby, 'postgres', q{SELECT string_agg(concat_ws(' ', name, ok), ', ') FROM bk_health() WHERE critical}), 'worker t, keys t', 'bk_health() wants no worker there');
is(bk_value($standby, 'postgres', q{SELECT detail FROM bk_health() WHERE name = 'worker'}), q{this is a standby; the primary's worker does the work}, 'and says why');
is(bk_value($standby, 'postgres', q{SELECT bk_diff(1, 2) -> 'changes' -> 0 ->> 'key', length(bk_export(3)) > 20}), 'state|t', 'bk_diff and bk_export');
is(bk_value($standby, 'postgres', q{SELECT string_agg(value::text, ' ') FROM bk_history('r', 'state')}), '1 2 3', 'bk_history');
is(bk_value($standby, 'postgres', q{SELECT count(*) FROM bk_snapshots; SELECT backups FROM bk_resources WHERE resource_id = 'r'}), "4\n3", 'views');

my %refused = (
	"SELECT FROM bk_create('r', '1')" => qr/cannot execute bk_create\(\) in a read-only transaction\nHINT:  /,
	'SELECT bk_restore(1)' => qr/cannot execute bk_restore\(\) in a read-only transaction\nHINT:  bk_read\(\)/,
	"SELECT bk_restore_at('r', now())" => qr/cannot execute bk_restore_at\(\) in a read-only transaction\nHINT:  bk_read\(\)/,
	'SELECT bk_delete(1)' => qr/cannot execute bk_delete\(\) in a read-only transaction/,
	'SELECT FROM bk_consolidate(2)' => qr/cannot execute bk_consolidate\(\) in a read-only transaction/);
bk_fails($standby, 'postgres', $_, '25006', $refused{$_}, $_) for sort keys %refused;

# The same in a read-only transaction of the primary.
is(bk_value($primary, 'postgres', q{BEGIN READ ONLY; SELECT bk_read(2), bk_verify(2) -> 'valid'; COMMIT; SELECT count(verified_at) FROM bk_backups}), qq({"same": [1, 2, 3], "state": 2}|true\n0), 'a read-only transaction reads and verifies');
bk_fails($primary, 'postgres', "BEGIN READ ONLY; $_", '25006', $refused{$_}, "read only: $_") for sort keys %refused;

# Damage, and a missing key, are told on a standby too.
$primary->safe_psql('postgres', 'UPDATE backup_service.chunk SET data = set_byte(data, 3, get_byte(data, 3) # 1) WHERE backup_id = 4');
$primary->wait_for_catchup($standby);
bk_fails($standby, 'postgres', 'SELECT bk_read(4)', 'XX001', qr/backup 4 is damaged\nDETAIL:  The checksum check failed/, 'damage');
is(bk_value($standby, 'postgres', q{SELECT bk_verify(4) -> 'valid', bk_verify(4) -> 'checksumValid', jsonb_array_length(bk_verify(4) -> 'errors') > 0}), 'false|false|t', 'bk_verify finds it');
rename $key, "$key.away" or die;
bk_fails($standby, 'postgres', 'SELECT bk_read(1)', '58000', qr/does not exist\nHINT:  Put the key file back/, 'a standby without the key file');
ok(!-e $key, 'does not make one');
rename "$key.away", $key or die;

# A standby that was made before the first backup has no key file, and must not make one of its own.
my $early = bk_start('early', allows_streaming => 1);
$early->backup('base');
my $late = PostgreSQL::Test::Cluster->new('late');
$late->init_from_backup($early, 'base', has_streaming => 1);
$late->start;
$early->safe_psql('postgres', q{SELECT FROM bk_create('r', '1')});
$early->wait_for_catchup($late);
bk_fails($late, 'postgres', 'SELECT bk_read(1)', '58000', qr/does not exist/, 'a standby that is older than the key file');
$early->stop('immediate');
$late->promote;
bk_fails($late, 'postgres', "SELECT FROM bk_create('r', '2')", '58000', qr/does not exist\nHINT:  Put the key file back/, 'after its promotion no backup is made under another key');
ok(!-e bk_key_path($late), 'and no key file');
append_to_file(bk_key_path($late), slurp_file(bk_key_path($early)));
chmod 0600, bk_key_path($late) or die;
is(bk_value($late, 'postgres', q{SELECT bk_read(1); SELECT type, bk_read(backup_id) FROM bk_create('r', '2', 'incremental')}), "1\nincremental|2", 'with the key file copied it goes on');
$late->stop;

$primary->stop('immediate');
$standby->promote;
is(bk_value($standby, 'postgres', q{SELECT b.type, b.base_id, bk_restore(b.backup_id) FROM bk_create('r', '{"state": 4, "same": [1, 2, 3]}', 'incremental') b}), 'incremental|3|{"same": [1, 2, 3], "state": 4}', 'promoted, it makes an incremental on the newest');
is(bk_value($standby, 'postgres', q{SELECT count(*) = 4 FROM bk_backups WHERE backup_id <> 4 AND (bk_verify(backup_id) -> 'valid')::bool; SELECT count(verified_at) FROM bk_backups}), "t\n4", 'and verifies, with verified_at');
is(bk_value($standby, 'postgres', q{SELECT backup_id > 4 FROM bk_list('r', max_rows => 1)}), 't', 'ids go on');
$standby->stop;
done_testing();
