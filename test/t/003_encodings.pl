# Do documents and chains survive other server encodings, and dumps into databases of another encoding?
use strict;
use warnings;
use utf8;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Encode qw(encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';

my $node = bk_start('encodings');
bk_database($node, 'latin', 'LATIN1');

# Bytes for psql.
sub sql
{
	my ($text) = @_;
	return encode('UTF-8', $text);
}

# Dump one database into another, new one; -j makes pg_restore work in parallel.
sub copy_database
{
	my ($from, $to, $encoding, @options) = @_;
	my @jobs = grep { /^-j/ } @options;
	@options = grep { !/^-j/ } @options;
	my $file = $node->basedir . "/$to.dump";
	$node->safe_psql('postgres', "CREATE DATABASE $to TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
	local $ENV{PGCLIENTENCODING};
	delete $ENV{PGCLIENTENCODING};
	if (grep { /^-F[cd]/ } @options)
	{
		$node->command_ok([ 'pg_dump', @options, '-f', $file, '-d', $node->connstr($from) ], "dump of $from: @options");
		$node->command_ok([ 'pg_restore', '--exit-on-error', @jobs, '-d', $node->connstr($to), $file ], "restored into $to");
	}
	else
	{
		$node->command_ok([ 'pg_dump', @options, '-f', $file, '-d', $node->connstr($from) ], "dump of $from: @options");
		$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr($to) ], "restored into $to");
	}
	return;
}

# All backups as the client sees them: ids, columns and documents.  Object keys are ordered by their bytes in
# the server's encoding, so documents are compared as sets of paths and values.
my $everything = q{
SELECT b.backup_id, b.resource_id, b.type, b.base_id, b.size, b.stored_size, b.checksum, b.created_at, b.source, b.tags,
	   (WITH RECURSIVE part(path, value) AS (
			SELECT '', bk_read(b.backup_id)
			UNION ALL
			SELECT path || '/' || k, v FROM part CROSS JOIN LATERAL (
				SELECT key, value FROM jsonb_each(CASE WHEN jsonb_typeof(part.value) = 'object' THEN part.value ELSE '{}' END)
				UNION ALL
				SELECT (n - 1)::text, value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(part.value) = 'array' THEN part.value ELSE '[]' END) WITH ORDINALITY AS e(value, n)) AS s(k, v))
		SELECT string_agg(path || '=' || CASE WHEN jsonb_typeof(value) IN ('object', 'array') THEN jsonb_typeof(value) ELSE value::text END, ' ' ORDER BY path COLLATE "C") FROM part) AS document,
	   bk_verify(b.backup_id) ->> 'valid' AS valid
  FROM bk_backups b ORDER BY b.backup_id};

# Keys whose order differs: by length first, and é has one byte in LATIN1, two in UTF-8.
my @documents = (
	'{"é": 1, "ab": 2, "a": 3, "b": 4, "éé": 5, "abc": 6}',
	'{"é": 1, "ab": 2, "a": 3, "b": 4, "éé": 7, "abc": 6, "è": ["ü", "\u00ff", {"ÿ": "x", "zz": null}]}',
	'{"ab": 2, "a": "Größe", "éé": 7, "abc": 6, "è": ["ü", "ö", {"ÿ": "é", "zz": 1.00, "z": 2}]}',
	'{"ab": 2, "éé": {"é": {"é": "é"}}, "è": ["ö", "ü", {"ÿ": "é", "zz": 1.00, "z": 2}], "þ": []}',
	'"é"', '{}');
