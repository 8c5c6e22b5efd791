/*
 * session.h
 *		What launcher and workers have in common as sessions: settings,
 *		interrupts, and rest.
 */
#ifndef BK_SESSION_H
#define BK_SESSION_H

#include "common/common.h"

#include "datatype/timestamp.h"

/* Once, connected: be seen under a name, and not depend on what roles and databases have set. */
extern void bk_session_begin(const char *application_name);

/* What other processes want of one that is at rest; never ends it. */
extern void bk_session_serve_interrupts(void);

/* Say in pg_stat_activity what is done now. */
extern void bk_session_report(const char *activity);

/* Sleep until the latch is set, or a time has come (DT_NOEND: none); says so in pg_stat_activity. */
extern void bk_session_rest(TimestampTz until);

#endif							/* BK_SESSION_H */
