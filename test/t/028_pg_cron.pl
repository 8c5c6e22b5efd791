# Does the example of docs/schedule.md make backups by itself?  Its statements are taken from the page; the hour is made a
# minute, pg_cron's shortest.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $share = qx($ENV{PG_CONFIG} --sharedir);
chomp $share;
plan skip_all => 'pg_cron is not installed' unless -e "$share/extension/pg_cron.control";

# The page's blocks of a language.
my $page = slurp_file("$FindBin::RealBin/../../docs/schedule.md");
sub blocks
{
	my ($language) = @_;
	return $page =~ /^```\Q$language\E\n(.*?)^```$/msg;
}

my ($settings) = blocks('ini');
my ($schedule, $look) = blocks('sql');
my $node = bk_cluster('cron', conf => $settings);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
ok($schedule =~ s/'0 \* \* \* \*'/'* * * * *'/, 'the page says every hour');
$node->safe_psql('postgres', $schedule);
$node->safe_psql('postgres', q{INSERT INTO orders VALUES (1, 'tea', 2), (2, 'milk', 1)});

ok(bk_wait_for(150, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM bk_list('shop/orders')}) > 0 }), 'a backup is made')
  or diag(bk_value($node, 'postgres', 'SELECT status, return_message FROM cron.job_run_details'));
is(bk_value($node, 'postgres', q{SELECT bk_read(backup_id) FROM bk_list('shop/orders', max_rows => 1)}),
	'[{"id": 1, "article": "tea", "quantity": 2}, {"id": 2, "article": "milk", "quantity": 1}]', 'of what the query gives');
is(bk_value($node, 'postgres', q{SELECT resource_type, source FROM bk_list('shop/orders', max_rows => 1)}), 'table|pg_cron', 'with its labels');
is(bk_value($node, 'postgres', 'SELECT DISTINCT status FROM cron.job_run_details'), 'succeeded', 'pg_cron says so too');
my ($status, $output, $messages) = bk_run($node, 'postgres', $look);
is($status, 0, 'the page says how to look') or diag($messages);
$node->stop;
done_testing();
