/*
 * file.c
 *		Master keys in a file that only the server's user can read.
 *
 * The file may be a symbolic link: an operator may keep keys on another volume.
 * What the link leads to is what is checked.
 */
#include "keyring/file_make.h"
#include "keyring/key_text.h"
#include "keyring/remember.h"
#include "keyring/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

/* The path from the root, so that messages can be followed; in the current context. */
static char *
full_path(const BkKeyringSettings *settings)
{
	if (is_absolute_path(settings->key_file))
		return pstrdup(settings->key_file);
	return psprintf("%s/%s", DataDir, settings->key_file);
}

BK_NORETURN static void
fail_file(const char *verb, const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not %s key file \"%s\": %m", verb, path)));
}

BK_NORETURN static void
fail_missing(const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("key file \"%s\" does not exist", path),
			 errhint("Put the key file back from the copy you keep, or set backup_service.key_file to its path.")));
}

/* A regular file of the server's user or root that nobody else can touch. */
static void
check_file(int fd, const char *path, struct stat *status)
{
	if (fstat(fd, status) < 0)
		fail_file("stat", path);
	if (!S_ISREG(status->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key file \"%s\" is not a regular file", path)));
	if (status->st_uid != geteuid() && status->st_uid != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key file \"%s\" belongs to another user", path),
				 errdetail("Its owner is user %u.", (unsigned int) status->st_uid),
				 errhint("Make the server's user its owner with chown.")));
	if (status->st_mode & (S_IRWXG | S_IRWXO))
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key file \"%s\" can be accessed by others", path),
				 errdetail("Its mode is %04o.", (unsigned int) (status->st_mode & 07777)),
				 errhint("Run chmod 0600 on it.")));
}

/* Read the whole file into secret memory. */
static BkText
read_all(int fd, const char *path, BkMemory memory)
{
	char	   *bytes = bk_alloc_secret(memory, BK_KEY_TEXT_BYTES + 1);
	size_t		len = 0;

	while (len <= BK_KEY_TEXT_BYTES)
	{
		ssize_t		got = read(fd, bytes + len, BK_KEY_TEXT_BYTES + 1 - len);

		if (got < 0 && errno != EINTR)
			fail_file("read", path);
		if (got == 0)
			return (BkText) {bytes, len};
		if (got > 0)
			len += got;
		CHECK_FOR_INTERRUPTS();
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key file \"%s\" is malformed", path),
			 errdetail("It is larger than %d bytes.", BK_KEY_TEXT_BYTES)));
}

/*
 * Load the file's entries into memory, and what the file is like.  Returns their
 * number, or -1 where the file does not exist.
 */
static int
load(const char *path, BkMemory memory, struct stat *status, BkKeyEntry **entries)
{
	BkText		text;
	int			fd;

	/* a pipe must not make us wait for its writer */
	fd = OpenTransientFile(path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0)
		fail_file("open", path);
	check_file(fd, path, status);
	text = read_all(fd, path, memory);
	if (CloseTransientFile(fd) != 0)
		fail_file("close", path);
	return bk_key_text_parse(memory, text, path, entries);
}

/* Find a version's key in the file at path. */
static void
find_key(const char *path, int32 version, uint8 *kek)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	struct stat status;
	BkKeyEntry *entries;
	int			count = load(path, memory, &status, &entries);
	int			i;

	if (count < 0)
		fail_missing(path);
	for (i = 0; i < count && entries[i].version != version; i++)
		;
	if (i == count)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key file \"%s\" does not hold master key version %d", path, version),
				 errhint("Add the line of version %d from the copy you keep.", version)));
	memcpy(kek, entries[i].kek, BK_KEK_BYTES);
	bk_remember_key(path, &status, version, kek);
	bk_memory_delete(memory);
}

static void
file_get(const BkKeyringSettings *settings, int32 version, uint8 *kek)
{
	char	   *path = full_path(settings);
	struct stat status;

	if (stat(path, &status) != 0 || !bk_remembered_key(path, &status, version, kek))
		find_key(path, version, kek);
	pfree(path);
}

static int32
file_newest(const BkKeyringSettings *settings)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	char	   *path = full_path(settings);
	struct stat status;
	BkKeyEntry *entries;
	int			count = load(path, memory, &status, &entries);
	int32		newest = 0;

	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key file \"%s\" is malformed", path),
				 errdetail("It holds no key.")));
	for (int i = 0; i < count; i++)
		newest = Max(newest, entries[i].version);
	bk_memory_delete(memory);
	pfree(path);
	return newest;
}

static bool
file_create(const BkKeyringSettings *settings)
{
	char	   *path = full_path(settings);
	bool		made = bk_key_file_make(path);

	if (made)
		ereport(WARNING,
				(errmsg("a new master key was made"),
				 errdetail("It is in the file \"%s\".", path),
				 errhint("Copy it now to a safe place: without it no backup can be restored.")));
	pfree(path);
	return made;
}

const BkKeySource bk_key_source_file = {
	.get = file_get,
	.newest = file_newest,
	.create = file_create,
};
