# What the tests of full disks and lacking memory share: a server that runs with test/modules/fault_test in front of the C library.
package FaultTest;

use strict;
use warnings;

use BkTest;
use Exporter 'import';
use PostgreSQL::Test::Utils;

our @EXPORT = qw(fault_start fault_restart fault_full fault_space fault_files);

sub control
{
	my ($node) = @_;
	return $node->basedir . '/full';
}

# Programs that start the server get the library too, and no disk is full for them.
sub fault_restart
{
	my ($node) = @_;
	my $library = $node->config_data('--pkglibdir') . '/fault_preload.so';
	-e $library or die "$library is not there";
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{FAULT_FULL} = control($node);
	$node->start;
	return;
}

# A running cluster with the extension.
sub fault_start
{
	my ($name, %init) = @_;
	my $node = bk_cluster($name, %init);
	fault_restart($node);
	$node->safe_psql('postgres', q{CREATE EXTENSION backup_service;
CREATE FUNCTION fault_run(text, bigint, bigint) RETURNS text LANGUAGE C AS '$libdir/fault_test'});
	return $node;
}

# From now on no file whose path holds this becomes longer.
sub fault_full
{
	my ($node, $pattern) = @_;
	append_to_file(control($node) . '.new', "$pattern\n");
	rename(control($node) . '.new', control($node)) or die;
	return;
}

# There is space again.
sub fault_space
{
	my ($node) = @_;
	unlink control($node) or die;
	return;
}

# How many files a process has open, but for those of tables, which the server keeps open and opens as it needs them.
sub fault_files
{
	my ($pid) = @_;
	opendir my $folder, "/proc/$pid/fd" or die "/proc/$pid/fd: $!";
	my @files = grep { defined && !m{/(base|global|pg_\w+)/} } map { readlink "/proc/$pid/fd/$_" } readdir $folder;
	return scalar @files;
}

1;
