/*
 * job_seal.c
 *		Sealing audit events as soon as there are some.
 */
#include "worker/job_seal.h"

#include "catalog/event.h"
#include "service/audit.h"
#include "utils/timestamp.h"

/* Their resources' writers wait for the batch's end. */
#define SEAL_BATCH		500

TimestampTz
bk_job_seal_next_due(const BkCall *call, TimestampTz now)
{
	bool		waiting;

	bk_view_open();
	waiting = bk_event_find_unsealed_resource("") != NULL;
	bk_view_close();
	return waiting ? now : DT_NOEND;
}

/* Where writers hold the resources, fewer are sealed than there are; the next batch comes later. */
bool
bk_job_seal_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_audit_seal_events(call, SEAL_BATCH) == SEAL_BATCH;
}
