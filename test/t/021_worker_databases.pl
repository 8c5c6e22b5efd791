# Which databases does the worker serve, is it in the way of statements on them, and what if there are too few slots?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use WorkerTest;

my $node = worker_cluster('databases', conf => "backup_service.worker_idle_timeout = '1h'\nmax_worker_processes = 12\n");

sub log_size { return -s $node->logfile; }

# Nobody is served at first.  Three databases with the extension, a template with it, and one without.
$node->append_conf('postgresql.conf', 'backup_service.databases = nonesuch');
$node->start;
for my $database ('one', 'Two', 'three', 'model')
{
	$node->safe_psql('postgres', qq{CREATE DATABASE "$database"});
	$node->safe_psql($database, 'CREATE EXTENSION backup_service');
	worker_jobs($node, $database);
	$node->safe_psql($database, q{INSERT INTO worker_test.todo (what) VALUES ('at start')});
}
$node->safe_psql('postgres', 'CREATE DATABASE bare; ALTER DATABASE model IS_TEMPLATE true');
worker_jobs($node, 'bare');
$node->safe_psql('bare', q{INSERT INTO worker_test.todo (what) VALUES ('without the extension')});
$node->stop;

# Those that are listed, case and all.
$node->append_conf('postgresql.conf', qq{backup_service.databases = 'ONE, "Two", nonesuch'\nlog_min_messages = debug1\n});
my $offset = log_size();
$node->start;
ok(worker_wait_done($node, $_, 'at start'), "$_, which is listed, is found at the server's start") for 'one', 'Two';
worker_rests($node, $_) for 'one', 'Two';
worker_todo($node, 'three', 'not yet');
worker_todo($node, 'one', 'listed');
worker_wait_done($node, 'one', 'listed');
is(worker_done($node, 'three', 'at start') . worker_done($node, 'three', 'not yet'), '00', 'one that is not listed is not served, whoever wakes it');

# The list changes: who leaves it ends, who enters it comes.
$node->append_conf('postgresql.conf', q{backup_service.databases = 'three, one'});
$node->reload;
ok(worker_wait_done($node, 'three', 'at start') && worker_wait_done($node, 'three', 'not yet'), 'listed after a reload, it is served');
ok(worker_wait_gone($node, 'Two'), 'and the worker of one that is no longer listed ends');
$node->append_conf('postgresql.conf', q{backup_service.databases = ''});
$node->reload;
worker_todo($node, 'Two', 'all');
ok(worker_wait_done($node, 'Two', 'all'), 'an empty list means all');
worker_rests($node, 'Two');
is(bk_value($node, 'postgres', q{SELECT string_agg(datname, ' ' ORDER BY lower(datname)) FROM pg_stat_activity WHERE backend_type = 'backup_service worker'}), 'one three Two', 'each has a worker; those without the extension, and templates, have none');
is(worker_done($node, 'model', 'at start') . worker_done($node, 'bare', 'without the extension'), '00', 'and nothing is done there');
$node->append_conf('postgresql.conf', q{backup_service.databases = 'a b'});
$node->reload;
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /invalid value for parameter "backup_service.databases": "a b"/ }), 'a list that is none is refused');
$node->append_conf('postgresql.conf', q{backup_service.databases = ''});
$node->reload;

# Statements that PostgreSQL refuses while somebody is connected: not because of a worker at rest.
$offset = log_size();
worker_rests($node, 'one');
ok(worker_pid($node, 'one'), 'a worker rests in one');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE one');
ok(worker_wait_done($node, 'copy', 'listed'), 'a database can be copied beside its worker');
worker_todo($node, 'copy', 'in the copy');
ok(worker_wait_done($node, 'copy', 'in the copy'), 'and the copy is served, without CREATE EXTENSION');
worker_rests($node, 'copy');
$node->safe_psql('postgres', 'ALTER DATABASE copy RENAME TO renamed');
worker_todo($node, 'renamed', 'renamed');
ok(worker_wait_done($node, 'renamed', 'renamed'), 'renamed beside its worker, it is served');
worker_rests($node, 'renamed');
my $begin = time;
$node->safe_psql('postgres', 'DROP DATABASE renamed');
cmp_ok(time - $begin, '<', 4, 'DROP DATABASE beside a worker at rest is done at once');
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE three');
worker_todo($node, 'copy', 'again');
ok(worker_wait_done($node, 'copy', 'again'), 'another database of that name');
worker_rests($node, 'copy');
$node->safe_psql('postgres', 'CREATE ROLE regress_bk_owner LOGIN; ALTER DATABASE copy OWNER TO regress_bk_owner; CREATE ROLE regress_bk_other LOGIN');
my $pid = worker_pid($node, 'copy');
bk_fails($node, 'postgres', 'SET ROLE regress_bk_other; DROP DATABASE copy', '42501', qr/must be owner of database copy/, 'DROP DATABASE by a role that may not');
is(worker_pid($node, 'copy'), $pid, 'does not disturb the worker');
$node->safe_psql('postgres', 'SET ROLE regress_bk_owner; DROP DATABASE copy WITH (FORCE)');
pass('an owner who is no superuser can drop a database WITH (FORCE) beside a worker at rest');
unlike(worker_log($node, $offset), qr/(FATAL|PANIC|WARNING):|ERROR:  (?!must be owner)/, 'and nothing is wrong');

