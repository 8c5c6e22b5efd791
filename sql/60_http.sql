-- What the functions of backup_service_api are made of.  PostgREST does not show this schema; callers of the API have
-- the privileges that they need for it, and for nothing that bk_ functions would not let them do.
--
-- Errors are raised with their usual SQLSTATE; bk_http_call() (src/functions/http_call.c) sees to the HTTP status.
CREATE SCHEMA backup_service_http;
REVOKE ALL ON SCHEMA backup_service_http FROM PUBLIC;
COMMENT ON SCHEMA backup_service_http IS 'behind backup_service_api; not to be shown by PostgREST';

CREATE FUNCTION backup_service_http.json_of(body bytea)
RETURNS jsonb LANGUAGE C IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'bk_http_json';
COMMENT ON FUNCTION backup_service_http.json_of IS 'the JSON object that a request''s body is; refuses a key that stands twice in an object';

CREATE FUNCTION backup_service_http.shown(word text)
RETURNS text LANGUAGE C IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'bk_http_shown';
COMMENT ON FUNCTION backup_service_http.shown IS 'a caller''s word as a message may show it';

CREATE FUNCTION backup_service_http.check_name(value text, field text)
RETURNS text LANGUAGE C IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'bk_http_check_name';
COMMENT ON FUNCTION backup_service_http.check_name IS 'the value, where it may name a resource';

CREATE FUNCTION backup_service_http.check_label(value text, field text)
RETURNS text LANGUAGE C IMMUTABLE STRICT AS 'MODULE_PATHNAME', 'bk_http_check_label';
COMMENT ON FUNCTION backup_service_http.check_label IS 'the value, where it may be a label';

