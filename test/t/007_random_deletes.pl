# Does any sequence of backups, deletions and consolidations leave every remaining backup, and every time,
# restorable as a model in Perl says?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = bk_seed();
my $sequences = bk_long(4, 40);
my $steps = bk_long(120, 400);
my $node = bk_start('random');
my @resources = qw(one two three);
my $max_chain;
my $max_points;
my $session;

# The model: resource -> { backups => { id => backup }, points => [...], made => n, document => [...] };
# a backup is { id, type, base, at, document }, a point { id, at, removed }; at counts microseconds.
my %model;

# A small change of a document, which is a hash of a scalar, a list and an object.
sub edit
{
	my ($document) = @_;
	my ($scalar, @rest) = @{ $document || [ 0, [], {} ] };
	my @list = @{ $rest[0] };
	my %object = %{ $rest[1] };
	for (1 .. bk_random(0, 3))
	{
		my $what = int rand 5;
		$scalar = (bk_random(0, 9), '"text"', '1.0', '1.00', 'null', '{}', '[]')[ rand 7 ] if $what == 0;
		splice @list, int rand(@list + 1), 0, bk_random(0, 4) if $what == 1;
		splice @list, int rand @list, 1 if $what == 2 && @list;
		$object{ 'k' . bk_random(0, 5) } = bk_random(0, 3) if $what == 3;
		delete $object{ 'k' . bk_random(0, 5) } if $what == 4;
	}
	return [ $scalar, \@list, \%object ];
}

sub text_of
{
	my ($document) = @_;
	my ($scalar, $list, $object) = @$document;
	return '[]' if !@$list && !%$object && $scalar eq '[]';
	return sprintf '{"scalar": %s, "list": [%s], "object": {%s}, "same": "abc"}', $scalar, join(', ', @$list), join ', ', map { qq("$_": $object->{$_}) } sort keys %$object;
}

sub query
{
	my ($sql) = @_;
	$session->{stderr} = '';
	my $output = $session->query($sql);
	my $messages = $session->{stderr};
	$session->{stderr} = '';
	return ($output, $messages);
}

# Backups of a resource, oldest first.
sub backups
{
	my ($resource) = @_;
	return sort { $a->{at} <=> $b->{at} } values %{ $model{$resource}{backups} };
}

sub dependents
{
	my ($resource, $id) = @_;
	return grep { $_->{base} == $id } backups($resource);
}

sub all_dependents
{
	my ($resource, $id) = @_;
	return map { ($_, all_dependents($resource, $_->{id})) } dependents($resource, $id);
}

sub chain_length
{
	my ($resource, $backup) = @_;
	return 1 + ($backup->{base} ? chain_length($resource, $model{$resource}{backups}{ $backup->{base} }) : 0);
}

sub create
{
	my ($resource) = @_;
	my $state = $model{$resource} ||= { backups => {}, points => [], made => 0 };
	my $type = (qw(full incremental incremental incremental differential differential))[ rand 6 ];
	my $document = $state->{document} = edit($state->{document});
	my @candidates = grep { $type eq 'incremental' || $_->{type} eq 'full' } backups($resource);
	my $base = $type eq 'full' ? undef : $candidates[-1];
	$base = undef if $base && chain_length($resource, $base) >= $max_chain;
	my $codec = (qw(gzip zstd none))[ rand 3 ];
	my $encrypt = rand() < 0.7 ? 'true' : 'false';
	my ($output, $messages) = query(sprintf q{SELECT backup_id, type, coalesce(base_id, 0), (extract(epoch FROM created_at) * 1000000)::bigint FROM bk_create('%s', '%s', '%s', compression => '%s', encrypt => %s)},
		$resource, text_of($document), $type, $codec, $encrypt);
	my ($id, $made, $base_id, $at) = split /\|/, $output;
	return "create failed: $messages" unless $at;
	my %backup = (id => $id, type => $base ? $type : 'full', base => $base ? $base->{id} : 0, at => $at, document => text_of($document));
	return "create of $type: $output, expected $backup{type} on $backup{base}" if $made ne $backup{type} || $base_id != $backup{base};
	return 'no notice' if ($type ne 'full' && !$base) != ($messages =~ /NOTICE: .* is made full/ ? 1 : 0);
	$state->{backups}{$id} = \%backup;
	push @{ $state->{points} }, { id => $id, at => $at, removed => 0 };
	if (++$state->{made} > $max_points)
	{
		my @live = grep { !$_->{removed} } @{ $state->{points} };
		@{ $state->{points} } = grep { $_->{at} >= $live[-$max_points]{at} } @{ $state->{points} } if @live >= $max_points;
	}
	return;
}

sub make_full
{
	my ($backup) = @_;
	@$backup{qw(type base)} = ('full', 0);
	return;
}

sub remove
{
	my ($resource) = @_;
	my @all = backups($resource) or return;
	my $id = $all[ rand @all ]{id};
	my $how = (qw(consolidate consolidate cascade restrict))[ rand 4 ];
	my ($output, $messages) = query("SELECT bk_delete($id, '$how')");
	my @on_it = dependents($resource, $id);
	my @doomed = $id;
	if ($how eq 'restrict' && @on_it)
	{
		return $messages =~ /ERROR:  55006: / ? undef : "restrict: $output $messages";
	}
	push @doomed, map { $_->{id} } all_dependents($resource, $id) if $how eq 'cascade';
	return "delete $id, $how: '$output' instead of " . @doomed . " $messages" if $output ne @doomed;
	if ($how eq 'consolidate')
	{
		make_full($_) for @on_it;
	}
	my %doomed = map { $_ => 1 } @doomed;
	delete @{ $model{$resource}{backups} }{@doomed};
	$doomed{ $_->{id} } and $_->{removed} = 1 for @{ $model{$resource}{points} };
	return;
}

