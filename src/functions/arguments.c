/*
 * arguments.c
 *		One small check per rule.
 */
#include "functions/arguments.h"

#include "access/xact.h"
#include "catalog/backup.h"
#include "mb/pg_wchar.h"
#include "settings.h"
#include "utils/builtins.h"

#define MAX_NAME_BYTES	512
#define MAX_SHOWN_BYTES	64

void
bk_check_not_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be null", name)));
}

void
bk_check_can_write(const char *function, const char *hint)
{
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot execute %s in a read-only transaction", function),
				 errhint("%s", hint ? hint : "Use a read-write transaction, on the primary server.")));
}

char *
bk_optional_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

static void
check_length(const char *value, const char *name)
{
	if (strlen(value) > MAX_NAME_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is too long", name),
				 errdetail("It has %zu bytes; at most %d are allowed.", strlen(value), MAX_NAME_BYTES)));
}

/* At a character of UTF-8: ASCII's control characters, and Unicode's from U+0080 to U+009F. */
static bool
is_control(const unsigned char *c)
{
	return *c < 0x20 || *c == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f);
}

/* As UTF-8, where every server encoding's control characters can be told; SQL_ASCII may hold nothing else. */
static void
check_no_control(const char *value, const char *name)
{
	char	   *text = pg_server_to_any(value, strlen(value), PG_UTF8);

	for (const unsigned char *c = (const unsigned char *) text; *c; c++)
		if (is_control(c))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s contains a control character", name),
					 errdetail("It is at byte %d.", (int) (c - (const unsigned char *) text) + 1)));
}

const char *
bk_shown_word(const char *word)
{
	size_t		len = strlen(word);
	char	   *shown = pnstrdup(word, Min(len, MAX_SHOWN_BYTES));

	for (char *c = shown; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	return len > MAX_SHOWN_BYTES ? psprintf("%s...", shown) : shown;
}

char *
bk_label_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	char	   *value = bk_optional_text(fcinfo, argument);

	if (value)
	{
		check_length(value, name);
		check_no_control(value, name);
	}
	return value;
}

char *
bk_optional_resource_id(FunctionCallInfo fcinfo, int argument, const char *name)
{
	char	   *value = bk_label_argument(fcinfo, argument, name);

	if (value && *value == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name)));
	return value;
}

char *
bk_resource_id_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	bk_check_not_null(fcinfo, argument, name);
	return bk_optional_resource_id(fcinfo, argument, name);
}

bool
bk_bool_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	bk_check_not_null(fcinfo, argument, name);
	return PG_GETARG_BOOL(argument);
}

int64
bk_id_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	bk_check_not_null(fcinfo, argument, name);
	return PG_GETARG_INT64(argument);
}

int32
bk_positive_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	int32		value;

	bk_check_not_null(fcinfo, argument, name);
	value = PG_GETARG_INT32(argument);
	if (value < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive", name),
				 errdetail("It is %d.", value)));
	return value;
}

BkBackupType
bk_type_argument(FunctionCallInfo fcinfo, int argument)
{
	BkBackupType type;
	char	   *name;

	bk_check_not_null(fcinfo, argument, "type");
	name = bk_optional_text(fcinfo, argument);
	if (!bk_type_from_name(name, &type))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown backup type \"%s\"", bk_shown_word(name)),
				 errhint("Use 'full', 'incremental' or 'differential'.")));
	return type;
}

BkCompression
bk_compression_argument(FunctionCallInfo fcinfo, int argument)
{
	BkCompression compression;
	char	   *name = bk_optional_text(fcinfo, argument);

	if (name == NULL)
		return bk_setting_compression;
	if (!bk_compression_from_name(name, &compression))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown compression \"%s\"", bk_shown_word(name)),
				 errhint("Use 'gzip', 'zstd' or 'none'.")));
	return compression;
}

const char *
bk_operation_status_argument(FunctionCallInfo fcinfo, int argument)
{
	static const char *const statuses[] = {"queued", "running", "completed", "failed", "cancelled"};
	char	   *name = bk_optional_text(fcinfo, argument);

	if (name == NULL)
		return NULL;
	for (int i = 0; i < (int) lengthof(statuses); i++)
		if (strcmp(name, statuses[i]) == 0)
			return statuses[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown status \"%s\"", bk_shown_word(name)),
			 errhint("Use 'queued', 'running', 'completed', 'failed' or 'cancelled'.")));
	pg_unreachable();
}

Jsonb *
bk_object_argument(FunctionCallInfo fcinfo, int argument, const char *name)
{
	Jsonb	   *value;

	bk_check_not_null(fcinfo, argument, name);
	value = PG_GETARG_JSONB_P(argument);
	if (!JB_ROOT_IS_OBJECT(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object", name),
				 errhint("Pass an object such as '{\"env\": \"production\"}'.")));
	return value;
}
