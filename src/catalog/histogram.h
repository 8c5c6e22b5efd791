/*
 * histogram.h
 *		The buckets of the catalog's histograms, numbered from 1.
 *
 * A bucket counts what is at most its bound and more than the bound before; the last one
 * has no bound.  bk_metrics() in sql/45_metrics.sql prints the same bounds.  A histogram is a bigint[]
 * that reaches from its first bucket in use to its last; null is 0.
 */
#ifndef BK_CATALOG_HISTOGRAM_H
#define BK_CATALOG_HISTOGRAM_H

#include "common/common.h"

#include "utils/array.h"

#define BK_DURATION_BUCKETS	16

/* Of so many bytes: bounds from 256 bytes to 1 GB, each four times the one before. */
extern int	bk_size_bucket(int64 bytes);

/* Of so many microseconds: bounds from 1 ms to 60 s. */
extern int	bk_duration_bucket(int64 microseconds);

/* A histogram with one more in a bucket; NULL is an empty one. */
extern Datum bk_histogram_add(ArrayType *histogram, int bucket);

#endif							/* BK_CATALOG_HISTOGRAM_H */
