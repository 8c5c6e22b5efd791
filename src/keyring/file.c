/*
 * file.c
 *		Master keys in a file that only the server's user can read.
 *
 * The file may be a symbolic link: an operator may keep keys on another volume.
 * What the link leads to is what is checked.
 */
#include "keyring/file_make.h"
#include "keyring/key_text.h"
#include "keyring/source.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "portability/instr_time.h"
#include "storage/fd.h"

#define LOOK_MS		100

/* A key file as it was read, in secret memory. */
typedef struct KeyFile
{
	char	   *path;			/* from the root */
	struct stat status;
	BkText		text;
	BkKeyEntry *entries;
	int			count;			/* of entries; -1 where there is no such file */
} KeyFile;

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
	int			code = bk_key_file_code();

	ereport(ERROR,
			(errcode(code),
			 errmsg("could not %s key file \"%s\": %m", verb, path),
			 errhint("Let the server's user own it, with mode 0600, in a folder that this user may enter.")));
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
				 errmsg("key file \"%s\" is not a regular file", path),
				 errdetail("It is a directory, a pipe or a device."),
				 errhint("Put the key file back from the copy you keep, or set backup_service.key_file to its path.")));
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
			 errdetail("It is larger than %d bytes.", BK_KEY_TEXT_BYTES),
			 errhint("Leave a line for each key version in it, and nothing else.")));
}

/* Read and parse the file that the settings name, all of it in memory. */
static KeyFile
load(const BkKeyringSettings *settings, BkMemory memory)
{
	KeyFile		file = {.path = full_path(settings), .count = -1};
	int			fd;

	/* a pipe must not make us wait for its writer */
	fd = OpenTransientFile(file.path, O_RDONLY | O_NONBLOCK | PG_BINARY);
	if (fd < 0 && errno == ENOENT)
		return file;
	if (fd < 0)
		fail_file("open", file.path);
	check_file(fd, file.path, &file.status);
	file.text = read_all(fd, file.path, memory);
	if (CloseTransientFile(fd) != 0)
		fail_file("close", file.path);
	file.count = bk_key_text_parse(memory, file.text, file.path, &file.entries);
	return file;
}

/* The version's entry, or NULL; raises where there is no file. */
static const BkKeyEntry *
find_entry(const KeyFile *file, int32 version)
{
	if (file->count < 0)
		fail_missing(file->path);
	for (int i = 0; i < file->count; i++)
		if (file->entries[i].version == version)
			return &file->entries[i];
	return NULL;
}

/* What was looked at last. */
typedef struct Look
{
	TimestampTz statement;		/* when it began that looked */
	instr_time	at;
	char		path[MAXPGPATH];
	struct stat status;
} Look;

/* A statement that makes thousands of backups looks at the file ten times a second. */
static bool
is_fresh(const Look *look, const char *path)
{
	instr_time	age;

	if (look->statement != GetCurrentStatementStartTimestamp() || strcmp(look->path, path) != 0)
		return false;
	INSTR_TIME_SET_CURRENT(age);
	INSTR_TIME_SUBTRACT(age, look->at);
	return INSTR_TIME_GET_MILLISEC(age) < LOOK_MS;
}

static void
file_look(const BkKeyringSettings *settings, BkKeyPlace *place)
{
	static Look last;

	*place = (BkKeyPlace) {.file = true, .text = full_path(settings)};
	if (!is_fresh(&last, place->text))
	{
		last.path[0] = '\0';
		INSTR_TIME_SET_CURRENT(last.at);
		if (strlen(place->text) >= MAXPGPATH || stat(place->text, &last.status) != 0)
			return;
		last.statement = GetCurrentStatementStartTimestamp();
		strlcpy(last.path, place->text, MAXPGPATH);
	}
	place->known = true;
	place->status = last.status;
}

static void
file_get(const BkKeyringSettings *settings, int32 version, uint8 *kek)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	KeyFile		file = load(settings, memory);
	const BkKeyEntry *entry = find_entry(&file, version);

	if (entry == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key file \"%s\" does not hold master key version %d", file.path, version),
				 errdetail("No line of it begins with \"%d:\".", version),
				 errhint("Add the line of version %d from the copy you keep.", version)));
	memcpy(kek, entry->kek, BK_KEK_BYTES);
	pfree(file.path);
	bk_memory_delete(memory);
}

static int32
file_newest(const BkKeyringSettings *settings)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	KeyFile		file = load(settings, memory);
	int32		newest = 0;

	if (file.count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key file \"%s\" is malformed", file.path),
				 errdetail("It holds no key."),
				 errhint("Put the key file back from the copy you keep.")));
	for (int i = 0; i < file.count; i++)
		newest = Max(newest, file.entries[i].version);
	pfree(file.path);
	bk_memory_delete(memory);
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

/* Where the file that the path leads to lies; in the current context. */
static char *
directory_of(const char *path)
{
	char	   *found = realpath(path, NULL);
	char	   *directory;

	if (found == NULL && errno == ENOMEM)
		fail_file("follow", path);
	if (found == NULL)
		fail_missing(path);
	directory = pstrdup(found);
	free(found);
	get_parent_directory(directory);
	return directory[0] ? directory : "/";
}

/*
 * Several databases may add to the file at the same time, and it is replaced, so its
 * directory is what is locked.  The descriptor, which holds the lock, is closed by the caller or
 * by an error.
 */
static int
lock_directory(const BkKeyringSettings *settings)
{
	char	   *path = full_path(settings);
	int			fd = OpenTransientFile(directory_of(path), O_RDONLY);

	if (fd < 0)
		fail_file("lock", path);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		if (errno != EWOULDBLOCK && errno != EINTR)
			fail_file("lock", path);
		CHECK_FOR_INTERRUPTS();
		pg_usleep(5000L);
	}
	return fd;
}

static void
file_add(const BkKeyringSettings *settings, int32 version)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	int			lock = lock_directory(settings);
	KeyFile		file = load(settings, memory);

	if (find_entry(&file, version) == NULL)
	{
		bk_key_file_add(file.path, file.text, &file.status, version);
		ereport(WARNING,
				(errmsg("a new master key was made"),
				 errdetail("It is version %d in the file \"%s\".", version, file.path),
				 errhint("Copy the file now to a safe place: without it no backup can be restored.")));
	}
	(void) CloseTransientFile(lock);
	pfree(file.path);
	bk_memory_delete(memory);
}

static bool
file_find(const BkKeyringSettings *settings, int32 version, const uint8 *fingerprint, uint8 *kek)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service key file");
	KeyFile		file = load(settings, memory);
	uint8		found[BK_FINGERPRINT_BYTES];
	bool		there = false;

	if (file.count < 0)
		fail_missing(file.path);
	for (int i = 0; i < file.count && !there; i++)
	{
		bk_kek_fingerprint(file.entries[i].kek, found);
		there = memcmp(found, fingerprint, BK_FINGERPRINT_BYTES) == 0;
		if (there)
			memcpy(kek, file.entries[i].kek, BK_KEK_BYTES);
	}
	pfree(file.path);
	bk_memory_delete(memory);
	return there;
}

const BkKeySource bk_key_source_file = {
	.look = file_look,
	.get = file_get,
	.newest = file_newest,
	.create = file_create,
	.add = file_add,
	.find = file_find,
};
