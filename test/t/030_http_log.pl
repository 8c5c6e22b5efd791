# What does the server's log say of requests over HTTP that fail, and of others?  Where, but nothing of a document.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

bk_seed();
my $node = bk_cluster('http_log', conf => <<'CONF');
shared_preload_libraries = 'auto_explain, pg_stat_statements'
log_statement = all
log_min_duration_statement = 0
log_min_messages = debug1
log_min_error_statement = debug1
log_error_verbosity = verbose
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_nested_statements = on
CONF
# PostgreSQL 16 and later log parameters of the functions' own statements there, if not told otherwise (docs/security.md).
$node->append_conf('postgresql.conf', 'auto_explain.log_parameter_max_length = 0') if $node->pg_version >= 16;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');

# Letters, and digits, that are nowhere else.
my $word = join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 24;
my $number = join '', map { 1 + int rand 9 } 1 .. 24;
my $hex = unpack 'H*', $word;

# A body, the SQLSTATE that it gives (or a part of the answer), and whether the caller is shown the word.
my @requests = (
	[ 'as a token', qq({"resourceId": "r", "data": {"k": $word}}), '22P02', 1 ],
	[ 'as the first token', qq($word {"resourceId": "r", "data": 1}), '22P02', 1 ],
	[ 'as what follows', qq({"resourceId": "r", "data": 1} "$word"), '22P02', 1 ],
	[ 'as a key without a value', qq({"resourceId": "r", "data": {"$word"}}), '22P02' ],
	[ 'before a mistake', qq({"resourceId": "r", "data": {"k": "$word",}}), '22P02' ],
	[ 'in place of a colon', qq({"resourceId": "r", "data": {"k" "$word": 1}}), '22P02', 1 ],
	[ 'in a string that does not end', qq({"resourceId": "r", "data": "$word), '22P02', 1 ],
	[ 'in a document that does not end', qq({"resourceId": "r", "data": ["$word"), '22P02' ],
	[ 'before a line feed in a string', qq({"resourceId": "r", "data": "$word\n"}), '22P02' ],
	[ 'before a strange escape', qq({"resourceId": "r", "data": "$word\\x"}), '22P02' ],
	[ 'before \\u0000', qq({"resourceId": "r", "data": "$word\\u0000"}), '22P02' ],
	[ 'before a lone surrogate', qq({"resourceId": "r", "data": "$word\\ud800"}), '22P02' ],
	[ 'before a byte that is not UTF-8', qq({"resourceId": "r", "data": "$word\xff"}), '22021' ],
	[ 'before a zero byte', qq({"resourceId": "r", "data": "$word\x00"}), '22021' ],
	[ 'as a key that is there twice', qq({"resourceId": "r", "data": [{"$word": 1, "$word": 2}]}), '22030', 1 ],
	[ 'under a key that is there twice', qq({"resourceId": "r", "data": {"k": "$word", "k": "$word"}}), '22030' ],
	[ 'beside data that is there twice', qq({"resourceId": "r", "data": "$word", "data": 1}), '22030' ],
	[ 'in a number that is too large', qq({"resourceId": "r", "data": [$number.$number e400000]}), '22P02' ],
	[ 'as a number that is too large', qq({"resourceId": "r", "data": [{"$word": ${number}e400000}]}), '22003' ],
	[ 'as a number whose exponent is none', qq({"resourceId": "r", "data": ["$word", 1e$number]}), '22003' ],
	[ 'as a number that is none', qq({"resourceId": "r", "data": [0$number]}), '22P02' ],
	[ 'too deep', qq({"resourceId": "r", "data": ) . ('[' x 200_000) . qq("$word") . (']' x 200_000) . '}', '54001' ],
	[ 'in a string that is no object', qq("$word"), '22023' ],
	[ 'in an array', qq(["$word"]), '22023' ],
	[ 'beside an unknown field', qq({"resourceId": "r", "data": "$word", "bogus": 1}), '22023' ],
	[ 'without a resource', qq({"data": "$word"}), '22023' ],
	[ 'beside a resource of another type', qq({"resourceId": ["r"], "data": "$word"}), '22023' ],
	[ 'beside a bad type', qq({"resourceId": "r", "data": {"$word": "$word"}, "type": "grand"}), '22023' ],
	[ 'beside a bad flag', qq({"resourceId": "r", "data": "$word", "encrypt": 1}), '22023' ],
	[ 'beside bad metadata', qq({"resourceId": "r", "data": "$word", "metadata": {"retentionDays": -1}}), '22023' ],
	[ 'for a resource of another\'s', qq({"resourceId": "bobs", "data": "$word"}), '42501' ],
	[ 'that is kept', qq({"resourceId": "r", "data": ["$word", $number, {"$word": 1}], "type": "incremental"}), 'backup-2' ],
	[ 'that is kept again', qq({"resourceId": "r", "data": ["$word", $number, {"$word": 2}], "type": "incremental", "compression": "zstd"}), 'backup-3' ]);

# Bodies come as parameters, which are in no log where log_parameter_max_length_on_error is 0, as it is; here from a table.
my $file = PostgreSQL::Test::Utils::tempdir() . '/bodies';
append_to_file($file, join '', map { '\\\\x' . unpack('H*', $_->[1]) . "\n" } @requests);
$node->safe_psql('postgres', <<"SQL");
CREATE TABLE body (n serial, body bytea);
COPY body (body) FROM '$file';
CREATE ROLE anna IN ROLE backup_service_user;
CREATE ROLE bob IN ROLE backup_service_user;
GRANT SELECT ON body TO anna;
SET ROLE bob;
SELECT FROM bk_create('bobs', '1');
SQL
my $asked = 0;

sub logged
{
	my ($from) = @_;
	return substr slurp_file($node->logfile), $from;
}

for my $request (@requests)
{
	my ($name, $body, $answer, $shown) = @$request;
	my $start = -s $node->logfile;
	my ($status, $output, $messages) = bk_run($node, 'postgres', 'SET ROLE anna; SELECT backup_service_api.backups_create(body) FROM body WHERE n = ' . ++$asked);
	my $told = $output . $messages;
	like($told, qr/$answer/, "$name: $answer") or diag(substr $told, 0, 500);
	is($told =~ /$word/ ? 1 : 0, $shown || 0, "$name: the caller is told of it, or is not");
	my $log = logged($start);
	like($log, qr/WHERE n = $asked\b/, 'the log has the request');
	unlike($log, qr/$word|$hex|$number|$number/i, "$name: and nothing of the document");
}

# The error is in the log with the place where it is to be looked for.
my $log = slurp_file($node->logfile);
like($log, qr/ERROR:  22P02: the body is not valid JSON\n[^\n]*DETAIL:  It ends to be so at line 1, character 35\./, 'with its place');
like($log, qr/ERROR:  22030: the body has a key twice in one object\n[^\n]*DETAIL:  Which one is told to the caller alone\./, 'with who knows more');

# Requests with a key, the same with another body; restores, verification and download of what is sound and what is not.
my $start = -s $node->logfile;
my ($status, $output, $messages) = bk_run($node, 'postgres', <<"SQL", on_error_stop => 0);
SET request.headers = '{"idempotency-key": "k"}';
SELECT backup_service_api.backups_create(body)->>'id' FROM body WHERE n = $asked;
SELECT backup_service_api.backups_create(body)->>'id' FROM body WHERE n = $asked;
SELECT backup_service_api.backups_create(body)->>'id' FROM body WHERE n = $asked - 1;
SELECT backup_service_api.restores_create(convert_to('{"backupId": "backup-3"}', 'UTF8'))->>'data';
SELECT backup_service_api.restores_create_at(convert_to('{"resourceId": "r", "timestamp": "9999-01-01"}', 'UTF8'))->>'data';
SELECT backup_service_api.backups_verify('backup-3')->>'valid', length(backup_service_api.backups_download('backup-3'));
SELECT json_array_length(backup_service_api.backups_list('resourceId=r'));
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = 2;
SELECT backup_service_api.restores_create(convert_to('{"backupId": "backup-3"}', 'UTF8'))->'operation'->>'status';
SELECT backup_service_api.backups_verify('backup-3')->>'valid';
SELECT backup_service_api.backups_download('backup-3');
SQL
is(() = $output =~ /^\["$word", $number, \{"$word": 2\}\]$/mg, 2, 'two restores give the document') or diag($output . $messages);
like($output, qr/^true\|\d+$/m, 'it is verified and downloaded');
like($output, qr/^failed\nfalse$/m, 'and damaged');
like($messages, qr/ERROR:  PGRST: .*another request/, 'a key is refused for another request');
like($messages, qr/ERROR:  PGRST: .*XX001/, 'a damaged download too');
unlike(logged($start), qr/$word|$hex|$number/i, 'the log has nothing of the document');

# Cancelled in the middle.
$start = -s $node->logfile;
for my $timeout (1, 3, 10, 30)
{
	bk_run($node, 'postgres', "SET statement_timeout = $timeout; SELECT backup_service_api.backups_create(convert_to(format('{\"resourceId\": \"large\", \"data\": [%s0]}', repeat('\"' || translate('" . ($word =~ tr/a-z/n-za-m/r) . "', 'nopqrstuvwxyzabcdefghijklm', 'abcdefghijklmnopqrstuvwxyz') || '\", ', 200000)), 'UTF8'))");
}
like(logged($start), qr/ERROR:  (?:57014|PGRST): .*canceling statement due to statement timeout/, 'some were cancelled');
unlike(logged($start), qr/$word|$hex/i, 'and the log has nothing of them');

# The search finds what is there.
$start = -s $node->logfile;
bk_run($node, 'postgres', "SELECT '$word'");
like(logged($start), qr/$word/, 'a literal in a statement is in the log');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP:|was terminated by signal|WARNING:  [^\n]*(?:leak|refcount)/, 'the log is clean');
$node->stop;
done_testing();
