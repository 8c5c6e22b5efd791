/*
 * policy.h
 *		Making, assigning and removing retention policies.
 */
#ifndef BK_POLICY_H
#define BK_POLICY_H

#include "catalog/policy.h"
#include "service/call.h"

/* Make or replace a policy, once its rules and its time zone were found to make sense. */
extern void bk_set_policy(const BkCall *call, BkPolicy *policy);

/* Remove one; 55006 where something has it. */
extern void bk_drop_policy(const BkCall *call, const char *name);

/* Assign a policy to a resource, to a type, or (both NULL) to all others; name NULL takes the assignment away. */
extern void bk_assign_policy(const BkCall *call, const char *resource_id, const char *resource_type, const char *name);

#endif							/* BK_POLICY_H */
