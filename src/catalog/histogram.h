/*
 * histogram.h
 *		The buckets of the catalog's histograms, numbered from 1.
 *
 * A bucket counts what is at most its bound and more than the bound before; the last one
 * has no bound.  bk_metrics() in sql/45_metrics.sql prints the same bounds.
 */
#ifndef BK_CATALOG_HISTOGRAM_H
#define BK_CATALOG_HISTOGRAM_H

#include "common/common.h"

#define BK_DURATION_BUCKETS	16

/* Of so many bytes: bounds from 256 bytes to 1 GB, each four times the one before. */
extern int	bk_size_bucket(int64 bytes);

/* Of so many microseconds: bounds from 1 ms to 60 s. */
extern int	bk_duration_bucket(int64 microseconds);

#endif							/* BK_CATALOG_HISTOGRAM_H */
