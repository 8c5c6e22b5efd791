/*
 * index.c
 *		Finds an archive's entries by the id of their backup.
 */
#include "archive/archive.h"

#include <stdlib.h>

typedef struct Place
{
	int64		backup_id;
	int			entry;
} Place;

struct BkArchiveIndex
{
	int			count;
	Place	   *places;			/* in order of the ids */
};

static int
compare_places(const void *a, const void *b)
{
	int64		left = ((const Place *) a)->backup_id;
	int64		right = ((const Place *) b)->backup_id;

	return (left > right) - (left < right);
}

BkArchiveIndex *
bk_archive_index(BkMemory memory, const BkArchive *archive)
{
	BkArchiveIndex *index = bk_alloc_zero(memory, sizeof(*index));

	index->count = archive->entry_count;
	index->places = bk_alloc(memory, Max(index->count, 1) * sizeof(Place));
	for (int i = 0; i < index->count; i++)
		index->places[i] = (Place) {archive->entries[i].header.backup_id, i};
	qsort(index->places, index->count, sizeof(Place), compare_places);
	for (int i = 1; i < index->count; i++)
		if (index->places[i].backup_id == index->places[i - 1].backup_id)
			bk_fail(BK_ARGUMENT, "archive", "backup %lld occurs twice", (long long) index->places[i].backup_id);
	return index;
}

int
bk_archive_find(const BkArchiveIndex *index, int64 backup_id)
{
	Place		wanted = {.backup_id = backup_id};
	const Place *found = bsearch(&wanted, index->places, index->count, sizeof(Place), compare_places);

	return found ? found->entry : -1;
}
