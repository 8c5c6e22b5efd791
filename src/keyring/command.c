/*
 * command.c
 *		Master keys printed by a command: this is where key management services
 *		plug in.
 *
 * Messages never hold what the command printed, nor its text, which may hold a
 * password.
 */
#include "keyring/command_run.h"
#include "keyring/key_text.h"
#include "keyring/source.h"

#include <sys/wait.h>

#include "lib/stringinfo.h"

#define KEY_DIGITS		(2 * BK_KEK_BYTES)
#define OUTPUT_BYTES	(KEY_DIGITS + 3)	/* a line feed, and two more to see that it is too much */

#define HINT_COMMAND \
	"Run the command that backup_service.key_command holds by hand, as the server's user: its error output is thrown away here."

BK_NORETURN static void
fail_placeholder(char what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("backup_service.key_command holds an unknown placeholder"),
			 what > ' ' && what <= '~' ? errdetail("\"%%%c\" means nothing.", what)
			 : errdetail("A \"%%\" stands at its end or before a blank or another character that cannot be shown."),
			 errhint("\"%%v\" is the version, and \"%%%%\" is one percent sign.")));
}

/* The command with the version in it; in the current context. */
static char *
expand(const char *command, int32 version)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *at = command; *at != '\0'; at++)
	{
		if (*at != '%')
			appendStringInfoChar(&text, *at);
		else if (*++at == 'v')
			appendStringInfo(&text, "%d", version);
		else if (*at == '%')
			appendStringInfoChar(&text, '%');
		else
			fail_placeholder(*at);
	}
	return text.data;
}

/* It ended of itself, as it should. */
static void
check_status(const BkCommandRun *run, int32 version)
{
	int			status = run->status;

	if (run->how != BK_COMMAND_ENDED || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("backup_service.key_command failed for key version %d", version),
			 WIFEXITED(status) ? errdetail("It exited with status %d.", WEXITSTATUS(status))
			 : WIFSIGNALED(status) ? errdetail("It was ended by signal %d.", WTERMSIG(status))
			 : errdetail("How it ended is not known."),
			 errhint(HINT_COMMAND)));
}

static void
check_time(const BkCommandRun *run, int32 version)
{
	if (run->how != BK_COMMAND_TIMED_OUT)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_QUERY_CANCELED),
			 errmsg("backup_service.key_command timed out for key version %d", version),
			 errdetail("It took longer than %d ms.", run->timeout),
			 errhint("If the command needs more time, raise backup_service.key_command_timeout.")));
}

/* Decode the output, which is the key and perhaps a line feed. */
static void
take_key(const BkCommandRun *run, int32 version, uint8 *kek)
{
	BkText		text = {run->output, run->len};

	if (run->how != BK_COMMAND_TOO_MUCH && text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (bk_key_text_hex(text, kek))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("backup_service.key_command printed no key for key version %d", version),
			 run->how == BK_COMMAND_TOO_MUCH ?
			 errdetail("It printed more than %d bytes instead of %d hexadecimal digits.", OUTPUT_BYTES - 1, KEY_DIGITS)
			 : text.len != (size_t) KEY_DIGITS ?
			 errdetail("It printed %d bytes instead of %d hexadecimal digits.", (int) text.len, KEY_DIGITS)
			 : errdetail("What it printed is not hexadecimal."),
			 errhint("The command that backup_service.key_command holds must print the key as %d hexadecimal digits and nothing else.", KEY_DIGITS)));
}

static void
command_get(const BkKeyringSettings *settings, int32 version, uint8 *kek)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key command");
	char	   *command = expand(settings->key_command, version);
	BkCommandRun run = {
		.command = command,
		.what = psprintf("backup_service.key_command for key version %d", version),
		.timeout = settings->key_command_timeout,
		.output = bk_alloc_secret(memory, OUTPUT_BYTES),
		.size = OUTPUT_BYTES,
	};

	bk_command_run(&run);
	check_time(&run, version);
	check_status(&run, version);
	take_key(&run, version, kek);
	pfree(command);
	bk_memory_delete(memory);
}

/* A command has no inode to look at: it is asked again when the time is over. */
static void
command_look(const BkKeyringSettings *settings, BkKeyPlace *place)
{
	*place = (BkKeyPlace) {.known = true, .text = pstrdup(settings->key_command)};
}

/* Which versions there are is not ours to know: a catalog begins with the first. */
static int32
command_newest(const BkKeyringSettings *settings)
{
	return 1;
}

/* Who owns the command makes the keys. */
static bool
command_create(const BkKeyringSettings *settings)
{
	return false;
}

static void
command_add(const BkKeyringSettings *settings, int32 version)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key command");

	command_get(settings, version, bk_alloc_secret(memory, BK_KEK_BYTES));
	bk_memory_delete(memory);
}

static bool
command_find(const BkKeyringSettings *settings, int32 version, const uint8 *fingerprint, uint8 *kek)
{
	uint8		found[BK_FINGERPRINT_BYTES];

	command_get(settings, version, kek);
	bk_kek_fingerprint(kek, found);
	return memcmp(found, fingerprint, BK_FINGERPRINT_BYTES) == 0;
}

const BkKeySource bk_key_source_command = {
	.look = command_look,
	.get = command_get,
	.newest = command_newest,
	.create = command_create,
	.add = command_add,
	.find = command_find,
};
