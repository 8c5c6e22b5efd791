# What becomes of hostile texts in arguments and in the log, and of calls where little is allowed: in databases of other
# encodings, as a role without privileges, in a read-only transaction and on a hot standby?  Each function has a line.
use strict;
use warnings;
use utf8;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Encode qw(decode encode);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';
my $json = JSON::PP->new->utf8;
my $node = bk_cluster('hostile', allows_streaming => 1, conf => <<'CONF');
logging_collector = on
log_directory = 'log'
log_filename = 'server.log'
log_destination = 'stderr, csvlog, jsonlog'
log_line_prefix = '%m [%p] '
log_min_error_statement = panic
log_min_messages = notice
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');

sub sql { return encode('UTF-8', $_[0]); }
# A string as a literal that holds only ASCII.
sub literal { my ($text) = @_; return "U&'" . join('', map { my $c = ord; $c < 0x20 || $c > 0x7e || $c == 0x27 || $c == 0x5c ? sprintf('\\+%06x', $c) : $_ } split //, $text) . "'"; }

# Run a script by file, going on after errors; returns output and messages.
my $files = 0;

sub run_file
{
	my ($database, $script, $on) = @_;
	my $file = $node->basedir . '/script' . ++$files . '.sql';
	append_to_file($file, sql("\\set VERBOSITY verbose\n$script"));
	my ($status, $output, $messages) = ($on || $node)->psql($database, "\\i $file", on_error_stop => 0);
	return ($output, $messages);
}

# ----- What is a name or a label is given back to the letter.
my @given = (
	q{'; DROP TABLE backup_service.backup; --}, q{' OR 1 = 1 --}, q{"quoted" \\ \\x41 \\n}, '$1 $$ $q$', '%s%n%1$d %v', '{"json": ["in", {"a": null}]}', '\\u0000 \\u001b', '../../etc/passwd', '`id` $(id) | ; &', '-- -c',
	'* % _ ?', ' spaces ', '<script>alert(1)</script>', 'é ß 日本語 😀 ☃', "\x{202e}gnp.exe", "a\x{2028}b", "\x{feff}bom", "e\x{301}", "\x{ffff}", "\x{10ffff}", 'NULL', '0', 'x' x 512, '€' x 170);
# the warning that the key was made
$node->safe_psql('postgres', "SELECT FROM bk_create('first', '1')");
my $script = '';
for my $text (@given)
{
	my $name = literal($text);
	my $value = $json->encode([$text]);
	my $document = literal(decode('UTF-8', $json->encode({ $text => { $text => [ $text, 1 ] }, n => 1 })));
	my $next = literal(decode('UTF-8', $json->encode({ $text => { $text => [ $text, 2 ] }, n => 1 })));
	my $path = literal('[' . decode('UTF-8', $json->allow_nonref->encode($text)) . '][' . decode('UTF-8', $json->encode($text)) . '][1]');
	my $tags = literal(decode('UTF-8', $json->encode({ $text => $text })));
	$script .= <<"SQL";
SELECT backup_id AS id, resource_id = $name AND resource_type = $name AND source = $name AND version = $name AND tags = $tags AS same
  FROM bk_create($name, $document, resource_type => $name, source => $name, version => $name, tags => $tags) \\gset made_
SELECT backup_id AS next FROM bk_create($name, $next, 'incremental', resource_type => $name) \\gset
SELECT bk_restore(:made_id, $name, created_by => $name) = $document AS restored \\gset
SELECT :'restored'::boolean, :'made_same'::boolean, bk_read(:made_id, $name) = $document, bk_restore_at($name, 'infinity') = $next, (SELECT string_agg(value::text, ' ') FROM bk_history($name, $path)) = '1 2',
	(SELECT count(*) FROM bk_list($name, $name, tags => $tags)) = 1, (SELECT count(*) FROM bk_backups WHERE resource_id = $name AND source = $name AND version = $name AND tags = $tags) = 1, (SELECT count(*) FROM bk_resources WHERE resource_id = $name AND resource_type = $name) = 1,
	(SELECT count(*) FROM bk_operations WHERE resource_id = $name AND target_resource_id = $name AND created_by = $name) = 1, bk_apply($document, bk_diff(:made_id, :next)) = $next, (bk_verify(:next, $name) ->> 'valid')::boolean, bk_delete(:made_id, resource_id => $name) = 1;
SQL
}
my ($output, $messages) = run_file('postgres', $script);
is($messages, '', 'hostile names and labels are no errors');
is_deeply([ split /\n/, $output ], [ ('t|t|t|t|t|t|t|t|t|t|t|t') x @given ], 'and given back to the letter');

# A document and tags may hold anything, and be long.
my $anything = 'repeat(' . literal("\n\e[2J\x{85}\t\"\\\\'{}[],:é\x{2028}\x{1f600}") . ', 50000)';
($output, $messages) = run_file('postgres', <<"SQL");
SELECT backup_id AS id FROM bk_create('long', jsonb_build_object($anything, jsonb_build_array($anything)), tags => jsonb_build_object($anything, $anything)) \\gset
SELECT bk_read(:id) = jsonb_build_object($anything, jsonb_build_array($anything)), octet_length(bk_read(:id)::text) > 2000000, (SELECT tags = jsonb_build_object($anything, $anything) FROM bk_list('long', tags => jsonb_build_object($anything, $anything))),
	bk_apply('{}', bk_delta('{}', bk_read(:id))) = bk_read(:id), (SELECT value = jsonb_build_array($anything) FROM bk_history('long', '[' || to_jsonb($anything)::text || ']'));
SQL
is("$output$messages", 't|t|t|t|t', 'long hostile documents, tags and paths too');

# ----- What is not stored is refused: nothing of it can break a line of the log.
my $forged = "2026-01-01 00:00:00.000 UTC [1] FATAL:  FORGED";
my @controls = map { "a" . chr($_) . "b" } $ENV{LONG} ? (1 .. 0x1f, 0x7f .. 0x9f) : (1, 9, 10, 27, 0x7f, 0x80, 0x9f);
my @injections = ("x\n$forged", "x\r\n$forged", "\e[2J\e[31m$forged", "x\x{85}$forged", "\x{9b}31m$forged");
# Each function's arguments, good ones; the texts and documents among them take turns with hostile ones.  Those of the HTTP
# surface have one without a name.
my %functions = (
	bk_create => { resource_id => "'calls'", data => "'1'" },
	bk_read => { backup_id => 'ID' },
	bk_restore => { backup_id => 'ID' },
	bk_restore_at => { resource_id => "'calls'", at => "'infinity'" },
	bk_list => {},
	bk_operation_list => {},
	bk_delta => { old => "'1'", new => "'2'" },
	bk_apply => { document => q{'{"a": 1}'}, delta => q{'{"changes": [{"key": "a", "newValue": 2}]}'} },
	bk_diff => { from_backup => 'ID', to_backup => 'ID' },
	bk_history => { resource_id => "'calls'", path => "'a'" },
	bk_verify => { backup_id => 'ID' },
	bk_delete => { backup_id => 'ID' },
	bk_consolidate => { backup_id => 'ID' },
	bk_export => { backup_id => 'ID' },
	bk_archive => { resource_id => "'calls'" },
	bk_archive_import => { archive => 'ARCHIVE', target_resource_id => "'imported'" },
	bk_key_rotate => {},
	bk_rekey => {},
	bk_key_retire => { version => 99 },
	bk_key_copied => { version => 1 },
	bk_verify_keys => {},
	bk_health => {},
	bk_metrics => {},
	bk_owner_set => { resource_id => "'calls'", owner => 'current_user' },
	bk_audit_seal => {},
	bk_worker_start => {},
	bk_distribute => {},
	bk_hold => { backup_id => 'ID', name => "'a hold'", reason => "'a reason'" },
	bk_release => { backup_id => 'ID', name => "'a hold'" },
	bk_restore_enqueue => { backup_id => 'ID' },
	bk_restore_at_enqueue => { resource_id => "'calls'", at => "'infinity'" },
	bk_restore_cancel => { operation_id => 1 },
	bk_restore_wait => { operation_id => 1 },
	bk_policy_set => { name => "'a policy'", keep_last => 1 },
	bk_policy_assign => { resource_id => "'calls'", name => "'gfs'" },
	bk_policy_drop => { name => "'a policy'" },
	bk_retention_explain => { resource_id => "'calls'" },
	bk_policy_simulate => { resource_id => "'calls'", keep_last => 1 },
	bk_prune => {},
	bk_resource_drop => { resource_id => "'calls'" },
	bk_audit_verify => {},
	bk_audit_trim => { before => "'-infinity'" },
	'backup_service_http.checks' => {},
	'backup_service_http.count_backups' => { map { $_ => 'NULL' } qw(resource_id resource_type type tags since until) },
	'backup_service_http.count_operations' => { map { $_ => 'NULL' } qw(resource_id target_resource_id status since until) },
	'backup_service_http.backup_with' => { id => 'ID' },
	'backup_service_http.operation_with' => { id => 1 },
	'backup_service_http.backup_at' => { resource_id => "'calls'", at => "'infinity'", nearest => 'false' },
	'backup_service_http.restore' => { backup_id => 'ID', target_resource_id => 'NULL', validate => 'true', created_by => 'NULL', resource_id => 'NULL' },
	'backup_service_http.take_up' => { key => "'a key'", request => "'{}'" },
	'backup_service_http.keep' => { key => "'a key'", answer => "'1'" },
	'backup_service_api.root' => { '' => "''" },
	'backup_service_api.health' => { '' => "''" },
	'backup_service_api.metrics' => { '' => "''" },
	'backup_service_api.backups_create' => { '' => q{'{"resourceId": "calls", "data": 1}'} },
	'backup_service_api.backups_list' => { '' => "''" },
	'backup_service_api.backups_get' => { '' => "'backup-ID'" },
	'backup_service_api.backups_delete' => { '' => "'backup-ID'" },
	'backup_service_api.backups_verify' => { '' => "'backup-ID'" },
	'backup_service_api.backups_download' => { '' => "'backup-ID'" },
	'backup_service_api.restores_create' => { '' => q{'{"backupId": "backup-ID"}'} },
	'backup_service_api.restores_create_at' => { '' => q{'{"resourceId": "calls", "timestamp": "9999-01-01"}'} },
	'backup_service_api.operations_list' => { '' => "''" },
	'backup_service_api.operations_get' => { '' => "'restore-1'" },
	'backup_service_api.operations_cancel' => { '' => "'restore-1'" });
my %installed = map { $_->[0] => 1 } bk_rows($node, 'postgres', q{
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'backup_service'
  JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'backup_service'
 -- what is behind the HTTP surface runs as the caller, or shows what it is given
 WHERE n.nspname <> 'backup_service_http' OR l.lanname = 'c' AND p.provolatile = 'v'});
is_deeply([ sort keys %functions ], [ sort keys %installed ], 'every function of the extension that may be called has a line');
my @arguments = bk_rows($node, 'postgres', q{
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname, coalesce(a.name, ''), a.type::regtype
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, unnest(p.proargnames::text[], p.proargtypes::oid[]) WITH ORDINALITY a(name, type, n)
 WHERE (n.nspname = 'public' AND p.proname LIKE 'bk\_%' OR n.nspname = 'backup_service_api') AND a.type = ANY ('{text,jsonb,bytea}'::regtype[]) ORDER BY 1, a.n});
cmp_ok(scalar @arguments, '>', 70, scalar(@arguments) . ' arguments are texts, documents or bodies');

# The call of a function with one argument replaced.
my $id = bk_value($node, 'postgres', q{SELECT backup_id FROM bk_create('calls', '{"a": 1}')});
my $archive = "'\\x" . bk_value($node, 'postgres', q{SELECT encode(bk_archive('calls'), 'hex')}) . "'";
# operation 1
$node->safe_psql('postgres', "SELECT bk_restore($id)");

sub call
{
	my ($function, $argument, $value) = @_;
	my %with = %{ $functions{$function} };
	$with{$argument} = $value if defined $argument;
	my $list = join ', ', map { (my $v = $with{$_}) =~ s/\bID\b/$id/; $v =~ s/^ARCHIVE$/$archive/; $_ eq '' ? $v : "$_ => $v" } sort keys %with;
	return "SELECT FROM $function($list)";
}
# Hostile values of a type: a text; a body that is one, or has it as key and in fields; or documents that have it as value,
# as key, and where deltas have paths and fields.
sub hostile_values
{
	my ($type, $text) = @_;
	return ($text) if $type eq 'text';
	return map { "convert_to($_, 'UTF8')" } $text, map { "jsonb_build_object($_)::text" } "$text, 1", "'resourceId', $text, 'data', 1, 'timestamp', $text", "'resourceId', 'calls', 'data', 1, 'timestamp', $text, 'backupId', $text, 'metadata', jsonb_build_object('version', $text)"
		if $type eq 'bytea';
	return ("to_jsonb($text)", "jsonb_build_object($text, 1)", map { "jsonb_build_object($_)" } "'changes', jsonb_build_array(jsonb_build_object('key', $text, 'newValue', 1))",
		"'deletions', jsonb_build_array(jsonb_build_object('key', jsonb_build_array($text)))", "'additions', jsonb_build_array(jsonb_build_object('key', 'a', 'value', $text))", "$text, '[]'::jsonb");
}
my $calls = '';
my $log = $node->data_dir . '/log/server';
my %from = map { $_ => -s "$log.$_" } qw(log csv json);
for (@arguments)
{
	my ($function, $argument, $type) = @$_;
	for my $text ((map { literal($_) . '::text' } @injections, @controls), map { 'repeat(' . literal($_) . ', 1000000)' } 'x', "\n", "\e", 'é', '"')
	{
		$calls .= "BEGIN; " . call($function, $argument, $_) . "; ROLLBACK;\n" for hostile_values($type, $text);
	}
}
# a resource that cannot be found, and one that is another role's
$calls .= "SELECT bk_restore_at(" . literal($_) . ", 'infinity'); SELECT bk_history(" . literal($_) . ", 'a'); BEGIN; SELECT FROM bk_create(" . literal($_) . ", '1', 'incremental'); ROLLBACK;\n" for map { "none $_" } @given[ 0 .. 21 ];
# a role whose name is an attack
$calls .= qq{CREATE ROLE "evil\n$forged" IN ROLE backup_service_user;\nSET ROLE "evil\n$forged";\nSELECT FROM bk_create('calls', '1'); SELECT FROM bk_create('evil', '1'); SELECT bk_read($id); RESET ROLE;\n};
($output, $messages) = run_file('postgres', $calls);
unlike($messages, qr/server closed|PANIC|XX000/, 'no call fails in a way that nobody thought of');
my %states;
$states{$_}++ for $messages =~ /ERROR:  ([0-9A-Z]{5}): /g;
is_deeply([ sort keys %states ], [ '22007', '22023', '22P02', '42501', '42704', 'PGRST' ], 'refused as bad arguments, or as not there: ' . join ', ', map { "$_ $states{$_}" } sort keys %states);
cmp_ok($states{22023}, '>', 200, 'many were refused');
# what the client sees
my @lines = split /\n/, decode('UTF-8', $messages);
is_deeply([ grep { length > 1500 } @lines ], [], 'no message is long');
is_deeply([ grep { /[\x01-\x08\x0b-\x1f\x7f-\x9f]/ } @lines ], [], 'none has a control character');
is_deeply([ grep { /^(?:\Q$forged\E)/ } @lines ], [], 'none is broken in two');

# What the log holds of it, in its three forms.  Statements are not logged: those are the caller's own words.
bk_value($node, 'postgres', 'SELECT 1');
my $errors = () = $messages =~ /ERROR:  /g;
my %text;
for my $kind (qw(log csv json))
{
	bk_wait_for(10, sub { $text{$kind} = decode('UTF-8', substr slurp_file("$log.$kind"), $from{$kind}); (() = $text{$kind} =~ /\b(?:22023|42704|42501|ERROR)\b/g) >= $errors });
}
my @stderr = split /\n/, $text{log};
is(scalar(grep { /^\S+ \S+ UTC \[\d+\] ERROR: / } @stderr), $errors, 'stderr: each error is one line');
is_deeply([ grep { !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC \[\d+\] (?:(?:ERROR|DETAIL|HINT|NOTICE|WARNING): |LOG:  backup_service audit: \{.*\}$)/ } @stderr ], [], 'stderr: no other lines');
my @audit = map { /LOG:  backup_service audit: (.*)/ ? $1 : () } @stderr;
cmp_ok(scalar @audit, '>', 20, 'the audit trail has lines there');
is_deeply([ grep { !eval { $json->decode(encode('UTF-8', $_)) } } @audit ], [], 'each a JSON object');
is_deeply([ grep { /^\S+ \S+ UTC \[1\] / } @stderr ], [], 'stderr: no forged one');
is_deeply([ grep { /[\x01-\x1f\x7f-\x9f]/ } @stderr ], [], 'stderr: no control character');
is_deeply([ grep { length > (/backup_service audit/ ? 4000 : 1500) } @stderr ], [], 'stderr: no long line');
my @csv = split /\n/, $text{csv};
is(scalar(grep { /^\d{4}-[^,]*UTC,"[^,]*,"postgres",\d+,"\[local\]",.*,ERROR,/ } @csv), $errors, 'csvlog: each error is one line');
is_deeply([ grep { !/^\d{4}-\d\d-\d\d [\d:.]+ UTC,/ } @csv ], [], 'csvlog: no other lines');
my @records = map { eval { $json->decode(encode('UTF-8', $_)) } || { error_severity => 'NOT JSON', message => $_ } } split /\n/, $text{json};
is(scalar(grep { $_->{error_severity} eq 'ERROR' } @records), $errors, 'jsonlog: each error is one line');
is_deeply([ grep { $_->{error_severity} !~ /^(?:ERROR|NOTICE|WARNING)$/ && $_->{message} !~ /^backup_service audit: \{/ } @records ], [], 'jsonlog: no other lines');
is_deeply([ grep { /[\x01-\x1f\x7f-\x9f]/ } map { ($_->{message}, $_->{detail} // '', $_->{hint} // '') } @records ], [], 'jsonlog: no control character');
# the control: a line that PostgreSQL logs of a caller's words is broken, so the search would have found one
run_file('postgres', "DO \$\$ BEGIN RAISE WARNING E'x\\n$forged'; END \$\$;");
ok(bk_wait_for(10, sub { slurp_file("$log.log") =~ /^\t\Q$forged\E/m }), 'control: a line feed does break a line');

# ----- Other encodings.
# The first column is a name that the encoding has, the second one that it has not.
my %encodings = (LATIN1 => [ 'café ÿ', '日本' ], EUC_JP => [ '日本語 カタカナ', "\x{1f600}" ], SQL_ASCII => [ 'café 日本 😀', undef ], WIN1252 => [ 'Ž € œ', '日本' ]);
for my $encoding (sort keys %encodings)
{
	my ($has, $lacks) = @{ $encodings{$encoding} };
	my $database = lc $encoding;
	bk_database($node, $database, $encoding);
	my ($output, $messages) = run_file($database, <<"SQL");
SELECT resource_id, source, tags FROM bk_create('$has', '{"$has": ["$has", 1], "n": 1}', source => '$has', tags => '{"$has": "$has"}');
SELECT type, bk_read(backup_id) FROM bk_create('$has', '{"$has": ["$has", 2], "n": 1}', 'incremental');
SELECT bk_diff(1, 2), bk_verify(2) ->> 'valid', bk_restore_at('$has', 'infinity') = bk_read(2), encode(bk_export(1), 'hex') LIKE '1f8b%';
SELECT string_agg(value::text, ' ') FROM bk_history('$has', '["$has"][1]');
SELECT bk_apply('{"$has": 1}', '{"changes": [{"key": "[\\"$has\\"]", "newValue": "$has"}]}');
SELECT type FROM bk_consolidate(2); SELECT bk_delete(1); SELECT count(*) FROM bk_list('$has');
SQL
	is($messages, '', "$encoding: no errors");
	is(decode('UTF-8', "$output\n"), <<"ANSWERS", "$encoding: names, labels and documents");
$has|$has|{"$has": "$has"}
incremental|{"n": 1, "$has": ["$has", 2]}
{"changes": [{"key": "[\\"$has\\"][1]", "newValue": 2, "oldValue": 1}], "additions": [], "deletions": []}|true|t|t
1 2
{"$has": "$has"}
full
1
1
ANSWERS
	# control characters from U+0080 to U+009F, where the encoding has them
	($output, $messages) = run_file($database, join "\n", map { "SELECT FROM bk_create($_, '1'); SELECT FROM bk_create('x', '1', source => $_);" } map { $encoding eq 'SQL_ASCII' ? "E'a" . join('', map { sprintf '\\x%02x', ord } split //, encode('UTF-8', $_)) . "'" : literal($_) } "a\x{85}b", "a\x{9b}31m", "a\nb");
	my @states = $messages =~ /ERROR:  ([0-9A-Z]{5})/g;
	is_deeply([ grep { !/^(?:22023|22P05)$/ } @states ], [], "$encoding: control characters are refused");
	is(scalar @states, 6, "$encoding: all of them");
	($output, $messages) = run_file($database, qq{SELECT bk_history('$has', '["$has"] x'); SELECT bk_apply('1', '{"$has": 1}'); SELECT bk_apply('{}', '{"deletions": [{"key": "[\\"$has\\"]"}]}'); SELECT bk_restore_at('no $has', 'infinity')});
	is(join(' ', $messages =~ /ERROR:  ([0-9A-Z]{5})/g), '22023 22023 22023 42704', "$encoding: errors") or diag($messages);
	next unless defined $lacks;
	($output, $messages) = run_file($database, "SELECT FROM bk_create('$lacks', '1')");
	like($messages, qr/ERROR:  22P05: character with byte sequence .* has no equivalent/, "$encoding: what the encoding lacks");
}
{
	# in databases of other encodings a client can send bytes that are nothing: those of SQL_ASCII are looked at here
	local $ENV{PGCLIENTENCODING} = 'SQL_ASCII';
	for my $call ("bk_create(E'\\xff\\xfe', '1')", "bk_create('x', E'\"\\xff\"')", "bk_create('x', '1', source => E'\\xe9')", "bk_create('x', '1', resource_type => E'\\xc3')", "bk_restore_at(E'\\xa4\\xff', 'infinity')", "bk_history('café 日本 😀', E'[\"\\xff\"]')", "bk_restore(2, created_by => E'\\x85')")
	{
		bk_fails($node, 'sql_ascii', sql("SELECT FROM $call"), '22021', qr/invalid byte sequence for encoding "UTF8"/, sql("SQL_ASCII, bytes that are no UTF-8: $call"));
	}
	bk_fails($node, $_, "SELECT FROM bk_create(E'\\xff\\xfe', '1')", '22021', qr/invalid byte sequence for encoding "EUC_JP"/, 'EUC_JP: bytes that are none') for 'euc_jp';
}

# ----- Where little is allowed: each function and view works, or is refused with a hint.
bk_value($node, 'postgres', 'CREATE ROLE nobody_at_all');
my @views = map { $_->[0] } bk_rows($node, 'postgres', q{SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace AND relname LIKE 'bk\_%' ORDER BY 1});
for my $function (sort keys %functions)
{
	my $schema = $function =~ /^(\w+)\./ ? "schema $1" : "function $function";
	bk_fails($node, 'postgres', 'SET ROLE nobody_at_all; ' . call($function), '42501', qr/permission denied for $schema\n/, "no privileges: $function");
}
bk_fails($node, 'postgres', "SET ROLE nobody_at_all; SELECT FROM $_", '42501', qr/permission denied for view $_/, "no privileges: $_") for @views;

# ----- PostgreSQL's own powerful roles: what docs/security.md says of them.
my $key_hex = (slurp_file(bk_key_path($node)) =~ /^1:([0-9a-f]{64})/m)[0];
bk_value($node, 'postgres', q{
CREATE ROLE reader IN ROLE pg_read_all_data; CREATE ROLE writer IN ROLE pg_write_all_data, pg_read_all_data, backup_service_user; CREATE ROLE files IN ROLE pg_read_server_files; CREATE ROLE monitor IN ROLE pg_monitor; CREATE ROLE creator CREATEROLE CREATEDB;
CREATE ROLE owner_of_all; CREATE DATABASE owned OWNER owner_of_all;
SELECT FROM bk_create('secret', '"the secret"', compression => 'none'); SELECT FROM bk_create('open', '"the secret"', compression => 'none', encrypt => false)});
my ($secret) = bk_value($node, 'postgres', "SELECT backup_id FROM bk_list('secret')");
my $payload = "SELECT position('the secret'::bytea IN data) > 0 FROM backup_service.chunk WHERE resource_id";
is(bk_value($node, 'postgres', "SET ROLE reader; $payload = 'secret'; $payload = 'open'"), "f\nt", 'pg_read_all_data: sees what is stored, in plain text only what was not encrypted');
bk_fails($node, 'postgres', "SET ROLE reader; SELECT bk_read($secret)", '42501', qr/permission denied for function bk_read/, 'pg_read_all_data: restores nothing');
bk_fails($node, 'postgres', "SET ROLE writer; SELECT bk_read($secret)", '42704', qr/does not exist/, 'pg_write_all_data: restores nothing of others');
is(bk_value($node, 'postgres', "BEGIN; SET LOCAL ROLE writer; UPDATE backup_service.resource SET owner = 'writer' WHERE resource_id = 'secret'; SELECT bk_read($secret); ROLLBACK"), '"the secret"', 'unless it writes itself down as the owner');
like(bk_value($node, 'postgres', "SET ROLE files; CREATE TEMP TABLE line (line text); COPY line FROM '${\ bk_key_path($node)}'; SELECT * FROM line"), qr/$key_hex/, 'pg_read_server_files: reads the key file');
bk_fails($node, 'postgres', "LOAD 'backup_service'; SET ROLE files; SHOW backup_service.key_file", '42501', qr/permission denied|must be/, 'but is not told where it is');
bk_fails($node, 'postgres', "SET ROLE $_; SELECT FROM backup_service.chunk", '42501', qr/permission denied for schema backup_service/, "$_: no table") for qw(monitor files creator);
bk_fails($node, 'postgres', "SET ROLE $_; SELECT bk_read($secret)", '42501', qr/permission denied for function/, "$_: no function") for qw(monitor files creator);
# CREATEROLE: up to PostgreSQL 15 it may grant any role that is no superuser's
my $take = "BEGIN; SET LOCAL ROLE creator; GRANT backup_service_operator TO creator; SELECT bk_read($secret); ROLLBACK";
if ($node->pg_version < 16) { is(bk_value($node, 'postgres', $take), '"the secret"', 'CREATEROLE makes itself an operator'); }
else { bk_fails($node, 'postgres', $take, '42501', qr/permission denied to grant role/, 'CREATEROLE cannot make itself an operator'); }
$node->safe_psql('owned', "CREATE EXTENSION backup_service; SELECT FROM bk_create('secret', '1')");
bk_fails($node, 'owned', "SET ROLE owner_of_all; $_", '42501', qr/permission denied|must be owner|must have admin option/, "a database's owner: $_") for 'SELECT bk_read(1)', 'SELECT FROM backup_service.chunk', 'DROP EXTENSION backup_service', 'ALTER FUNCTION bk_read OWNER TO owner_of_all', 'GRANT backup_service_operator TO owner_of_all', 'DROP SCHEMA backup_service CASCADE';
# the schema that the functions are in is the database owner's
is(bk_value($node, 'owned', "SET client_min_messages = error; BEGIN; SET LOCAL ROLE owner_of_all; DROP SCHEMA public CASCADE; SELECT count(*) FROM pg_extension WHERE extname = 'backup_service'; ROLLBACK"), 0, 'but can drop schema public, and the extension with it');

# the three roles are the cluster's: who may create roles can have made them before, with members
$node->safe_psql('postgres', 'ALTER ROLE backup_service_operator RENAME TO operator_of_before; SET ROLE creator; CREATE ROLE backup_service_operator ROLE creator; CREATE DATABASE late');
$node->safe_psql('late', "CREATE EXTENSION backup_service; SELECT FROM bk_create('secret', '\"the secret\"')");
is(bk_value($node, 'late', 'SET ROLE creator; SELECT bk_read(1)'), '"the secret"', 'CREATEROLE can make the role of operators before the extension does');
$node->safe_psql('late', 'DROP EXTENSION backup_service');
$node->safe_psql('postgres', 'DROP ROLE backup_service_operator; ALTER ROLE operator_of_before RENAME TO backup_service_operator');

my %reads = map { $_ => 1 } qw(bk_read bk_list bk_delta bk_apply bk_diff bk_history bk_verify bk_export bk_archive bk_verify_keys bk_health bk_metrics bk_audit_verify bk_restore_wait
  bk_retention_explain bk_policy_simulate bk_operation_list),
  (map { "backup_service_http.$_" } qw(checks count_backups count_operations backup_with operation_with backup_at)),
  (map { "backup_service_api.$_" } qw(root health metrics backups_list backups_get backups_verify backups_download operations_list operations_get));
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
chmod 0600, bk_key_path($standby) or die;
$standby->start;
my $before = bk_value($node, 'postgres', "SELECT md5(string_agg(b::text, ' ' ORDER BY backup_id)) FROM backup_service.backup b");
for my $where ([ 'read-only transaction', $node, 'BEGIN READ ONLY; ' ], [ 'default_transaction_read_only', $node, 'SET default_transaction_read_only = on; ' ], [ 'hot standby', $standby, '' ])
{
	my ($name, $on, $begin) = @$where;
	for my $function (sort keys %functions)
	{
		if ($reads{$function})
		{
			my ($status, $output, $messages) = bk_run($on, 'postgres', $begin . call($function));
			is($status, 0, "$name: $function works") or diag($messages);
			next;
		}
		# those of the HTTP surface name what they call
		my $named = $function =~ /^backup_service_api/ ? qr/[a-z_.]+/ : $function;
		bk_fails($on, 'postgres', $begin . call($function), '25006', qr/cannot execute $named\(\) in a read-only transaction\nHINT:  \w/, "$name: $function is refused");
	}
	is(bk_value($on, 'postgres', "$begin SELECT bk_read($id)") =~ s/^\s+//r, '{"a": 1}', "$name: bk_read gives the document");
	like(bk_value($on, 'postgres', "$begin SELECT count(*) FROM $_"), qr/\d/, "$name: $_") for @views;
}
is(bk_value($node, 'postgres', "SELECT md5(string_agg(b::text, ' ' ORDER BY backup_id)) FROM backup_service.backup b"), $before, 'nothing was written');
$standby->stop;
my @crashes = grep { /was terminated by signal|PANIC|TRAP:/ } split /\n/, slurp_file("$log.log");
is_deeply(\@crashes, [], 'the log tells of no crash');
$node->stop;
done_testing();
