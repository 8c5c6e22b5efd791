/*
 * arguments.h
 *		Reading and checking the arguments of entry functions.
 *
 * A bad argument is 22023 with what is wrong with the value.
 */
#ifndef BK_ARGUMENTS_H
#define BK_ARGUMENTS_H

#include "common/backup_types.h"
#include "fmgr.h"
#include "utils/jsonb.h"

/* Refuse null for an argument that must be given. */
extern void bk_check_not_null(FunctionCallInfo fcinfo, int argument, const char *name);

/* Refuse a read-only transaction for a function that writes; hint NULL: the general one. */
extern void bk_check_can_write(const char *function, const char *hint);

/* A text argument that may be null. */
extern char *bk_optional_text(FunctionCallInfo fcinfo, int argument);

/* A caller's word that is none of ours, as a message may show it: no line of the log is broken, or long. */
extern const char *bk_shown_word(const char *word);

/* A resource's id: 1 to 512 bytes without control characters. */
extern char *bk_resource_id_argument(FunctionCallInfo fcinfo, int argument, const char *name);
extern char *bk_optional_resource_id(FunctionCallInfo fcinfo, int argument, const char *name);

/* A label (type, source, version, created_by): at most 512 bytes without control characters. */
extern char *bk_label_argument(FunctionCallInfo fcinfo, int argument, const char *name);

extern bool bk_bool_argument(FunctionCallInfo fcinfo, int argument, const char *name);
extern int64 bk_id_argument(FunctionCallInfo fcinfo, int argument, const char *name);
extern int32 bk_positive_argument(FunctionCallInfo fcinfo, int argument, const char *name);
extern BkBackupType bk_type_argument(FunctionCallInfo fcinfo, int argument);
extern BkCompression bk_compression_argument(FunctionCallInfo fcinfo, int argument);

/* The status of an operation; NULL for null. */
extern const char *bk_operation_status_argument(FunctionCallInfo fcinfo, int argument);

/* A json object such as tags. */
extern Jsonb *bk_object_argument(FunctionCallInfo fcinfo, int argument, const char *name);

#endif							/* BK_ARGUMENTS_H */
