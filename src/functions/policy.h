/*
 * policy.h
 *		The rules of a retention policy as arguments of an entry function.
 */
#ifndef BK_FUNCTIONS_POLICY_H
#define BK_FUNCTIONS_POLICY_H

#include "retention/retention.h"

#include "fmgr.h"

/* keep_for, keep_last to keep_yearly, time_zone and week_start, from an argument on; the caller checks them. */
extern void bk_rules_argument(FunctionCallInfo fcinfo, int first, BkRetentionPolicy *rules, char **time_zone);

#endif							/* BK_FUNCTIONS_POLICY_H */
