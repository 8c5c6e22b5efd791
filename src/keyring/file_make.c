/*
 * file_make.c
 *		Makes a key file, new or in place of one: temporary name, fsync, link or rename,
 *		fsync of the directory.
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
	int			code = bk_key_file_code();

	ereport(ERROR,
			(errcode(code),
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

/* A text with a line for a new random key added to it, in secret memory. */
static BkText
add_key(BkMemory memory, BkText old, int32 version)
{
	BkKeyEntry *entry = bk_alloc_secret(memory, sizeof(BkKeyEntry));
	char	   *text = bk_alloc_secret(memory, old.len + 1 + BK_KEY_LINE_BYTES);
	size_t		len = old.len;

	entry->version = version;
	random_bytes(RAND_priv_bytes, entry->kek, BK_KEK_BYTES);
	if (len > 0)
		memcpy(text, old.data, len);
	if (len > 0 && text[len - 1] != '\n')
		text[len++] = '\n';
	len += bk_key_text_line(entry, text + len);
	return (BkText) {text, len};
}

/* Write the text and see it to the disk. */
static void
write_text(int fd, const char *path, BkText text)
{
	while (text.len > 0)
	{
		ssize_t		written = write(fd, text.data, text.len);

		if (written < 0 && errno == EINTR)
			continue;
		/* a write of nothing without a reason is a full disk */
		if (written == 0)
			errno = ENOSPC;
		if (written <= 0)
			fail("write", path);
		text.data += written;
		text.len -= written;
	}
	if (pg_fsync(fd) != 0)
		fail("fsync", path);
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

/* Put the finished file in the place of the old one. */
static bool
rename_file(const char *temporary, const char *path)
{
	if (rename(temporary, path) != 0)
		fail("replace", path);
	return true;
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

/*
 * Write a file with a temporary name beside path and give it its own; false where place
 * found that taken.  old is the file to be like, NULL for none.
 */
static bool
write_file(const char *path, BkText text, const struct stat *old,
		   bool (*place) (const char *temporary, const char *path))
{
	char	   *temporary = temporary_name(path);
	volatile bool placed = false;
	int			fd;

	fd = OpenTransientFilePerm(temporary, O_CREAT | O_EXCL | O_WRONLY | PG_BINARY, 0600);
	if (fd < 0)
		fail("create", temporary);
	PG_TRY();
	{
		if (old != NULL && fchown(fd, old->st_uid, old->st_gid) != 0)
			ereport(DEBUG1, (errmsg("could not keep the owner of key file \"%s\": %m", path)));
		write_text(fd, temporary, text);
		if (CloseTransientFile(fd) != 0)
			fail("close", temporary);
		placed = place(temporary, path);
	}
	PG_FINALLY();
	{
		(void) unlink(temporary);
	}
	PG_END_TRY();
	sync_directory(path);
	pfree(temporary);
	return placed;
}

bool
bk_key_file_make(const char *path)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service new key");
	bool		made = write_file(path, add_key(memory, BK_TEXT(""), 1), NULL, link_file);

	bk_memory_delete(memory);
	return made;
}

/* Where a path leads to, in the current context. */
static char *
follow(const char *path)
{
	char	   *found = realpath(path, NULL);
	char	   *copy;

	if (found == NULL)
		fail("follow", path);
	copy = pstrdup(found);
	free(found);
	return copy;
}

void
bk_key_file_add(const char *path, BkText text, const struct stat *old, int32 version)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service new key");
	char	   *target = follow(path);

	text = add_key(memory, text, version);
	if (text.len > BK_KEY_TEXT_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key file \"%s\" has no room for master key version %d", path, version),
				 errdetail("It would be larger than %d bytes.", BK_KEY_TEXT_BYTES),
				 errhint("Take comments and blank lines out of it.")));
	(void) write_file(target, text, old, rename_file);
	pfree(target);
	bk_memory_delete(memory);
}