# With FORCE also beside a running batch.
$offset = log_size();
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE three');
$node->safe_psql('copy', q{SELECT setval('worker_test.attempt', 1, false)});
worker_todo($node, 'copy', 'sleep');
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'copy' AND wait_event = 'PgSleep'}) }), 'a batch runs');
$node->safe_psql('postgres', 'DROP DATABASE copy WITH (FORCE)');
is(bk_value($node, 'postgres', q{SELECT count(*) FROM pg_database WHERE datname = 'copy'}), 0, 'DROP DATABASE WITH (FORCE)');
worker_todo($node, 'one', 'afterwards');
ok(worker_wait_done($node, 'one', 'afterwards'), 'others are served');
# A worker that failed is started again after a second or so; this one must not be.
bk_wait_for(2, sub { 0 });
like(worker_log($node, $offset), qr/57P01 FATAL:  terminating background worker/, 'the log says that the worker was ended');
unlike(worker_log($node, $offset), qr/(ERROR|PANIC|WARNING):|FATAL:  (?!terminating background worker)/, 'and nothing else');
is(scalar(() = worker_log($node, $offset) =~ /FATAL:/g), 1, 'once');

# Databases that come and go while they are looked at.
$offset = log_size();
for my $n (1 .. 3)
{
	$node->safe_psql('postgres', "CREATE DATABASE brief$n TEMPLATE three");
	$node->safe_psql('postgres', "DROP DATABASE brief$n");
}
worker_todo($node, 'one', 'after brief ones');
ok(worker_wait_done($node, 'one', 'after brief ones'), 'brief databases do no harm');
unlike(worker_log($node, $offset), qr/(ERROR|PANIC|WARNING):/, 'nor do they make errors');
cmp_ok(scalar(() = worker_log($node, $offset) =~ /FATAL:/g), '<=', 3, 'at most that one is gone');

# A worker may be looking into a new database just when the extension is created there: none is overlooked.
for my $n (1 .. 8)
{
	$node->safe_psql('postgres', "CREATE DATABASE new$n");
	$node->safe_psql("new$n", 'CREATE EXTENSION backup_service');
}
for my $n (1 .. 8)
{
	ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, "new$n", q{SELECT count(*) FROM backup_service.job WHERE name = 'scrub'}) == 1 }), "a worker has been in new$n");
}
$node->stop;

# One slot for two databases: the second one waits, which is said once.
$node->append_conf('postgresql.conf', "max_worker_processes = 3\nmax_parallel_workers = 0\n");
$offset = log_size();
$node->start;
my $holder = $node->background_psql('one');
$holder->query('SELECT pg_advisory_lock(42)');
worker_todo($node, 'one', 'lock slot');
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'one' AND wait_event = 'advisory' AND backend_type = 'backup_service worker'}) }), 'the only slot is taken');
worker_todo($node, 'Two', 'wait for a slot');
worker_todo($node, 'three', 'wait for a slot');
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /53000 WARNING:  no background worker slot is free for backup_service/ }), 'that is said');
like(worker_log($node, $offset), qr/HINT:  Raise max_worker_processes, which is 3\./, 'with what to do');
is(worker_done($node, 'Two', 'wait for a slot'), 0, 'work waits');
$holder->query('SELECT pg_advisory_unlock(42)');
ok(worker_wait_done($node, $_, 'wait for a slot'), "and is done in $_ when there is a slot") for 'Two', 'three';
worker_todo($node, 'one', 'wait for a slot');
ok(worker_wait_done($node, 'one', 'wait for a slot'), 'a worker at rest leaves its slot to one that has work');
is(scalar(() = worker_log($node, $offset) =~ /no background worker slot/g), 1, 'the want of slots was said once');
unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC):/, 'no error');
$holder->quit;
$node->stop;
done_testing();
