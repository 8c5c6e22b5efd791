/*
 * file_make.c
 *		Makes a key file: temporary name, fsync, link, fsync of the directory.
 */
#include "keyring/file_make.h"
#include "keyring/key_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "storage/fd.h"

#define NAME_BYTES		8

BK_NORETURN
static void
fail(const char *verb, const char *path)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not %s key file \"%s\": %m", verb, path),
			 errhint("See to the directory's rights and space, or make the file yourself and set backup_service.key_file to its path.")));
}

static void
random_bytes(int (*generate) (unsigned char *, int), uint8 *bytes, int count)
{
	if (generate(bytes, count) == 1)
		return;
	ERR_clear_error();
	bk_fail_library("OpenSSL", "RAND_bytes", NULL);
}

/* A name beside path that nobody else has: another host may share the directory. */
static char *
temporary_name(const char *path)
{
	uint8		bytes[NAME_BYTES];
	uint64		number;

	random_bytes(RAND_bytes, bytes, NAME_BYTES);
	memcpy(&number, bytes, NAME_BYTES);
	return psprintf("%s.%016llx.tmp", path, (unsigned long long) number);
}

/* Write a new random key of version 1 and see it to the disk. */
static void
write_first_key(int fd, const char *path)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service new key");
	BkKeyEntry *entry = bk_alloc_secret(memory, sizeof(BkKeyEntry));
	char	   *line = bk_alloc_secret(memory, BK_KEY_LINE_BYTES);
	size_t		len;

	entry->version = 1;
	random_bytes(RAND_priv_bytes, entry->kek, BK_KEK_BYTES);
	len = bk_key_text_line(entry, line);
	errno = 0;
	if (write(fd, line, len) != (ssize_t) len)
	{
		/* a short write without a reason is a full disk */
		if (errno == 0)
			errno = ENOSPC;
		fail("write", path);
	}
	if (pg_fsync(fd) != 0)
		fail("fsync", path);
	bk_memory_delete(memory);
}

/* Give the finished file its name, unless that is taken. */
static bool
link_file(const char *temporary, const char *path)
{
	if (link(temporary, path) == 0)
		return true;
	if (errno != EEXIST)
		fail("link", path);
	return false;
}

/* See the directory to the disk, also where another made the file: we are about to rely on it. */
static void
sync_directory(const char *path)
{
	char	   *directory = pstrdup(path);

	get_parent_directory(directory);
	if (fsync_fname_ext(directory[0] ? directory : ".", true, false, ERROR) != 0)
		fail("fsync the directory of", path);
	pfree(directory);
}

bool
bk_key_file_make(const char *path)
{
	char	   *temporary = temporary_name(path);
	volatile bool made = false;
	int			fd;

	fd = OpenTransientFilePerm(temporary, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY, 0600);
	if (fd < 0)
		fail("create", temporary);
	PG_TRY();
	{
		write_first_key(fd, temporary);
		if (CloseTransientFile(fd) != 0)
			fail("close", temporary);
		made = link_file(temporary, path);
	}
	PG_FINALLY();
	{
		(void) unlink(temporary);
	}
	PG_END_TRY();
	sync_directory(path);
	pfree(temporary);
	return made;
}
