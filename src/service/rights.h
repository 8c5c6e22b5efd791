/*
 * rights.h
 *		Who may use which resource.
 *
 * A resource belongs to the role that first backed it up.  That role, those
 * with its privileges, and operators can use it.
 */
#ifndef BK_RIGHTS_H
#define BK_RIGHTS_H

#include "catalog/resource.h"
#include "service/call.h"

/* Read and write a resource of this owner. */
extern bool bk_may_use(const BkCall *call, const char *owner);

/* 42501 where the caller may not write to a resource that is there. */
extern void bk_check_writable(const BkCall *call, const BkResource *resource);

/* See every resource listed, whoever owns it. */
extern bool bk_may_list_all(const BkCall *call);

#endif							/* BK_RIGHTS_H */
