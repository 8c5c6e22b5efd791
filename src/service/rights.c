/*
 * rights.c
 *		Ownership and membership.
 */
#include "service/rights.h"

#include "utils/acl.h"

/* Membership by name; a role that is no more has no members but superusers. */
static bool
has_privileges_of(const BkCall *call, const char *role_name)
{
	Oid			role = get_role_oid(role_name, true);

	return OidIsValid(role) ? has_privs_of_role(call->role, role) : superuser_arg(call->role);
}

bool
bk_may_use(const BkCall *call, const char *owner)
{
	return strcmp(owner, call->role_name) == 0
		|| has_privileges_of(call, owner)
		|| has_privileges_of(call, "backup_service_operator");
}

bool
bk_may_list_all(const BkCall *call)
{
	return has_privileges_of(call, "backup_service_operator")
		|| has_privileges_of(call, "backup_service_auditor");
}

void
bk_check_writable(const BkCall *call, const BkResource *resource)
{
	if (bk_may_use(call, resource->owner))
		return;
	call->attempt->denied = true;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for resource \"%s\"", resource->resource_id),
			 errdetail("The resource belongs to another role."),
			 errhint("Choose another resource_id, or ask to be made a member of the role that owns this one.")));
}
