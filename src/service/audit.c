/*
 * audit.c
 *		Making events, and giving them their places.
 */
#include "service/audit.h"

#include "access/xact.h"
#include "fmgr.h"
#include "service/audit_digest.h"
#include "service/audit_log.h"
#include "service/clock.h"
#include "service/wake.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

/*
 * The client's address, as text; NULL for a local socket or no client.  It is asked of the SQL function,
 * since the header that declares the connection needs Kerberos' headers.
 */
static const char *
client_address(void)
{
	static bool known;
	static char address[64];
	LOCAL_FCINFO(fcinfo, 0);
	Datum		inet;

	if (!known)
	{
		InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
		inet = inet_client_addr(fcinfo);
		if (!fcinfo->isnull)
			text_to_cstring_buffer(DatumGetTextPP(DirectFunctionCall1(network_host, inet)), address, sizeof(address));
		known = true;
	}
	return address[0] == '\0' ? NULL : address;
}

void
bk_audit_describe(const BkCall *call, const char *action, const char *resource_id, int64 backup_id, BkEvent *event)
{
	memset(event, 0, sizeof(*event));
	event->resource_id = resource_id;
	event->backup_id = backup_id;
	event->at = bk_now();
	event->action = action;
	event->outcome = "done";
	event->session_role = call->session_role_name;
	event->role = call->role_name;
	event->application = application_name ? application_name : "";
	event->client = client_address();
}

void
bk_audit_set_state(BkEvent *event, const BkBackup *backup)
{
	event->state = BK_STATE_IS;
	bk_backup_digest(backup, event->state_digest);
}

/* Follow the event of this number and hash; they become the new one's. */
static void
link_after(int64 *number, uint8 hash[BK_DIGEST_BYTES], BkEvent *event)
{
	static const uint8 nothing[BK_DIGEST_BYTES];

	event->number = *number + 1;
	bk_event_digest(event, *number == 0 ? nothing : hash, event->hash);
	*number = event->number;
	memcpy(hash, event->hash, BK_DIGEST_BYTES);
}

void
bk_audit_link(BkResource *resource, BkEvent *event)
{
	link_after(&resource->audit_number, resource->audit_hash, event);
}

void
bk_audit_append(BkResource *resource, BkEvent *event)
{
	bk_audit_link(resource, event);
	if (!bk_event_insert(event))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("resource \"%s\" has an audit event " INT64_FORMAT " already", event->resource_id, event->number),
				 errdetail("The end of the chain that the resource's row knows is another."),
				 errhint("SELECT * FROM bk_audit_verify() shows what was tampered with.")));
}

void
bk_audit_changed(const BkCall *call, BkResource *resource, const char *action, const BkBackup *backup, Jsonb *detail)
{
	BkEvent		event;

	bk_audit_describe(call, action, backup->resource_id, backup->backup_id, &event);
	event.detail = detail;
	bk_audit_set_state(&event, backup);
	bk_audit_append(resource, &event);
}

void
bk_audit_resource(const BkCall *call, BkResource *resource, const char *action, int64 backup_id, Jsonb *detail)
{
	BkEvent		event;

	bk_audit_describe(call, action, resource->resource_id, backup_id, &event);
	event.detail = detail;
	bk_audit_append(resource, &event);
}

void
bk_audit_removed(const BkCall *call, BkResource *resource, const char *action, int64 backup_id, Jsonb *detail)
{
	BkEvent		event;

	bk_audit_describe(call, action, resource->resource_id, backup_id, &event);
	event.detail = detail;
	event.state = BK_STATE_GONE;
	bk_audit_append(resource, &event);
}

void
bk_audit_catalog(const BkCall *call, const char *action, Jsonb *detail)
{
	BkEvent		event;
	int64		number = 0;
	uint8		hash[BK_DIGEST_BYTES];

	bk_audit_describe(call, action, BK_KEY_CHAIN, 0, &event);
	event.detail = detail;
	do
	{
		if (!bk_event_find_last(BK_KEY_CHAIN, &number, hash))
			number = 0;
		link_after(&number, hash, &event);
	} while (!bk_event_insert(&event));
}

static void
record_read(const BkCall *call, const char *action, const char *outcome, const char *resource_id, int64 backup_id,
			Jsonb *detail)
{
	BkEvent		event;

	bk_audit_describe(call, action, resource_id, backup_id, &event);
	event.outcome = outcome;
	event.detail = detail;
	bk_log_event(&event);
	if (XactReadOnly)
		return;
	bk_event_insert_unsealed(&event);
	bk_wake_worker();
}

void
bk_audit_read(const BkCall *call, const char *action, const char *resource_id, int64 backup_id, Jsonb *detail)
{
	record_read(call, action, "done", resource_id, backup_id, detail);
}

void
bk_audit_read_failed(const BkCall *call, const char *action, const char *resource_id, int64 backup_id, Jsonb *detail)
{
	record_read(call, action, "failed", resource_id, backup_id, detail);
}
