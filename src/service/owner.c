/*
 * owner.c
 *		Who owns a resource.
 */
#include "service/owner.h"

#include "service/audit.h"
#include "service/find.h"
#include "service/json_text.h"
#include "service/rights.h"
#include "utils/acl.h"

/* The role exists, and the caller may act for it. */
static void
check_new_owner(const BkCall *call, const char *owner)
{
	(void) get_role_oid(owner, false);
	if (bk_may_use(call, owner))
		return;
	call->attempt->denied = true;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to give a resource to role \"%s\"", owner),
			 errdetail("You do not have the privileges of that role."),
			 errhint("Ask to be made a member of it, or ask an operator.")));
}

static Jsonb *
describe(const char *from, const char *to)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "from", from);
	bk_json_add_text(&json, "to", to);
	bk_json_end(&json);
	return bk_json_value(&json);
}

void
bk_set_owner(const BkCall *call, const char *resource_id, const char *owner)
{
	BkResource	resource;

	bk_find_resource_to_change(call, resource_id, &resource);
	check_new_owner(call, owner);
	bk_resource_set_owner(resource.resource_id, owner);
	bk_audit_resource(call, &resource, "owner_set", 0, describe(resource.owner, owner));
	bk_resource_touch(&resource, 0);
}
