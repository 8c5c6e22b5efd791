-- One function for each request; its namesake in backup_service_api (62_http_api.sql) is what PostgREST calls.
CREATE FUNCTION backup_service_http.root(nothing text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN json_build_object(
		'service', 'backup_service',
		'version', (SELECT extversion FROM pg_extension WHERE extname = 'backup_service'),
		'endpoints', json_build_array(
			'GET /', 'GET /health', 'GET /metrics',
			'POST /backups', 'GET /backups', 'GET /backups/{id}', 'DELETE /backups/{id}',
			'GET /backups/{id}/verify', 'GET /backups/{id}/download',
			'POST /restore', 'POST /restore/point-in-time',
			'GET /restore/operations', 'GET /restore/operations/{id}', 'DELETE /restore/operations/{id}'));
END
$$;

CREATE FUNCTION backup_service_http.health(nothing text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	checks json;
	all_ok boolean;
	failing boolean;
BEGIN
	SELECT json_agg(json_build_object('name', name, 'ok', ok, 'critical', critical, 'detail', detail)),
		   bool_and(ok), bool_or(critical AND NOT ok)
	  INTO checks, all_ok, failing
	  FROM backup_service_http.checks();
	IF failing THEN
		PERFORM backup_service_http.respond(503);
	END IF;
	RETURN json_build_object(
		'status', CASE WHEN failing THEN 'failing' WHEN all_ok THEN 'ok' ELSE 'degraded' END, 'checks', checks);
END
$$;

CREATE FUNCTION backup_service_http.metrics(nothing text)
RETURNS bytea LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM backup_service_http.respond(200, jsonb_build_array(
		jsonb_build_object('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')));
	RETURN convert_to(@extschema@.bk_metrics(), 'UTF8');
END
$$;

CREATE FUNCTION backup_service_http.backups_create(body bytea)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text := backup_service_http.idempotency_key();
	taken_up record;
	answer json;
BEGIN
	IF key IS NULL THEN
		RETURN backup_service_http.created(backup_service_http.create_backup(backup_service_http.json_of(body)), false);
	END IF;
	taken_up := backup_service_http.take_up(key, body);
	IF NOT taken_up.same THEN
		RAISE SQLSTATE 'PGRST' USING
			MESSAGE = '{"code":"22023","message":"the idempotency key was used for another request","hint":"Send a new key with a new request."}',
			DETAIL = '{"status":422,"headers":{}}';
	END IF;
	IF taken_up.answer IS NULL THEN
		answer := backup_service_http.create_backup(backup_service_http.json_of(body));
		PERFORM backup_service_http.keep(key, answer);
	END IF;
	RETURN backup_service_http.created(coalesce(taken_up.answer, answer), taken_up.answer IS NOT NULL);
END
$$;

CREATE FUNCTION backup_service_http.backups_list(query text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p jsonb := backup_service_http.parameters(query, '{resourceId,resourceType,type,tag,from,to,limit,cursor}');
	tags jsonb := backup_service_http.tags(p);
	since timestamptz := backup_service_http.moment(p -> 'from' ->> 0, 'from');
	until timestamptz := backup_service_http.moment(p -> 'to' ->> 0, 'to');
	size integer := backup_service_http.page_size(p);
	page record := backup_service_http.cursor(p);
	items json;
	next text;
BEGIN
	SELECT coalesce(json_agg(backup_service_http.backup(b) ORDER BY n) FILTER (WHERE n <= size), '[]'),
		   max(backup_service_http.iso((b).created_at) || '~' || (b).backup_id) FILTER (WHERE n = size AND matched > size)
	  INTO items, next
	  FROM (SELECT b, row_number() OVER (ORDER BY b.created_at DESC, b.backup_id DESC) AS n, count(*) OVER () AS matched
			  FROM @extschema@.bk_list(p -> 'resourceId' ->> 0, p -> 'resourceType' ->> 0, p -> 'type' ->> 0, tags,
									   since, until, page.before, page.before_id, size + 1) b) l;
	PERFORM backup_service_http.respond(200, backup_service_http.page_headers('/backups', p,
		backup_service_http.count_backups(p -> 'resourceId' ->> 0, p -> 'resourceType' ->> 0, p -> 'type' ->> 0, tags,
										  since, until), next));
	RETURN items;
END
$$;

CREATE FUNCTION backup_service_http.backups_get(id text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN backup_service_http.backup(backup_service_http.find_backup(id));
END
$$;

CREATE FUNCTION backup_service_http.backups_delete(id text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	backup @extschema@.bk_backups := backup_service_http.find_backup(id);
BEGIN
	PERFORM @extschema@.bk_delete(backup.backup_id, resource_id => backup.resource_id);
END
$$;

CREATE FUNCTION backup_service_http.backups_verify(id text)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	backup @extschema@.bk_backups := backup_service_http.find_backup(id);
BEGIN
	RETURN @extschema@.bk_verify(backup.backup_id, backup.resource_id);
END
$$;

CREATE FUNCTION backup_service_http.backups_download(id text)
RETURNS bytea LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	backup @extschema@.bk_backups := backup_service_http.find_backup(id);
BEGIN
	PERFORM backup_service_http.respond(200, jsonb_build_array(
		jsonb_build_object('Content-Type', 'application/gzip'),
		jsonb_build_object('Content-Disposition', format('attachment; filename="backup-%s.json.gz"', backup.backup_id))));
	RETURN @extschema@.bk_export(backup.backup_id, backup.resource_id);
END
$$;

CREATE FUNCTION backup_service_http.restores_create(body bytea)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	request jsonb := backup_service_http.json_of(body);
	target text := backup_service_http.check_name(
		backup_service_http.text_field(request, 'targetResourceId'), 'targetResourceId');
	validate boolean := backup_service_http.flag_field(request, 'validate', true);
	async boolean := backup_service_http.flag_field(request, 'async', false);
	created_by text := backup_service_http.check_label(backup_service_http.text_field(request, 'createdBy'), 'createdBy');
	backup @extschema@.bk_backups;
	restored record;
BEGIN
	PERFORM backup_service_http.check_known(request, '{backupId,targetResourceId,createdBy,validate,async}');
	backup := backup_service_http.find_backup(backup_service_http.text_field(request, 'backupId', true));
	IF async THEN
		RETURN backup_service_http.accepted(
			@extschema@.bk_restore_enqueue(backup.backup_id, target, validate, created_by, backup.resource_id));
	END IF;
	restored := backup_service_http.restore(backup.backup_id, target, validate, created_by, backup.resource_id);
	RETURN backup_service_http.restored(restored.operation_id, restored.document, restored.problem);
END
$$;

CREATE FUNCTION backup_service_http.restores_create_at(body bytea)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	request jsonb := backup_service_http.json_of(body);
	resource text := backup_service_http.check_name(backup_service_http.text_field(request, 'resourceId', true), 'resourceId');
	at timestamptz := backup_service_http.moment(backup_service_http.text_field(request, 'timestamp', true), 'timestamp');
	target text := backup_service_http.check_name(
		backup_service_http.text_field(request, 'targetResourceId'), 'targetResourceId');
	validate boolean := backup_service_http.flag_field(request, 'validate', true);
	nearest boolean := backup_service_http.flag_field(request, 'nearest', false);
	created_by text := backup_service_http.check_label(backup_service_http.text_field(request, 'createdBy'), 'createdBy');
	restored record;
BEGIN
	PERFORM backup_service_http.check_known(request,
		'{resourceId,timestamp,targetResourceId,createdBy,validate,nearest,async}');
	IF backup_service_http.flag_field(request, 'async', false) THEN
		RETURN backup_service_http.accepted(
			@extschema@.bk_restore_at_enqueue(resource, at, target, validate, created_by, nearest));
	END IF;
	restored := backup_service_http.restore(backup_service_http.backup_at(resource, at, nearest), target, validate,
											created_by, resource);
	RETURN backup_service_http.restored(restored.operation_id, restored.document, restored.problem);
END
$$;

CREATE FUNCTION backup_service_http.operations_list(query text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p jsonb := backup_service_http.parameters(query, '{resourceId,targetResourceId,status,from,to,limit,cursor}');
	since timestamptz := backup_service_http.moment(p -> 'from' ->> 0, 'from');
	until timestamptz := backup_service_http.moment(p -> 'to' ->> 0, 'to');
	size integer := backup_service_http.page_size(p);
	page record := backup_service_http.cursor(p);
	items json;
	next text;
BEGIN
	SELECT coalesce(json_agg(backup_service_http.operation(o) ORDER BY n) FILTER (WHERE n <= size), '[]'),
		   max(backup_service_http.iso((o).created_at) || '~' || (o).operation_id) FILTER (WHERE n = size AND matched > size)
	  INTO items, next
	  FROM (SELECT o, row_number() OVER (ORDER BY o.created_at DESC, o.operation_id DESC) AS n, count(*) OVER () AS matched
			  FROM @extschema@.bk_operation_list(p -> 'resourceId' ->> 0, p -> 'targetResourceId' ->> 0, p -> 'status' ->> 0,
												 since, until, page.before, page.before_id, size + 1) o) l;
	PERFORM backup_service_http.respond(200, backup_service_http.page_headers('/restore/operations', p,
		backup_service_http.count_operations(p -> 'resourceId' ->> 0, p -> 'targetResourceId' ->> 0, p -> 'status' ->> 0,
											 since, until), next));
	RETURN items;
END
$$;

CREATE FUNCTION backup_service_http.operations_get(id text)
RETURNS json LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN backup_service_http.operation(backup_service_http.find_operation(id));
END
$$;

CREATE FUNCTION backup_service_http.operations_cancel(id text)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	operation @extschema@.bk_operations := backup_service_http.find_operation(id);
BEGIN
	PERFORM @extschema@.bk_restore_cancel(operation.operation_id, operation.resource_id);
END
$$;
