-- What PostgREST shows, for those who name this schema in its db-schemas; for others it costs nothing.
-- http/nginx.conf makes the API's paths of these functions.  Each has one parameter without a name, which is how
-- PostgREST hands over a body as it came: the raw body, the query string, or the id in the path.  bytea takes bodies,
-- since a text would end at a zero byte.
CREATE SCHEMA backup_service_api;
REVOKE ALL ON SCHEMA backup_service_api FROM PUBLIC;
COMMENT ON SCHEMA backup_service_api IS 'the API of the extension backup_service over HTTP: docs/http.md';

-- PostgREST answers any Accept with the bytes of such a value.
CREATE DOMAIN backup_service_api."*/*" AS bytea;

CREATE FUNCTION backup_service_api.root(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.root IS 'GET /: what this service is';

CREATE FUNCTION backup_service_api.health(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.health IS 'GET /health: whether all is well; 503 where backups or restores fail, or soon will';

CREATE FUNCTION backup_service_api.metrics(text)
RETURNS backup_service_api."*/*" LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.metrics IS 'GET /metrics: what Prometheus reads';

CREATE FUNCTION backup_service_api.backups_create(bytea)
RETURNS json LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_create IS 'POST /backups';

CREATE FUNCTION backup_service_api.backups_list(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_list IS 'GET /backups?resourceId=&resourceType=&type=&tag=&from=&to=&limit=&cursor=';

CREATE FUNCTION backup_service_api.backups_get(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_get IS 'GET /backups/{id}';

CREATE FUNCTION backup_service_api.backups_delete(text)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_delete IS 'DELETE /backups/{id}';

CREATE FUNCTION backup_service_api.backups_verify(text)
RETURNS json LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_verify IS 'GET /backups/{id}/verify';

CREATE FUNCTION backup_service_api.backups_download(text)
RETURNS backup_service_api."*/*" LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.backups_download IS 'GET /backups/{id}/download: the document as a .json.gz file';

CREATE FUNCTION backup_service_api.restores_create(bytea)
RETURNS json LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.restores_create IS 'POST /restore';

CREATE FUNCTION backup_service_api.restores_create_at(bytea)
RETURNS json LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.restores_create_at IS 'POST /restore/point-in-time';

CREATE FUNCTION backup_service_api.operations_list(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.operations_list IS 'GET /restore/operations?resourceId=&targetResourceId=&status=&from=&to=&limit=&cursor=';

CREATE FUNCTION backup_service_api.operations_get(text)
RETURNS json LANGUAGE C STABLE AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.operations_get IS 'GET /restore/operations/{id}';

CREATE FUNCTION backup_service_api.operations_cancel(text)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_http_call';
COMMENT ON FUNCTION backup_service_api.operations_cancel IS 'DELETE /restore/operations/{id}: cancel it';

-- A PostgREST that runs already learns of them.
NOTIFY pgrst, 'reload schema';
