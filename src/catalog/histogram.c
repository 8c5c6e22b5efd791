/*
 * histogram.c
 *		The buckets of the catalog's histograms.
 */
#include "catalog/histogram.h"

#define FIRST_SIZE_BOUND	256
#define LAST_SIZE_BOUND		((int64) 1 << 30)

static const int64 duration_bounds[BK_DURATION_BUCKETS - 1] = {
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
	60000000
};

int
bk_size_bucket(int64 bytes)
{
	int			bucket = 1;

	for (int64 bound = FIRST_SIZE_BOUND; bound <= LAST_SIZE_BOUND && bytes > bound; bound *= 4)
		bucket++;
	return bucket;
}

int
bk_duration_bucket(int64 microseconds)
{
	int			bucket = 0;

	while (bucket < lengthof(duration_bounds) && microseconds > duration_bounds[bucket])
		bucket++;
	return bucket + 1;
}
