/*
 * policy.c
 *		Statements on backup_service.policy and backup_service.policy_assignment.
 */
#include "catalog/policy.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "catalog/watch.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* Its own, its type's, the default. */
#define FROM_RESOURCES \
	" FROM backup_service.resource r" \
	" LEFT JOIN backup_service.policy_assignment t ON t.resource_type = r.resource_type" \
	" LEFT JOIN backup_service.policy_assignment d ON d.resource_type = ''" \
	" JOIN backup_service.policy p ON p.name = coalesce(r.policy, t.policy, d.policy)"
#define FROM_EFFECTIVE \
	FROM_RESOURCES " WHERE r.resource_id = $1"

/* Intervals are added in UTC.  A resource without any backup yet has one of -infinity. */
#define IS_OVERDUE \
	" r.dropped_at IS NULL AND p.expect_every IS NOT NULL" \
	" AND pg_catalog.timezone('UTC', r.last_backup_at) + p.expect_every < pg_catalog.timezone('UTC', $2)"

static BkStatement put_policy = {
	.sql = "INSERT INTO backup_service.policy AS p (name, keep_last, keep_hourly, keep_daily, keep_weekly,"
	" keep_monthly, keep_yearly, keep_for, time_zone, week_start, expect_every, max_snapshots, created_by, updated_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
	" ON CONFLICT (name) DO UPDATE SET keep_last = EXCLUDED.keep_last, keep_hourly = EXCLUDED.keep_hourly,"
	" keep_daily = EXCLUDED.keep_daily, keep_weekly = EXCLUDED.keep_weekly, keep_monthly = EXCLUDED.keep_monthly,"
	" keep_yearly = EXCLUDED.keep_yearly, keep_for = EXCLUDED.keep_for, time_zone = EXCLUDED.time_zone,"
	" week_start = EXCLUDED.week_start, expect_every = EXCLUDED.expect_every,"
	" max_snapshots = EXCLUDED.max_snapshots, updated_at = EXCLUDED.updated_at WHERE NOT p.ready_made",
	.nargs = 14,
	.types = {TEXTOID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, INT4OID, INTERVALOID, TEXTOID, INT4OID,
		INTERVALOID, INT4OID, NAMEOID, TIMESTAMPTZOID},
};

