/*
 * policy.h
 *		The tables policy and policy_assignment: retention policies, and what has which.
 */
#ifndef BK_CATALOG_POLICY_H
#define BK_CATALOG_POLICY_H

#include "catalog/statement.h"
#include "retention/retention.h"

/* The resource_type under which the default is assigned. */
#define BK_DEFAULT_TYPE	""

/* A policy that says nothing of max_snapshots. */
#define BK_NO_MAX_SNAPSHOTS	(-1)

typedef struct BkPolicy
{
	const char *name;
	BkRetentionPolicy rules;
	const char *time_zone;		/* its name, as PostgreSQL spells it */
	Interval	expect_every;	/* all zero: nothing is expected */
	int32		max_snapshots;	/* 0: no limit */
} BkPolicy;

/* Make or replace a policy; false, and nothing is done, where a ready-made one has the name. */
extern bool bk_policy_put(const BkPolicy *policy, const char *created_by, TimestampTz updated_at);

/*
 * Lock a policy until the transaction ends, so that it stays (to be assigned), or against that
 * (to be removed); false where there is none.
 */
extern bool bk_policy_lock(const char *name, bool to_remove, bool *ready_made);
extern void bk_policy_delete(const char *name);

/* Something that has the policy: a resource's id, or the type with which that is so; NULL both where nothing has. */
extern void bk_policy_find_use(const char *name, char **resource_id, char **resource_type);

/* Assign a policy to a type; NULL takes the assignment away. */
extern void bk_policy_assign_type(const char *resource_type, const char *name);

/* Assign one to a locked resource; NULL takes it away. */
extern void bk_policy_assign_resource(const char *resource_id, const char *name);

/* The policy that a resource has: its own, that of its type, or the default; in a view.  False where it has none. */
extern bool bk_policy_find_effective(const char *resource_id, BkPolicy *policy);

/*
 * The least number of recovery points that any policy or the setting allows; INT32_MAX where none
 * limits them.  Costs nothing: it is remembered until the table changes.
 */
extern int32 bk_policy_least_snapshots(int32 by_setting);

/* How many recovery points a resource may have: by its policy, else by the setting; 0 for no limit. */
extern int32 bk_policy_max_snapshots(const char *resource_id, int32 by_setting);

/*
 * How often a resource's policy expects a backup, as text, where the newest one ever made is older than that, in a
 * view; NULL where it is not, or where nothing is expected.
 */
extern char *bk_policy_find_expectation(const char *resource_id, TimestampTz now, TimestampTz *last_backup_at);

/* Resources of which that is so: how many, counted up to limit, and the first, in a view. */
extern int	bk_policy_find_overdue(TimestampTz now, int limit, char **first);

#endif							/* BK_CATALOG_POLICY_H */
