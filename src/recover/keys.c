/*
 * keys.c
 *		Finds master keys by their fingerprints.
 */
#include "recover/keys.h"

#include "document/buffer.h"
#include "keyring/key_text.h"
#include "recover/file.h"
#include "recover/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#define OUTPUT_BYTES	(2 * BK_KEK_BYTES + 3)	/* a line feed, and two more to see that it is too much */

struct BkRecoverKeys
{
	BkMemory	memory;
	const char *file;
	const char *command;		/* NULL: the file's are all */
	int			count;
	BkKeyEntry *entries;		/* secrets; of a command, those that were asked for */

	/* those that cannot be had */
	BkArchiveKey *missing;
	size_t		missing_room;
	int			missing_count;
};

BkRecoverKeys *
bk_recover_keys_open(BkMemory memory, const char *file, const char *command)
{
	BkRecoverKeys *keys = bk_alloc_zero(memory, sizeof(*keys));

	keys->memory = memory;
	keys->file = file;
	keys->command = command;
	if (file == NULL)
		return keys;
	BK_TRY
	{
		keys->count = bk_key_text_parse(memory, bk_file_read_secret(memory, file, BK_KEY_TEXT_BYTES), file, &keys->entries);
	}
	BK_CATCH
	{
		bk_die(BK_EXIT_KEY, "invalid key file: %s", bk_last_error.message);
	}
	BK_END_TRY;
	return keys;
}

bool
bk_recover_has_keys(const BkRecoverKeys *keys)
{
	return keys->file != NULL || keys->command != NULL;
}

/* %v is the version, %% a per cent sign. */
static char *
expand(BkMemory memory, const char *command, int32 version)
{
	BkBuffer	text;
	char		digits[16];

	bk_buffer_init(&text, memory, strlen(command) + sizeof(digits), SIZE_MAX / 4);
	for (const char *at = command; *at != '\0'; at++)
	{
		if (*at != '%')
			bk_buffer_append_char(&text, *at);
		else if (*++at == '%')
			bk_buffer_append_char(&text, '%');
		else if (*at == 'v')
			bk_buffer_append(&text, digits, snprintf(digits, sizeof(digits), "%d", version));
		else
			bk_die(BK_EXIT_USAGE, "the key command holds an unknown placeholder: use %%v for the version, and %%%% for a per cent sign");
	}
	bk_buffer_append_char(&text, '\0');
	return text.data;
}

/* What the command prints, without a line feed at its end, into secret memory; nothing, reported, where it fails. */
static BkText
run(BkMemory memory, const char *command, int32 version)
{
	char	   *output = bk_alloc_secret(memory, OUTPUT_BYTES);
	FILE	   *pipe = popen(command, "r");
	size_t		len;
	int			status;

	if (pipe == NULL)
		bk_die(BK_EXIT_KEY, "could not start the key command: %s", strerror(errno));
	setvbuf(pipe, NULL, _IONBF, 0);
	len = fread(output, 1, OUTPUT_BYTES, pipe);
	status = pclose(pipe);
	if (len < OUTPUT_BYTES && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
	{
		bk_report_error("the key command failed for key version %d: %s %d", version,
						WIFEXITED(status) ? "exit status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		len = 0;
	}
	if (len > 0 && len < OUTPUT_BYTES && output[len - 1] == '\n')
		len--;
	return (BkText) {output, len};
}

/* Ask the command for a version, and remember what it gives. */
static void
ask_command(BkRecoverKeys *keys, int32 version)
{
	BkKeyEntry *entries = bk_alloc_secret(keys->memory, (keys->count + 1) * sizeof(BkKeyEntry));

	for (int i = 0; i < keys->count; i++)
	{
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are as many as are counted. */
		if (keys->entries[i].version == version)
			return;
		entries[i] = keys->entries[i];
	}
	entries[keys->count].version = version;
	/* what is left is no key of anybody's; the version is not asked for again */
	if (!bk_key_text_hex(run(keys->memory, expand(keys->memory, keys->command, version), version), entries[keys->count].kek))
		bk_report_error("the key command printed no key for key version %d: it must print %d hexadecimal digits and nothing else",
						version, 2 * BK_KEK_BYTES);
	keys->entries = entries;
	keys->count++;
}

static const uint8 *
find(const BkRecoverKeys *keys, const uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	uint8		found[BK_FINGERPRINT_BYTES];

	for (int i = 0; i < keys->count; i++)
	{
		bk_kek_fingerprint(keys->entries[i].kek, found);
		if (memcmp(found, fingerprint, BK_FINGERPRINT_BYTES) == 0)
			return keys->entries[i].kek;
	}
	return NULL;
}

/* Say so once for each key. */
static void
report_missing(BkRecoverKeys *keys, const BkArchiveKey *key, const char *path)
{
	char		hex[2 * BK_FINGERPRINT_BYTES + 1];

	for (int i = 0; i < keys->missing_count; i++)
		if (memcmp(keys->missing[i].fingerprint, key->fingerprint, BK_FINGERPRINT_BYTES) == 0)
			return;
	keys->missing = bk_array_enlarge(keys->memory, keys->missing, &keys->missing_room, keys->missing_count + 1, sizeof(BkArchiveKey));
	keys->missing[keys->missing_count++] = *key;
	for (int i = 0; i < BK_FINGERPRINT_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", key->fingerprint[i]);
	bk_report_error("%s does not hold the master key that \"%s\" needs: version %d, fingerprint %s",
					keys->command ? "the key command" : keys->file, path, key->version, hex);
	bk_report_hint("Use the key file of the server that made the archive, or a copy of it.");
}

const uint8 *
bk_recover_key(BkRecoverKeys *keys, const BkArchiveKey *key, const char *path)
{
	const uint8 *kek = find(keys, key->fingerprint);

	if (kek == NULL && keys->command)
	{
		ask_command(keys, key->version);
		kek = find(keys, key->fingerprint);
	}
	if (kek == NULL)
		report_missing(keys, key, path);
	return kek;
}

bool
bk_recover_lacks_keys(const BkRecoverKeys *keys)
{
	return keys->missing_count > 0;
}
