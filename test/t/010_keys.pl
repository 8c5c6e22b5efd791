# Can master keys come from where operators keep them, fail there, be rotated under load, and still never be seen?
# The commands of docs/keys.md are taken from the page and run against stand-ins for the four programs.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Digest::SHA qw(hmac_sha256);
use File::Path qw(make_path remove_tree);
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

my $seed = bk_seed();
my $root = "$FindBin::RealBin/../..";
my $place = PostgreSQL::Test::Utils::tempdir();
my %folder = map { $_ => "$place/$_" } qw(bin store etc local safe);
make_path(values %folder);
$ENV{STAND_IN_STORE} = $folder{store};
$ENV{PATH} = "$folder{bin}:$ENV{PATH}";
my %keys;    # every master key that was ever used, by its hex digits

sub write_file
{
	my ($path, $text, $mode) = @_;
	unlink $path;
	append_to_file($path, $text);
	chmod $mode, $path or die "chmod $path: $!" if $mode;
	return;
}

# Stand-ins: they take the options that the page uses, refuse all others, and answer, fail and exit as the real
# programs do.  vault and az keep secrets; aws and gcloud encrypt, here by exclusive or with a byte.
my $stand_in = $^X . <<'STAND_IN';

use strict;
use warnings;
my ($name) = $0 =~ m{([^/]+)$};
my $store = $ENV{STAND_IN_STORE};
my $command = '';
while (@ARGV && $ARGV[0] =~ /^[a-z]+$/) { $command .= ($command ? ' ' : '') . shift @ARGV; }
my (%option, @rest);
while (@ARGV)
{
	my $word = shift @ARGV;
	if ($name eq 'vault' && $word =~ /^-(\w+)=(.*)$/s) { $option{$1} = $2; }
	elsif ($name eq 'gcloud' && $word =~ /^--([a-z-]+)=(.*)$/s) { $option{$1} = $2; }
	elsif ($name =~ /^a[wz]/ && $word =~ /^--([a-z-]+)$/ && @ARGV) { $option{$1} = shift @ARGV; }
	else { push @rest, $word; }
}
sub fail { my ($status, $text) = @_; print STDERR "$text\n"; exit $status; }
sub options
{
	my %wanted = @_;
	fail(2, "$name $command: unexpected arguments @rest") if @rest;
	for (keys %wanted) { fail(2, "$name $command: --$_ is missing or wrong") unless defined $option{$_} && $option{$_} =~ /^(?:$wanted{$_})$/; }
	for (keys %option) { fail(2, "$name $command: unrecognized --$_") unless exists $wanted{$_}; }
	return;
}
sub get { my ($file) = @_; open my $in, '<:raw', $file or return; local $/; return scalar <$in>; }
sub put { my ($file, $text) = @_; open my $out, '>:raw', $file or fail(1, "$file: $!"); print $out $text; close $out; return; }
sub input { local $/; binmode STDIN; my $text = <STDIN>; return $text; }
sub swap { my ($text) = @_; return $text ^ ("\x5a" x length $text); }
sub base64 { return pack 'u', $_[0]; }
binmode STDOUT;
require MIME::Base64;
if ("$name $command" eq 'vault kv put' && @rest == 2 && $rest[0] =~ m{^backup_service/(\d+)$} && $rest[1] eq 'key=-')
{
	my $file = "$store/vault.$1";
	@rest = ();
	options(mount => 'secret', cas => '0');
	fail(2, "check-and-set parameter did not match the current version") if -e $file;
	put($file, input());
	print "======= Metadata =======\nversion 1\n";
}
elsif ("$name $command" eq 'vault kv get' && @rest == 1 && $rest[0] =~ m{^backup_service/(\d+)$})
{
	@rest = ();
	options(mount => 'secret', field => 'key');
	print get("$store/vault.$1") // fail(2, "No value found at secret/data/backup_service/$1");
}
elsif ("$name $command" eq 'az keyvault secret set')
{
	options('vault-name' => 'example-vault', name => 'backup-service-\d+', file => '/dev/stdin', output => 'none');
	put("$store/$option{name}", get('/dev/stdin'));
}
elsif ("$name $command" eq 'az keyvault secret show')
{
	options('vault-name' => 'example-vault', name => 'backup-service-\d+', query => 'value', output => 'tsv');
	my $value = get("$store/$option{name}") // fail(3, "ERROR: (SecretNotFound) A secret with (name/id) $option{name} was not found in this key vault.");
	print "$value\n";
}
elsif ("$name $command" eq 'aws kms encrypt')
{
	options('key-id' => 'alias/backup_service', 'encryption-context' => 'version=\d+', plaintext => 'fileb:///dev/stdin', query => 'CiphertextBlob', output => 'text');
	print MIME::Base64::encode_base64("$option{'encryption-context'};" . swap(input()), ''), "\n";
}
elsif ("$name $command" eq 'aws kms decrypt')
{
	options('key-id' => 'alias/backup_service', 'encryption-context' => 'version=\d+', 'ciphertext-blob' => 'fileb:///.*', query => 'Plaintext', output => 'text');
	my ($file) = $option{'ciphertext-blob'} =~ m{^fileb://(.*)$};
	my $blob = get($file) // fail(252, "Error parsing parameter '--ciphertext-blob': Unable to load paramfile");
	fail(254, 'An error occurred (InvalidCiphertextException) when calling the Decrypt operation:') if $blob !~ s/^\Q$option{'encryption-context'}\E;//;
	print MIME::Base64::encode_base64(swap($blob), ''), "\n";
}
elsif ("$name $command" eq 'gcloud kms encrypt')
{
	options(location => 'global', keyring => 'example', key => 'backup_service', 'plaintext-file' => '-', 'ciphertext-file' => '-');
	print 'G', swap(input());
}
elsif ("$name $command" eq 'gcloud kms decrypt')
{
	options(location => 'global', keyring => 'example', key => 'backup_service', 'plaintext-file' => '-', 'ciphertext-file' => '/.*');
	my $text = get($option{'ciphertext-file'}) // fail(1, "ERROR: (gcloud.kms.decrypt) Failed to read ciphertext file [$option{'ciphertext-file'}]");
	fail(1, 'ERROR: (gcloud.kms.decrypt) INVALID_ARGUMENT: Decryption failed') if $text !~ s/^G//;
	print swap($text);
}
else { fail(2, "$name: invalid choice: $command @rest"); }
STAND_IN
$stand_in =~ s/^sub base64 .*\n//m;
write_file("$folder{bin}/$_", "#!$stand_in", 0755) for qw(vault aws az gcloud);

# The page: headings, and the fenced blocks below each, with its places replaced by ours.
my (%page, $heading, $language);
for my $line (split /\n/, slurp_file("$root/docs/keys.md"))
{
	if (!defined $language && $line =~ /^#+ (.*)/) { $heading = $1; }
	elsif ($line =~ /^( *)```(\w*)$/)
	{
		if (defined $language) { $language = undef; next; }
		$language = $2;
		push @{ $page{$heading} }, [ $language, '' ];
	}
	elsif (defined $language) { $page{$heading}[-1][1] .= "$line\n"; }
}

sub ours
{
	my ($text) = @_;
	$text =~ s{/etc/backup_service\b}{$folder{etc}}g;
	$text =~ s{/usr/local/bin\b}{$folder{local}}g;
	$text =~ s{/safe\b}{$folder{safe}}g;
	return $text;
}
for my $script (glob "$root/docs/keys/*")
{
	my ($name) = $script =~ m{([^/]+)$};
	write_file("$folder{local}/$name", ours(slurp_file($script)), 0755);
	ok(-x $script, "docs/keys/$name can be run");
}
my %used;

# The page's blocks of a language under a heading.
sub blocks
{
	my ($under, $in) = @_;
	$used{"$under: $in"} = 1;
	my @found = map { ours($_->[1]) } grep { $_->[0] eq $in } @{ $page{$under} || [] };
	die "docs/keys.md has no $in block under \"$under\"" unless @found;
	return @found;
}

my $node = bk_cluster('keys', conf => "log_statement = all\nlog_min_messages = debug1\nlog_error_verbosity = verbose\n"
	  . "max_connections = 60\ninclude_if_exists = 'keys.conf'\n");
$node->start;
my $key_path = bk_key_path($node);
$ENV{PGHOST} = $node->host;
$ENV{PGPORT} = $node->port;
bk_database($node, $_) for qw(file second vault aws az gcloud command);

# Replace the settings, and wait until new sessions have them.
my $generation = 0;

sub configure
{
	my (@lines) = @_;
	$generation++;
	write_file($node->data_dir . '/keys.conf', join('', map { "$_\n" } @lines, "backup_test.generation = $generation"));
	$node->reload;
	bk_wait_for(20, sub { bk_value($node, 'postgres', "SELECT current_setting('backup_test.generation', true)") eq $generation })
	  or die 'the settings do not arrive';
	return;
}

# Run a block of the page as an operator would; returns what it printed.
sub run_shell
{
	my ($script, $database) = @_;
	local $ENV{PGDATABASE} = $database || 'postgres';
	my ($output, $messages) = ('', '');
	my $good = IPC::Run::run([ 'sh', '-eu', '-c', $script ], '>', \$output, '2>', \$messages);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($good, 'the lines of the page run') or diag("$script\n$output$messages");
	unlike($output . $messages, qr/[0-9a-f]{32}/i, 'and show no key');
	return $output;
}

sub note_keys
{
	my ($text) = @_;
	$keys{ lc $1 } = 1 while $text =~ /(?<![0-9a-f])([0-9a-f]{64})(?![0-9a-f])/gi;
	return;
}

sub random_key
{
	my $hex = unpack 'H*', pack 'C*', map { int rand 256 } 1 .. 32;
	note_keys($hex);
	return $hex;
}

sub backup
{
	my ($database, $resource, $type) = @_;
	return bk_value($node, $database, "SELECT backup_id FROM bk_create('$resource', jsonb_build_object('r', '$resource', 'n', (SELECT count(*) FROM backup_service.backup)), '" . ($type || 'full') . "')");
}

# Every backup can be restored: their number, and how many differ from what they were.
my $all_restore = "SELECT count(*), count(*) FILTER (WHERE (bk_verify(backup_id) ->> 'valid')::boolean IS NOT TRUE OR bk_read(backup_id) ->> 'r' IS DISTINCT FROM resource_id) FROM bk_backups";

# ----- The four programs, each for the first backup of a new catalog.
for ([ 'vault', 'HashiCorp Vault' ], [ 'aws', 'AWS KMS' ], [ 'az', 'Azure Key Vault' ], [ 'gcloud', 'Google Cloud KMS' ])
{
	my ($database, $under) = @$_;
	my ($make) = blocks($under, 'sh');
	subtest $under => sub {
		configure(blocks($under, 'conf'));
		bk_fails($node, $database, "SELECT FROM bk_create('r', '1')", '58000', qr/version 1\b/, 'before there is a key');
		run_shell($make);
		my $first = backup($database, 'first');
		is(bk_value($node, $database, $all_restore), '1|0', 'the first backup can be restored');
		is(bk_value($node, $database, 'SELECT version, state, backups FROM bk_keys'), '1|active|1', 'version 1 is registered');
		bk_fails($node, $database, 'SELECT bk_key_rotate()', '58000', qr/version 2\b/, 'no rotation to a key that is not there');
		is(bk_value($node, $database, 'SELECT version, state FROM bk_keys'), '1|active', 'and nothing changed');
		(my $next = $make) =~ s/^version=1$/version=2/m or die;
		run_shell($next);
		is(bk_value($node, $database, 'SELECT bk_key_rotate()'), 2, 'rotation');
		backup($database, 'second');
		is(bk_value($node, $database, $all_restore), '2|0', 'backups under both keys can be restored');
		is(bk_value($node, $database, 'SELECT * FROM bk_verify_keys() ORDER BY version'), "1|t|\n2|t|", 'both keys can be had');
		is(bk_value($node, $database, 'SELECT bk_rekey()'), 1, 'the older data key is re-wrapped');
		is(bk_value($node, $database, 'SELECT bk_rekey()'), 0, 'and then there is nothing more to do');
		is(bk_value($node, $database, $all_restore), '2|0', 'both can be restored');
		is(bk_value($node, $database, 'SELECT bk_key_retire(1); SELECT version, state, backups FROM bk_keys ORDER BY version'), "\n1|retired|0\n2|active|2", 'the old version is retired');
	};
}
# what the stores hold, for the search at the end
note_keys(slurp_file($_)) for glob "$folder{store}/*";
for my $file (glob "$folder{etc}/*.aws $folder{etc}/*.gcloud")
{
	my ($text) = slurp_file($file) =~ /^(?:version=\d+;|G)(.*)/s;
	note_keys($text ^ ("\x5a" x length $text));
}
is(scalar keys %keys, 8, 'eight keys were made');
ok(!-e $key_path, 'and no key file');

# ----- A command that misbehaves.  What it does is in a file, so that putting it right needs no reload.
my $canary = join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 24;
write_file("$folder{local}/fetch", <<"FETCH", 0755);
#!/bin/sh
cd "$folder{store}"
echo "\$1" >> calls
echo "$canary" >&2
key=\$(cat "command.\$1" 2>/dev/null)
case \$(cat mode) in
	good) echo "\$key" ;;
	bare) printf %s "\$key" ;;
	upper) printf '%s\\n' "\$key" | tr a-f A-F ;;
	fail) echo "\$key"; echo "\$key" >&2; exit 3 ;;
	signal) echo "\$key"; kill -9 \$\$ ;;
	silent) ;;
	short) echo "\$key" | cut -c 2- ;;
	long) echo "\${key}0" ;;
	twice) echo "\$key"; echo "\$key" ;;
	text) echo "$canary \$key" ;;
	digit) echo "\$key" | sed 's/.\$/g/' ;;
	spaces) echo " \$key" ;;
	zero) echo "\$key" | sed 's/\$/x/' | tr x '\\000' ;;
	wrong) cat command.other ;;
	flood) while :; do echo "\$key"; done ;;
	sleep) echo \$\$ > pid; sleep 61 & echo \$! > child; wait ;;
	deaf) trap '' TERM INT HUP; echo \$\$ > pid; echo "\$key"; sleep 61 & echo \$! > child; wait; wait ;;
	behind) sleep 61 & echo \$! > child; echo "\$key"; cp child pid ;;
esac
FETCH

sub mode
{
	my ($mode) = @_;
	write_file("$folder{store}/mode.new", "$mode\n");
	rename "$folder{store}/mode.new", "$folder{store}/mode" or die;
	return;
}

sub calls
{
	my $calls = -e "$folder{store}/calls" ? slurp_file("$folder{store}/calls") : '';
	unlink "$folder{store}/calls";
	return join ' ', split /\n/, $calls;
}
my $good_key = random_key();
write_file("$folder{store}/command.1", "$good_key\n");
write_file("$folder{store}/command.other", random_key() . "\n");
my @fetch = ("backup_service.key_command = '$folder{local}/fetch %v'");
configure(@fetch);
mode('good');
my $id = backup('command', 'r');
my $read = "SELECT bk_read($id) ->> 'r'";
my $create = "SELECT FROM bk_create('r', '{\"r\": \"r\"}', 'incremental')";

# The messages hold nothing that the command printed.
sub is_quiet
{
	my ($messages, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @seen = grep { index(lc $messages, $_) >= 0 } $canary, map { (substr($_, 1, 16), substr($_, 40, 16)) } keys %keys;
	return is_deeply(\@seen, [], "$name: nothing of its output in the messages");
}
my %misbehaviour = (
	fail => [ '58000', qr/version 1\b.*\b3\b/s ],
	signal => [ '58000', qr/version 1\b.*\b(?:9|137)\b/s ],
	silent => [ '22023', qr/version 1\b/ ],
	wrong => [ '58000', qr/version 1 is not the key that this catalog was written with/ ],
	map { $_ => [ '22023', qr/version 1\b/ ] } qw(short long twice text digit spaces zero flood));
for my $mode (sort keys %misbehaviour)
{
	subtest "command: $mode" => sub {
		mode($mode);
		for my $call ($read, $create, 'SELECT bk_restore(' . $id . ')')
		{
			my ($sqlstate, $like) = @{ $misbehaviour{$mode} };
			my $start = time;
			my ($status, $output, $messages) = bk_run($node, 'command', $call);
			like($messages, qr/ERROR:  $sqlstate: /, "$sqlstate: $call");
			like($messages, $like, 'says what');
			like($messages, qr/^HINT:  \S/m, 'and what to do');
			is_quiet($messages, $call);
			cmp_ok(time - $start, '<', 5, 'soon');
		}
		is(bk_value($node, 'command', 'SELECT version, available, problem IS NOT NULL FROM bk_verify_keys()'), '1|f|t', 'bk_verify_keys tells');
		is_quiet(bk_value($node, 'command', 'SELECT problem FROM bk_verify_keys()'), 'bk_verify_keys');
		mode('good');
		is(bk_value($node, 'command', $read), 'r', 'put right, it works');
	};
}
for my $mode (qw(bare upper))
{
	mode($mode);
	is(bk_value($node, 'command', $read), 'r', "command: $mode will do");
}
configure("backup_service.key_command = 'exit 7'");
bk_fails($node, 'command', $read, '58000', qr/version 1\b/, 'a command of the shell');
configure("backup_service.key_command = '/no/such/program %v'");
bk_fails($node, 'command', $read, '58000', qr/version 1\b/, 'a program that is not there');
configure("backup_service.key_command = '$folder{local}/fetch %x'");
bk_fails($node, 'command', $read, '22023', qr/unknown placeholder/, 'a placeholder that there is not');
configure("backup_service.key_file = ''");
bk_fails($node, 'command', $read, '58000', qr/no source of master keys/, 'neither command nor file');
configure("backup_service.key_file = '$folder{etc}/none'", 'backup_service.key_file_create = off');
bk_fails($node, 'second', "SELECT FROM bk_create('r', '1')", '58000', qr/there is no master key yet/, 'a file that may not be made');
configure("backup_service.key_command = 'test x%%v = x%%%%v || $folder{local}/fetch %v # 100%%'");
mode('good');
is(bk_value($node, 'command', $read), 'r', '%% is a per cent sign');

# ----- It can be stopped: time-out, cancel, statement_timeout, termination.  Nothing that it started stays.
sub is_gone
{
	my ($name) = @_;
	my @pids = map { slurp_file("$folder{store}/$_") =~ /(\d+)/ } qw(pid child);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok(bk_wait_for(5, sub { !grep { kill(0, $_) && slurp_file("/proc/$_/stat") !~ /\) Z / } @pids }), "$name: the command and its child are gone");
}

# Zombies of a process.
sub zombies
{
	my ($parent) = @_;
	return scalar grep { -e $_ && slurp_file($_) =~ /\) Z $parent / } glob '/proc/[0-9]*/stat';
}

# Start something that hangs in the command; returns its session and process id.
sub hang
{
	my ($sql) = @_;
	unlink "$folder{store}/pid", "$folder{store}/child";
	my $session = $node->background_psql('command', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	$session->query("\\set VERBOSITY verbose");
	$session->{stdin} .= "$sql\n\\echo it is over\n";
	$session->{run}->pump_nb;
	bk_wait_for(10, sub { -s "$folder{store}/pid" && -s "$folder{store}/child" }) or die 'the command was not run';
	return ($session, $pid);
}

sub ends
{
	my ($session, $seconds) = @_;
	return bk_wait_for($seconds, sub { eval { $session->{run}->pump_nb }; $session->{stdout} =~ /it is over/ });
}
configure(@fetch, "backup_service.key_command_timeout = '400ms'");
for my $mode (qw(sleep deaf behind))
{
	mode($mode);
	my $start = time;
	my ($status, $output, $messages) = bk_run($node, 'command', $read);
	if ($mode eq 'behind' && $status == 0)
	{
		is($output, 'r', "$mode: the key counts");
	}
	else
	{
		like($messages, qr/ERROR:  57014: .*version 1\b/, "$mode: timed out");
		is_quiet($messages, $mode);
	}
	cmp_ok(time - $start, '<', 3, "$mode: in time");
	is_gone($mode);
}
configure(@fetch);
for my $mode (qw(sleep deaf))
{
	mode($mode);
	my ($session, $pid) = hang($create . ';');
	my $start = time;
	bk_value($node, 'postgres', "SELECT pg_cancel_backend($pid)");
	ok(ends($session, 5), "$mode: cancelled") or diag($session->{stderr});
	cmp_ok(time - $start, '<', 3, "$mode: soon");
	like($session->{stderr}, qr/ERROR:  57014: canceling statement due to user request/, "$mode: and says so");
	is_gone("$mode, cancelled");
	is(zombies($pid), 0, "$mode: no zombie");
	$session->{stderr} = $session->{stdout} = '';
	mode('good');
	is($session->query($read), 'r', "$mode: the session goes on");
	$session->quit;
}
mode('sleep');
bk_fails($node, 'command', "SET statement_timeout = '300ms'; $read", '57014', qr/statement timeout/, 'statement_timeout');
is_gone('statement_timeout');
my ($session, $pid) = hang("$read;");
bk_value($node, 'postgres', "SELECT pg_terminate_backend($pid)");
ok(bk_wait_for(5, sub { bk_value($node, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") == 0 }), 'terminated');
is_gone('terminated');
eval { $session->{run}->kill_kill };

# A command that hangs holds up nobody else.
mode('good');
my $other = $node->background_psql('command', on_error_stop => 0);
is($other->query($read), 'r', 'another session has the key');
mode('sleep');
($session, $pid) = hang($create . ';');
is(bk_value($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid AND (mode LIKE '%Exclusive%' AND locktype <> 'virtualxid')"), 0, 'who waits for the command holds no lock');
$other->query_safe("SET lock_timeout = '3s'; SELECT FROM bk_create('r', '{\"r\": \"r\"}', 'incremental');");
pass('another session backs the same resource up');
$other->quit;
bk_value($node, 'postgres', "SELECT pg_cancel_backend($pid)");
ends($session, 5);
$session->quit;
mode('good');

# ----- Caching.
write_file("$folder{store}/command.2", random_key() . "\n");
is(bk_value($node, 'command', 'SELECT bk_key_rotate()'), 2, 'a second version');
backup('command', 'r', 'incremental');
my $last = bk_value($node, 'command', 'SELECT max(backup_id) FROM bk_backups');
calls();
bk_value($node, 'command', "SELECT bk_read($last); SELECT bk_read($last); SELECT bk_verify($last); $create;");
is(calls(), '1 2', 'a session asks once for each version');
configure(@fetch, 'backup_service.key_cache_ttl = 0');
calls();
bk_value($node, 'command', "SELECT bk_read($id); SELECT bk_read($id); SELECT bk_read($id);");
is(calls(), '1 1 1', 'without a cache it asks at every call');
$session = $node->background_psql('command', on_error_stop => 0);
is($session->query($read), 'r', 'a session');
mode('wrong');
$session->query($read);
like($session->{stderr}, qr/is not the key/, 'meets a wrong key');
$session->{stderr} = '';
mode('good');
is($session->query($read), 'r', 'and goes on when it is put right');
$session->quit;
configure(@fetch, 'backup_service.key_cache_ttl = 1');
$session = $node->background_psql('command', on_error_stop => 0);
calls();
$session->query($read);
$session->query($read);
is(calls(), '1', 'a cache of a second holds');
sleep 1.2;
$session->query($read);
is(calls(), '1', 'and ends');
mode('fail');
is($session->query('SELECT available FROM bk_verify_keys()'), "f\nf", 'bk_verify_keys does not ask the cache');
mode('good');
$session->quit;

bk_fails($node, 'command', "SET default_transaction_read_only = on; SELECT bk_key_rotate()", '25006', qr/read-only/, 'no rotation in a read-only transaction');
is(bk_value($node, 'command', "SET default_transaction_read_only = on; $read"), 'r', 'reading works in one');

# bk_verify_keys with one version that is missing and one that is wrong
write_file("$folder{store}/command.3", random_key() . "\n");
bk_value($node, 'command', 'SELECT bk_key_rotate()');
rename "$folder{store}/command.2", "$folder{store}/kept" or die;
write_file("$folder{store}/command.3", random_key() . "\n");
my @verified = bk_rows($node, 'command', 'SELECT version, available, problem FROM bk_verify_keys() ORDER BY version');
is_deeply([ map { "@$_[0, 1]" } @verified ], [ '1 t', '2 f', '3 f' ], 'one good, one missing, one wrong');
like($verified[1][2], qr/version 2\b/, 'the missing one is named');
like($verified[2][2], qr/version 3 is not the key/, 'and the wrong one');
rename "$folder{store}/kept", "$folder{store}/command.2" or die;

# ----- A key file, as the page tells it.
configure();
my ($status, $output, $messages) = bk_run($node, 'file', "SELECT backup_id FROM bk_create('r1', '{\"r\": \"r1\"}')");
like($messages, qr/WARNING: .*\n.*\Q$key_path\E/, 'the first backup makes the file and says where');
my $first_line = slurp_file($key_path);
run_shell((blocks('The key file', 'sh'))[0], 'file');
is(slurp_file("$folder{safe}/backup_service.key"), $first_line, 'the copy is a copy');
is(sprintf('%04o', (stat "$folder{safe}/backup_service.key")[2] & 07777), '0600', 'that nobody else can read');
is(bk_value($node, 'file', 'SELECT copied_at IS NOT NULL FROM bk_keys'), 't', 'and it is noted');
bk_fails($node, 'file', 'SELECT bk_key_copied(9)', '42704', qr/version 9 does not exist/, 'an unknown version is not copied');
append_to_file($key_path, "# a comment\n");
backup('file', "r$_", 'incremental') for 1 .. 3, 1 .. 3;
my $payloads = "SELECT md5(string_agg(concat_ws(' ', resource_id, backup_id, seq, ctid, xmin, md5(data)), ',' ORDER BY resource_id, backup_id, seq)) FROM backup_service.chunk";
my $before = bk_value($node, 'file', $payloads);
my @steps = blocks('Rotation', 'sql');
s/^\s+|\s+$//g for @steps;
is(scalar @steps, 3, 'the page rotates in three steps of SQL');
($status, $output, $messages) = bk_run($node, 'file', "$steps[0]");
is($output, 2, 'rotation');
like($messages, qr/WARNING: .*\n.*\Q$key_path\E/, 'says where the key was added');
my $text = slurp_file($key_path);
like($text, qr/\A\Q$first_line\E# a comment\n2:[0-9a-f]{64}\n\z/, 'the file has one line more, and what it had');
is(sprintf('%04o', (stat $key_path)[2] & 07777), '0600', 'with mode 0600');
is_deeply([ glob "$key_path*" ], [$key_path], 'no temporary file is left');
is(bk_value($node, 'file', 'SELECT version, state, backups FROM bk_keys ORDER BY version'), "1|previous|7\n2|active|0", 'the versions');
backup('file', 'r1', 'incremental');
is(bk_value($node, 'file', $all_restore), '8|0', 'older and newer backups can be restored');
bk_fails($node, 'file', 'SELECT bk_key_retire(1)', '55006', qr/version 1 is still needed\nDETAIL:.*\b7\b/, 'a version that is needed is not retired');
bk_fails($node, 'file', 'SELECT bk_key_retire(2)', '55006', qr/version 2 is the active one/, 'nor the active one');
bk_fails($node, 'file', 'SELECT bk_key_retire(3)', '42704', qr/version 3 does not exist/, 'nor an unknown one');
is(bk_value($node, 'file', 'SELECT bk_rekey(2)'), 2, 'a batch');
bk_fails($node, 'file', 'SELECT bk_rekey(0)', '22023', qr/max_backups/, 'an empty batch');
is(run_shell((blocks('Rotation', 'sh'))[0], 'file'), "5 backups\n", 'the loop does the rest');
like(bk_value($node, 'file', $steps[1]), qr/^1\|previous\|0\|.*\n2\|active\|8\|\n1\|t\|\n2\|t\|$/, 'as the page looks at it');
bk_value($node, 'file', $steps[2]);
is(bk_value($node, 'file', 'SELECT version, state, backups FROM bk_keys ORDER BY version'), "1|retired|0\n2|active|8", 'the old version is retired');
is(bk_value($node, 'file', "$payloads WHERE backup_id <= 7"), $before, 'no payload was touched');
is(bk_value($node, 'file', $all_restore), '8|0', 'every backup can be restored');

# A rotation that is rolled back leaves a line, which the next one takes.
bk_value($node, 'file', 'BEGIN; SELECT bk_key_rotate(); SELECT FROM bk_create(\'gone\', \'1\'); ROLLBACK');
$text = slurp_file($key_path);
like($text, qr/^3:[0-9a-f]{64}\n\z/m, 'a rotation that was rolled back leaves its key');
is(bk_value($node, 'file', 'SELECT bk_key_rotate()'), 3, 'the next takes it');
is(slurp_file($key_path), $text, 'as it is');

# A second catalog uses what the file has, and begins with the newest.
backup('second', 'r');
is(bk_value($node, 'second', 'SELECT version, state FROM bk_keys'), '3|active', 'another catalog begins with the newest key');
is(slurp_file($key_path), $text, 'and makes none');

# Many rotations, in two catalogs at the same time: they agree on every key.
my @rotators = map { [ $_, $node->background_psql($_, on_error_stop => 0) ] } qw(file second);
for my $turn (1 .. bk_long(10, 50))
{
	for (@rotators)
	{
		$_->[1]{stdout} = '';
		$_->[1]{stdin} .= "SELECT bk_key_rotate(); SELECT FROM bk_create('turn$turn', '{\"r\": \"turn$turn\"}'); SELECT FROM bk_create('chain', jsonb_build_object('r', 'chain', 'turn', $turn), 'incremental');\n\\echo it is over\n";
		$_->[1]{run}->pump_nb;
	}
	ends($_->[1], 20) or die "rotation hangs: $_->[1]{stderr}" for @rotators;
}
for (@rotators)
{
	my ($database, $rotator) = @$_;
	unlike($rotator->{stderr}, qr/ERROR/, "$database: no rotation failed");
	$rotator->quit;
	my $versions = 3 + bk_long(10, 50);
	is(bk_value($node, $database, "SELECT max(version), count(*) FILTER (WHERE state = 'active') FROM bk_keys"), "$versions|1", "$database: the newest of $versions versions is active");
	is(bk_value($node, $database, 'SELECT count(*) FROM bk_verify_keys() WHERE NOT available'), 0, "$database: all can be had");
	is(bk_value($node, $database, 'SELECT number, problem FROM bk_audit_verify()'), '', "$database: and they are as the trail has it");
	like(bk_value($node, $database, $all_restore), qr/\|0$/, "$database: all backups can be restored");
}
is(sprintf('%04o', (stat $key_path)[2] & 07777), '0600', 'the file has mode 0600');
is_deeply([ glob "$key_path*" ], [$key_path], 'no temporary file is left');

# Four sessions of one catalog, each of which has seen the same versions when it comes to the lock: one of them makes the next.
my $holder = $node->background_psql('second');
$holder->query_safe('BEGIN; LOCK TABLE backup_service.key IN SHARE ROW EXCLUSIVE MODE;');
my @sessions = map { $node->background_psql('second', on_error_stop => 0) } 1 .. 4;
my $versions = bk_value($node, 'second', 'SELECT max(version) FROM bk_keys');
for (@sessions)
{
	$_->{stdin} .= "SELECT bk_key_rotate();\n\\echo it is over\n";
	$_->{run}->pump_nb;
}
$node->poll_query_until('second', "SELECT count(*) = 4 FROM pg_locks WHERE relation = 'backup_service.key'::regclass AND NOT granted")
  or die 'the rotations do not come to the lock';
$holder->query_safe('COMMIT;');
$holder->quit;
my ($made, $too_late) = (0, 0);
for (@sessions)
{
	ok(ends($_, 20), 'a rotation beside others ends');
	$made += $_->{stdout} =~ /^\d+$/m ? 1 : 0;
	$too_late += $_->{stderr} =~ /ERROR:  another session has made key version \d+ active at the same time/ ? 1 : 0;
	$_->quit;
}
is("$made $too_late", '1 3', 'one makes a version, the others are told that they were too late');
is(bk_value($node, 'second', 'SELECT max(version) FROM bk_keys'), $versions + 1, 'of which there is one more');
is(bk_value($node, 'second', 'SELECT count(*) FROM bk_verify_keys() WHERE NOT available'), 0, 'all can be had');

# A session whose snapshot is older than the rotation uses the new version afterwards.
$session = $node->background_psql('file', on_error_stop => 0);
$session->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_backups;");
my $now = bk_value($node, 'file', 'SELECT bk_key_rotate()');
$session->query("SELECT FROM bk_create('old snapshot', '{\"r\": \"old snapshot\"}');");
$session->query('COMMIT;');
$session->query_safe("SELECT FROM bk_create('new snapshot', '{\"r\": \"new snapshot\"}');");
$session->quit;
is(bk_value($node, 'file', "SELECT key_version FROM bk_list('new snapshot')"), $now, 'a session with an old snapshot uses the new version in its next transaction');

# How far the other catalog is ahead was chance; now it is, and this one takes what the file has until it needs a key of its own.
bk_value($node, 'second', 'SELECT bk_key_rotate()') for 1 .. 3;
$text = slurp_file($key_path);
my ($newest_key) = $text =~ /^(\d+):[0-9a-f]{64}\n\z/m;
while ($now < $newest_key)
{
	is(bk_value($node, 'file', 'SELECT bk_key_rotate()'), ++$now, 'a rotation takes the next version of the file');
}
is(slurp_file($key_path), $text, 'which stays as it is');

# The key file through a symbolic link, and one that only root or the owner may read: rotation adds to what is there.
rename $key_path, "$folder{safe}/keys" or die;
symlink "$folder{safe}/keys", $key_path or die;
$now = bk_value($node, 'file', 'SELECT bk_key_rotate()');
ok(-l $key_path, 'a symbolic link stays one');
like(slurp_file("$folder{safe}/keys"), qr/\A\Q$text\E$now:[0-9a-f]{64}\n\z/, 'the key was added to the file that it leads to');
note_keys(slurp_file($key_path));
unlink $key_path if -l $key_path;
rename "$folder{safe}/keys", $key_path unless -e $key_path;

# A backup that a running transaction makes under a version that is retired meanwhile.
$session = $node->background_psql('file', on_error_stop => 0);
$session->query_safe("BEGIN; SELECT FROM bk_create('late', '{\"r\": \"late\"}');");
my $retired = $now;
$now = bk_value($node, 'file', 'SELECT bk_key_rotate()');
run_shell((blocks('Rotation', 'sh'))[0], 'file');
bk_value($node, 'file', "SELECT bk_key_retire($retired)");
$session->query_safe('COMMIT;');
$session->quit;
is(bk_value($node, 'file', "SELECT state, backups FROM bk_keys WHERE version = $retired"), 'retired|1', 'a backup arrives under a retired version');
is(bk_value($node, 'file', "SELECT bk_read(backup_id) FROM bk_list('late')"), '{"r": "late"}', 'and can be restored');
is(bk_value($node, 'file', 'SELECT bk_rekey()'), 1, 'and re-wrapped');
is(bk_value($node, 'file', "SELECT key_version FROM bk_list('late')"), $now, 'to the active version');
like(bk_value($node, 'file', $all_restore), qr/\|0$/, 'all backups can be restored');

# bk_verify_keys with a file that lacks a version and has another wrong
$text = slurp_file($key_path);
note_keys($text);
my $wrong = random_key();
(my $spoiled = $text) =~ s/^2:.*\n//m;
$spoiled =~ s/^3:.*/3:$wrong/m;
write_file($key_path, $spoiled, 0600);
@verified = bk_rows($node, 'file', 'SELECT version, available, problem FROM bk_verify_keys() ORDER BY version LIMIT 3');
is_deeply([ map { "@$_[0, 1]" } @verified ], [ '1 t', '2 f', '3 f' ], 'one good, one missing, one wrong');
like($verified[1][2], qr/does not hold master key version 2/, 'the missing one is named');
like($verified[2][2], qr/version 3 is not the key/, 'and the wrong one');
write_file($key_path, $text, 0640);
bk_fails($node, 'file', "SELECT FROM bk_create('r', '1')", '58000', qr/can be accessed by others/, 'a mode that is too wide');
write_file($key_path, substr($text, 0, -10), 0600);
bk_fails($node, 'file', "SELECT FROM bk_create('r', '1')", '22023', qr/is malformed/, 'a file that was cut');
write_file($key_path, $text, 0600);
is(bk_value($node, 'file', 'SELECT count(*) FROM bk_verify_keys() WHERE NOT available'), 0, 'all is well when it is put right');
# A file that misses the active version is another's, or an old copy: a key that was added to it would be lost.
for my $strange ("1:$wrong\n", "# nothing\n")
{
	write_file($key_path, $strange, 0600);
	bk_fails($node, 'second', "SELECT FROM bk_create('r', '1')", '58000', qr/key version \d+/, 'no backup with a file that is not the one of this catalog');
	bk_fails($node, 'second', 'SELECT bk_key_rotate()', '58000', qr/key version \d+/, 'no rotation in a file that is not the one of this catalog');
	is(slurp_file($key_path), $strange, 'which stays as it is');
	write_file($key_path, $text, 0600);
}
rename $key_path, "$key_path.kept" or die;
bk_fails($node, 'second', 'SELECT bk_key_rotate()', '58000', qr/does not exist/, 'no rotation without the file');
ok(!-e $key_path, 'and none is made');
rename "$key_path.kept", $key_path or die;
# What a session remembers of a file, it does not for long, even within a statement.
sleep 2;
bk_fails($node, 'second', "DO \$\$ BEGIN PERFORM FROM bk_create('r', '1'); PERFORM FROM bk_create('r', '2');"
	. " COPY (SELECT WHERE false) TO PROGRAM 'mv $key_path $key_path.kept'; PERFORM pg_sleep(0.2); PERFORM FROM bk_create('r', '3'); END \$\$",
	'58000', qr/does not exist/, 'taking the file away stops a statement that makes backups');
rename "$key_path.kept", $key_path or die;

# ----- Rotation and re-wrapping beside creates and restores.
bk_value($node, 'file', "SELECT FROM generate_series(0, 199) i, LATERAL bk_create('load' || i % 20, jsonb_build_object('r', 'load' || i % 20, 'i', i), 'incremental')");
my $newest = bk_value($node, 'file', 'SELECT max(backup_id) FROM bk_backups');
$before = bk_value($node, 'file', "$payloads WHERE backup_id <= $newest");
my $load = "$place/load.sql";
write_file($load, <<'LOAD');
\set r random(0, 19)
SELECT FROM bk_create('load' || :r, jsonb_build_object('r', 'load' || :r, 'x', random()), (ARRAY['full', 'incremental', 'differential'])[1 + (random() * 2)::int]);
SELECT count(bk_read(backup_id)) FROM bk_list('load' || :r, max_rows => 2);
SELECT count(bk_restore(backup_id, resource_id => resource_id)) FROM bk_list('load' || :r, max_rows => 1);
LOAD
my $seconds = bk_long(2.5, 60);
my $bench_output = '';
my $bench = IPC::Run::start([ 'pgbench', '-n', '-c', 4, '-T', int($seconds + 0.5), '-f', $load, 'file' ], '>', \$bench_output, '2>&1');
my ($rotations, $rekeyed, $end) = (0, 0, time + $seconds - 0.5);
while (time < $end)
{
	bk_value($node, 'file', 'SELECT bk_key_rotate()');
	$rotations++;
	for (1 .. 6)
	{
		$rekeyed += bk_value($node, 'file', 'SELECT bk_rekey(50)');
		last if time >= $end;
	}
}
$bench->finish;
is($bench->result(0), 0, 'the load did not fail') or diag($bench_output);
unlike($bench_output, qr/aborted|ERROR/, 'nor one of its calls');
my ($transactions) = $bench_output =~ /actually processed: (\d+)/;
diag("$transactions turns of load beside $rotations rotations and $rekeyed re-wrapped data keys");
cmp_ok($transactions, '>', 10, 'there was a load');
cmp_ok($rekeyed, '>=', 50, 'and re-wrapping');
run_shell((blocks('Rotation', 'sh'))[0], 'file');
is(bk_value($node, 'file', "SELECT count(DISTINCT key_version), max(key_version) = (SELECT version FROM bk_keys WHERE state = 'active') FROM bk_backups"), '1|t', 'then every backup uses the active version');
like(bk_value($node, 'file', $all_restore), qr/\|0$/, 'and can be restored');
is(bk_value($node, 'file', "$payloads WHERE backup_id <= $newest"), $before, 'no payload was touched');

# ----- From the file to a command, and back.
note_keys(slurp_file($key_path));
unlink glob "$folder{store}/vault.*";
run_shell((blocks('From the key file to a command', 'sh'))[0], 'file');
configure(blocks('HashiCorp Vault', 'conf'));
my ($verify) = blocks('From the key file to a command', 'sql');
unlike(bk_value($node, 'file', $verify), qr/\|f\|/, 'all keys come from the command');
rename $key_path, "$folder{safe}/moved" or die;
is(bk_value($node, 'file', "SELECT bk_read(backup_id) ->> 'r' FROM bk_list('load1', max_rows => 1)"), 'load1', 'restored through it');
$output = run_shell((blocks('And back', 'sh'))[0], 'file');
is(sprintf('%04o', (stat "$folder{etc}/backup_service.key")[2] & 07777), '0600', 'the file is made with mode 0600');
configure(blocks('And back', 'conf'));
unlike(bk_value($node, 'file', $verify), qr/\|f\|/, 'all keys come from the file');
is(bk_value($node, 'file', "SELECT bk_read(backup_id) ->> 'r' FROM bk_list('load1', max_rows => 1)"), 'load1', 'restored through it');
bk_value($node, 'file', 'SELECT bk_key_rotate()');
note_keys(slurp_file("$folder{etc}/backup_service.key"));
backup('file', 'r1');
rename "$folder{safe}/moved", $key_path or die;
my @left = grep { !$used{$_} } map { my $h = $_; map { "$h: $_->[0]" } @{ $page{$h} } } keys %page;
is_deeply(\@left, [], 'no block of the page was left out');

# ----- The last version that there can be.
bk_database($node, 'last');
my $last_key = random_key();
write_file("$folder{etc}/last.key", "2147483647:$last_key\n", 0600);
configure("backup_service.key_file = '$folder{etc}/last.key'");
is(backup('last', 'r'), 1, 'a catalog that begins with version 2147483647');
($status, $output, $messages) = bk_run($node, 'last', 'SELECT bk_key_rotate()');
isnt($status, 0, 'has no next one');
unlike($messages, qr/XX000|server closed/, 'and says so properly') or diag($messages);
is(slurp_file("$folder{etc}/last.key"), "2147483647:$last_key\n", 'the file is as it was');
configure();

# ----- Rights.
bk_value($node, 'file', 'CREATE ROLE k_user IN ROLE backup_service_user; CREATE ROLE k_operator IN ROLE backup_service_operator; CREATE ROLE k_auditor IN ROLE backup_service_auditor; CREATE ROLE k_nobody');
for my $role (qw(k_user k_auditor k_nobody))
{
	bk_fails($node, 'file', "SET ROLE $role; SELECT $_", '42501', qr/permission denied/, "$role: $_")
	  for 'bk_key_rotate()', 'bk_rekey()', 'bk_key_retire(1)', 'bk_key_copied(1)', 'bk_verify_keys()';
	# the server knows who may see a setting once the library is loaded
	bk_fails($node, 'file', "LOAD 'backup_service'; SET ROLE $role; SHOW $_", '42501', qr/permission denied|must be superuser/, "$role: $_")
	  for map { "backup_service.$_" } qw(key_command key_file);
}
bk_fails($node, 'file', "SET ROLE $_; SELECT FROM bk_keys", '42501', qr/permission denied/, "$_: bk_keys") for qw(k_user k_nobody);
like(bk_value($node, 'file', "SET ROLE $_; SELECT count(*) FROM bk_keys"), qr/^\d+$/, "$_: bk_keys") for qw(k_auditor k_operator);
configure("backup_service.key_file = '$folder{etc}/backup_service.key'");
like(bk_value($node, 'file', 'SET ROLE k_operator; SELECT bk_key_rotate()'), qr/^\d+$/, 'an operator rotates');
note_keys(slurp_file("$folder{etc}/backup_service.key"));
like(bk_value($node, 'file', 'SET ROLE k_operator; SELECT bk_rekey(10)'), qr/^10$/, 're-wraps');
is(bk_value($node, 'file', 'SET ROLE k_operator; SELECT count(*) FROM bk_verify_keys() WHERE NOT available'), 0, 'and looks');
is(bk_value($node, 'file', "SET ROLE k_operator; SELECT bk_key_copied(1)"), '', 'and notes a copy');

# ----- None of the keys is in the data directory, the log or a dump.
$node->safe_psql('file', "SELECT FROM bk_create('control', jsonb_build_object('r', 'control'), encrypt => false, compression => 'none')");
$node->safe_psql('postgres', 'CHECKPOINT');
for my $database (qw(file command))
{
	IPC::Run::run([ 'pg_dump', '-d', $database ], '>', "$folder{safe}/$database.dump") or die;
}
# halves too, should a key have been cut
my @halves = map { (substr($_, 0, 32), substr($_, 32)) } keys %keys;
cmp_ok(scalar keys %keys, '>', 30, 'many keys were used');
my @needles = map { ($_, uc $_, pack 'H*', $_) } @halves;
my @dumps = glob "$folder{safe}/*.dump";
my $fingerprint = hmac_sha256('backup_service key fingerprint 1', pack 'H*', (slurp_file($key_path) =~ /^1:([0-9a-f]{64})/m)[0]);
my @control = bk_files_with($node, \@dumps, $fingerprint, unpack('H*', $fingerprint));
ok(scalar(grep { m{/base/} } @control) && scalar(grep { m{/pg_wal/} } @control) && scalar(grep { m{\.dump$} } @control), 'the search finds a fingerprint in table, WAL and dump');
is_deeply([ bk_files_with($node, \@dumps, @needles) ], [], 'no master key is anywhere');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|WARNING:  [^\n]*(?:leak|buffer refcount)/, 'the log is clean');
ok(slurp_file($node->logfile) =~ /bk_key_rotate/, 'statements are in the log');
# what the page says that one sees, was seen here
my $wrong_section = (split /^## /m, slurp_file("$root/docs/keys.md"))[-1];
my %messages = map { $_ => 1 } $wrong_section =~ /^\| [0-9A-Z]{5} \| `(.*?)` \|/mg;
cmp_ok(scalar keys %messages, '>', 9, 'the page has a table of messages');
for my $message (sort keys %messages)
{
	my $pattern = join '.*', map { quotemeta } split /(?:…|\bN\b)/, $message;
	like(slurp_file($node->logfile), qr/ERROR:  [0-9A-Z]{5}: $pattern/, "seen: $message");
}
my @secret = grep { /\Q$canary\E/ } split /\n/, slurp_file($node->logfile);
is_deeply(\@secret, [], 'nor is what commands wrote to standard error') or diag(join "\n", @secret[ 0 .. 2 ]);
$node->stop;
done_testing();