CREATE FUNCTION backup_service_http.checks(OUT name text, OUT ok boolean, OUT critical boolean, OUT detail text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_checks';
COMMENT ON FUNCTION backup_service_http.checks IS 'bk_health() for everybody; details are for those who see all resources';

CREATE FUNCTION backup_service_http.count_backups(
	resource_id text, resource_type text, type text, tags jsonb, since timestamptz, until timestamptz)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_count_backups';
COMMENT ON FUNCTION backup_service_http.count_backups IS 'how many rows bk_list() would have without a limit';

CREATE FUNCTION backup_service_http.count_operations(
	resource_id text, target_resource_id text, status text, since timestamptz, until timestamptz)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_count_operations';
COMMENT ON FUNCTION backup_service_http.count_operations IS 'how many rows bk_operation_list() would have without a limit';

-- The views have these rows too, but are read with the caller's rights, which do not reach where the tables are distributed.
CREATE FUNCTION backup_service_http.backup_with(id bigint)
RETURNS SETOF @extschema@.bk_backups LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_backup_with';
COMMENT ON FUNCTION backup_service_http.backup_with IS 'the backup of an id, where the caller may see it';

CREATE FUNCTION backup_service_http.operation_with(id bigint)
RETURNS SETOF @extschema@.bk_operations LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_operation_with';
COMMENT ON FUNCTION backup_service_http.operation_with IS 'the restore operation of an id, where the caller may see it';

CREATE FUNCTION backup_service_http.backup_at(resource_id text, at timestamptz, nearest boolean)
RETURNS bigint LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'bk_http_backup_at';
COMMENT ON FUNCTION backup_service_http.backup_at IS 'the backup that bk_restore_at() would restore';

CREATE FUNCTION backup_service_http.restore(
	backup_id bigint, target_resource_id text, validate boolean, created_by text, resource_id text,
	OUT operation_id bigint, OUT document json, OUT problem text)
RETURNS record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_restore';
COMMENT ON FUNCTION backup_service_http.restore IS 'bk_restore() for which a damaged backup is an operation that has failed';

CREATE FUNCTION backup_service_http.take_up(key text, request bytea, OUT same boolean, OUT answer json)
RETURNS record LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'bk_http_take_up';
COMMENT ON FUNCTION backup_service_http.take_up IS 'the answer that is kept for a request with this idempotency key; null where it is new';

CREATE FUNCTION backup_service_http.keep(key text, answer json)
RETURNS void LANGUAGE C STRICT AS 'MODULE_PATHNAME', 'bk_http_keep';
COMMENT ON FUNCTION backup_service_http.keep IS 'keep the answer of a request that was taken up';

-- Status and headers of the answer.  Values of headers are ours or encoded: nothing of a caller's can end a line there.
CREATE FUNCTION backup_service_http.respond(status integer, headers jsonb DEFAULT '[]')
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM set_config('response.status', status::text, true), set_config('response.headers', headers::text, true);
END
$$;

CREATE FUNCTION backup_service_http.iso(at timestamptz)
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END
$$;
COMMENT ON FUNCTION backup_service_http.iso IS 'a time as the API writes it: ISO 8601 in UTC';

CREATE FUNCTION backup_service_http.moment(value text, field text)
RETURNS timestamptz LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
BEGIN
	IF value !~ '^[0-9]{4,5}(-[0-9]{2}){2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?$' THEN
		RAISE invalid_datetime_format;
	END IF;
	RETURN replace(value, ',', '.')::timestamptz;
EXCEPTION WHEN invalid_datetime_format OR datetime_field_overflow OR invalid_time_zone_displacement_value THEN
	RAISE EXCEPTION '% is not a time', field USING
		ERRCODE = 'invalid_datetime_format',
		DETAIL = format('It is "%s".', backup_service_http.shown(value)),
		HINT = 'Write times as ISO 8601, such as 2025-01-01T12:30:00Z.';
END
$$;
COMMENT ON FUNCTION backup_service_http.moment IS 'a time in ISO 8601, which is in UTC where it names no zone';

-- Fields of a request's body.  A field that is null counts as left out.
CREATE FUNCTION backup_service_http.check_known(fields jsonb, known text[], place text DEFAULT '')
RETURNS void LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	field text;
BEGIN
	FOR field IN SELECT k FROM jsonb_object_keys(fields) k WHERE k <> ALL (known) ORDER BY k LIMIT 1 LOOP
		RAISE EXCEPTION 'unknown field "%"', place || backup_service_http.shown(field) USING
			ERRCODE = 'invalid_parameter_value',
			HINT = format('Known are %s.', place || array_to_string(known, ', ' || place));
	END LOOP;
END
$$;
COMMENT ON FUNCTION backup_service_http.check_known IS 'refuse a field that is not one of these';

CREATE FUNCTION backup_service_http.field(body jsonb, path text, type text, required boolean DEFAULT false)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	value jsonb := body #> string_to_array(path, '.');
BEGIN
	IF value = 'null' OR value IS NULL THEN
		IF required THEN
			RAISE EXCEPTION '% is missing', path USING ERRCODE = 'invalid_parameter_value';
		END IF;
		RETURN NULL;
	END IF;
	IF type <> 'any' AND jsonb_typeof(value) <> type THEN
		RAISE EXCEPTION '% must be of type %', path, type USING
			ERRCODE = 'invalid_parameter_value', DETAIL = format('It is of type %s.', jsonb_typeof(value));
	END IF;
	RETURN value;
END
$$;
COMMENT ON FUNCTION backup_service_http.field IS 'a field by its path, which must be of a JSON type (or any) where it is given';

CREATE FUNCTION backup_service_http.text_field(body jsonb, path text, required boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN backup_service_http.field(body, path, 'string', required) #>> '{}';
END
$$;

CREATE FUNCTION backup_service_http.flag_field(body jsonb, path text, otherwise boolean)
RETURNS boolean LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce(backup_service_http.field(body, path, 'boolean')::boolean, otherwise);
END
$$;

-- "backup-7" and "restore-7": null for what was never given out.
CREATE FUNCTION backup_service_http.number_of(id text, kind text)
RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	digits text := substring(id FROM '^' || kind || '-([1-9][0-9]{0,18})$');
BEGIN
	RETURN CASE WHEN digits::numeric <= 9223372036854775807 THEN digits::bigint END;
END
$$;
COMMENT ON FUNCTION backup_service_http.number_of IS 'the number in an id such as backup-7; null where it is no such id';

CREATE FUNCTION backup_service_http.find_backup(id text)
RETURNS @extschema@.bk_backups LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	backup @extschema@.bk_backups;
BEGIN
	SELECT * INTO backup FROM backup_service_http.backup_with(backup_service_http.number_of(id, 'backup'));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no backup "%"', backup_service_http.shown(id) USING
			ERRCODE = 'undefined_object', HINT = 'GET /backups lists those that you can use.';
	END IF;
	RETURN backup;
END
$$;
COMMENT ON FUNCTION backup_service_http.find_backup IS 'the backup of an id such as backup-7, where the caller may see it';

CREATE FUNCTION backup_service_http.find_operation(id text)
RETURNS @extschema@.bk_operations LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	operation @extschema@.bk_operations;
BEGIN
	SELECT * INTO operation FROM backup_service_http.operation_with(backup_service_http.number_of(id, 'restore'));
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no operation "%"', backup_service_http.shown(id) USING
			ERRCODE = 'undefined_object', HINT = 'GET /restore/operations lists those that you can use.';
	END IF;
	RETURN operation;
END
$$;
COMMENT ON FUNCTION backup_service_http.find_operation IS 'the operation of an id such as restore-7, where the caller may see it';

CREATE FUNCTION backup_service_http.backup(b @extschema@.bk_backups)
RETURNS json LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN json_build_object(
		'id', 'backup-' || b.backup_id,
		'resourceId', b.resource_id,
		'resourceType', b.resource_type,
		'type', b.type,
		'status', b.status,
		'baseId', 'backup-' || b.base_id,
		'size', b.size,
		'compressedSize', b.stored_size,
		'compressionRatio', b.compression_ratio,
		'documentSize', b.document_size,
		'compression', b.compression,
		'encrypted', b.encrypted,
		'keyVersion', b.key_version,
		'checksum', b.checksum,
		'data', '[REDACTED]',
		'metadata', json_build_object('version', b.version, 'source', b.source, 'tags', b.tags),
		'createdBy', b.created_by,
		'createdAt', backup_service_http.iso(b.created_at),
		'completedAt', backup_service_http.iso(b.completed_at),
		'expiresAt', backup_service_http.iso(b.expires_at),
		'verifiedAt', backup_service_http.iso(b.verified_at));
END
$$;
COMMENT ON FUNCTION backup_service_http.backup IS 'a backup as the API shows it';

CREATE FUNCTION backup_service_http.operation(o @extschema@.bk_operations)
RETURNS json LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN json_build_object(
		'id', 'restore-' || o.operation_id,
		'resourceId', o.resource_id,
		'backupId', 'backup-' || o.backup_id,
		'targetResourceId', o.target_resource_id,
		'restoredBackupId', 'backup-' || o.restored_backup_id,
		'type', o.type,
		'status', o.status,
		'validated', o.validated,
		'validationErrors', o.validation_errors,
		'progress', o.progress,
		'attempts', o.attempts,
		'error', o.error,
		'createdBy', o.created_by,
		'createdAt', backup_service_http.iso(o.created_at),
		'startedAt', backup_service_http.iso(o.started_at),
		'completedAt', backup_service_http.iso(o.completed_at));
END
$$;
COMMENT ON FUNCTION backup_service_http.operation IS 'a restore operation as the API shows it';

-- Query strings, as they came: still percent-encoded.
CREATE FUNCTION backup_service_http.decode(encoded text)
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bytes text;
BEGIN
	SELECT string_agg(CASE WHEN part[1] ~ '^%..$' THEN substr(part[1], 2)
						   ELSE encode(convert_to(replace(part[1], '+', ' '), 'UTF8'), 'hex') END, '' ORDER BY n)
	  INTO bytes
	  FROM regexp_matches(encoded, '%[0-9A-Fa-f]{2}|[^%]+|%', 'g') WITH ORDINALITY parts (part, n);
	RETURN coalesce(convert_from(pg_catalog.decode(bytes, 'hex'), 'UTF8'), '');
END
$$;
COMMENT ON FUNCTION backup_service_http.decode IS 'a name or a value of a query string';

CREATE FUNCTION backup_service_http.encode(value text)
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	encoded text;
BEGIN
	SELECT string_agg(CASE WHEN c ~ '^[A-Za-z0-9._~-]$' THEN c
						   ELSE regexp_replace(upper(pg_catalog.encode(convert_to(c, 'UTF8'), 'hex')), '(..)', E'%\\1', 'g') END,
					  '' ORDER BY n)
	  INTO encoded
	  FROM regexp_split_to_table(value, '') WITH ORDINALITY characters (c, n);
	RETURN coalesce(encoded, '');
END
$$;
COMMENT ON FUNCTION backup_service_http.encode IS 'the same the other way';

CREATE FUNCTION backup_service_http.parameters(query text, known text[])
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parameters jsonb;
	bad text;
BEGIN
	-- A parameter that is empty counts as left out.
	SELECT coalesce(jsonb_object_agg(name, value), '{}') INTO parameters
	  FROM (SELECT backup_service_http.decode(split_part(pair, '=', 1)) AS name,
				   jsonb_agg(backup_service_http.decode(substr(pair, strpos(pair, '=') + 1)) ORDER BY n) AS value
			  FROM regexp_split_to_table(query, '&') WITH ORDINALITY pairs (pair, n)
			 WHERE pair ~ '.=.' GROUP BY 1) p;
	SELECT k INTO bad FROM jsonb_object_keys(parameters) k WHERE k <> ALL (known) ORDER BY k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown query parameter "%"', backup_service_http.shown(bad) USING
			ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(known, ', '));
	END IF;
	SELECT k INTO bad FROM jsonb_object_keys(parameters) k
	 WHERE k <> 'tag' AND jsonb_array_length(parameters -> k) > 1 ORDER BY k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'query parameter "%" is there more than once', bad USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN parameters;
END
$$;
COMMENT ON FUNCTION backup_service_http.parameters IS 'the parameters of a query string, each an array; refuses unknown ones';

CREATE FUNCTION backup_service_http.tags(parameters jsonb)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tags jsonb;
BEGIN
	SELECT jsonb_object_agg(split_part(tag, ':', 1), substr(tag, strpos(tag, ':') + 1)) INTO tags
	  FROM jsonb_array_elements_text(parameters -> 'tag') tag WHERE tag LIKE '%:%';
	IF (SELECT count(*) FROM jsonb_object_keys(tags)) < jsonb_array_length(parameters -> 'tag') THEN
		RAISE EXCEPTION 'query parameter "tag" must be a key and a value, each key once' USING
			ERRCODE = 'invalid_parameter_value', HINT = 'Write tag=env:production; several tags must all be there.';
	END IF;
	RETURN tags;
END
$$;
COMMENT ON FUNCTION backup_service_http.tags IS 'the tags that a query asks for; null where it asks for none';

CREATE FUNCTION backup_service_http.page_size(parameters jsonb)
RETURNS integer LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	size text := coalesce(parameters -> 'limit' ->> 0, '100');
BEGIN
	IF size !~ '^[0-9]{1,4}$' OR size::integer NOT BETWEEN 1 AND 1000 THEN
		RAISE EXCEPTION 'limit must be a number from 1 to 1000' USING
			ERRCODE = 'invalid_parameter_value', DETAIL = format('It is "%s".', backup_service_http.shown(size));
	END IF;
	RETURN size::integer;
END
$$;

-- A cursor is the row that the page before has ended with, so that rows that come and go meanwhile do not matter.
CREATE FUNCTION backup_service_http.cursor(parameters jsonb, OUT before timestamptz, OUT before_id bigint)
RETURNS record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parts text[] := regexp_match(parameters -> 'cursor' ->> 0, '^([0-9]{4,6}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}[.][0-9]{6}Z)~([0-9]{1,18})$');
BEGIN
	IF parts IS NULL AND parameters ? 'cursor' THEN
		RAISE EXCEPTION 'cursor is none that was given out' USING
			ERRCODE = 'invalid_parameter_value', HINT = 'Follow the header Link of the page before.';
	END IF;
	before := backup_service_http.moment(parts[1], 'cursor');
	before_id := parts[2];
END
$$;

CREATE FUNCTION backup_service_http.page_headers(path text, parameters jsonb, total bigint, next text)
RETURNS jsonb LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	headers jsonb := jsonb_build_array(jsonb_build_object('X-Total-Count', total::text));
	query text;
BEGIN
	IF next IS NOT NULL THEN
		SELECT string_agg(name || '=' || backup_service_http.encode(value), '&' ORDER BY name, n) INTO query
		  FROM jsonb_each(parameters - 'cursor' || jsonb_build_object('cursor', jsonb_build_array(next))) p (name, list),
			   jsonb_array_elements_text(list) WITH ORDINALITY v (value, n);
		headers := headers || jsonb_build_object('Link', format('<%s?%s>; rel="next"', path, query));
	END IF;
	RETURN headers;
END
$$;
COMMENT ON FUNCTION backup_service_http.page_headers IS 'the headers of a page: how many there are in all, and where the next page is';

-- An answer that was recorded, and must be committed, though it is no good one.
CREATE FUNCTION backup_service_http.restored(operation_id bigint, document json, problem text)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	operation @extschema@.bk_operations;
BEGIN
	operation := backup_service_http.find_operation('restore-' || operation_id);
	IF problem IS NULL THEN
		RETURN json_build_object('operation', backup_service_http.operation(operation), 'data', document);
	END IF;
	PERFORM backup_service_http.respond(422);
	RETURN json_build_object('code', 'XX001', 'message', format('backup-%s has failed its validation', operation.backup_id),
		'details', problem, 'hint', format('GET /backups/backup-%s/verify says more.', operation.backup_id),
		'operation', backup_service_http.operation(operation), 'data', NULL);
END
$$;

CREATE FUNCTION backup_service_http.accepted(operation_id bigint)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM backup_service_http.respond(202,
		jsonb_build_array(jsonb_build_object('Location', '/restore/operations/restore-' || operation_id)));
	RETURN json_build_object('operation', backup_service_http.operation(
		backup_service_http.find_operation('restore-' || operation_id)));
END
$$;

-- A backup's answer to who has made it.
CREATE FUNCTION backup_service_http.created(answer json, again boolean)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	headers jsonb := jsonb_build_array(jsonb_build_object('Location', '/backups/' || (answer ->> 'id')));
BEGIN
	IF again THEN
		headers := headers || jsonb_build_object('Idempotency-Replayed', 'true');
	END IF;
	PERFORM backup_service_http.respond(201, headers);
	RETURN answer;
END
$$;

CREATE FUNCTION backup_service_http.create_backup(body jsonb)
RETURNS json LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	days numeric := backup_service_http.field(body, 'metadata.retentionDays', 'number')::numeric;
	backup @extschema@.bk_backups;
BEGIN
	PERFORM backup_service_http.check_known(body,
		'{resourceId,resourceType,type,data,metadata,encrypt,compression}');
	PERFORM backup_service_http.check_known(backup_service_http.field(body, 'metadata', 'object'),
		'{version,source,tags,retentionDays}', 'metadata.');
	IF days NOT BETWEEN 1 AND 36500 OR days <> trunc(days) THEN
		RAISE EXCEPTION 'metadata.retentionDays must be a whole number from 1 to 36500' USING
			ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', backup_service_http.shown(days::text)),
			HINT = 'Leave it out for a backup that does not expire by itself.';
	END IF;
	SELECT * INTO backup FROM @extschema@.bk_create(
		resource_id => backup_service_http.check_name(backup_service_http.text_field(body, 'resourceId', true), 'resourceId'),
		data => backup_service_http.field(body, 'data', 'any', true),
		type => coalesce(backup_service_http.text_field(body, 'type'), 'full'),
		resource_type => backup_service_http.check_name(
			coalesce(backup_service_http.text_field(body, 'resourceType'), 'document'), 'resourceType'),
		encrypt => backup_service_http.flag_field(body, 'encrypt', NULL),
		compression => backup_service_http.text_field(body, 'compression'),
		retention => make_interval(days => days::integer),
		tags => coalesce(backup_service_http.field(body, 'metadata.tags', 'object'), '{}'),
		source => backup_service_http.check_label(backup_service_http.text_field(body, 'metadata.source'), 'metadata.source'),
		version => backup_service_http.check_label(backup_service_http.text_field(body, 'metadata.version'), 'metadata.version'));
	RETURN backup_service_http.backup(backup);
END
$$;

CREATE FUNCTION backup_service_http.idempotency_key()
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text := nullif(current_setting('request.headers', true), '')::json ->> 'idempotency-key';
BEGIN
	IF key !~ '^[!-~]{1,255}$' THEN
		RAISE EXCEPTION 'the header Idempotency-Key must be 1 to 255 printable ASCII characters without blanks' USING
			ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN key;
END
$$;
COMMENT ON FUNCTION backup_service_http.idempotency_key IS 'the caller''s word for the request; null where there is none';