my @types = qw(full incremental incremental differential incremental incremental);
my $script = '';
$script .= sprintf "SELECT bk_read(backup_id) = '%s', type FROM bk_create('café', '%s', '%s', source => 'à', tags => '{\"clé\": \"é\"}');\n", $documents[$_], $documents[$_], $types[$_] for 0 .. $#documents;
my $made = bk_value($node, 'latin', sql($script));
is($made, join("\n", map { "t|$_" } @types[ 0 .. 5 ]), 'a LATIN1 database restores what it stored, through every type');
is(bk_value($node, 'latin', sql("SELECT bk_read(backup_id)::text = '$documents[1]'::jsonb::text FROM bk_list('café', type => 'incremental', max_rows => 10) ORDER BY backup_id LIMIT 1")), 't', 'to the letter');
is(bk_value($node, 'latin', sql(q{SELECT string_agg(coalesce(value::text, '-'), ' ') FROM bk_history('café', '["éé"]')})), sql('5 7 {"é": {"é": "é"}} -'), 'the history of a key that is not ASCII');
is(bk_value($node, 'latin', sql("SELECT bk_apply('$documents[0]', bk_delta('$documents[0]', '$documents[2]')) = '$documents[2]'")), 't', 'delta and apply');
like(bk_value($node, 'latin', sql("SELECT bk_diff(1, 2)")), qr/\[\\"\xc3\xa9\xc3\xa9\\"\]/, 'a diff names the key');
my $plain = bk_value($node, 'latin', q{
CREATE TEMP TABLE made AS SELECT backup_id FROM bk_create('plain', jsonb_build_object(chr(233), 1, 'ab', 2), encrypt => false, compression => 'none');
SELECT encode(data, 'hex') FROM backup_service.chunk JOIN made USING (backup_id)});
is(pack('H*', $plain), sql('{"ab": 2, "é": 1}'), 'the payload is UTF-8, its keys in the order of UTF-8');
my $gzip = bk_value($node, 'latin', q{SELECT encode(bk_export(backup_id), 'hex') FROM bk_list('plain')});
append_to_file($node->basedir . '/plain.json.gz', pack 'H*', $gzip);
is(`gunzip < ${\ $node->basedir}/plain.json.gz`, sql('{"ab": 2, "é": 1}'), 'so is an export');

# Over HTTP all is UTF-8, whatever the server's encoding; what does not fit is refused.
sub body
{
	my ($json) = @_;
	return "'\\x" . unpack('H*', sql($json)) . "'::bytea";
}
bk_database($node, 'http_latin', 'LATIN1');
my $answer = bk_value($node, 'http_latin', 'SELECT backup_service_api.backups_create(' . body('{"resourceId": "café \u00fc", "data": {"é": "Größe", "ab": [1.00, "\u00ff"]}, "metadata": {"source": "à", "tags": {"clé": "é&+%"}}}') . ')');
like($answer, qr/${\ sql('"resourceId" : "café ü"')}.*${\ sql('"source" : "à", "tags" : \{"clé": "é&\+%"\}')}/, 'a LATIN1 database answers HTTP in what the client reads');
is(bk_value($node, 'http_latin', "SELECT backup_service_api.restores_create('{\"backupId\": \"backup-1\"}') -> 'data'"), sql('{"ab": [1.00, "ÿ"], "é": "Größe"}'), 'and restores what it was sent');
is(bk_value($node, 'http_latin', "SELECT json_array_length(backup_service_api.backups_list('resourceId=caf%C3%A9+%C3%BC&tag=cl%C3%A9:%C3%A9%26%2B%25'))"), 1, 'a query string finds it');
is(bk_value($node, 'http_latin', "SELECT backup_service_http.encode(backup_service_http.decode('%C3%A9%C3%BF%2B'))"), '%C3%A9%C3%BF%2B', 'and is written as it was');
is(bk_value($node, 'http_latin', "SELECT count(*) FROM generate_series(1, 255) n WHERE n NOT BETWEEN 128 AND 159 AND backup_service_http.decode(backup_service_http.encode(chr(n) || 'x' || chr(n))) = chr(n) || 'x' || chr(n)"), 223, 'every character of LATIN1 comes back');
bk_fails($node, 'http_latin', 'SELECT backup_service_api.backups_create(' . body($_->[0]) . ')', $_->[1], $_->[2], "refused: $_->[3]") for
  [ '{"resourceId": "r", "data": "5 €"}', '22P05', qr/has no equivalent in encoding "LATIN1"/, 'a character that does not fit' ],
  [ '{"resourceId": "r", "data": "5 \u20ac"}', $node->pg_version >= 16 ? ('22P02', qr/the body is not valid JSON/) : ('22P05', qr/has no equivalent/), 'an escape of one' ],
  [ qq({"resourceId": "r", "data": "\x00"}), '22021', qr/invalid byte sequence for encoding "UTF8": 0x00/, 'a zero byte' ],
  [ '{"resourceId": "r", "data": {"é": 1, "\u00e9": 2}}', '22030', qr/The key is "\?"/, 'a key twice' ];
