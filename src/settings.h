/*
 * settings.h
 *		Every setting, as the rest of the code reads it.
 */
#ifndef BK_SETTINGS_H
#define BK_SETTINGS_H

#include "common/common.h"

/* A chain is never longer, whatever the setting says. */
#define BK_MAX_CHAIN_LENGTH		10000

/* Of one database, the worker itself among them. */
#define BK_MAX_RESTORE_WORKERS	64

extern char *bk_setting_archive_command;
extern int	bk_setting_archive_command_timeout;	/* milliseconds */
extern int	bk_setting_cleanup_interval;	/* seconds; 0: never */
extern double bk_setting_cleanup_max_fraction;
extern int	bk_setting_compression; /* a BkCompression */
extern char *bk_setting_databases;
extern bool bk_setting_encrypt;
extern int	bk_setting_key_cache_ttl;	/* seconds */
extern char *bk_setting_key_command;
extern int	bk_setting_key_command_timeout; /* milliseconds */
extern char *bk_setting_key_file;
extern bool bk_setting_key_file_create;
extern int	bk_setting_max_attempts;
extern int	bk_setting_max_chain_length;
extern int	bk_setting_max_restore_workers;
extern int	bk_setting_max_snapshots;
extern bool bk_setting_notify;
extern int	bk_setting_scrub_budget;	/* kilobytes */
extern int	bk_setting_scrub_interval;	/* seconds */
extern int	bk_setting_operation_retention; /* seconds */
extern int	bk_setting_worker_idle_timeout; /* seconds */

extern void bk_settings_init(void);

#endif							/* BK_SETTINGS_H */
