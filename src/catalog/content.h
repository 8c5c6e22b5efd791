/*
 * content.h
 *		How much there is in the whole catalog.
 */
#ifndef BK_CATALOG_CONTENT_H
#define BK_CATALOG_CONTENT_H

#include "common/common.h"

typedef struct BkContent
{
	int64		backups;
	int64		resources;		/* that have backups */
} BkContent;

/* In a view; reads the table of backups from end to end. */
extern BkContent bk_content_count(void);

#endif							/* BK_CATALOG_CONTENT_H */