sub consolidate
{
	my ($resource) = @_;
	my @all = backups($resource) or return;
	my $backup = $all[ rand @all ];
	my ($output, $messages) = query("SELECT type, base_id FROM bk_consolidate($backup->{id})");
	return "consolidate $backup->{id}: $output $messages" if $output ne 'full|';
	make_full($backup);
	return;
}

# The answer for a time: a document, or the reason why there is none.
sub restore_at
{
	my ($resource) = @_;
	my @points = @{ $model{$resource}{points} };
	my $at = @points ? $points[ rand @points ]{at} + bk_random(-1, 1) : 0;
	$at = $points[0]{at} - 1 if @points && rand() < 0.1;
	$at += 60_000_000 if rand() < 0.1;
	my $nearest = rand() < 0.5 ? 'true' : 'false';
	my @before = grep { $_->{at} <= $at } @points;
	my @live = grep { !$_->{removed} } @before;
	my ($output, $messages) = query(sprintf q{SELECT md5(bk_restore_at('%s', 'epoch'::timestamptz + %d * interval '1 second' + %d * interval '1 microsecond', nearest => %s)::text)},
		$resource, int($at / 1_000_000), $at % 1_000_000, $nearest);
	my $exact = @before && !$before[-1]{removed};
	if (!@live || !$exact && $nearest eq 'false')
	{
		return if $messages =~ /ERROR:  42704: resource "$resource" has no state of /;
		return "restore_at $at: $output, $messages instead of 42704";
	}
	my $backup = $model{$resource}{backups}{ $live[-1]{id} };
	my ($expected) = query("SELECT md5('$backup->{document}'::jsonb::text)");
	return "restore_at $at: $output, $messages instead of backup $backup->{id}" if $output ne $expected;
	return 'no warning' if !$exact != ($messages =~ /WARNING: .* has no state of / ? 1 : 0);
	return;
}

# Every backup that the model has is there, with its type and base, and restores; and no other.
sub check_all
{
	my @rows;
	for my $resource (sort keys %model)
	{
		push @rows, map { "($_->{id}, '$resource', '$_->{type}', $_->{base}, '$_->{document}'::jsonb)" } backups($resource);
	}
	return unless @rows;
	my ($output, $messages) = query(q{
SELECT count(*), count(*) FILTER (WHERE b.backup_id IS NULL OR m.id IS NULL OR (b.resource_id, b.type, coalesce(b.base_id, 0)) IS DISTINCT FROM (m.resource, m.type, m.base)),
	   count(*) FILTER (WHERE b.backup_id IS NOT NULL AND bk_read(b.backup_id)::text IS DISTINCT FROM m.document::text),
	   (SELECT count(*) FROM backup_service.chunk c LEFT JOIN backup_service.backup x USING (resource_id, backup_id) WHERE x.backup_id IS NULL)
  FROM bk_backups b FULL JOIN (VALUES } . join(', ', @rows) . q{) m(id, resource, type, base, document) ON m.id = b.backup_id});
	return $output eq @rows . '|0|0|0' ? undef : "all: $output of " . @rows . " $messages";
}

for my $sequence (1 .. $sequences)
{
	my $database = "sequence$sequence";
	bk_database($node, $database);
	%model = ();
	$max_chain = (100, 5, 2, 1)[ ($sequence - 1) % 4 ];
	$max_points = (100, 6, 100, 3)[ ($sequence - 1) % 4 ];
	$session = $node->background_psql($database, on_error_stop => 0);
	query("\\set VERBOSITY verbose\nSET backup_service.max_chain_length = $max_chain; SET backup_service.max_snapshots = $max_points");
	my $problem;
	my %done;
	for my $step (1 .. $steps)
	{
		my $resource = $resources[ rand @resources ];
		my $choice = $model{$resource} ? int rand 10 : 0;
		my ($name, $action) = $choice < 4 ? (create => \&create) : $choice < 6 ? (delete => \&remove) : $choice < 7 ? (consolidate => \&consolidate) : (restore_at => \&restore_at);
		$done{$name}++;
		$problem = $action->($resource);
		$problem ||= check_all() if $name ne 'restore_at' && ($step % 3 == 0 || $step == $steps);
		next unless $problem;
		$problem = "step $step, $name of $resource: $problem";
		last;
	}
	is($problem, undef, "sequence $sequence (chains up to $max_chain, $max_points points): " . join ', ', map { "$done{$_} $_" } sort keys %done);
	my ($left) = query('SELECT count(*) FROM bk_backups');
	my ($valid) = query(q{SELECT count(*) FROM bk_backups WHERE (bk_verify(backup_id) -> 'valid')::bool});
	is($valid, $left, "all $left verify");
	# deleting everything, in any order
	my @ids = map { $_->{id} } map { backups($_) } sort keys %model;
	my @order = sort { rand() <=> 0.5 } @ids;
	my $gone = 0;
	$problem = undef;
	for my $id (@order)
	{
		my ($output, $messages) = query("SELECT bk_delete($id)");
		my ($resource) = grep { $model{$_}{backups}{$id} } keys %model;
		make_full($_) for dependents($resource, $id);
		delete $model{$resource}{backups}{$id};
		$problem ||= "delete $id: $output $messages" if $output ne '1';
		$problem ||= check_all() if ++$gone % 5 == 0;
	}
	is($problem, undef, "all are deleted one by one");
	my ($rest) = query('SELECT (SELECT count(*) FROM backup_service.backup), (SELECT count(*) FROM backup_service.chunk)');
	is($rest, '0|0', 'nothing is left');
	$session->quit;
}
$node->stop;
done_testing();
