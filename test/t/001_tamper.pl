# Is every change of stored bytes, rows and columns noticed by whoever reads the backup?
#
# A superuser changes the tables in every way that the format does not allow, in a subtransaction; then the
# backup is read, restored without validation and verified.  Nothing but XX001 that names the backup and the
# check may come back, or the very same document where the column is a label.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Digest::SHA qw(hmac_sha256_hex sha256_hex);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use constant CHUNK => 65536;
use constant BATCH => 40;

my $seed = bk_seed();
my $flips_in_chunks = bk_long(8, 200);
my $flips_in_columns = bk_long(2, 1000);
my $json = JSON::PP->new;

my $node = bk_cluster('tamper', conf => "restart_after_crash = on\nshared_buffers = 64MB\n");
$node->start;

# Two master keys, so that a backup can claim the other one.
my @kek = map { sha256_hex("$seed $_") } 1 .. 2;
my $key_path = bk_key_path($node);
append_to_file($key_path, "1:$kek[0]\n2:$kek[1]\n");
chmod 0600, $key_path or die;

$node->safe_psql('postgres', 'CREATE EXTENSION backup_service;' . bk_noise_function() . q{
-- what a call answers: the document's hash, the verdict, or the error
CREATE FUNCTION attempt(call text, id bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb; state text; message text; detail text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer USING id;
	IF call LIKE '%verify%' THEN RETURN answer; END IF;
	RETURN jsonb_build_object('document', md5(answer::text));
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN jsonb_build_object('state', state, 'message', message, 'detail', detail);
END $$;

-- what the calls answer after a change, which is undone
CREATE FUNCTION trial(change text, id bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	touched bigint; answers text;
BEGIN
	EXECUTE change;
	GET DIAGNOSTICS touched = ROW_COUNT;
	RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = jsonb_build_object(
		'touched', touched,
		'read', attempt('bk_read($1)', id),
		'restore', attempt('bk_restore($1, validate => false)', id),
		'verify', attempt('bk_verify($1)', id));
EXCEPTION WHEN SQLSTATE 'UNDO1' THEN
	GET STACKED DIAGNOSTICS answers = MESSAGE_TEXT;
	RETURN answers;
END $$;

CREATE FUNCTION small(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('name', 'document', 'revision', n, 'text', repeat('abcdef ' || n, 60), 'list', jsonb_build_array(1, 2.50, n, null)) $$;
-- half of the rows are new in each revision
CREATE FUNCTION large(n int, rows int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('rows', jsonb_agg(jsonb_build_object('id', i, 'data', bk_noise('r' || i || ':' || CASE WHEN i % 2 = 0 THEN n ELSE 0 END, 1000)))) FROM generate_series(1, rows) i $$;
});

# Resources of every size, cipher and codec, each a chain: full, differential on it, incremental on that.
# The multi-chunk ones have at least six chunks in each payload; "huge" one crosses several batches of reading.
my %document = (small => 'small(%d)', large => 'large(%d, 1150)', huge => 'large(%d, 2600)');
my @shapes;
for my $size (qw(small large))
{
	for my $codec (qw(gzip zstd none))
	{
		push @shapes, [ $size, $codec, $_ ] for ('true', 'false');
	}
}
push @shapes, [ 'huge', 'none', 'true' ];
my @types = qw(full differential incremental);
for my $shape (@shapes)
{
	my ($size, $codec, $encrypt) = @$shape;
	my $sql = '';
	for my $n (0 .. 2)
	{
		$sql .= sprintf "SELECT backup_id FROM bk_create('%s-%s-%s', $document{$size}, '%s', compression => '%s', encrypt => %s);\n",
		  $size, $codec, $encrypt, $n + 1, $types[$n], $codec, $encrypt;
	}
	$node->safe_psql('postgres', $sql);
}
# A bystander, an empty one, and the first key version, which no backup uses.
my $fingerprint = hmac_sha256_hex('backup_service key fingerprint 1', pack 'H*', $kek[0]);
$node->safe_psql('postgres', qq{
SELECT FROM bk_create('bystander', '{"a": 1}');
INSERT INTO backup_service.resource (resource_id, resource_type, owner, created_at) VALUES ('empty', 'document', current_user, now());
INSERT INTO backup_service.key (version, state, fingerprint, created_at, created_by) VALUES (1, 'retired', '\\x$fingerprint', now(), current_user);
CREATE TABLE original AS SELECT backup_id, md5(bk_read(backup_id)::text) FROM backup_service.backup;
-- what an attacker would take away first
DO \$\$
DECLARE
	rule record;
BEGIN
	FOR rule IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint
		WHERE contype IN ('f', 'c') AND connamespace = 'backup_service'::regnamespace ORDER BY contype DESC LOOP
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', rule.tab, rule.conname);
	END LOOP;
END
\$\$;
});

my %original = map { $_->[0] => $_->[1] } bk_rows($node, 'postgres', 'SELECT * FROM original');
my @backups = map {
	my %backup;
	@backup{qw(id resource type base chunks codec encrypted stored size last)} = @$_;
	\%backup
} bk_rows($node, 'postgres', q{
SELECT b.backup_id, b.resource_id, b.type, coalesce(b.base_id, 0), count(*), b.compression, b.encrypted, b.stored_size, b.size,
	   (array_agg(octet_length(c.data) ORDER BY seq DESC))[1]
  FROM backup_service.backup b JOIN backup_service.chunk c USING (resource_id, backup_id)
 WHERE resource_id <> 'bystander' GROUP BY b.resource_id, b.backup_id ORDER BY b.backup_id});

subtest 'the backups are what the sweep needs' => sub {
	is(scalar @backups, 3 * @shapes, 'their number');
	my %seen;
	for my $backup (@backups)
	{
		my ($size, $codec, $encrypt) = split /-/, $backup->{resource};
		my $chunks = $backup->{chunks};
		ok($size eq 'small' ? $chunks == 1 : $chunks >= 6, "backup $backup->{id} of $backup->{resource} has $chunks chunks");
		is($backup->{codec}, $codec, "and is $codec");
		$seen{$backup->{type}}++;
	}
	is_deeply(\%seen, { map { $_ => scalar @shapes } @types }, 'all types');
};

# Trials: what is changed, the backup that is read, the change, the ids that the error may name (the backup
# itself unless told), what is expected: refused, harmless, or gone (42704).
my @trials;

# Without LONG, large backups take a sample of what is not about chunks; nothing is left out altogether.
my %kept;

sub keep
{
	my ($what, $backup) = @_;
	return 1 if $ENV{LONG} || $backup->{resource} =~ /^small/ || $what =~ /^chunk: byte/;
	return !$kept{"$what $backup->{type}"}++ || rand() < 0.15;
}

sub try_change
{
	my ($what, $backup, $change, %how) = @_;
	return unless $how{nulls} || keep($what, $backup);
	push @trials, { what => $what, id => $backup->{id}, change => $change, expect => 'refused', names => $backup->{id}, %how };
	return;
}

sub backup_where
{
	my ($backup) = @_;
	return "WHERE resource_id = '$backup->{resource}' AND backup_id = $backup->{id}";
}

sub set
{
	my ($backup, $assignment) = @_;
	return "UPDATE backup_service.backup SET $assignment " . backup_where($backup);
}

sub set_chunk
{
	my ($backup, $assignment, $seq) = @_;
	return "UPDATE backup_service.chunk SET $assignment " . backup_where($backup) . " AND seq = $seq";
}

sub flip
{
	my ($column, $position) = @_;
	return "$column = set_byte($column, $position, get_byte($column, $position) # " . bk_random(1, 255) . ')';
}

sub other
{
	my ($test) = @_;
	my @found = grep { $test->($_) } @backups;
	return $found[ rand @found ];
}

# One changed byte.
for my $backup (@backups)
{
	my $last = $backup->{chunks} - 1;
	my @positions = map { int rand $backup->{stored} } 1 .. $flips_in_chunks;
	# the edges of the payload and of every chunk
	push @positions, 0, $backup->{stored} - 1;
	push @positions, map { ($_ * CHUNK - 1, $_ * CHUNK) } grep { bk_long(rand() < 0.2, 1) } 1 .. $last;
	for my $position (@positions)
	{
		try_change('chunk: byte', $backup, set_chunk($backup, flip('data', $position % CHUNK), int $position / CHUNK));
	}
	my %bytes = (iv => 16, mac => 32, wrapped_key => 72, checksum => 32, document_digest => 32);
	for my $column (sort keys %bytes)
	{
		my @at = $flips_in_columns >= $bytes{$column} ? (0 .. $bytes{$column} - 1) : map { int rand $bytes{$column} } 1 .. $flips_in_columns;
		try_change("$column: byte", $backup, set($backup, flip($column, $_))) for @at;
		try_change("$column: length", $backup, set($backup, "$column = $_"))
		  for ("substr($column, 2)", "$column || '\\x00'", "''");
	}
}

# Changed columns.
for my $backup (@backups)
{
	for my $column (qw(size stored_size document_size))
	{
		try_change("$column", $backup, set($backup, "$column = $_"))
		  for ("$column + 1", "$column - 1", "$column + 65536", 0, -1, '9223372036854775807', "$column | (1::bigint << 62)", "$column | (1::bigint << 32)");
	}
	for my $type (@types)
	{
		try_change('type', $backup, set($backup, "type = '$type'")) if $type ne $backup->{type};
	}
	try_change('type', $backup, set($backup, "type = '$_'")) for ('', 'Full', 'x');
	# full with base_id removed, and the other way round, so that the row alone is consistent
	try_change('type and base_id', $backup, $backup->{base} ? set($backup, "type = 'full', base_id = NULL")
		: set($backup, "type = 'incremental', base_id = " . ($backup->{id} - 1)));
	for my $base ('NULL', 0, $backup->{id}, $backup->{id} + 1, $backup->{id} - 1, $backup->{id} - 2, $backup->{base} + 1, 999_999, -1, -$backup->{base} - 1)
	{
		next if $base ne 'NULL' && $base == $backup->{base};
		next if $base eq 'NULL' && !$backup->{base};
		try_change('base_id', $backup, set($backup, "base_id = $base"),
			$base eq '0' && !$backup->{base} ? (expect => 'either') : ());
	}
	for my $time ("created_at + interval '1 microsecond'", "created_at - interval '1 microsecond'", "created_at + interval '1 year'",
		"created_at - interval '1 year'", "'infinity'", "'-infinity'", "'4714-11-24 00:00:00+00 BC'", "'294276-12-31 23:59:59.999999+00'", "'2000-01-01 00:00:00+00'")
	{
		try_change('created_at', $backup, set($backup, "created_at = $time"));
	}
	try_change('compression', $backup, set($backup, "compression = '$_'")) for (grep { $_ ne $backup->{codec} } qw(gzip zstd none)), 'lz4', '';
	try_change('encrypted', $backup, set($backup, 'encrypted = NOT encrypted'));
	try_change('key_version', $backup, set($backup, "key_version = $_")) for (1, 3, 0, -1, 2147483647);
	# the row and its chunks become another's
	try_change('backup_id', { %$backup, id => 777_777 }, "UPDATE backup_service.chunk SET backup_id = 777777 " . backup_where($backup) . "; " . set($backup, 'backup_id = 777777'));
	try_change('backup_id', { %$backup, id => 777_777 }, set($backup, 'backup_id = 777777'));
	try_change('backup_id', $backup, set($backup, 'backup_id = 777777'), expect => 'gone');
	for my $resource ('bystander', 'empty', 'nowhere')
	{
		try_change('resource_id', $backup, "UPDATE backup_service.chunk SET resource_id = '$resource' " . backup_where($backup) . "; " . set($backup, "resource_id = '$resource'"),
			$resource eq 'nowhere' ? (expect => 'gone') : ());
		try_change('resource_id', $backup, set($backup, "resource_id = '$resource'"), $resource eq 'nowhere' ? (expect => 'gone') : ());
	}
	# a column without a value
	for my $column (qw(type size stored_size document_size compression encrypted checksum document_digest iv mac wrapped_key key_version created_at))
	{
		try_change("$column: null", $backup, "ALTER TABLE backup_service.backup ALTER $column DROP NOT NULL; " . set($backup, "$column = NULL"), nulls => 1);
	}
	for my $column (qw(status resource_type tags created_by completed_at))
	{
		try_change('label: null', $backup, "ALTER TABLE backup_service.backup ALTER $column DROP NOT NULL; " . set($backup, "$column = NULL"), nulls => 1, expect => 'either');
	}
	try_change('owner: null', $backup, "ALTER TABLE backup_service.resource ALTER owner DROP NOT NULL; UPDATE backup_service.resource SET owner = NULL WHERE resource_id = '$backup->{resource}'",
		nulls => 1, expect => 'either, gone');
	# labels
	for my $label ("resource_type = 'x'", "version = 'x'", "source = 'x'", qq{tags = '{"x": 1}'}, "created_by = 'nobody'", "status = 'corrupt'",
		"completed_at = '2000-01-01'", "completed_at = 'infinity'", "expires_at = '2000-01-01'", "expires_at = '-infinity'", "verified_at = 'infinity'")
	{
		try_change('label', $backup, set($backup, $label), expect => 'harmless');
	}
}

# Missing, doubled, swapped, cut, extended, empty, moved chunks.
for my $backup (@backups)
{
	my $last = $backup->{chunks} - 1;
	my $where = backup_where($backup);
	my %seqs = map { $_ => 1 } (0, $last, int rand($last + 1));
	for my $seq (sort keys %seqs)
	{
		my $here = "$where AND seq = $seq";
		my $bytes = $seq == $last ? $backup->{last} : CHUNK;
		try_change('chunk: missing', $backup, "DELETE FROM backup_service.chunk $here");
		try_change('chunk: missing, the rest moved up', $backup,
			"DELETE FROM backup_service.chunk $here; UPDATE backup_service.chunk SET seq = -seq $where AND seq > $seq; UPDATE backup_service.chunk SET seq = -seq - 1 $where AND seq < 0")
		  if $seq < $last;
		try_change('chunk: doubled', $backup,
			"ALTER TABLE backup_service.chunk DROP CONSTRAINT chunk_pkey; INSERT INTO backup_service.chunk SELECT * FROM backup_service.chunk $here", expect => 'either');
		try_change('chunk: doubled and changed', $backup,
			"ALTER TABLE backup_service.chunk DROP CONSTRAINT chunk_pkey; INSERT INTO backup_service.chunk SELECT resource_id, backup_id, seq, set_byte(data, 0, get_byte(data, 0) # 1) FROM backup_service.chunk $here", expect => 'either');
		try_change('chunk: doubled, the rest moved down', $backup,
			"UPDATE backup_service.chunk SET seq = -seq - 1 $where AND seq > $seq; UPDATE backup_service.chunk SET seq = -seq $where AND seq < 0; INSERT INTO backup_service.chunk SELECT resource_id, backup_id, $seq + 1, data FROM backup_service.chunk $here");
		try_change('chunk: cut', $backup, set_chunk($backup, $_, $seq))
		  for ("data = substr(data, 1, $bytes - 1)", "data = substr(data, 2)", "data = substr(data, 1, $bytes / 2)", "data = substr(data, 1, 1)");
		try_change('chunk: extended', $backup, set_chunk($backup, $_, $seq))
		  for ("data = data || '\\x00'", "data = '\\x00' || data", "data = data || data", "data = data || decode(repeat('00', 1000000), 'hex')");
		try_change('chunk: empty', $backup, set_chunk($backup, "data = ''", $seq));
		try_change('chunk: null', $backup, 'ALTER TABLE backup_service.chunk ALTER data DROP NOT NULL; ' . set_chunk($backup, 'data = NULL', $seq), nulls => 1);
		try_change('chunk: renumbered', $backup, set_chunk($backup, "seq = $_", $seq)) for (-1, $last + 1, 2147483647, -2147483648);
		# from other backups: the same resource's and another's, with as many bytes
		my $sibling = other(sub { $_[0]{resource} eq $backup->{resource} && $_[0]{id} != $backup->{id} && $_[0]{chunks} > $seq });
		my $stranger = other(sub { $_[0]{resource} ne $backup->{resource} && $_[0]{chunks} > $seq });
		for my $from (grep { $_ } $sibling, $stranger)
		{
			my $name = $from == ($sibling || 0) ? 'resource' : 'other resource';
			try_change("chunk: from another backup, $name", $backup,
				"UPDATE backup_service.chunk SET data = (SELECT data FROM backup_service.chunk " . backup_where($from) . " AND seq = $seq) $here");
		}
	}
	try_change('chunk: all missing', $backup, "DELETE FROM backup_service.chunk $where");
	try_change('chunk: one more', $backup, "INSERT INTO backup_service.chunk VALUES ('$backup->{resource}', $backup->{id}, $_->[0], '$_->[1]')")
	  for ([ $last + 1, '\x00' ], [ $last + 1, '' ], [ $last + 2, '\x00' ], [ 2147483647, '\x00' ]);
	try_change('chunk: one before the first', $backup, "INSERT INTO backup_service.chunk VALUES ('$backup->{resource}', $backup->{id}, -1, '\\x00')", expect => 'either');
	if ($last > 0)
	{
		my ($one, $two) = (bk_random(0, $last - 1), $last);
		try_change('chunk: swapped', $backup,
			"UPDATE backup_service.chunk SET seq = -1 $where AND seq = $one; UPDATE backup_service.chunk SET seq = $one $where AND seq = $_; UPDATE backup_service.chunk SET seq = $_ $where AND seq = -1")
		  for ($two, grep { $_ != $one } int($two / 2));
		try_change('chunk: cut at another place', $backup,
			"UPDATE backup_service.chunk c SET data = CASE c.seq WHEN $one THEN substr(c.data, 1, 65535) ELSE substr((SELECT data FROM backup_service.chunk $where AND seq = $one), 65536) || c.data END $where AND seq IN ($one, $one + 1)");
	}
	# the whole payload of another backup: of the same resource, of another; alone, and with all columns but the identity
	for my $from (grep { $_ } other(sub { $_[0]{resource} eq $backup->{resource} && $_[0]{id} != $backup->{id} }),
		other(sub { $_[0]{resource} ne $backup->{resource} }), other(sub { $_[0]{resource} ne $backup->{resource} && $_[0]{type} eq $backup->{type} }))
	{
		my $theirs = backup_where($from);
		my $payload = "DELETE FROM backup_service.chunk $where; INSERT INTO backup_service.chunk SELECT '$backup->{resource}', $backup->{id}, seq, data FROM backup_service.chunk $theirs; ";
		my $columns = 'size, stored_size, document_size, compression, encrypted, checksum, document_digest, iv, mac, wrapped_key, key_version';
		my $name = 'payload from another backup, ' . ($from->{resource} eq $backup->{resource} ? 'resource' : 'other resource');
		try_change($name, $backup, $payload . set($backup, 'checksum = checksum'));
		try_change("$name, with its columns", $backup, $payload . set($backup, "($columns) = (SELECT $columns FROM backup_service.backup $theirs)"));
		my $all = "$columns, type, created_at";
		try_change("$name, with its columns, type and time", $backup, $payload . set($backup, "($all) = (SELECT $all FROM backup_service.backup $theirs)"));
		$all .= ', base_id';
		# where that closes a circle, the error names the member of it that has no older base
		my @family = (names => '(' . join('|', map { $_->{id} } grep { $_->{resource} eq $backup->{resource} } @backups) . ')');
		try_change("$name, with all but the identity", $backup, $payload . set($backup, "($all) = (SELECT $all FROM backup_service.backup $theirs)"), @family);
		# rows that exchange their ids within the resource, payload and all
		next if $from->{resource} ne $backup->{resource};
		my $exchange = "CASE backup_id WHEN $backup->{id} THEN $from->{id} ELSE $backup->{id} END";
		my $both = "WHERE resource_id = '$backup->{resource}' AND backup_id IN ($backup->{id}, $from->{id})";
		try_change('two backups that exchanged their ids', $backup,
			"ALTER TABLE backup_service.chunk DROP CONSTRAINT chunk_pkey; ALTER TABLE backup_service.backup DROP CONSTRAINT backup_pkey;"
			  . "UPDATE backup_service.chunk SET backup_id = $exchange $both; UPDATE backup_service.backup SET backup_id = $exchange $both", @family);
	}
}

# The same by one who puts checksum and stored size right, which needs no key: the MAC is left.
for my $backup (@backups)
{
	my $where = backup_where($backup);
	my $last = $backup->{chunks} - 1;
	my $repair = '; ' . set($backup, "(checksum, stored_size) = (SELECT sha256(string_agg(data, ''::bytea ORDER BY seq)), sum(octet_length(data)) FROM backup_service.chunk $where)");
	for (1 .. bk_long(4, 40))
	{
		my $position = int rand $backup->{stored};
		try_change('repaired: byte', $backup, set_chunk($backup, flip('data', $position % CHUNK), int $position / CHUNK) . $repair);
	}
	try_change('repaired: cut', $backup, set_chunk($backup, "data = substr(data, 1, greatest(1, $backup->{last} - $_))", $last) . $repair) for 1, 16;
	try_change('repaired: extended', $backup, set_chunk($backup, "data = data || $_", $last) . $repair)
	  for ("'\\x00'", "decode(repeat('10', 16), 'hex')") [ $backup->{last} > CHUNK - 16 ? () : (0, 1) ];
	next if $last == 0;
	try_change('repaired: missing', $backup, "DELETE FROM backup_service.chunk $where AND seq = $last" . $repair);
	try_change('repaired: swapped', $backup,
		"UPDATE backup_service.chunk SET seq = -1 $where AND seq = 0; UPDATE backup_service.chunk SET seq = 0 $where AND seq = 1; UPDATE backup_service.chunk SET seq = 1 $where AND seq = -1" . $repair);
	my $from = other(sub { $_[0]{id} != $backup->{id} && $_[0]{chunks} > 1 });
	try_change('repaired: chunk from another backup', $backup,
		"UPDATE backup_service.chunk SET data = (SELECT data FROM backup_service.chunk " . backup_where($from) . " AND seq = 0) $where AND seq = 0" . $repair);
}

# A forged payload that needs no key, with right checksum and sizes, in place of a true one.
for my $backup (@backups)
{
	my $where = backup_where($backup);
	for my $forged ('{"evil": true}', '{"additions": [{"key": "evil", "value": true}]}', 'not json')
	{
		my $text = "convert_to('$forged', 'UTF8')";
		my $replace = "DELETE FROM backup_service.chunk $where; INSERT INTO backup_service.chunk VALUES ('$backup->{resource}', $backup->{id}, 0, $text); ";
		my $base = "compression = 'none', encrypted = false, size = octet_length($text), stored_size = octet_length($text), checksum = sha256($text)";
		try_change('forged, unencrypted', $backup, $replace . set($backup, $base));
		try_change('forged, unencrypted, size and digest too', $backup, $replace . set($backup, "$base, document_size = octet_length($text), document_digest = sha256($text), iv = decode(repeat('00', 16), 'hex')"));
		try_change('forged, unencrypted, full', $backup, $replace . set($backup, "$base, document_size = octet_length($text), type = 'full', base_id = NULL"));
		try_change('forged, unencrypted, MAC zero', $backup, $replace . set($backup, "$base, mac = decode(repeat('00', 32), 'hex')"));
		# the attacker's own MAC key does not help: the wrapped key proves itself
		try_change('forged, unencrypted, key zero', $backup, $replace . set($backup, "$base, wrapped_key = decode(repeat('00', 72), 'hex')"));
		# a key wrapped for another backup is a true one, but the MAC is unknown
		my $from = other(sub { $_[0]{id} != $backup->{id} });
		try_change("forged, unencrypted, another's key and MAC", $backup,
			$replace . set($backup, "$base, (wrapped_key, mac) = (SELECT wrapped_key, mac FROM backup_service.backup " . backup_where($from) . ')'));
	}
}

# A changed base is named by whoever needs it.
for my $backup (grep { $_->{base} } @backups)
{
	my ($base) = grep { $_->{id} == $backup->{base} } @backups;
	my @root = $base->{base} ? grep { $_->{id} == $base->{base} } @backups : ();
	for my $below ($base, @root)
	{
		my $seq = bk_random(0, $below->{chunks} - 1);
		my @names = (names => $below->{id});
		try_change('base: byte of a chunk', $backup, set_chunk($below, flip('data', int rand($seq < $below->{chunks} - 1 ? CHUNK : $below->{last})), $seq), @names);
		try_change('base: missing chunk', $backup, "DELETE FROM backup_service.chunk " . backup_where($below) . " AND seq = $seq", @names);
		try_change("base: $_", $backup, set($below, flip($_, int rand 16)), @names) for qw(iv mac wrapped_key checksum document_digest);
		try_change('base: created_at', $backup, set($below, "created_at = created_at - interval '1 second'"), @names);
		# not older than what builds on it
		try_change('base: created_at', $backup, set($below, "created_at = created_at + interval '1 day'"), names => "($below->{id}|$backup->{id}|$base->{id})");
		try_change('base: missing', $backup, 'DELETE FROM backup_service.backup ' . backup_where($below), names => "($backup->{id}|$base->{id})");
		try_change('base: null', $backup, "ALTER TABLE backup_service.backup ALTER type DROP NOT NULL; " . set($below, 'type = NULL'), @names, nulls => 1);
	}
	try_change('base: circle', $backup, set($base, "base_id = $backup->{id}, type = 'incremental'"), names => "($backup->{id}|$base->{id})");
}

note(scalar @trials, ' trials');

# Run some trials in one session; undef where the server went down.
sub run_trials
{
	my @some = @_;
	my $values = join ",\n", map { "($_, \$q\$$some[$_]{change}\$q\$, $some[$_]{id})" } 0 .. $#some;
	my ($status, $output, $messages) = $node->psql('postgres',
		"SELECT n, trial(change, id) FROM (VALUES $values) AS v(n, change, id) ORDER BY n", on_error_stop => 1);
	if ($status == 2 || $messages =~ /server closed the connection|connection to server was lost/)
	{
		bk_wait_ready($node, 60);
		return;
	}
	die "a batch failed: $messages" if $status;
	my @answers;
	for my $line (split /\n/, $output)
	{
		my ($n, $answer) = split /\|/, $line, 2;
		$answers[$n] = $json->decode($answer);
	}
	return @answers;
}

my %stopped;    # what was changed -> what stopped it -> how often
my @failures;
my $crashes = 0;

# Judge what a call answered to a trial.
sub judge
{
	my ($trial, $call, $answer) = @_;
	my $expect = $trial->{expect};
	if (exists $answer->{document})
	{
		my $same = $answer->{document} eq ($original{$trial->{id}} || '');
		return ($same && $expect =~ /harmless|either/) ? 'harmless: the same document' : undef;
	}
	return "no such backup (42704)" if $expect =~ /gone/ && $answer->{state} eq '42704';
	return if $expect !~ /refused|either/ || $answer->{state} ne 'XX001';
	return if $answer->{message} !~ /^backup $trial->{names} is damaged$/;
	return unless $answer->{detail} =~ /^The (.+) check failed: .+\.$/;
	return $1;
}

sub judge_verdict
{
	my ($trial, $verdict) = @_;
	my $expect = $trial->{expect};
	return $expect =~ /gone/ && $verdict->{state} eq '42704' if exists $verdict->{state};
	return $expect =~ /harmless|either/ && !@{ $verdict->{errors} } if $verdict->{valid};
	return $expect =~ /refused|either/ && grep { /^backup $trial->{names} is damaged: The .+ check failed: / } @{ $verdict->{errors} };
}

sub fail_trial
{
	my ($trial, $why) = @_;
	push @failures, "$trial->{what}: $why\n  id $trial->{id}: $trial->{change}";
	return;
}

sub record
{
	my ($trial, $answers) = @_;
	if (!defined $answers)
	{
		$crashes++;
		return fail_trial($trial, 'THE SERVER CRASHED');
	}
	return fail_trial($trial, 'the change touched nothing') unless $answers->{touched} || $trial->{change} =~ /DELETE/;
	my $check = judge($trial, 'bk_read', $answers->{read});
	$stopped{$trial->{what}}{$check}++ if defined $check;
	fail_trial($trial, 'bk_read: ' . $json->encode($answers->{read})) unless defined $check;
	fail_trial($trial, 'bk_restore: ' . $json->encode($answers->{restore})) unless defined judge($trial, 'bk_restore', $answers->{restore});
	fail_trial($trial, 'bk_verify: ' . $json->encode($answers->{verify})) unless judge_verdict($trial, $answers->{verify});
	return;
}

# One at a time where a batch brings the server down, and no more than a few of a kind then.
sub run_and_record
{
	my @some = @_;
	my @answers = run_trials(@some);
	if (@answers)
	{
		record($some[$_], $answers[$_]) for 0 .. $#some;
		return;
	}
	if (@some == 1)
	{
		record($some[0], undef);
		return;
	}
	my $middle = int(@some / 2);
	return if $crashes > 30;
	run_and_record(@some[ 0 .. $middle - 1 ]);
	run_and_record(@some[ $middle .. $#some ]);
	return;
}

# Nulls need a table's definition changed; without LONG one backup of each type stands for all.
my %null_seen;
my @run = grep {
	my $trial = $_;
	my ($backup) = grep { $_->{id} == $trial->{id} } @backups;
	!$trial->{nulls} || $ENV{LONG} || !$null_seen{ ($trial->{change} =~ /^(.*?);/)[0] . $trial->{what} . $backup->{type} }++
} @trials;
@run = sort { ($a->{nulls} || 0) <=> ($b->{nulls} || 0) } @run;
for (my $i = 0; $i < @run; $i += BATCH)
{
	my $end = $i + BATCH - 1;
	$end = $#run if $end > $#run;
	run_and_record(@run[ $i .. $end ]);
}

my $table = sprintf "%-62s %s\n", 'changed', 'stopped by (times)';
for my $what (sort keys %stopped)
{
	$table .= sprintf "%-62s %s\n", $what, join ', ', map { "$_ ($stopped{$what}{$_})" } sort keys %{ $stopped{$what} };
}
diag($table . scalar(@run) . ' trials, ' . scalar(@failures) . ' failures');

is($crashes, 0, 'the server never crashed');
is(scalar @failures, 0, 'every change was refused by name, or harmless');
my %shown;
for my $failure (@failures)
{
	my ($what) = $failure =~ /^([^\n]*?: (bk_\w+|THE|the))/;
	next if $shown{ $what || '' }++;
	diag(substr $failure, 0, 700);
}

is(bk_value($node, 'postgres', 'SELECT count(*) FROM original o WHERE md5(bk_read(o.backup_id)::text) IS DISTINCT FROM o.md5'), 0, 'all is as before');

# An incremental on a damaged base is made full, and says so; the damaged one stays refused.
for my $damage ("UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = ID", 'UPDATE backup_service.backup SET mac = iv || iv WHERE backup_id = ID',
	'DELETE FROM backup_service.chunk WHERE backup_id = ID', "UPDATE backup_service.backup SET size = size + 1 WHERE backup_id = ID", 'UPDATE backup_service.backup SET key_version = 3 WHERE backup_id = ID')
{
	for my $type (qw(incremental differential))
	{
		my $resource = 'base' . int rand 1e9;
		my $id = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('$resource', small(1))");
		(my $change = $damage) =~ s/ID/$id/;
		my ($status, $output, $messages) = bk_run($node, 'postgres',
			"$change; SELECT type, base_id IS NULL, bk_read(backup_id) = small(2) FROM bk_create('$resource', small(2), '$type'); SELECT type, bk_read(backup_id) = small(3) FROM bk_create('$resource', small(3), '$type')");
		subtest "$type on a damaged base: $damage" => sub {
			is($output, "full|t|t\n$type|t", 'is made full, and the next builds on it');
			like($messages, qr/WARNING:  XX001: backup $id is damaged\nDETAIL:  The .+ check failed: .+\.\nHINT:  The new backup is made full/, 'with a warning that names the base');
			like($messages, qr/NOTICE:  00000: the $type backup of resource "$resource" is made full/, 'and the notice');
		};
		bk_fails($node, 'postgres', "SELECT bk_read($id)", 'XX001', qr/backup $id is damaged/, 'the damaged one stays refused');
	}
}

# What was once true stays true: the row and chunks of before a consolidation.
is(bk_value($node, 'postgres', q{
CREATE TEMP TABLE old_row AS SELECT * FROM backup_service.backup WHERE backup_id = 3;
CREATE TEMP TABLE old_chunk AS SELECT * FROM backup_service.chunk WHERE backup_id = 3;
SELECT FROM bk_consolidate(3);
DELETE FROM backup_service.chunk WHERE backup_id = 3;
DELETE FROM backup_service.backup WHERE backup_id = 3;
INSERT INTO backup_service.backup OVERRIDING SYSTEM VALUE SELECT * FROM old_row;
INSERT INTO backup_service.chunk SELECT * FROM old_chunk;
SELECT md5(bk_read(3)::text) = (SELECT md5 FROM original WHERE backup_id = 3)}), 't', 'the replayed incremental of a consolidated backup is the same document');

# Labels without a value do no harm to what writes or lists them.
for my $column (qw(status resource_type created_by completed_at tags))
{
	for my $call ('SELECT FROM bk_consolidate(2)', 'SELECT FROM bk_list()', "SELECT FROM bk_create('small-gzip-true', '1', 'incremental')")
	{
		my ($status, $output, $messages) = bk_run($node, 'postgres', "BEGIN; ALTER TABLE backup_service.backup ALTER $column DROP NOT NULL; UPDATE backup_service.backup SET $column = NULL; $call; ROLLBACK");
		isnt($status, 2, "$column null: $call does not crash");
		bk_wait_ready($node, 60) if $status == 2;
	}
}

# A timeline that points elsewhere never gives another state.
my $times = bk_value($node, 'postgres', q{
SELECT FROM bk_create('line', '{"state": 1}'); SELECT pg_sleep(0.01);
SELECT FROM bk_create('line', '{"state": 2}'); SELECT pg_sleep(0.01);
SELECT string_agg(backup_id::text, ' ' ORDER BY backup_id) FROM bk_backups WHERE resource_id = 'line'});
my ($first, $second) = $times =~ /(\d+) (\d+)/;
my $at = "SELECT bk_restore_at('line', now())";
bk_fails($node, 'postgres', "BEGIN; UPDATE backup_service.snapshot SET backup_id = $first WHERE backup_id = $second; $at", 'XX001', qr/The timeline check failed/, 'a point that names another backup of the resource');
bk_fails($node, 'postgres', "BEGIN; UPDATE backup_service.snapshot SET backup_id = 1 WHERE backup_id = $second; $at", 'XX001', qr/The timeline check failed/, "a point that names another resource's backup");
bk_fails($node, 'postgres', "BEGIN; DELETE FROM backup_service.backup WHERE backup_id = $second; $at", 'XX001', qr/backup $second is damaged\nDETAIL:  The timeline check failed/, 'a point whose backup is gone');

# Re-wrapping says what stands in the way of some data keys, and goes on with the others.
bk_database($node, 'rewrapped');
$node->safe_psql('rewrapped', 'SELECT FROM generate_series(1, 3) n, bk_create($$r$$ || n, $$1$$); SELECT bk_key_rotate()');
my (undef, $rewrapped, $said) = bk_run($node, 'rewrapped', 'BEGIN; UPDATE backup_service.backup SET wrapped_key = set_byte(wrapped_key, 0, get_byte(wrapped_key, 0) # 1) WHERE backup_id = 2; SELECT bk_rekey(); ROLLBACK');
is($rewrapped, 2, 'two of three data keys are re-wrapped');
like($said, qr/WARNING:  XX001: backup 2 is damaged\nDETAIL:  The wrapped key check failed/, 'and the third is named');
my ($used) = bk_value($node, 'rewrapped', 'SELECT DISTINCT key_version FROM bk_backups');
my $lines = slurp_file($key_path);
rename $key_path, "$key_path.all" or die;
append_to_file($key_path, $lines =~ s/^$used:.*\n//mr);
chmod 0600, $key_path or die;
(undef, $rewrapped, $said) = bk_run($node, 'rewrapped', 'SELECT bk_rekey()');
is($rewrapped, 0, 'without their master key none is');
like($said, qr/WARNING:  58000: [^\n]*key/, 'which is said');
rename "$key_path.all", $key_path or die;
is(bk_value($node, 'rewrapped', 'SELECT bk_rekey()'), 3, 'with it all are');

my @crashes = grep { /was terminated by signal|PANIC|TRAP:/ } split /\n/, slurp_file($node->logfile);
is(scalar @crashes, 0, 'the log tells of no crash');

$node->stop;
done_testing();