static BkStatement lock_to_assign = {
	.sql = "SELECT ready_made FROM backup_service.policy WHERE name = $1 FOR KEY SHARE",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement lock_to_remove = {
	.sql = "SELECT ready_made FROM backup_service.policy WHERE name = $1 FOR UPDATE",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement delete_policy = {
	.sql = "DELETE FROM backup_service.policy WHERE name = $1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_type_with = {
	.sql = "SELECT resource_type FROM backup_service.policy_assignment WHERE policy = $1 ORDER BY resource_type LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_resource_with = {
	.sql = "SELECT resource_id FROM backup_service.resource WHERE policy = $1 ORDER BY resource_id LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement assign_type = {
	.sql = "INSERT INTO backup_service.policy_assignment (resource_type, policy) VALUES ($1, $2)"
	" ON CONFLICT (resource_type) DO UPDATE SET policy = EXCLUDED.policy",
	.nargs = 2,
	.types = {TEXTOID, TEXTOID},
};

static BkStatement unassign_type = {
	.sql = "DELETE FROM backup_service.policy_assignment WHERE resource_type = $1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement assign_resource = {
	.sql = "UPDATE backup_service.resource SET policy = $2 WHERE resource_id = $1",
	.nargs = 2,
	.types = {TEXTOID, TEXTOID},
};

static BkStatement find_effective = {
	.sql = "SELECT p.name, p.keep_last, p.keep_hourly, p.keep_daily, p.keep_weekly, p.keep_monthly, p.keep_yearly,"
	" p.keep_for, p.time_zone, p.week_start, p.expect_every, p.max_snapshots" FROM_EFFECTIVE,
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_expectation = {
	.sql = "SELECT p.expect_every::pg_catalog.text, r.last_backup_at" FROM_EFFECTIVE " AND" IS_OVERDUE,
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_overdue = {
	.sql = "SELECT r.resource_id" FROM_RESOURCES " WHERE" IS_OVERDUE " ORDER BY r.resource_id LIMIT $1",
	.nargs = 2,
	.types = {INT4OID, TIMESTAMPTZOID},
};

static BkStatement find_max_snapshots = {
	.sql = "SELECT p.max_snapshots" FROM_EFFECTIVE " AND p.max_snapshots IS NOT NULL",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_least_snapshots = {
	.sql = "SELECT pg_catalog.count(max_snapshots), pg_catalog.min(nullif(max_snapshots, 0)) FROM backup_service.policy",
	.nargs = 0,
};

/* What the policies say of max_snapshots, as it was read last. */
static struct
{
	BkWatch		watch;
	bool		any;			/* some policy has it */
	int32		least;			/* the least that is a limit; 0 for none */
} snapshots = {
	.watch = {.table = "policy"},
};

static void
add_int32(BkValues *values, int32 number, int32 null)
{
	if (number == null)
		bk_value_add_null(values);
	else
		bk_value_add(values, Int32GetDatum(number));
}

static void
add_interval(BkValues *values, const Interval *interval)
{
	if (interval->month == 0 && interval->day == 0 && interval->time == 0)
		bk_value_add_null(values);
	else
		bk_value_add(values, IntervalPGetDatum(unconstify(Interval *, interval)));
}

bool
bk_policy_put(const BkPolicy *policy, const char *created_by, TimestampTz updated_at)
{
	BkValues	values = {0};
	bool		done;

	bk_value_add_text(&values, policy->name);
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		add_int32(&values, policy->rules.keep[rule], 0);
	add_interval(&values, &policy->rules.keep_for);
	bk_value_add_text(&values, policy->time_zone);
	bk_value_add(&values, Int32GetDatum(policy->rules.week_start));
	add_interval(&values, &policy->expect_every);
	add_int32(&values, policy->max_snapshots, BK_NO_MAX_SNAPSHOTS);
	bk_value_add_name(&values, created_by);
	bk_value_add(&values, TimestampTzGetDatum(updated_at));
	done = bk_statement_write(&put_policy, &values) == 1;
	bk_watch_announce(&snapshots.watch);
	return done;
}

bool
bk_policy_lock(const char *name, bool to_remove, bool *ready_made)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, name);
	found = bk_statement_write(to_remove ? &lock_to_remove : &lock_to_assign, &values) == 1;
	if (found)
		*ready_made = bk_column_bool(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

void
bk_policy_delete(const char *name)
{
	BkValues	values = {0};

	bk_value_add_text(&values, name);
	bk_statement_write(&delete_policy, &values);
	bk_watch_announce(&snapshots.watch);
}

/* The one text of a query about a policy; NULL where it gives none.  Sees what was committed last. */
static char *
find_text(BkStatement *statement, const char *name)
{
	BkValues	values = {0};
	char	   *text = NULL;

	bk_value_add_text(&values, name);
	if (bk_statement_write(statement, &values) == 1)
		text = bk_column_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return text;
}

void
bk_policy_find_use(const char *name, char **resource_id, char **resource_type)
{
	*resource_type = find_text(&find_type_with, name);
	*resource_id = *resource_type ? NULL : find_text(&find_resource_with, name);
}

void
bk_policy_assign_type(const char *resource_type, const char *name)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_type);
	if (name)
		bk_value_add_text(&values, name);
	bk_statement_write(name ? &assign_type : &unassign_type, &values);
}

void
bk_policy_assign_resource(const char *resource_id, const char *name)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_text(&values, name);
	bk_statement_write(&assign_resource, &values);
}

static void
read_interval(int column, Interval *interval)
{
	if (bk_column_is_null(0, column))
		memset(interval, 0, sizeof(*interval));
	else
		*interval = *DatumGetIntervalP(bk_column(0, column));
}

static void
read_policy(BkPolicy *policy)
{
	memset(policy, 0, sizeof(*policy));
	policy->name = bk_column_text(0, 1);
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		policy->rules.keep[rule] = bk_column_int32(0, 2 + rule);
	read_interval(2 + BK_COUNTED_RULES, &policy->rules.keep_for);
	policy->time_zone = bk_column_text(0, 3 + BK_COUNTED_RULES);
	policy->rules.time_zone = bk_retention_zone(policy->time_zone);
	policy->rules.week_start = bk_column_int32(0, 4 + BK_COUNTED_RULES);
	read_interval(5 + BK_COUNTED_RULES, &policy->expect_every);
	policy->max_snapshots = bk_column_is_null(0, 6 + BK_COUNTED_RULES)
		? BK_NO_MAX_SNAPSHOTS : bk_column_int32(0, 6 + BK_COUNTED_RULES);
}

bool
bk_policy_find_effective(const char *resource_id, BkPolicy *policy)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, resource_id);
	found = bk_statement_read(&find_effective, &values, 1) == 1;
	if (found)
		read_policy(policy);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static void
read_least(void)
{
	BkValues	values = {0};

	if (bk_watch_is_fresh(&snapshots.watch))
		return;
	bk_watch_begin(&snapshots.watch);
	bk_statement_write(&find_least_snapshots, &values);
	snapshots.any = bk_column_int64(0, 1) > 0;
	snapshots.least = bk_column_int32(0, 2);
	SPI_freetuptable(SPI_tuptable);
}

int32
bk_policy_least_snapshots(int32 by_setting)
{
	int32		least;

	read_least();
	least = by_setting > 0 ? by_setting : PG_INT32_MAX;
	return snapshots.least > 0 ? Min(least, snapshots.least) : least;
}

int32
bk_policy_max_snapshots(const char *resource_id, int32 by_setting)
{
	BkValues	values = {0};
	int32		max = by_setting;

	read_least();
	if (!snapshots.any)
		return by_setting;
	bk_value_add_text(&values, resource_id);
	if (bk_statement_write(&find_max_snapshots, &values) == 1)
		max = bk_column_int32(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return max;
}

char *
bk_policy_find_expectation(const char *resource_id, TimestampTz now, TimestampTz *last_backup_at)
{
	BkValues	values = {0};
	char	   *expect_every = NULL;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	if (bk_statement_read(&find_expectation, &values, 1) == 1)
	{
		expect_every = bk_column_text(0, 1);
		*last_backup_at = bk_column_int64(0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return expect_every;
}

int
bk_policy_find_overdue(TimestampTz now, int limit, char **first)
{
	BkValues	values = {0};
	int			count;

	bk_value_add(&values, Int32GetDatum(limit));
	bk_value_add(&values, TimestampTzGetDatum(now));
	count = bk_statement_read(&find_overdue, &values, 0);
	*first = count == 0 ? NULL : bk_column_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return count;
}