bk_fails($node, 'http_latin', 'SELECT backup_service_api.backups_create(\'\\x7b2261223a22ff227d\')', '22021', qr/invalid byte sequence for encoding "UTF8": 0xff/, 'refused: bytes that are LATIN1');
bk_fails($node, 'http_latin', "SELECT backup_service_api.backups_list('resourceId=%E2%82%AC')", '22P05', qr/has no equivalent in encoding "LATIN1"/, 'refused: a query for what does not fit');
is(bk_value($node, 'http_latin', 'SELECT count(*) FROM bk_backups'), 1, 'nothing more was written');

# consolidated rows move to the end of the heap, behind what builds on them
$node->safe_psql('latin', q{SELECT FROM bk_consolidate(2); SELECT FROM bk_restore(3, created_by => 'me'); SELECT FROM bk_restore(4, target_resource_id => 'other')});
my $before = bk_value($node, 'latin', $everything);
is(() = $before =~ /\|true$/mg, 7, 'seven backups are sound');

copy_database('latin', 'utf', 'UTF8');
is(bk_value($node, 'utf', $everything), $before, 'a dump of LATIN1 restores in UTF-8: the same ids, columns and documents');
is(bk_value($node, 'utf', sql("SELECT string_agg((bk_read(backup_id) = d)::text, ' ' ORDER BY backup_id) FROM (VALUES " . join(', ', map { "($_, '$documents[$_ - 1]'::jsonb)" } 1 .. 6) . ") v(backup_id, d)")), 'true true true true true true', 'each document is what UTF-8 makes of it');
is(bk_value($node, 'utf', sql("SELECT backup_id, type, base_id, bk_read(backup_id) FROM bk_create('café', '{\"é\": 1, \"ab\": \"€\"}', 'incremental')")), sql('8|incremental|6|{"ab": "€", "é": 1}'), 'the next id, on the newest');
is(bk_value($node, 'utf', "SELECT min(operation_id) FROM bk_operations; SELECT FROM bk_restore(8); SELECT max(operation_id) FROM bk_operations"), "1\n3", 'operations too');
copy_database('latin', 'latin2', 'LATIN1', '-Fc');
is(bk_value($node, 'latin2', $everything), $before, 'the same into LATIN1 with pg_restore');

# UTF-8 into LATIN1: what fits is restored, what does not is refused as such.
$node->safe_psql('postgres', sql(q{
SELECT FROM bk_create('fits', '{"é": 1, "ab": 2, "x": {"ÿ": [1, "ß"]}}');
SELECT FROM bk_create('fits', '{"é": 1, "ab": 3, "x": {"ÿ": [1, "ß", "ñ"]}}', 'incremental');
SELECT FROM bk_create('not', '{"price": "5 €"}');
SELECT FROM bk_create('not', '{"€": 5}', 'incremental');
SELECT FROM bk_create('not', '{"é": 5}', 'incremental');
SELECT FROM bk_create('far', '{"😀": ["日本"]}')}));
my $ours = bk_value($node, 'postgres', "$everything LIMIT 2");
copy_database('postgres', 'narrow', 'LATIN1');
is(bk_value($node, 'narrow', "$everything LIMIT 2"), $ours, 'a dump of UTF-8 in LATIN1: what fits is the same');
bk_fails($node, 'narrow', "SELECT bk_read($_)", '22P05', qr/has no equivalent in encoding "LATIN1"/, "backup $_ does not fit") for 3, 4, 6;
is(bk_value($node, 'narrow', 'SELECT bk_read(5)'), sql('{"é": 5}'), 'a chain over what does not fit gives what does');
is(bk_value($node, 'narrow', q{SELECT bk_verify(3) ->> 'valid', bk_verify(6) ->> 'valid'}), 'true|true', 'they are sound all the same');
bk_fails($node, 'narrow', "SELECT bk_diff(3, 5)", '22P05', qr/has no equivalent/, 'nor does a diff fit');
is(bk_value($node, 'narrow', q{SELECT type, bk_read(backup_id) FROM bk_create('not', '{"a": 1}', 'incremental')}), 'incremental|{"a": 1}', 'the next incremental builds on');
is(bk_value($node, 'narrow', q{SELECT type FROM bk_create('far', '{"a": 1}', 'incremental')}), 'incremental', 'also on one that does not fit');

