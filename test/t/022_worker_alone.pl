# Without shared_preload_libraries: what does bk_worker_start() do, and does all else go on without it?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

my $node = bk_start('alone', conf => "log_line_prefix = '%m [%p] %b %e '\nrestart_after_crash = on\nbackup_service.worker_idle_timeout = 0\nmax_prepared_transactions = 2\n");

# Reading leaves an event to be sealed, and wakes the worker.
sub read_something
{
	$node->safe_psql('postgres', 'SELECT bk_read(1)');
	return;
}

sub unsealed { return bk_value($node, 'postgres', 'SELECT count(*) FROM backup_service.audit_unsealed'); }
sub sealed { return bk_wait_for(LATCH_WAIT, sub { unsealed() == 0 }); }

# Nobody works before it is asked for, and nothing misses it.
$node->safe_psql('postgres', q{SELECT FROM bk_create('r', '{"a": 1}')});
read_something();
is(launcher_pid($node) . worker_pid($node, 'postgres'), '', 'there is neither launcher nor worker');
is(unsealed(), 1, 'a read waits for somebody to seal it');
is(bk_value($node, 'postgres', q{BEGIN; SELECT bk_read(1); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'; SELECT bk_audit_seal()}), qq({"a": 1}\n2), 'the functions do without a worker');
read_something();

# One worker, for this database.
$node->safe_psql('postgres', 'CREATE ROLE regress_bk_user IN ROLE backup_service_user; CREATE ROLE regress_bk_operator IN ROLE backup_service_operator');
bk_fails($node, 'postgres', 'SET ROLE regress_bk_user; SELECT bk_worker_start()', '42501', qr/permission denied for function bk_worker_start/, 'it is the operator who starts a worker');
my ($pid, $seen) = split /\|/, bk_value($node, 'postgres', 'SET ROLE regress_bk_operator; SELECT pid, (SELECT count(*) FROM pg_stat_activity a WHERE a.pid = s.pid) FROM (SELECT bk_worker_start() AS pid OFFSET 0) s');
like($pid, qr/^\d+$/, 'bk_worker_start() gives a process');
is($seen, 1, 'that can be seen at once');
ok(sealed(), 'which does what has been waiting');
is(worker_pid($node, 'postgres'), $pid, 'and is seen in pg_stat_activity');
bk_fails($node, 'postgres', 'SELECT bk_worker_start()', '55006', qr/a worker of this database is running\nDETAIL:  It is process $pid\.\nHINT:  To start another one, end that one with pg_terminate_backend\($pid\)/, 'a second one is refused');
read_something();
ok(sealed(), 'woken, it works');
ok(worker_rests($node, 'postgres'), 'rests');
is(worker_pid($node, 'postgres'), $pid, 'and stays, whatever worker_idle_timeout says');
$node->safe_psql('postgres', q{BEGIN; SELECT bk_read(1); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'});
ok(sealed(), 'COMMIT PREPARED in a session that has used the extension wakes it');

# Another database has its own.
bk_database($node, 'other');
my $other = bk_value($node, 'other', 'SELECT bk_worker_start()');
isnt($other, $pid, 'another database has a worker of its own');
bk_value($node, 'postgres', "SELECT pg_terminate_backend($pid)");
ok(worker_wait_gone($node, 'postgres'), 'pg_terminate_backend() ends one');
$pid = bk_value($node, 'postgres', 'SELECT bk_worker_start()');
ok($pid && bk_wait_for(LATCH_WAIT, sub { worker_pid($node, 'postgres') eq $pid }), 'and another one can be started');
is(worker_pid($node, 'other'), $other, 'that of the other database goes on');

# A version that does not fit is said once; new processes try until it does.
my $offset = -s $node->logfile;
$node->safe_psql('postgres', q{UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'backup_service'});
read_something();
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /55000 WARNING:  library version \S+ of backup_service cannot serve version 0\.0\.1 of the extension in database "postgres"/ }), 'another version is refused');
my $second = worker_pid($node, 'postgres');
isnt($second, $pid, 'by a new process, with the library as it is now');
ok(bk_wait_for(LATCH_WAIT, sub { my $third = worker_pid($node, 'postgres'); $third && $third ne $second }), 'new processes try again');
read_something();
$node->safe_psql('postgres', q{UPDATE pg_extension SET extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'backup_service') WHERE extname = 'backup_service'});
ok(sealed(), 'the one that fits works');
is(scalar(() = worker_log($node, $offset) =~ /cannot serve version/g), 1, 'it was said once');
unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC):/, 'no error');

# The extension and the database go.
$offset = -s $node->logfile;
$node->safe_psql('postgres', 'SELECT bk_read(1); DROP EXTENSION backup_service');
ok(worker_wait_gone($node, 'postgres'), 'DROP EXTENSION in a session that has used it ends the worker');
$node->safe_psql('postgres', 'DROP DATABASE other WITH (FORCE)');
is(worker_pid($node, 'other'), '', 'DROP DATABASE WITH (FORCE) ends one too');
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
$pid = bk_value($node, 'postgres', 'SELECT bk_worker_start()');
ok($pid, 'a new extension has a new worker');
my @said = worker_log($node, $offset) =~ /((?:ERROR|FATAL|PANIC|WARNING):.*)/g;
is("@said", 'WARNING:  all backups are lost with extension "backup_service"', 'nothing was wrong, but for what DROP EXTENSION says');

# The server stops, with and without grace.
worker_rests($node, 'postgres');
kill 'KILL', $pid;
bk_wait_for(LATCH_WAIT, sub { !kill 0, $pid });
bk_wait_ready($node, LATCH_WAIT);
is(worker_pid($node, 'postgres'), '', 'after a crash it is to be started again');
ok(bk_value($node, 'postgres', 'SELECT bk_worker_start()'), 'which can be done');
worker_rests($node, 'postgres');
$offset = -s $node->logfile;
$node->stop('fast');
unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC|WARNING):/, 'a shutdown ends it without a word');

# No slot.
$node->append_conf('postgresql.conf', "max_worker_processes = 0\nmax_parallel_workers = 0\nmax_logical_replication_workers = 0");
$node->start;
bk_fails($node, 'postgres', 'SELECT bk_worker_start()', '53000', qr/no background worker slot is free\nHINT:  Raise max_worker_processes/, 'without a worker slot it says so');
$node->stop;
done_testing();
