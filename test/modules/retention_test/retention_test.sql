-- The functions of retention_test.c; psql's variable library is the path of the built library.
-- keep is keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly; null for no policy.
-- flags are BK_POINT_... of src/retention/retention.h.  Times are microseconds since 2000-01-01 UTC.
CREATE FUNCTION retention_decide(
	ids bigint[], bases bigint[], created bigint[], expires bigint[], flags bigint[],
	keep bigint[], keep_for interval, time_zone text, week_start int,
	now bigint, max_fraction float8, already int,
	OUT backup_id bigint, OUT verdict text, OUT reasons text[], OUT places int[],
	OUT until bigint, OUT exact boolean, OUT words text, OUT waiting int)
RETURNS SETOF record AS :'library' LANGUAGE c IMMUTABLE;

CREATE FUNCTION retention_doomed(
	ids bigint[], bases bigint[], created bigint[], expires bigint[], flags bigint[],
	keep bigint[], keep_for interval, time_zone text, week_start int, now bigint)
RETURNS bigint[] AS :'library' LANGUAGE c IMMUTABLE;

CREATE FUNCTION retention_check(keep bigint[], keep_for interval, time_zone text, week_start int)
RETURNS void AS :'library' LANGUAGE c IMMUTABLE;

CREATE FUNCTION retention_check_zone(name text) RETURNS text AS :'library' LANGUAGE c IMMUTABLE;

-- Questions by the thousand, and their answers.
CREATE UNLOGGED TABLE question (
	number int PRIMARY KEY,
	ids bigint[] NOT NULL, bases bigint[] NOT NULL, created bigint[] NOT NULL, expires bigint[] NOT NULL,
	flags bigint[] NOT NULL, keep bigint[], keep_for interval, time_zone text NOT NULL, week_start int NOT NULL,
	now bigint NOT NULL, max_fraction float8 NOT NULL, already int NOT NULL);
CREATE VIEW answer AS
	SELECT q.number, a.*
	  FROM question q,
	       retention_decide(q.ids, q.bases, q.created, q.expires, q.flags, q.keep, q.keep_for, q.time_zone,
	                        q.week_start, q.now, q.max_fraction, q.already) a;