# SQL_ASCII: bytes that are UTF-8 pass, others are refused.
bk_database($node, 'ascii', 'SQL_ASCII');
is(bk_value($node, 'ascii', sql(q{SELECT bk_read(backup_id) FROM bk_create('r', '{"é": 1, "ab": 2}'); SELECT type, bk_read(backup_id) FROM bk_create('r', '{"é": "€", "ab": 2}', 'incremental')})),
	sql(qq({"ab": 2, "é": 1}\nincremental|{"ab": 2, "é": "€"})), 'SQL_ASCII passes UTF-8 through');
{
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	bk_fails($node, 'ascii', qq{SELECT FROM bk_create('r', '{"\xe9": 1}')}, '22021', qr/invalid byte sequence for encoding "UTF8"/, 'and refuses other bytes in a document');
	bk_fails($node, 'ascii', qq{SELECT FROM bk_create('r\xe9', '{}')}, '22021', qr/invalid byte sequence for encoding "UTF8"/, 'and in a name');
}
is(bk_value($node, 'ascii', 'SELECT count(*) FROM bk_backups'), 2, 'nothing more was written');

# UTF-8 to UTF-8, with chains whose bases were rewritten behind them, and deletions.
bk_database($node, 'source');
$node->safe_psql('source', q{
DO $$
BEGIN
	FOR r IN 1..3 LOOP
		FOR i IN 1..12 LOOP
			PERFORM FROM bk_create('r' || r, jsonb_build_object('i', i, 'text', repeat('é' || i, 2000)), CASE WHEN i % 6 = 1 THEN 'full' WHEN i % 6 = 4 THEN 'differential' ELSE 'incremental' END, resource_type => 't' || r, retention => '1 year', version => i::text);
		END LOOP;
	END LOOP;
END $$;
SELECT FROM bk_consolidate(2);
SELECT FROM bk_consolidate(5);
SELECT bk_delete(13);
SELECT bk_delete(14);
SELECT bk_delete(28, 'cascade');
SELECT FROM bk_restore(3);
UPDATE backup_service.backup SET verified_at = now() WHERE backup_id IN (1, 3, 7)});
$before = bk_value($node, 'source', $everything);
my $tables = join ' UNION ALL ', map { "SELECT '$_', md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM backup_service.$_ t" } qw(resource key backup chunk snapshot restore_operation);
my $hashes = bk_value($node, 'source', $tables);
my $next = bk_value($node, 'source', 'SELECT last_value FROM backup_service.backup_backup_id_seq');
my $copies = 0;

sub check_copy
{
	my @options = @_;
	my $name = 'copy' . ++$copies;
	copy_database('source', $name, 'UTF8', @options);
	is(bk_value($node, $name, $tables), $hashes, "@options: the same rows in every table");
	ok(bk_value($node, $name, $everything) eq $before, "@options: the same documents");
	is(bk_value($node, $name, "SELECT backup_id FROM bk_create('r1', '1', 'incremental')"), $next + 1, "@options: the next id");
	return;
}
check_copy(@$_) for [], ['-Fc'], [ '-Fp', '--no-owner' ], ['-Fd'];

# pg_dump gives the tables of an extension no order that a parallel pg_restore would keep, and rows that refer to
# rows of their own table no order at all: foreign keys, which would be there before the rows, would refuse them.
check_copy('-Fc', '-j2');
bk_database($node, 'looped');
$node->safe_psql('looped', q{
SELECT FROM bk_create('r', '{"a": 1, "b": 2}');
SELECT FROM bk_create('r', '{"a": 2, "b": 2}', 'incremental');
SELECT FROM bk_create('r', '{"a": 3, "b": 2}', 'incremental');
SELECT FROM bk_consolidate(2)});
copy_database('looped', 'looped1', 'UTF8');
is(bk_value($node, 'looped1', 'SELECT bk_read(3)'), '{"a": 3, "b": 2}', 'a chain whose base comes behind it in the table');
copy_database('looped', 'looped2', 'UTF8', '--inserts');
is(bk_value($node, 'looped2', 'SELECT count(*) FROM bk_backups'), 3, 'the same with pg_dump --inserts');
$node->stop;
done_testing();
