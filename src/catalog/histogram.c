/*
 * histogram.c
 *		The buckets of the catalog's histograms.
 */
#include "catalog/histogram.h"

#include "catalog/pg_type.h"

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

/* What the server needs to know of arrays of bigint. */
#define ELEMENT		sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE

Datum
bk_histogram_add(ArrayType *histogram, int bucket)
{
	Datum		array = PointerGetDatum(histogram ? histogram : construct_empty_array(INT8OID));
	bool		is_null;
	Datum		count = array_get_element(array, 1, &bucket, -1, ELEMENT, &is_null);
	int64		more = is_null ? 1 : DatumGetInt64(count) + 1;

	return array_set_element(array, 1, &bucket, Int64GetDatum(more), false, -1, ELEMENT);
}
