/*
 * policy.c
 *		Changes of policies, which the trail of the catalog keeps, and of what has which.
 */
#include "service/policy.h"

#include "service/audit.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/json_text.h"
#include "utils/builtins.h"

static void
add_interval(StringInfo json, const char *name, const Interval *interval)
{
	Interval	copy = *interval;

	if (copy.month == 0 && copy.day == 0 && copy.time == 0)
		return;
	bk_json_add_text(json, name, DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&copy))));
}

/* A policy as its event tells it: what is not there is left out. */
static Jsonb *
describe(const BkPolicy *policy)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "policy", policy->name);
	add_interval(&json, "keep_for", &policy->rules.keep_for);
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		if (policy->rules.keep[rule] != 0)
			bk_json_add_int64(&json, bk_retention_reason_name(rule), policy->rules.keep[rule]);
	bk_json_add_text(&json, "time_zone", policy->time_zone);
	bk_json_add_int64(&json, "week_start", policy->rules.week_start);
	add_interval(&json, "expect_every", &policy->expect_every);
	if (policy->max_snapshots != BK_NO_MAX_SNAPSHOTS)
		bk_json_add_int64(&json, "max_snapshots", policy->max_snapshots);
	bk_json_end(&json);
	return bk_json_value(&json);
}

BK_NORETURN static void
refuse_ready_made(const char *name, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_RESERVED_NAME),
			 errmsg("policy \"%s\" is ready-made and cannot be %s", name, what),
			 errhint("Make one with another name: bk_policy_set('my %s', ...).", name)));
	pg_unreachable();
}

BK_NORETURN static void
no_such_policy(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("policy \"%s\" does not exist", name),
			 errhint("SELECT * FROM bk_policies shows all of them; bk_policy_set() makes one.")));
	pg_unreachable();
}

void
bk_set_policy(const BkCall *call, BkPolicy *policy)
{
	policy->time_zone = bk_retention_check_zone(policy->time_zone);
	policy->rules.time_zone = bk_retention_zone(policy->time_zone);
	bk_retention_check(&policy->rules);
	if (!bk_policy_put(policy, call->role_name, bk_now()))
		refuse_ready_made(policy->name, "changed");
	bk_audit_catalog(call, "policy_set", describe(policy));
}

static void
check_unused(const char *name)
{
	char	   *resource_id;
	char	   *resource_type;

	bk_policy_find_use(name, &resource_id, &resource_type);
	if (resource_id == NULL && resource_type == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("policy \"%s\" is assigned", name),
			 resource_id ? errdetail("Resource \"%s\" has it.", resource_id)
			 : *resource_type ? errdetail("Resources of type \"%s\" have it.", resource_type)
			 : errdetail("It is the default."),
			 errhint("bk_policy_assign(..., NULL) takes an assignment away.")));
}

void
bk_drop_policy(const BkCall *call, const char *name)
{
	bool		ready_made;

	if (!bk_policy_lock(name, true, &ready_made))
		no_such_policy(name);
	if (ready_made)
		refuse_ready_made(name, "dropped");
	check_unused(name);
	bk_policy_delete(name);
	bk_audit_catalog(call, "policy_drop", bk_json_of_text("policy", name));
}

/* What has the policy, as the event tells it. */
static Jsonb *
describe_assignment(const char *name, const char *resource_type)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "policy", name);
	bk_json_add_text(&json, "resource_type", resource_type);
	bk_json_end(&json);
	return bk_json_value(&json);
}

static void
assign_to_resource(const BkCall *call, const char *resource_id, const char *name)
{
	BkResource	resource;

	bk_find_resource_to_change(call, resource_id, &resource);
	bk_policy_assign_resource(resource_id, name);
	bk_audit_resource(call, &resource, "policy_assign", 0, describe_assignment(name, NULL));
	bk_resource_touch(&resource, 0);
}

void
bk_assign_policy(const BkCall *call, const char *resource_id, const char *resource_type, const char *name)
{
	bool		ready_made;

	if (name && !bk_policy_lock(name, false, &ready_made))
		no_such_policy(name);
	if (resource_id)
		assign_to_resource(call, resource_id, name);
	else
	{
		bk_policy_assign_type(resource_type ? resource_type : BK_DEFAULT_TYPE, name);
		bk_audit_catalog(call, "policy_assign", describe_assignment(name, resource_type));
	}
}
