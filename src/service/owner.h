/*
 * owner.h
 *		Giving resources to other roles.
 */
#ifndef BK_OWNER_H
#define BK_OWNER_H

#include "service/call.h"

/*
 * As with ALTER ... OWNER TO, the caller has the privileges of the owner and of
 * the new one, or is an operator.
 */
extern void bk_set_owner(const BkCall *call, const char *resource_id, const char *owner);

#endif							/* BK_OWNER_H */
