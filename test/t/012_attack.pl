# What does somebody achieve who may write to the tables, knows the format and every document, but no master key?
#
# Attacks by design, each on resources of its own, then many random changes of covered columns; LONG=1 makes ten times
# as many, SEED=n repeats a run.  An attack may be refused by name, or do no harm.  One that puts an older truth in
# place of a newer one (replays, removals, copies) gives no wrong document, but is for bk_audit_verify() to name.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Digest::SHA qw(hmac_sha256 sha256 sha256_hex);
use IPC::Run ();
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

use constant BATCH => 50;
use constant SLOW => 5000;    # milliseconds that no call may take

my $seed = bk_seed();
my $changes = bk_long(1000, 10_000);
my $json = JSON::PP->new->canonical;
my $node = bk_cluster('attack', conf => "restart_after_crash = on\nstatement_timeout = '120s'\nfsync = off\n");
$node->start;

# The master keys of versions 1 and 2, and one of the attacker's own.
my @kek = map { pack 'H*', sha256_hex("$seed $_") } 0 .. 2;
append_to_file(bk_key_path($node), join '', map { "$_:" . unpack('H*', $kek[$_]) . "\n" } 1, 2);
chmod 0600, bk_key_path($node) or die;

$node->safe_psql('postgres', 'CREATE EXTENSION backup_service;' . bk_noise_function() . q{
-- What a call answers: the document's hash, or the error; and how long it took.
CREATE FUNCTION attempt(call text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	answer jsonb; state text; message text; detail text; start timestamptz := clock_timestamp();
BEGIN
	BEGIN
		EXECUTE 'SELECT ' || call INTO answer;
		answer := CASE WHEN call LIKE 'bk_verify%' THEN answer ELSE jsonb_build_object('document', md5(answer::text)) END;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
		answer := jsonb_build_object('state', state, 'message', message, 'detail', detail);
	END;
	RETURN answer || jsonb_build_object('ms', extract(epoch FROM clock_timestamp() - start) * 1000);
END $$;

-- All that is stored of a resource.
CREATE FUNCTION stored(resource text) RETURNS text LANGUAGE sql AS $$
	SELECT (SELECT string_agg(b::text, ' ' ORDER BY backup_id) FROM backup_service.backup b WHERE resource_id = resource)
		|| (SELECT string_agg(concat_ws(' ', backup_id, seq, sha256(data)), ',' ORDER BY backup_id, seq) FROM backup_service.chunk WHERE resource_id = resource) $$;

-- What the calls answer after a change, which is undone; none where it cannot be made or changes nothing.
CREATE FUNCTION trial(resource text, change text, calls text[]) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	before text := stored(resource); answers text := '[]';
BEGIN
	BEGIN
		EXECUTE change;
	EXCEPTION WHEN integrity_constraint_violation OR data_exception THEN
		RETURN '[]';
	END;
	IF stored(resource) IS DISTINCT FROM before THEN
		answers := (SELECT jsonb_agg(attempt(call) ORDER BY n) FROM unnest(calls) WITH ORDINALITY c(call, n));
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'UNDO1', MESSAGE = answers;
EXCEPTION
	WHEN SQLSTATE 'UNDO1' THEN
		RETURN answers;
END $$;

CREATE FUNCTION document(resource text, n int, bytes int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('resource', resource, 'n', n, 'list', jsonb_build_array(1, 2.50, n, null), 'text', repeat('abcdef ' || n / 2, 30),
		'noise', bk_noise(resource || n / 2, bytes)) $$;
});

my %owner_of;    # a document's hash -> "backup id of resource", for every state that ever was true
my @outcomes;    # kind of attack, outcome, check
my @failures;

# A resource of five backups: full, incremental, incremental, differential, incremental; returns their ids, oldest first.
sub make_resource
{
	my ($resource, %how) = @_;
	my ($codec, $encrypt, $bytes) = ($how{codec} || 'gzip', $how{encrypt} || 'true', $how{bytes} || 300);
	my @types = qw(full incremental incremental differential incremental);
	my $sql = join '', map { "SELECT backup_id, md5(bk_read(backup_id)::text) FROM bk_create('$resource', document('$resource', $_, $bytes), '$types[$_]', compression => '$codec', encrypt => $encrypt);\n" } 0 .. $#types;
	my @ids;
	for (bk_rows($node, 'postgres', $sql))
	{
		push @ids, $_->[0];
		$owner_of{ $_->[1] } = "$_->[0] of $resource";
	}
	die unless @ids == @types;
	return @ids;
}

sub where { my ($resource, $id) = @_; return "WHERE resource_id = '$resource' AND backup_id = $id"; }
sub set_row { my ($resource, $id, $assignment) = @_; return "UPDATE backup_service.backup SET $assignment " . where($resource, $id) . ';'; }
sub bytea { return "'\\x" . unpack('H*', $_[0]) . "'::bytea"; }
sub repair { my ($resource, $id) = @_; return set_row($resource, $id, "(checksum, stored_size) = (SELECT sha256(string_agg(data, ''::bytea ORDER BY seq)), sum(octet_length(data)) FROM backup_service.chunk " . where($resource, $id) . ')'); }

# What one answer to a call about a backup means: outcome, and the check that refused; no outcome where it may not be.
sub judge
{
	my ($answer, $id, $resource) = @_;
	return (undef, "took $answer->{ms} ms") if $answer->{ms} > SLOW;
	if (exists $answer->{document})
	{
		my $owner = $owner_of{ $answer->{document} };
		return (undef, 'A WRONG DOCUMENT') unless defined $owner;
		return ('harmless', 'the right document') if $owner eq "$id of $resource";
		return ('another state', "the document of backup $owner");
	}
	if (exists $answer->{valid})
	{
		return ('harmless', 'sound') if $answer->{valid} && !@{ $answer->{errors} };
		return ('refused', $1) if !$answer->{valid} && "@{ $answer->{errors} }" =~ /The ([\w ]+) check failed: /;
		return ('refused', 'master key') if !$answer->{valid} && !defined $answer->{dataIntegrity} && "@{ $answer->{warnings} }" =~ /^Key not available/;
	}
	elsif ($answer->{state} eq 'XX001')
	{
		return ('refused', $1) if $answer->{message} =~ /^backup -?\d+ is damaged$/ && $answer->{detail} =~ /^The ([\w ]+) check failed: .+\.$/;
	}
	elsif ($answer->{state} eq '58000')
	{
		return ('refused', 'master key');
	}
	elsif ($answer->{state} eq '42704')
	{
		return ('refused', 'not there');
	}
	return (undef, $json->encode($answer));
}

sub record
{
	my ($kind, $outcome, $check, $what) = @_;
	push @outcomes, [ $kind, $outcome // 'FAILURE', $outcome ? $check : '' ];
	push @failures, "$kind: $check\n  $what" unless defined $outcome;
	return;
}

# ----- By design.

# What bk_audit_verify() must say of an attack that no check can see; kind rewrapped: nothing, since the trail does not
# cover by which master key a data key is wrapped.
my %named = (
	replayed => qr/put back from an older copy/,
	removed => qr/was removed/,
	renamed => qr/was moved to resource|resource's row was removed/,
	added => qr/put back after it was deleted|was added or moved here/);
my %known_problems;

sub named_by_audit
{
	my ($node, $resource, $backup_id, $kind) = @_;
	my @new = grep { !$known_problems{$_}++ } map { join ' | ', map { $_ // '' } @$_ }
	  bk_rows($node, 'postgres', 'SELECT chain, number, backup_id, problem FROM bk_audit_verify()');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	if ($named{$kind})
	{
		ok(scalar(grep { $_ =~ $named{$kind} } @new), "$kind: bk_audit_verify() names $resource $backup_id") or diag(join "\n", @new);
	}
	else
	{
		is_deeply(\@new, [], "$kind: bk_audit_verify() has nothing to say of $resource $backup_id");
	}
	record("audit: $kind", $named{$kind} ? 'named' : 'harmless', 'bk_audit_verify()', $resource);
	return;
}

# Change the tables, call, and judge each answer.  expect is a list of outcomes, or what the judged answers must be;
# audit names the kind of what no check can see, which stays done for bk_audit_verify().
sub attack
{
	my ($kind, $resource, $id, $change, %how) = @_;
	my @calls = @{ $how{calls} || [ "bk_read($id)", "bk_restore($id, validate => false)", "bk_verify($id)" ] };
	my $end = $how{audit} ? 'COMMIT' : 'ROLLBACK';
	my $sql = "BEGIN;\n$change\n;" . join('', map { "SELECT attempt(\$call\$$_\$call\$);\n" } @calls) . "$end;";
	my ($status, $output, $messages) = $node->psql('postgres', $sql, on_error_stop => 1);
	my $expect = $how{expect} || 'refused';
	my @seen;
	if ($status)
	{
		record($kind, undef, "the change or the server failed: $messages", $sql);
	}
	else
	{
		for (split /\n/, $output)
		{
			my ($outcome, $check) = judge($json->decode($_), $id, $resource);
			record($kind, $outcome, $check, "$resource $id: $change");
			push @seen, $outcome || 'failure';
		}
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(!grep({ !/^(?:$expect)$/ } @seen) && @seen == @calls, "$kind: " . ($how{name} || $resource)) or diag("$change\n$output$messages");
	named_by_audit($node, $resource, $id, $how{audit}) if $how{audit};
	return;
}

# AES-256 key wrap (RFC 3394) of a data key, block by block with the openssl program.
sub wrap_key
{
	my ($kek, $dek) = @_;
	my $a = "\xa6" x 8;
	my @r = unpack '(a8)*', $dek;
	my $key = unpack 'H*', $kek;
	for my $j (0 .. 5)
	{
		for my $i (0 .. $#r)
		{
			my ($in, $block) = ($a . $r[$i], '');
			IPC::Run::run([ 'openssl', 'enc', '-aes-256-ecb', '-nopad', '-K', $key ], '<', \$in, '>', \$block) or die 'openssl';
			$a = substr($block, 0, 8) ^ pack('Q>', @r * $j + $i + 1);
			$r[$i] = substr $block, 8, 8;
		}
	}
	return join '', $a, @r;
}

# SQL that puts a full, unencrypted backup in place of one, right in everything under this data key (docs/format.md), but for
# what %wrong says.
sub forge
{
	my ($resource, $id, $text, $dek, $wrapped, $version, %wrong) = @_;
	my $created = bk_value($node, 'postgres', 'SELECT (extract(epoch FROM created_at) * 1000000)::bigint FROM backup_service.backup ' . where($resource, $id));
	my $mac_key = substr $dek, 32;
	my $size = length $text;
	my $digest = $wrong{digest} || hmac_sha256($text, $mac_key);
	my $document_size = $wrong{document_size} || $size;
	my $iv = "\0" x 16;
	my $header = pack('C N/a q> q> C C C q> q> q>', 1, $resource, $id, 0, 1, 0, 0, $size, $size, $document_size) . $digest . $iv . pack('q>', $created);
	my $mac = hmac_sha256($text . $header . pack('N', length $header), $mac_key);
	return 'DELETE FROM backup_service.chunk ' . where($resource, $id) . ";\nINSERT INTO backup_service.chunk VALUES ('$resource', $id, 0, " . bytea($text) . ");\n"
	  . set_row($resource, $id, "type = 'full', base_id = NULL, compression = 'none', encrypted = false, size = $size, stored_size = $size, document_size = $document_size,"
		  . ' checksum = ' . bytea(sha256($text)) . ', document_digest = ' . bytea($digest) . ', iv = ' . bytea($iv) . ', mac = ' . bytea($mac)
		  . ", wrapped_key = $wrapped, key_version = $version");
}

my $evil = '{"evil": true}';
my $evil_dek = pack 'C*', map { int rand 256 } 1 .. 64;
my ($wrapped_by_me, $wrapped_by_kek) = (bytea(wrap_key($kek[0], $evil_dek)), bytea(wrap_key($kek[1], $evil_dek)));
my %my_key = (fingerprint => bytea(hmac_sha256('backup_service key fingerprint 1', $kek[0])));

# Every backup must use version 1, so that its key is the one that the control knows.
make_resource('first');
is(bk_value($node, 'postgres', 'SELECT string_agg(DISTINCT key_version::text, \' \') FROM backup_service.backup'), '2', 'the newest key of the file is used');
my $version = 2;
$wrapped_by_kek = bytea(wrap_key($kek[2], $evil_dek));

my @forged = make_resource('forged');
my ($forged_first, $forged_last) = @forged[ 0, -1 ];
for my $id (@forged[ 0, 1, 3 ])
{
	# The control: with the master key the forger has the better of us, so that what fails below fails for want of it.
	my $sql = 'BEGIN;' . forge('forged', $id, $evil, $evil_dek, $wrapped_by_kek, $version) . "; SELECT bk_read($id), bk_verify($id) -> 'valid'; ROLLBACK";
	is(bk_value($node, 'postgres', $sql), "$evil|true", "control: with the master key the forgery of backup $id would be perfect");
	# With it, and only with it, the last proofs can be seen to fail: what a restore has built is not what was backed up.
	for my $case (
		[ $evil, 'another digest', qr/The document check failed: the rebuilt document's digest is not the one of the document that was backed up\./, digest => "\0" x 32 ],
		[ $evil, 'another size', qr/The document check failed: the rebuilt document has 14 bytes instead of 15\./, document_size => 15 ],
		[ '{"evil": "' . "\xff" . '"}', 'no UTF-8', qr/The document check failed: not UTF-8 at byte \d+ of 13\./ ],
		[ '{"evil":true}', 'not canonical', qr/The document check failed: .* at byte \d+ of 13\./ ])
	{
		my ($text, $name, $like, %wrong) = @$case;
		bk_fails($node, 'postgres', 'BEGIN;' . forge('forged', $id, $text, $evil_dek, $wrapped_by_kek, $version, %wrong) . "; SELECT bk_read($id)", 'XX001', $like, "with the master key: $name ($id)");
	}
	attack('forgery: own data key under an own master key', 'forged', $id, forge('forged', $id, $evil, $evil_dek, $wrapped_by_me, $version));
	attack('forgery: own data key, wrapped key of the true one', 'forged', $id, forge('forged', $id, $evil, $evil_dek, 'wrapped_key', $version));
	attack('forgery: own master key as a new version', 'forged', $id,
		"INSERT INTO backup_service.key (version, state, fingerprint, created_at, created_by) VALUES (3, 'previous', $my_key{fingerprint}, now(), current_user);\n"
		  . forge('forged', $id, $evil, $evil_dek, $wrapped_by_me, 3));
	attack('forgery: own master key as the true version', 'forged', $id,
		"UPDATE backup_service.key SET fingerprint = $my_key{fingerprint} WHERE version = $version;\n" . forge('forged', $id, $evil, $evil_dek, $wrapped_by_me, $version));
	attack('forgery: own master key as a version of the file that was not used', 'forged', $id,
		"INSERT INTO backup_service.key (version, state, fingerprint, created_at, created_by) VALUES (1, 'previous', $my_key{fingerprint}, now(), current_user);\n"
		  . forge('forged', $id, $evil, $evil_dek, $wrapped_by_me, 1));
	attack('forgery: document, sizes and checksum only', 'forged', $id,
		'DELETE FROM backup_service.chunk ' . where('forged', $id) . "; INSERT INTO backup_service.chunk VALUES ('forged', $id, 0, " . bytea($evil) . ');'
		  . set_row('forged', $id, "type = 'full', base_id = NULL, compression = 'none', encrypted = false, size = " . length($evil) . ', document_size = ' . length($evil)) . repair('forged', $id));
}

# The attacker knows the document, and stores just that, unencrypted.
my @downgraded = make_resource('downgraded');
for my $id (@downgraded[ 0, 2, 3 ])
{
	attack('downgrade: the flag alone', 'downgraded', $id, set_row('downgraded', $id, 'encrypted = false'));
	attack('downgrade: flag and IV', 'downgraded', $id, set_row('downgraded', $id, "encrypted = false, iv = decode(repeat('00', 16), 'hex')"));
	attack('downgrade: the true document in plain text', 'downgraded', $id,
		"CREATE TEMP TABLE plain ON COMMIT DROP AS SELECT convert_to(bk_read($id)::text, 'UTF8') AS text; DELETE FROM backup_service.chunk " . where('downgraded', $id)
		  . "; INSERT INTO backup_service.chunk SELECT 'downgraded', $id, 0, text FROM plain;"
		  . set_row('downgraded', $id, "encrypted = false, compression = 'none', type = 'full', base_id = NULL, iv = decode(repeat('00', 16), 'hex'), size = (SELECT octet_length(text) FROM plain)") . repair('downgraded', $id));
	attack('downgrade: compression', 'downgraded', $id, set_row('downgraded', $id, "compression = '$_'"), name => $_) for qw(none zstd);
}

# Chunks, columns and bases of two backups put together.  The payloads have three chunks, or more.
my @spliced = make_resource('spliced', codec => 'none', bytes => 150_000);
my @other = make_resource('other', codec => 'none', bytes => 150_000);
my @plain = make_resource('plain', codec => 'none', encrypt => 'false', bytes => 150_000);
my @covered = qw(size stored_size document_size compression encrypted checksum document_digest iv mac);
for ([ 'spliced', \@spliced, 'spliced', \@spliced ], [ 'spliced', \@spliced, 'other', \@other ], [ 'plain', \@plain, 'plain', \@plain ])
{
	my ($resource, $ids, $from, $from_ids) = @$_;
	my ($id, $other_id) = ($ids->[0], $from_ids->[2]);
	my $name = "$resource with $from";
	for my $seqs ('seq >= 1', 'seq = 0', 'true')
	{
		my $splice = 'DELETE FROM backup_service.chunk ' . where($resource, $id) . " AND $seqs; INSERT INTO backup_service.chunk SELECT '$resource', $id, seq, data FROM backup_service.chunk " . where($from, $other_id) . " AND $seqs;";
		attack("splice: another backup's chunks ($seqs)", $resource, $id, $splice, name => $name);
		attack("splice: another backup's chunks ($seqs), repaired", $resource, $id, $splice . repair($resource, $id), name => $name);
		for my $columns (join(', ', @covered), join(', ', @covered, 'wrapped_key', 'key_version'), join(', ', @covered, 'wrapped_key', 'key_version', 'type', 'created_at'))
		{
			attack("splice: another backup's chunks ($seqs) and columns", $resource, $id,
				$splice . set_row($resource, $id, "($columns) = (SELECT $columns FROM backup_service.backup " . where($from, $other_id) . ')'), name => $name);
		}
	}
	attack('splice: the delta on another base', $resource, $ids->[4], set_row($resource, $ids->[4], "base_id = $_"), name => $name) for $ids->[0], $ids->[1], $ids->[2], $from_ids->[0] + 1000;
	my $base_row = 'DELETE FROM backup_service.chunk ' . where($resource, $ids->[0]) . '; DELETE FROM backup_service.backup ' . where($resource, $ids->[0]) . ';';
	attack('splice: the base gone', $resource, $ids->[1], $base_row, name => $name);
	attack('splice: another backup under the base\'s id', $resource, $ids->[1],
		$base_row . "UPDATE backup_service.chunk SET resource_id = '$resource', backup_id = $ids->[0] " . where($from, $from_ids->[3]) . '; ' . set_row($from, $from_ids->[3], "resource_id = '$resource', backup_id = $ids->[0], type = 'full', base_id = NULL"), name => $name);
}

# Swaps of identity and of keys.
my @swapped = make_resource('swapped');
my @partner = make_resource('partner');
for ([ 'swapped', $swapped[0], 'swapped', $swapped[4] ], [ 'swapped', $swapped[1], 'swapped', $swapped[2] ], [ 'swapped', $swapped[0], 'partner', $partner[0] ])
{
	my ($resource, $id, $from, $other_id) = @$_;
	my $name = "$resource $id with $from $other_id";
	my $both = "((resource_id = '$resource' AND backup_id = $id) OR (resource_id = '$from' AND backup_id = $other_id))";
	my $exchange = "(resource_id, backup_id) = (SELECT nr, ni FROM (VALUES ('$resource', $id, '$from', $other_id), ('$from', $other_id, '$resource', $id)) v(r, i, nr, ni) WHERE v.r = resource_id AND v.i = backup_id)";
	my $free = 'ALTER TABLE backup_service.chunk DROP CONSTRAINT chunk_pkey; ALTER TABLE backup_service.backup DROP CONSTRAINT backup_pkey;';
	attack('swap: ids of rows and chunks', $resource, $id, "${free} UPDATE backup_service.chunk SET $exchange WHERE $both; UPDATE backup_service.backup SET $exchange WHERE $both", name => $name);
	attack('swap: ids of rows', $resource, $id, "${free} UPDATE backup_service.backup SET $exchange WHERE $both", name => $name);
	attack('swap: ids of chunks', $resource, $id, "${free} UPDATE backup_service.chunk SET $exchange WHERE $both", name => $name);
	for my $columns ('wrapped_key', 'wrapped_key, key_version', 'wrapped_key, mac', 'iv', 'mac', 'created_at', 'document_digest')
	{
		attack("swap: $columns", $resource, $id,
			"CREATE TEMP TABLE theirs ON COMMIT DROP AS SELECT $columns FROM backup_service.backup " . where($from, $other_id) . '; '
			  . set_row($from, $other_id, "($columns) = (SELECT $columns FROM backup_service.backup " . where($resource, $id) . ')') . set_row($resource, $id, "($columns) = (SELECT $columns FROM theirs)"), name => $name);
	}
}

# Truncation.
my @cut = make_resource('cut', codec => 'none', bytes => 150_000);
my @cut_plain = make_resource('cut plain', encrypt => 'false', bytes => 150_000);
for ([ 'cut', $cut[0] ], [ 'cut', $cut[2] ], [ 'cut plain', $cut_plain[0] ])
{
	my ($resource, $id) = @$_;
	my $last = bk_value($node, 'postgres', 'SELECT max(seq) FROM backup_service.chunk ' . where($resource, $id));
	cmp_ok($last, '>=', 1, "$resource $id has several chunks");
	for my $cut ("DELETE FROM backup_service.chunk WHERE seq = $last", 'DELETE FROM backup_service.chunk WHERE seq > 0', 'DELETE FROM backup_service.chunk WHERE true',
		"UPDATE backup_service.chunk SET data = substr(data, 1, octet_length(data) - 1) WHERE seq = $last", "UPDATE backup_service.chunk SET data = substr(data, 1, octet_length(data) / 16 / 2 * 16) WHERE seq = $last",
		"UPDATE backup_service.chunk SET data = substr(data, 1, 65520) WHERE seq = 0", 'DELETE FROM backup_service.chunk WHERE seq = 0')
	{
		(my $change = $cut) =~ s/WHERE/where($resource, $id) . ' AND'/e;
		attack('truncation', $resource, $id, $change);
		attack('truncation, repaired', $resource, $id, "$change; " . repair($resource, $id)) if $cut !~ /WHERE true/;
	}
}

# Recovery points.  T is the time that the fourth backup was made at, for the rows were true then.
my @points = make_resource('points');
make_resource('points elsewhere');
my @times = map { $_->[0] } bk_rows($node, 'postgres', "SELECT quote_literal(created_at) FROM backup_service.backup WHERE resource_id = 'points' ORDER BY created_at");
my @point_calls = (calls => [ "bk_restore_at('points', $times[3])", "bk_restore_at('points', $times[3], validate => false)" ]);
my $point = "WHERE resource_id = 'points' AND backup_id = $points[3]";
attack('recovery points: nothing changed', 'points', $points[3], 'SELECT', @point_calls, expect => 'harmless');
for my $change ("UPDATE backup_service.snapshot SET backup_id = $points[0] $point", "UPDATE backup_service.snapshot SET backup_id = $forged[0] $point", "UPDATE backup_service.snapshot SET backup_id = 999999 $point",
	"UPDATE backup_service.snapshot SET created_at = created_at - interval '1 microsecond' $point",
	"UPDATE backup_service.snapshot SET created_at = $times[3]::timestamptz - interval '1 microsecond' WHERE resource_id = 'points' AND backup_id = $points[4]",
	"UPDATE backup_service.snapshot SET created_at = $times[3]::timestamptz WHERE resource_id = 'points' AND backup_id = $points[4]",
	"UPDATE backup_service.snapshot SET created_at = '-infinity' $point; UPDATE backup_service.snapshot SET backup_id = $points[3] WHERE resource_id = 'points' AND backup_id = $points[2]",
	"UPDATE backup_service.snapshot SET backup_id = CASE backup_id WHEN $points[3] THEN $points[2] ELSE $points[3] END WHERE resource_id = 'points' AND backup_id IN ($points[3], $points[2])",
	"UPDATE backup_service.snapshot SET removed_at = now() $point", "DELETE FROM backup_service.backup $point", "UPDATE backup_service.backup SET created_at = created_at - interval '1 day' $point",
	"DELETE FROM backup_service.snapshot WHERE resource_id = 'points'", "UPDATE backup_service.snapshot SET resource_id = 'points elsewhere' WHERE resource_id = 'points'",
	"DELETE FROM backup_service.snapshot $point", "UPDATE backup_service.snapshot SET created_at = 'infinity' $point", "UPDATE backup_service.snapshot SET resource_id = 'points elsewhere' $point")
{
	attack('recovery points', 'points', $points[3], $change, @point_calls, expect => 'refused|harmless', name => $change);
}
# the backup of a tombstone, whose row is gone, is not brought back by its point
is(bk_value($node, 'postgres', "SELECT bk_delete($points[2])"), 1, 'a backup is deleted');
attack('recovery points: a tombstone comes alive', 'points', $points[2], "UPDATE backup_service.snapshot SET removed_at = NULL WHERE backup_id = $points[2]", calls => ["bk_restore_at('points', $times[2])"]);

# The key table.
for my $change ('DELETE FROM backup_service.key', "UPDATE backup_service.key SET fingerprint = sha256('x')", 'UPDATE backup_service.key SET version = 7', 'UPDATE backup_service.key SET version = 1')
{
	attack('key versions', 'forged', $forged_last, $change, name => $change);
}
attack('key versions: states', 'forged', $forged_last, "UPDATE backup_service.key SET state = 'retired', copied_at = 'infinity', created_by = 'nobody'", expect => 'harmless');

# Renamed, all of it, or copied to another name or id: the header under the MAC has the old one.
my @renamed = make_resource('renamed');
my $rename = join ';', map { "UPDATE backup_service.$_ SET resource_id = 'renamed 2' WHERE resource_id = 'renamed'" } qw(resource backup chunk snapshot restore_operation);
attack('renamed: the whole resource', 'renamed', $renamed[2], $rename, audit => 'renamed');
my @moved = make_resource('moved');
make_resource('target');
my $move = join ';', map { "UPDATE backup_service.$_ SET resource_id = 'target' WHERE resource_id = 'moved'" } qw(backup chunk snapshot);
attack('renamed: all backups to another resource', 'moved', $moved[0], $move, audit => 'renamed');

# What was once true: the rows of before a consolidation, of before a re-wrapping, of a deleted backup, of an earlier day.
sub keep_rows { my ($resource, $ids) = @_; my $which = "WHERE resource_id = '$resource' AND backup_id IN (" . join(', ', @$ids) . ')'; return join '', map { "DROP TABLE IF EXISTS kept_$_; CREATE TABLE kept_$_ AS SELECT * FROM backup_service.$_ $which;" } qw(backup chunk snapshot); }
sub put_rows { my ($resource, $ids) = @_; my $which = "WHERE resource_id = '$resource' AND backup_id IN (" . join(', ', @$ids) . ')'; return join '', map { "DELETE FROM backup_service.$_ $which; INSERT INTO backup_service.$_ SELECT * FROM kept_$_;" } qw(backup chunk snapshot); }
my @replayed = make_resource('replayed');
bk_value($node, 'postgres', keep_rows('replayed', [ $replayed[1] ]) . "SELECT FROM bk_consolidate($replayed[1])");
attack('replay: of before a consolidation', 'replayed', $replayed[1], put_rows('replayed', [ $replayed[1] ]), expect => 'harmless', audit => 'replayed');
my @mixed = make_resource('mixed');
bk_value($node, 'postgres', keep_rows('mixed', [ $mixed[1] ]) . "SELECT FROM bk_consolidate($mixed[1])");
attack('replay: only the row of before a consolidation', 'mixed', $mixed[1], 'DELETE FROM backup_service.backup ' . where('mixed', $mixed[1]) . '; INSERT INTO backup_service.backup SELECT * FROM kept_backup');
attack('replay: only the chunks of before a consolidation', 'mixed', $mixed[1], 'DELETE FROM backup_service.chunk ' . where('mixed', $mixed[1]) . '; INSERT INTO backup_service.chunk SELECT * FROM kept_chunk');
my @back = make_resource('deleted');
bk_value($node, 'postgres', keep_rows('deleted', [ $back[4] ]) . "SELECT bk_delete($back[4])");
attack('replay: a deleted backup', 'deleted', $back[4], put_rows('deleted', [ $back[4] ]), expect => 'harmless', audit => 'added');
my @orphan = make_resource('orphan');
bk_value($node, 'postgres', keep_rows('orphan', [ @orphan[ 0, 1 ] ]) . "SELECT bk_delete($orphan[0], 'cascade')");
attack('replay: a deleted delta without its base', 'orphan', $orphan[1],
	join('', map { "INSERT INTO backup_service.$_ SELECT * FROM kept_$_ WHERE backup_id = $orphan[1];" } qw(backup chunk)), audit => 'added');
my @copied = make_resource('copied');
attack('added: a copy under another id', 'copied', 800_000, "INSERT INTO backup_service.chunk SELECT resource_id, 800000, seq, data FROM backup_service.chunk " . where('copied', $copied[0])
	  . '; CREATE TEMP TABLE copy AS SELECT * FROM backup_service.backup ' . where('copied', $copied[0]) . '; UPDATE copy SET backup_id = 800000; INSERT INTO backup_service.backup SELECT * FROM copy;'
	  . "INSERT INTO backup_service.snapshot SELECT resource_id, created_at, backup_id FROM copy", audit => 'added');
my @removed = make_resource('removed');
attack('removed: the newest backup', 'removed', $removed[4], join(';', map { "DELETE FROM backup_service.$_ " . where('removed', $removed[4]) } qw(backup chunk snapshot)), audit => 'removed');
my @day = make_resource('rolled back');
attack('removed: all but the oldest, as on an earlier day', 'rolled back', $day[4], join(';', map { "DELETE FROM backup_service.$_ WHERE resource_id = 'rolled back' AND backup_id > $day[0]" } qw(backup chunk snapshot)),
	calls => [ "bk_read($day[4])", "bk_restore_at('rolled back', 'infinity')" ], expect => 'refused|another state', audit => 'removed');
my @gone = make_resource('gone');
attack('removed: the resource', 'gone', $gone[0], join(';', map { "DELETE FROM backup_service.$_ WHERE resource_id = 'gone'" } qw(resource backup chunk snapshot)), audit => 'removed');

# Of before a re-wrapping: still the same data key, under a master key that is still had; without it, refused.
my @rewrapped = make_resource('rewrapped');
bk_value($node, 'postgres', "SET client_min_messages = error; DROP TABLE IF EXISTS kept_backup; CREATE TABLE kept_backup AS SELECT * FROM backup_service.backup WHERE resource_id = 'rewrapped'; SELECT bk_key_rotate()");
$kek[3] = pack 'H*', (slurp_file(bk_key_path($node)) =~ /^3:([0-9a-f]{64})/m)[0];
bk_value($node, 'postgres', 'SELECT bk_rekey(100000)');
is(bk_value($node, 'postgres', "SELECT string_agg(DISTINCT key_version::text, ' ') FROM backup_service.backup WHERE resource_id = 'rewrapped'"), '3', 'the data keys were re-wrapped');
attack('replay: of before a re-wrapping', 'rewrapped', $rewrapped[$_], 'DELETE FROM backup_service.backup ' . where('rewrapped', $rewrapped[$_]) . '; INSERT INTO backup_service.backup SELECT * FROM kept_backup ' . where('rewrapped', $rewrapped[$_]),
	expect => 'harmless', audit => 'rewrapped') for 1, 3;
attack('replay: the wrapped key of before, not its version', 'rewrapped', $rewrapped[2], set_row('rewrapped', $rewrapped[2], '(wrapped_key) = (SELECT wrapped_key FROM kept_backup ' . where('rewrapped', $rewrapped[2]) . ')'));

# What rotation does not give back: who once had a master key and the tables knows data keys, which re-wrapping keeps, and
# a data key proves any backup that it is put into.
my @later = make_resource('later');
bk_value($node, 'postgres', forge('later', $later[1], $evil, $evil_dek, "'" . '\\x' . unpack('H*', wrap_key($kek[3], $evil_dek)) . "'", 3) . '; SELECT bk_key_rotate()');
bk_value($node, 'postgres', 'SELECT bk_rekey(100000)');
is(bk_value($node, 'postgres', 'BEGIN; ' . forge('later', $later[4], $evil, $evil_dek, '(SELECT wrapped_key FROM backup_service.backup ' . where('later', $later[1]) . ')', 4) . "; SELECT bk_read($later[4]); ROLLBACK"),
	$evil, 'known: a data key that was stolen once forges after rotations too');

# ----- At random: one to three changes of covered columns of a backup, its chunks or its base, sometimes with
# checksum and stored size put right.
my @shapes = (
	{ resource => 'small', codec => 'gzip' }, { resource => 'small zstd', codec => 'zstd', encrypt => 'false' }, { resource => 'small plain', codec => 'none', encrypt => 'false' },
	{ resource => 'chunks', codec => 'none', bytes => 140_000 }, { resource => 'chunks plain', codec => 'gzip', encrypt => 'false', bytes => 200_000 });
$_->{ids} = [ make_resource($_->{resource}, %$_) ] for @shapes;
my $chunk_rows = $json->decode(bk_value($node, 'postgres', "SELECT jsonb_object_agg(backup_id, chunks) FROM (SELECT backup_id, jsonb_agg(octet_length(data) ORDER BY seq) AS chunks FROM backup_service.chunk GROUP BY backup_id) c"));

sub pick { return $_[ rand @_ ]; }
sub random_hex { my ($bytes) = @_; return "decode('" . join('', map { sprintf '%02x', int rand 256 } 1 .. $bytes) . "', 'hex')"; }

# An expression for a covered column's new value, of its type.
sub new_integer
{
	my ($column, $near) = @_;
	return pick("$column + 1", "$column - 1", "$column # (1::bigint << " . bk_random(0, 62) . ')', '-' . $column, bk_random(-10, 10), $near, int(rand(2**53)), '9223372036854775807', "$column + " . bk_random(-70000, 70000));
}

sub new_bytes
{
	my ($column, $bytes, $from) = @_;
	my $at = int rand $bytes;
	return pick("set_byte($column, $at, get_byte($column, $at) # " . bk_random(1, 255) . ')', "set_bit($column, $at, 1 - get_bit($column, $at))", random_hex($bytes), random_hex(bk_random(0, 2 * $bytes)),
		"substr($column, 1, $at)", "$column || " . random_hex(bk_random(1, 40)), $from, "substr($column, 2) || substr($column, 1, 1)");
}
my %bytes = (iv => 16, mac => 32, wrapped_key => 72, checksum => 32, document_digest => 32);

sub random_change
{
	my ($shape, $id) = @_;
	my $resource = $shape->{resource};
	my $other = pick(@shapes);
	my $other_id = pick(@{ $other->{ids} });
	my $other_where = where($other->{resource}, $other_id);
	my $kind = pick(qw(bytes bytes integer integer word time chunk chunk chunk chunk order));
	my $column;
	if ($kind eq 'bytes')
	{
		$column = pick(sort keys %bytes);
		return ($column, set_row($resource, $id, "$column = " . new_bytes($column, $bytes{$column}, "(SELECT $column FROM backup_service.backup $other_where)")));
	}
	if ($kind eq 'integer')
	{
		$column = pick(qw(size stored_size document_size base_id key_version));
		return ($column, set_row($resource, $id, "key_version = " . pick(0, 1, 2, -1, 3, 4, 2147483647, bk_random(5, 1_000_000)))) if $column eq 'key_version';
		return ($column, set_row($resource, $id, 'base_id = ' . pick('NULL', @{ $shape->{ids} }, $other_id, bk_random(-5, 5), $id - 1))) if $column eq 'base_id';
		return ($column, set_row($resource, $id, "$column = least(greatest(-9223372036854775807, (" . new_integer("$column\::numeric::bigint", "(SELECT $column FROM backup_service.backup $other_where)") . ')::numeric), 9223372036854775807)::bigint')) if rand() < 0.5;
		return ($column, set_row($resource, $id, "$column = $column + " . pick(1, -1, 16, -16, 65536, bk_random(-100, 100))));
	}
	if ($kind eq 'word')
	{
		$column = pick(qw(type compression encrypted));
		my %words = (type => [ "'full'", "'incremental'", "'differential'", "'FULL'" ], compression => [ "'gzip'", "'zstd'", "'none'", "'lz4'" ], encrypted => ['NOT encrypted']);
		return ($column, set_row($resource, $id, "$column = " . pick(@{ $words{$column} })));
	}
	if ($kind eq 'time')
	{
		return ('created_at', set_row($resource, $id, 'created_at = ' . pick("created_at + interval '" . bk_random(-1000, 1000) . " microseconds'", "'infinity'", "'-infinity'", "(SELECT created_at FROM backup_service.backup $other_where)", "'2000-01-01'")));
	}
	my $sizes = $chunk_rows->{$id};
	my $seq = int rand @$sizes;
	my $chunk = where($resource, $id) . " AND seq = $seq";
	if ($kind eq 'chunk')
	{
		my $size = $sizes->[$seq];
		my $at = int rand $size;
		my $new = pick(map({ "set_byte(data, $at, get_byte(data, $at) # $_)" } bk_random(1, 255), 1, 128),
			"substr(data, 1, $at)", "substr(data, " . ($at + 1) . ')', "data || " . random_hex(bk_random(1, 64)), random_hex(bk_random(1, 100)),
			"overlay(data placing " . random_hex(bk_random(1, 32)) . ' from ' . ($at + 1) . ')', "coalesce((SELECT data FROM backup_service.chunk $other_where AND seq = $seq), '')", "data || data", "''");
		return ('chunk: data', "UPDATE backup_service.chunk SET data = $new $chunk;");
	}
	return ('chunk: order', pick("DELETE FROM backup_service.chunk $chunk;", "UPDATE backup_service.chunk SET seq = " . pick(scalar @$sizes, -1, 2147483647, bk_random(-5, 100)) . " $chunk;",
		"UPDATE backup_service.chunk SET seq = -1 - seq " . where($resource, $id) . ';', "INSERT INTO backup_service.chunk VALUES ('$resource', $id, " . pick(scalar @$sizes, -1) . ', ' . random_hex(bk_random(1, 100)) . ');',
		"UPDATE backup_service.chunk SET seq = " . scalar(@$sizes) . " - 1 - seq + 100000 " . where($resource, $id) . '; UPDATE backup_service.chunk SET seq = seq - 100000 ' . where($resource, $id) . ';'));
}

sub random_trial
{
	my $shape = pick(@shapes);
	my $at = int rand @{ $shape->{ids} };
	my $id = $shape->{ids}[$at];
	# mostly the backup itself; else one of its resource, which may be its base
	my (@columns, $change);
	for (1 .. pick(1, 1, 2, 3))
	{
		my $target = rand() < 0.8 ? $id : pick(@{ $shape->{ids} });
		my ($column, $sql) = random_change($shape, $target);
		push @columns, $target == $id ? $column : "$column of another of the resource";
		$change .= $sql;
		$change .= repair($shape->{resource}, $target) if rand() < 0.3;
	}
	return { kind => 'random: ' . (@columns == 1 ? $columns[0] : 'several columns'), id => $id, resource => $shape->{resource}, change => $change };
}

# Run some trials in one session; nothing where the server went down, or one of them did not end.
sub run_trials
{
	my @some = @_;
	my $values = join ",\n", map {
		my $trial = $some[$_];
		my $create = "bk_read(backup_id) FROM bk_create('$trial->{resource}', document('$trial->{resource}', 0, 300), 'incremental')";
		"($_, '$trial->{resource}', \$q\$$trial->{change}\$q\$, ARRAY['bk_read($trial->{id})', 'bk_restore($trial->{id}, validate => false)', 'bk_verify($trial->{id})', \$q\$$create\$q\$])"
	} 0 .. $#some;
	my ($status, $output, $messages) = $node->psql('postgres', "SET client_min_messages = error; SELECT n, trial(resource, change, calls) FROM (VALUES $values) AS v(n, resource, change, calls) ORDER BY n", on_error_stop => 1);
	if ($status)
	{
		bk_wait_ready($node, 60);
		return ($messages);
	}
	return (undef, map { $json->decode((split /\|/, $_, 2)[1]) } split /\n/, $output);
}

# What a new backup on top of the change answers: itself, or an error; full where its base is damaged.
my %new_document = map { $_->{resource} => bk_value($node, 'postgres', "SELECT md5(document('$_->{resource}', 0, 300)::text)") } @shapes;

sub judge_new
{
	my ($answer, $trial) = @_;
	return (undef, "took $answer->{ms} ms") if $answer->{ms} > SLOW;
	return ('a new backup on it', 'is right') if ($answer->{document} || '') eq $new_document{ $trial->{resource} };
	return ('a new backup on it', "is refused ($answer->{state})") if ($answer->{state} || '') =~ /^(?:XX001|58000|22008)$/;
	return (undef, 'A WRONG NEW BACKUP: ' . $json->encode($answer));
}

my $made = 0;    # changes that were changes

sub run_and_record
{
	my @some = @_;
	my ($trouble, @answers) = run_trials(@some);
	if (defined $trouble && @some > 1)
	{
		my $middle = int(@some / 2);
		run_and_record(@some[ 0 .. $middle - 1 ]);
		run_and_record(@some[ $middle .. $#some ]);
		return;
	}
	return record($some[0]{kind}, undef, "CRASH OR HANG: $trouble", $some[0]{change}) if defined $trouble;
	for my $n (0 .. $#some)
	{
		my $trial = $some[$n];
		my @calls = @{ $answers[$n] };
		$made++ if @calls;
		for my $call (0 .. $#calls)
		{
			my ($outcome, $check) = $call == 3 ? judge_new($calls[$call], $trial) : judge($calls[$call], $trial->{id}, $trial->{resource});
			($outcome, $check) = (undef, "ANOTHER STATE: $check") if ($outcome || '') eq 'another state';
			record($call == 3 ? 'random: a new backup afterwards' : $trial->{kind}, $outcome, $check, "$trial->{resource} $trial->{id}: $trial->{change}");
		}
	}
	return;
}
run_and_record(map { random_trial() } 1 .. BATCH) while $made < $changes && @failures < 50;
cmp_ok($made, '>=', $changes, "$made random changes were made");

# ----- What came of it.
my %table;
$table{ $_->[0] }{ $_->[1] . ($_->[2] ? ": $_->[2]" : '') }++ for @outcomes;
my $text = sprintf "%-75s %s\n", 'attack', 'outcome: check (times)';
for my $kind (sort keys %table)
{
	$text .= sprintf "%-75s %s\n", $kind, join ', ', map { "$_ ($table{$kind}{$_})" } sort keys %{ $table{$kind} };
}
diag($text);
my %sum;
$sum{ $_->[1] }++ for @outcomes;
diag(join ', ', map { "$sum{$_} $_" } sort keys %sum);
is(scalar @failures, 0, 'every answer was refused by name, or the right document') or diag(join "\n", map { substr $_, 0, 600 } @failures[ 0 .. ($#failures < 9 ? $#failures : 9) ]);
my @crashes = grep { /was terminated by signal|PANIC|TRAP:/ } split /\n/, slurp_file($node->logfile);
is(scalar @crashes, 0, 'the server never crashed');
cmp_ok($sum{refused} || 0, '>', $changes, 'most were refused');
# what was not meant to last did not
my $all = bk_value($node, 'postgres', "SELECT string_agg(md5(bk_read(backup_id)::text) || ':' || backup_id || ' of ' || resource_id, E'\n') FROM backup_service.backup"
	  . " WHERE resource_id IN ('first', 'forged', 'downgraded', 'spliced', 'other', 'plain', 'swapped', 'partner', 'cut', 'cut plain', 'points', " . join(', ', map { "'$_->{resource}'" } @shapes) . ')');
my @wrong = grep { my ($document, $owner) = split /:/, $_, 2; $owner_of{$document} ne $owner } split /\n/, $all;
is_deeply(\@wrong, [], 'what was undone is as it was');
cmp_ok(scalar(split /\n/, $all), '>', 50, 'all of it');
$node->stop;
done_testing();
