# Can a caller make the extension run his functions, operators, types or tables with the owner's rights, or change its
# answers?  Everything in pg_catalog is shadowed in a schema that comes before it, and in pg_temp; whatever is run of it
# says so in the log, with the role that ran it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = bk_seed();
my $node = bk_cluster('search_path', conf => "fsync = off\n");
$node->start;
$node->safe_psql('postgres', q{
CREATE ROLE mallory;
CREATE ROLE clean;
CREATE SCHEMA attack AUTHORIZATION mallory;
GRANT USAGE ON SCHEMA attack TO PUBLIC;
});

# SQL that plants, as mallory, in a schema.  Function bodies name nothing that a path could change.
sub plant
{
	my ($schema, $temporary) = @_;
	return <<"SQL";
SET search_path = pg_catalog, pg_temp;
SET client_min_messages = error;
SET ROLE mallory;
DO \$plant\$
DECLARE
	body constant text := ' AS \$\$ BEGIN RAISE LOG ''planted: %s run by %%'', current_user; %s END \$\$';
	made int := 0;
	o record;
	types constant text[] := ARRAY['text', 'jsonb', 'bytea', 'name', 'int2', 'int4', 'int8', 'bool', 'timestamptz', 'timestamp', 'interval', 'oid', 'regclass', 'regproc', 'regprocedure', 'regrole', 'numeric', '"char"'];
BEGIN
	-- every function of pg_catalog that plpgsql can have the signature of; functions and operators of pg_temp are never looked for
	FOR o IN SELECT p.proname, p.oid::regprocedure::text AS shown, p.proretset, p.prorettype,
			(SELECT string_agg(format('%I.%I', n.nspname, t.typname), ', ' ORDER BY ord) FROM unnest(p.proargtypes) WITH ORDINALITY a(type, ord) JOIN pg_type t ON t.oid = a.type JOIN pg_namespace n ON n.oid = t.typnamespace) AS arguments,
			(SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = p.prorettype) AS result
		  FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND NOT $temporary LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION $schema.%I(%s) RETURNS %s%s LANGUAGE plpgsql', o.proname, o.arguments, CASE WHEN o.proretset THEN 'SETOF ' ELSE '' END, o.result)
				|| format(body, replace(o.shown, '''', ''), CASE WHEN o.proretset OR o.prorettype = 'void'::regtype THEN 'RETURN;' ELSE 'RETURN NULL;' END);
			made := made + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	IF NOT $temporary THEN
		-- every operator, and those of two types that pg_catalog has only through a cast
		FOR o IN SELECT op.oprname, CASE WHEN op.oprleft <> 0 THEN op.oprleft::regtype::text END AS l, op.oprright::regtype::text AS r, op.oprresult::regtype::text AS result
				  FROM pg_operator op WHERE op.oprnamespace = 'pg_catalog'::regnamespace AND op.oprresult <> 0
			UNION SELECT name, l, r, CASE WHEN name IN ('=', '<>', '<', '>', '<=', '>=') THEN 'boolean' ELSE l END
				  FROM unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '||']) name, unnest(types) l, unnest(types) r LOOP
			BEGIN
				made := made + 1;
				EXECUTE format('CREATE FUNCTION $schema.planted_%s(%s%s) RETURNS %s LANGUAGE plpgsql', made, o.l || ', ', o.r, o.result) || format(body, 'operator ' || o.oprname, 'RETURN NULL;');
				EXECUTE format('CREATE OPERATOR $schema.%s (%sRIGHTARG = %s, FUNCTION = $schema.planted_%s)', o.oprname, 'LEFTARG = ' || o.l || ', ', o.r, made);
			EXCEPTION WHEN OTHERS THEN NULL;
			END;
		END LOOP;
	END IF;
	EXECUTE 'CREATE FUNCTION $schema.planted_check(text) RETURNS boolean LANGUAGE plpgsql' || format(body, 'domain, view or aggregate', 'RETURN true;');
	EXECUTE 'CREATE FUNCTION $schema.planted_state(bigint) RETURNS bigint LANGUAGE plpgsql' || format(body, 'aggregate', 'RETURN 666;');
	EXECUTE 'CREATE FUNCTION $schema.planted_state(bigint, anyelement) RETURNS bigint LANGUAGE plpgsql' || format(body, 'aggregate', 'RETURN 666;');
	EXECUTE 'CREATE AGGREGATE $schema.count(*) (SFUNC = $schema.planted_state, STYPE = bigint, INITCOND = 666)';
	FOR o IN SELECT unnest(ARRAY['count', 'max', 'min', 'sum', 'bool_or', 'array_agg', 'string_agg', 'jsonb_agg']) AS name LOOP
		EXECUTE format('CREATE AGGREGATE $schema.%I(anyelement) (SFUNC = $schema.planted_state, STYPE = bigint, INITCOND = 666)', o.name);
		made := made + 1;
	END LOOP;
	-- types
	FOR o IN SELECT unnest(types || ARRAY['bool', 'char', 'varchar']) AS name LOOP
		BEGIN
			EXECUTE format('CREATE DOMAIN $schema.%s AS pg_catalog.%1\$s CHECK ($schema.planted_check(VALUE::pg_catalog.text))', o.name);
			made := made + 1;
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
	-- relations: of pg_catalog, and such as ours
	FOR o IN SELECT relname::text FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
			UNION SELECT unnest(ARRAY['resource', 'backup', 'chunk', 'snapshot', 'key', 'restore_operation', 'visible_resource', 'backup_service', 'audit_event', 'hold', 'policy']) LOOP
		EXECUTE format('CREATE VIEW $schema.%I AS SELECT $schema.planted_check(NULL) AS planted', o.relname);
		made := made + 1;
	END LOOP;
	RAISE INFO 'made %', made;
END
\$plant\$;
RESET ROLE;
SQL
}

# What was planted, and the messages.
sub run_plant
{
	my ($database, $schema) = @_;
	my ($status, $output, $messages) = $node->psql($database, plant($schema, 'false'));
	my ($made) = $messages =~ /INFO:  made (\d+)/;
	cmp_ok($made || 0, '>', 3000, "$database: $made things were planted in $schema") or diag($messages);
	return;
}

# The roles that ran something planted since the last time, and what.
my $read = 0;

sub ran
{
	my $log = slurp_file($node->logfile);
	my $new = substr $log, $read;
	$read = length $log;
	my %ran;
	$ran{$2}{$1} = 1 while $new =~ /LOG:  planted: (.*) run by (\S+)$/mg;
	return \%ran;
}

# ----- The installation: whoever may create in the extension's schema, or in the installer's path.
for (1 .. 2)
{
	my $database = "install$_";
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'GRANT CREATE ON SCHEMA public TO mallory; CREATE SCHEMA attack AUTHORIZATION mallory;');
	run_plant($database, $_ == 1 ? 'public' : 'attack');
	ran();
	# not even psql can do without pg_catalog, so the path is set and used in one go
	my ($status, $output, $messages) = $node->psql($database, ($_ == 1 ? 'SET search_path = public, pg_catalog;' : 'SET search_path = attack, pg_catalog;') . 'CREATE EXTENSION backup_service SCHEMA public;');
	is($status, 0, "$database: installed") or diag($messages);
	is_deeply(ran(), {}, "$database: and ran nothing of it");
	is($node->safe_psql($database, q{SET search_path = pg_catalog;
SELECT count(*) FROM pg_depend d JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
	JOIN pg_class v ON v.oid = r.ev_class WHERE p.proowner = 'mallory'::regrole AND v.relowner <> 'mallory'::regrole}), 0, "$database: no view of it is built on anything planted");
}

# ----- The calls.
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service; GRANT backup_service_user TO mallory, clean; CREATE ROLE operator IN ROLE backup_service_operator, mallory, clean;' . bk_noise_function());
# the control: a function as they should not be
$node->safe_psql('postgres', q{CREATE FUNCTION careless() RETURNS bigint SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT 1 FROM pg_roles WHERE length('x') = 1 LIMIT 1); END $$});
run_plant('postgres', 'attack');
ran();
my $noise = bk_value($node, 'postgres', "SELECT bk_noise('$seed', 200000)");

# Each with a resource of its caller's, whose ids follow in order; what is shown must not hang on ids and times.
# Several lines may be about one function; each function and each view has one.
my %calls = (
	bk_create => [
		q{SELECT type, size, tags FROM public.bk_create('RESOURCE', '{"n": 1, "list": [1, 2.50]}', tags => '{"env": "x"}', retention => '1 year', source => 's', version => 'v')},
		q{SELECT type, size, stored_size FROM public.bk_create('RESOURCE', '{"n": 2, "list": [1, 2.50]}', 'incremental')},
		q{SELECT type, size FROM public.bk_create('RESOURCE', '{"n": 3, "text": "NOISE"}', 'full', compression => 'none')},
		q{SELECT type, size FROM public.bk_create('RESOURCE', '{"n": 4, "text": "NOISE"}', 'differential', encrypt => false)},
		q{SELECT type, size FROM public.bk_create('RESOURCE', '{"n": 5, "text": "NOISE"}', 'incremental', compression => 'zstd')},
		q{SELECT type FROM public.bk_create('RESOURCE', '{"n": 6}', 'incremental')} ],
	bk_read => [ 'SELECT public.bk_read(ID1)', "SELECT public.bk_read(ID2, 'RESOURCE')", 'SELECT public.bk_read(ID5)', 'SELECT public.bk_read(ID6)' ],
	bk_restore => [ 'SELECT public.bk_restore(ID2)', "SELECT public.bk_restore(ID5, 'elsewhere', false, 'me', 'RESOURCE')" ],
	bk_restore_at => [ "SELECT public.bk_restore_at('RESOURCE', 'infinity')", "SELECT public.bk_restore_at('RESOURCE', 'infinity', 'elsewhere', true, 'me', true)" ],
	bk_list => [ "SELECT resource_id, type, size FROM public.bk_list('RESOURCE')", q{SELECT type, tags FROM public.bk_list('RESOURCE', 'document', 'full', '{"env": "x"}', '-infinity', 'infinity', 'infinity', 9223372036854775807, 10)} ],
	bk_delta => [ q{SELECT public.bk_delta('{"a": [1, 2, {"b": 3}]}', '{"a": [1, {"b": 4}], "c": null}')} ],
	bk_apply => [ q{SELECT public.bk_apply('{"a": 1, "b": [1, 2]}', '{"changes": [{"key": "a", "oldValue": 1, "newValue": 2}], "deletions": [{"key": "b[0]"}]}')} ],
	bk_diff => [ 'SELECT public.bk_diff(ID1, ID2)', "SELECT public.bk_diff(ID1, ID6, 'RESOURCE')" ],
	bk_history => [ "SELECT value FROM public.bk_history('RESOURCE', 'n')", "SELECT value FROM public.bk_history('RESOURCE', 'list[1]')" ],
	bk_verify => [ 'SELECT public.bk_verify(ID4)', "SELECT public.bk_verify(ID1, 'RESOURCE')" ],
	bk_export => [ 'SELECT public.bk_export(ID2)' ],
	bk_archive => [ "SELECT public.bk_archive('RESOURCE') IS NULL" ],
	bk_archive_import => [ "SELECT public.bk_archive_import(public.bk_archive('RESOURCE'), 'RESOURCE, imported')",
		"SELECT public.bk_resource_drop('RESOURCE, imported')" ],
	bk_consolidate => [ 'SELECT type FROM public.bk_consolidate(ID2)', "SELECT type FROM public.bk_consolidate(ID5, 'RESOURCE')" ],
	bk_delete => [ 'SELECT public.bk_delete(ID1)', "SELECT public.bk_delete(ID3, 'cascade')", "SELECT public.bk_delete(ID6, 'restrict', 'RESOURCE')" ],
	bk_key_rotate => [ 'SELECT public.bk_key_rotate() IS NULL' ],
	bk_rekey => [ 'SELECT public.bk_rekey(1) IS NULL', 'SELECT public.bk_rekey() IS NULL' ],
	bk_key_copied => [ 'SELECT public.bk_key_copied(1)' ],
	bk_key_retire => [ 'SELECT public.bk_key_retire(VERSION)' ],
	bk_verify_keys => [ 'SELECT available, problem FROM public.bk_verify_keys()' ],
	bk_hold => [ "SELECT public.bk_hold(ID1, 'a hold', 'a reason')" ],
	bk_holds => [ 'SELECT resource_id, name, reason, until FROM public.bk_holds' ],
	bk_release => [ "SELECT public.bk_release(ID1, 'a hold')" ],
	bk_restore_enqueue => [ 'SELECT public.bk_restore_enqueue(ID2) IS NULL' ],
	bk_restore_at_enqueue => [ "SELECT public.bk_restore_at_enqueue('RESOURCE', 'infinity') IS NULL" ],
	bk_restore_cancel => [ 'SELECT public.bk_restore_cancel((SELECT pg_catalog.max(operation_id) FROM public.bk_operations))' ],
	bk_restore_wait => [ 'SELECT public.bk_restore_wait((SELECT pg_catalog.max(operation_id) FROM public.bk_operations))' ],
	bk_policies => [ 'SELECT name, keep_last, keep_daily FROM public.bk_policies' ],
	bk_policy_set => [ "SELECT public.bk_policy_set('RESOURCE policy', keep_last => 2, keep_for => '1 day', time_zone => 'Europe/Berlin')" ],
	bk_policy_assign => [ "SELECT public.bk_policy_assign(NULL, 'RESOURCE policy', 'RESOURCE type')", "SELECT public.bk_policy_assign(NULL, NULL, 'RESOURCE type')" ],
	bk_policy_drop => [ "SELECT public.bk_policy_drop('RESOURCE policy')" ],
	bk_retention_explain => [ "SELECT action, rules FROM public.bk_retention_explain('RESOURCE')" ],
	bk_policy_simulate => [ "SELECT action, rules FROM public.bk_policy_simulate('RESOURCE', keep_last => 2, keep_daily => 3)" ],
	bk_prune => [ "SELECT action FROM public.bk_prune('RESOURCE', true)", "SELECT action FROM public.bk_prune('RESOURCE')" ],
	bk_resource_drop => [ "SELECT public.bk_resource_drop('RESOURCE') IS NULL" ],
	bk_health => [ q{SELECT name, ok FROM public.bk_health() WHERE critical} ],
	bk_metrics => [ q{SELECT pg_catalog.regexp_count(public.bk_metrics(), '# TYPE ')} ],
	bk_owner_set => [ "SELECT public.bk_owner_set('RESOURCE', current_user)" ],
	# a second worker would be refused, and the first would seal at any time
	bk_worker_start => [ 'BEGIN READ ONLY; DO $x$ BEGIN PERFORM public.bk_worker_start(); RAISE EXCEPTION $$started$$; EXCEPTION WHEN read_only_sql_transaction THEN NULL; END $x$; COMMIT' ],
	bk_distribute => [ 'DO $x$ BEGIN PERFORM public.bk_distribute(); RAISE EXCEPTION $$distributed$$; EXCEPTION WHEN feature_not_supported THEN NULL; END $x$' ],
	bk_audit_seal => [ 'SELECT public.bk_audit_seal() IS NULL' ],
	bk_audit_verify => [ 'SELECT * FROM public.bk_audit_verify()', "SELECT * FROM public.bk_audit_verify('RESOURCE')" ],
	bk_audit_trim => [ "SELECT public.bk_audit_trim('infinity') IS NULL" ],
	bk_audit => ['SELECT resource_id, action, outcome, role FROM public.bk_audit'],
	bk_backups => ["SELECT resource_id, type, size, compression_ratio FROM public.bk_backups"],
	bk_unarchived => ['SELECT resource_id, type, status, stored_size FROM public.bk_unarchived'],
	bk_resources => ['SELECT resource_id, resource_type, owner, backups, backups_made FROM public.bk_resources'],
	bk_snapshots => ['SELECT resource_id, removed_at FROM public.bk_snapshots'],
	bk_operations => ['SELECT resource_id, type, status, progress, validated, validation_errors, role FROM public.bk_operations'],
	bk_keys => ['SELECT state, backups FROM public.bk_keys'],
	bk_operation_list => [ q{SELECT type, status FROM public.bk_operation_list('RESOURCE')}, q{SELECT type FROM public.bk_operation_list('RESOURCE', NULL, 'completed', '-infinity', 'infinity', 'infinity', 9223372036854775807, 10)} ],
	'backup_service_http.checks' => ['SELECT name, ok FROM backup_service_http.checks() WHERE critical'],
	'backup_service_http.count_backups' => [q{SELECT backup_service_http.count_backups('RESOURCE', 'document', 'full', '{"env": "x"}', '-infinity', 'infinity')}],
	'backup_service_http.count_operations' => [q{SELECT backup_service_http.count_operations('RESOURCE', NULL, 'completed', '-infinity', 'infinity')}],
	'backup_service_http.backup_with' => [q{SELECT type FROM backup_service_http.backup_with(ID1)}],
	'backup_service_http.operation_with' => [q{SELECT type FROM backup_service_http.operation_with((SELECT pg_catalog.max(operation_id) FROM public.bk_operations))}],
	'backup_service_http.backup_at' => [q{SELECT backup_service_http.backup_at('RESOURCE', 'infinity', true) IS NULL}],
	'backup_service_http.restore' => [q{SELECT document FROM backup_service_http.restore(ID2, 'elsewhere', true, 'me', 'RESOURCE')}],
	'backup_service_http.take_up' => [q{SELECT same, answer FROM backup_service_http.take_up('RESOURCE', '\x0102')}],
	'backup_service_http.keep' => [q{SELECT backup_service_http.keep('RESOURCE', '1')}, q{SELECT same, answer FROM backup_service_http.take_up('RESOURCE', '\x0102')}],
	'backup_service_api.root' => [q{SELECT backup_service_api.root('') OPERATOR(pg_catalog.->>) 'service'}],
	'backup_service_api.health' => [q{SELECT backup_service_api.health('') OPERATOR(pg_catalog.->>) 'status' IS NULL}],
	'backup_service_api.metrics' => [q{SELECT pg_catalog.regexp_count(pg_catalog.convert_from(backup_service_api.metrics(''), 'UTF8'), '# TYPE ')}],
	'backup_service_api.backups_create' => [
		q{SELECT pg_catalog.set_config('request.headers', '{"idempotency-key": "of-RESOURCE"}', false) IS NULL},
		q{SELECT b OPERATOR(pg_catalog.->>) 'type', b OPERATOR(pg_catalog.->) 'metadata' FROM backup_service_api.backups_create('{"resourceId": "RESOURCE", "type": "full", "data": {"n": 7}, "metadata": {"tags": {"a": "b"}, "retentionDays": 7}}') b},
		q{SELECT b OPERATOR(pg_catalog.->>) 'type', b OPERATOR(pg_catalog.->) 'metadata' FROM backup_service_api.backups_create('{"resourceId": "RESOURCE", "type": "full", "data": {"n": 7}, "metadata": {"tags": {"a": "b"}, "retentionDays": 7}}') b} ],
	'backup_service_api.backups_list' => [
		q{SELECT b OPERATOR(pg_catalog.->>) 'type', b OPERATOR(pg_catalog.->) 'size' FROM pg_catalog.json_array_elements(backup_service_api.backups_list('resourceId=RESOURCE&limit=3&from=2000-01-01&to=9999-01-01T00:00:00Z')) b},
		q{SELECT b OPERATOR(pg_catalog.->) 'metadata' FROM pg_catalog.json_array_elements(backup_service_api.backups_list('resourceId=RESOURCE&tag=a:b&cursor=9999-01-01T00:00:00.000000Z~1')) b} ],
	'backup_service_api.backups_get' => [q{SELECT backup_service_api.backups_get('backup-ID7') OPERATOR(pg_catalog.->>) 'type'}],
	'backup_service_api.backups_verify' => [q{SELECT backup_service_api.backups_verify('backup-ID7') OPERATOR(pg_catalog.->>) 'valid'}],
	'backup_service_api.backups_download' => [q{SELECT backup_service_api.backups_download('backup-ID7')}],
	'backup_service_api.restores_create' => [
		q{SELECT r OPERATOR(pg_catalog.->) 'data', r OPERATOR(pg_catalog.->) 'operation' OPERATOR(pg_catalog.->>) 'status' FROM backup_service_api.restores_create('{"backupId": "backup-ID7", "createdBy": "me"}') r},
		q{SELECT r OPERATOR(pg_catalog.->) 'operation' OPERATOR(pg_catalog.->>) 'status' FROM backup_service_api.restores_create('{"backupId": "backup-ID7", "async": true}') r} ],
	'backup_service_api.restores_create_at' => [q{SELECT r OPERATOR(pg_catalog.->) 'data' FROM backup_service_api.restores_create_at('{"resourceId": "RESOURCE", "timestamp": "9999-01-01", "nearest": true}') r}],
	'backup_service_api.operations_list' => [q{SELECT o OPERATOR(pg_catalog.->>) 'status' FROM pg_catalog.json_array_elements(backup_service_api.operations_list('resourceId=RESOURCE&limit=1000')) o}],
	'backup_service_api.operations_get' => [q{SELECT backup_service_api.operations_get('restore-' OPERATOR(pg_catalog.||) (SELECT pg_catalog.max(operation_id) FROM public.bk_operations)) OPERATOR(pg_catalog.->>) 'type'}],
	'backup_service_api.operations_cancel' => [q{SELECT FROM backup_service_api.operations_cancel('restore-' OPERATOR(pg_catalog.||) (SELECT pg_catalog.max(operation_id) FROM public.bk_operations WHERE status OPERATOR(pg_catalog.=) 'queued'))}],
	'backup_service_api.backups_delete' => [q{SELECT FROM backup_service_api.backups_delete('backup-ID7')}, q{RESET request.headers}]);
# The order matters: what needs a backup comes after it is made, the deleting last; keys are an operator's.
my @users = qw(bk_create bk_read bk_restore bk_restore_at bk_list bk_delta bk_apply bk_diff bk_history bk_verify bk_export bk_backups bk_resources bk_snapshots bk_operations bk_hold bk_holds bk_release
  bk_restore_enqueue bk_restore_at_enqueue bk_restore_cancel bk_restore_wait bk_operation_list);
push @users, map { "backup_service_http.$_" } qw(checks count_backups count_operations backup_with operation_with backup_at restore take_up keep);
push @users, map { "backup_service_api.$_" } qw(root health backups_create backups_list backups_get backups_verify backups_download restores_create restores_create_at
  operations_list operations_get operations_cancel backups_delete);
push @users, qw(bk_policies bk_retention_explain bk_policy_simulate bk_prune
  bk_consolidate bk_delete bk_owner_set bk_archive bk_archive_import bk_unarchived bk_audit bk_resource_drop);
my @operators = qw(bk_key_rotate bk_rekey bk_key_retire bk_key_copied bk_verify_keys bk_keys bk_audit_seal bk_audit_verify bk_audit_trim bk_worker_start bk_distribute bk_health bk_metrics backup_service_api.metrics bk_policy_set bk_policy_assign bk_policy_drop);
is_deeply([ sort @users, @operators ], [ sort keys %calls ], 'every line of the table is run');
is_deeply([ sort keys %calls ], [ map { $_->[0] } bk_rows($node, 'postgres', q{SELECT coalesce(CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || proname, relname) FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'backup_service'
	LEFT JOIN (pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang) ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid AND n.nspname <> 'backup_service'
		AND (n.nspname <> 'backup_service_http' OR l.lanname = 'c' AND p.provolatile = 'v') LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'v' AND c.relnamespace <> 'backup_service'::regnamespace
	WHERE p.oid IS NOT NULL OR c.oid IS NOT NULL ORDER BY coalesce(CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || proname, relname) COLLATE "C"}) ], 'every function and view of the extension has a line');

# Run all calls in one new session, after $before; returns what they answered, the caller's own names hidden.
sub answers
{
	my ($role, $resource, $before) = @_;
	my $newest = bk_value($node, 'postgres', 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM backup_service.backup_backup_id_seq');
	my $key = bk_value($node, 'postgres', 'SELECT coalesce(max(version), 1) FROM bk_keys');
	my $script = "$before\nSET ROLE $role;\n";
	for my $name (@users, @operators)
	{
		$script .= "RESET ROLE; SET ROLE operator;\n" if $name eq $operators[0];
		for my $call (@{ $calls{$name} })
		{
			(my $sql = $call) =~ s/RESOURCE/$resource/g;
			$sql =~ s/\bID(\d)/$newest + $1/ge;
			$sql =~ s/\bVERSION\b/$key/g;
			$sql =~ s/NOISE/$noise/g;
			$script .= "\\echo == $name\n$sql;\n";
		}
	}
	# by file: a pipe to a psql that stops early would break
	my $file = $node->basedir . "/$resource.sql";
	append_to_file($file, $script);
	my ($status, $output, $messages) = $node->psql('postgres', "\\i $file", on_error_stop => 1);
	$output =~ s/$resource/(resource)/g;
	$output =~ s/\b$role\b/(role)/g;
	is($status, 0, "$role $resource: all calls ran") or diag(substr $messages, 0, 2000);
	return $output;
}
my $expected = answers('clean', 'resource-0', '');
like($expected, qr/^== bk_read\n\{"n": 1, "list": \[1, 2\.50\]\}$/m, 'the answers are the right ones');
like($expected, qr/^== bk_keys\n/m, 'to the last call');
is_deeply(ran(), {}, 'without a path nothing planted is run');

# What users' calls answered, each call's rows in an order of their own: an auditor's and an operator's views show
# what others did.
sub users_part
{
	my ($text) = @_;
	$text =~ s/^== bk_key_rotate.*//ms;
	return [ map { sort split /\n/ } split /^(?=== )/m, $text ];
}

# The first line that differs.
sub same
{
	my ($got, $name) = @_;
	my ($is, $should) = (users_part($got), users_part($expected));
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	for my $line (0 .. ($#$is > $#$should ? $#$is : $#$should))
	{
		next if ($is->[$line] // '') eq ($should->[$line] // '');
		is(substr($is->[$line] // '', 0, 300), substr($should->[$line] // '', 0, 300), "$name, line $line");
		return;
	}
	return pass($name);
}

my %paths = (
	'before pg_catalog' => 'attack, pg_temp, public, pg_catalog',
	'behind pg_temp' => 'pg_temp, attack, public, pg_catalog',
	'after pg_catalog' => 'public, attack');
my $temporary = plant('pg_temp', 'true');
my $n = 0;
for my $where (sort keys %paths)
{
	$n++;
	# each turn plays with a role of its own, since the views show everything of a role's
	bk_value($node, 'postgres', "CREATE ROLE mallory$n IN ROLE backup_service_user; GRANT mallory$n TO operator; GRANT TEMPORARY ON DATABASE postgres TO mallory");
	my $got = answers("mallory$n", "resource-$n", "$temporary SET search_path = $paths{$where};");
	same($got, "$where: the answers are the same");
	my $ran = ran();
	is_deeply([ grep { !/^mallory\d$/ && $_ ne 'operator' } keys %$ran ], [], "$where: nothing planted ran with another role's rights") or diag(explain($ran));
	is_deeply($ran, {}, "$where: nor with the caller's") or diag(explain($ran));
}

# The controls: the traps work, in a careless function with its owner's rights, and for the caller's own expressions.
my $owner = bk_value($node, 'postgres', 'SELECT current_user');
my ($status, $output, $messages) = $node->psql('postgres', "SET search_path = attack, public, pg_catalog; SELECT public.careless()");
my $ran = ran();
ok($ran->{$owner}, 'control: a function that does not pin its path runs what was planted, as its owner') or diag($messages);
$node->psql('postgres', "SET ROLE clean; SELECT FROM public.bk_create('control', '1'); SET search_path = attack, public, pg_catalog; SELECT public.bk_read(backup_id) FROM public.bk_backups WHERE backup_id > 0 AND length(resource_id) > 0");
$ran = ran();
is_deeply([ keys %$ran ], ['clean'], "control: a caller's own expressions run with the caller's rights, also over a view");

# A type of the caller's own, with a cast to jsonb, is cast before the call, with the caller's rights.
$node->safe_psql('postgres', q{SET ROLE mallory; CREATE TYPE attack.document AS (n int);
CREATE FUNCTION attack.to_jsonb_document(attack.document) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'planted: cast run by %', current_user; RETURN '{"cast": true}'; END $$;
CREATE CAST (attack.document AS jsonb) WITH FUNCTION attack.to_jsonb_document AS IMPLICIT});
is(bk_value($node, 'postgres', q{SET ROLE mallory; SELECT public.bk_read(backup_id) FROM public.bk_create('cast', ROW(1)::attack.document)}), '{"cast": true}', 'a cast of the caller');
is_deeply(ran(), { mallory => { cast => 1 } }, "runs with the caller's rights");

# Settings that a caller may have: they change no answer.
my %settings = (standard_conforming_strings => 'off', backslash_quote => 'off', escape_string_warning => 'off', transform_null_equals => 'on', array_nulls => 'off', quote_all_identifiers => 'on',
	IntervalStyle => 'sql_standard', TimeZone => "'Asia/Kathmandu'", extra_float_digits => -15, plan_cache_mode => 'force_custom_plan', enable_indexscan => 'off', enable_bitmapscan => 'off',
	enable_nestloop => 'off', enable_hashjoin => 'off', from_collapse_limit => 1, join_collapse_limit => 1, constraint_exclusion => 'on', row_security => 'off', check_function_bodies => 'off', work_mem => "'64kB'",
	cursor_tuple_fraction => 0, force_parallel_mode => 'on', parallel_setup_cost => 0, default_toast_compression => 'pglz', synchronize_seqscans => 'off', jit => 'on', jit_above_cost => 0, client_min_messages => 'error',
	'backup_service.max_chain_length' => 100, search_path => "''", xmloption => 'document', default_transaction_deferrable => 'on');
$settings{debug_parallel_query} = delete $settings{force_parallel_mode} if $node->pg_version >= 16;
bk_value($node, 'postgres', 'CREATE ROLE mallory9 IN ROLE backup_service_user; GRANT mallory9 TO operator');
my $got = answers('mallory9', 'resource-9', join('', map { "SET $_ = $settings{$_};\n" } sort keys %settings));
same($got, 'hostile settings change no answer');
# and not how a document is stored: what was made under them is sound
is(bk_value($node, 'postgres', "SELECT count(*) FROM bk_backups WHERE NOT (bk_verify(backup_id) ->> 'valid')::boolean"), 0, 'every backup is sound');
$node->stop;
done_testing();
