/*
 * archive_file.c
 *		Writes archives chunk after chunk, so that memory does not follow their size.
 */
#include "service/archive_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/unarchived.h"
#include "payload/digest.h"
#include "service/archive_entry.h"
#include "service/stored.h"
#include "service/unix_time.h"
#include "storage/fd.h"

typedef struct ArchiveFile
{
	const char *path;
	int			fd;
	BkHmac	   *hmac;
} ArchiveFile;

static char *
directory(void)
{
	return psprintf("%s/%u", BK_ARCHIVE_DIRECTORY, MyDatabaseId);
}

char *
bk_archive_path(const char *name)
{
	return psprintf("%s/%s", directory(), name);
}

BK_NORETURN static void
fail(const char *verb, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s \"%s\": %m", verb, path)));
}

static void
make_directory(const char *path)
{
	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		fail("make directory", path);
}

static void
write_bytes(const ArchiveFile *file, BkText bytes)
{
	while (bytes.len > 0)
	{
		ssize_t		written;

		errno = 0;
		written = write(file->fd, bytes.data, bytes.len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
		{
			/* a short write means a full disk */
			if (errno == 0)
				errno = ENOSPC;
			fail("write file", file->path);
		}
		bytes.data += written;
		bytes.len -= written;
	}
}

static void
add(const ArchiveFile *file, BkText bytes)
{
	bk_hmac_update(file->hmac, bytes);
	write_bytes(file, bytes);
}

static void
add_chunk(void *context, int32 seq, BkText chunk)
{
	add(context, chunk);
}

/* When the backup that it builds on was made. */
static int64
base_created_at(const BkBackup *backup)
{
	BkBackup	base;

	if (backup->base_id == 0)
		return 0;
	if (!bk_backup_find(backup->resource_id, backup->base_id, &base))
		bk_fail((BkOrigin) {backup->backup_id}, "chain", "its base, backup " INT64_FORMAT ", is missing", backup->base_id);
	return bk_unix_time(base.created_at);
}

/* Where it stands among those that were shipped. */
static void
fill_place(const BkBackup *backup, BkArchive *archive)
{
	BkArchived	previous;

	bk_unarchived_find_previous(backup, &previous);
	archive->number = backup->number;
	if (previous.backup_id != 0)
		archive->previous = (BkArchivePlace) {previous.backup_id, bk_unix_time(previous.created_at), previous.number};
}

/* The same bytes each time, as long as backup, key and the backup before it are the same. */
static BkText
head_of(BkKeys *keys, const BkBackup *backup)
{
	BkArchiveEntry entry = {.point = BK_ARCHIVE_POINT_LIVE};
	BkArchive	archive = {
		.kind = BK_ARCHIVE_BACKUP,
		.made_by = BK_TEXT("backup_service " BK_VERSION),
		.made_at = bk_unix_time(backup->completed_at),
		.resource_id = bk_archive_text(backup->resource_id),
		.resource_type = bk_archive_text(backup->resource_type),
		.owner = bk_archive_text(backup->owner),
		.entry_count = 1,
		.entries = &entry,
	};

	bk_archive_fill_backup(backup, &entry);
	entry.base_created_at = base_created_at(backup);
	bk_archive_fill_keys(keys, backup, 1, &archive);
	fill_place(backup, &archive);
	return bk_archive_write_head(CurrentMemoryContext, &archive);
}

static void
write_file(BkKeys *keys, const BkBackup *backup, ArchiveFile *file)
{
	BkChunkSink sink = {.write = add_chunk, .context = file};
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service archive file");
	BkDek	   *key = bk_alloc_secret(memory, sizeof(BkDek));
	uint8		bytes[BK_DIGEST_BYTES];

	bk_archive_mac_key(bk_keys_active_kek(keys, bytes), key);
	file->hmac = bk_hmac_new(memory, key);
	add(file, head_of(keys, backup));
	bk_stored_copy(keys, backup, &sink);
	bk_hmac_finish(file->hmac, bytes);
	write_bytes(file, (BkText) {(char *) bytes, sizeof(bytes)});
	bk_memory_delete(memory);
}

void
bk_archive_write_file(BkKeys *keys, const BkBackup *backup, const char *path)
{
	ArchiveFile		file = {.path = path};

	make_directory(BK_ARCHIVE_DIRECTORY);
	make_directory(directory());
	bk_archive_remove_file(path);
	file.fd = OpenTransientFilePerm(path, O_WRONLY | O_CREAT | O_EXCL | PG_BINARY, S_IRUSR | S_IWUSR);
	if (file.fd < 0)
		fail("create file", path);
	PG_TRY();
	{
		write_file(keys, backup, &file);
		if (CloseTransientFile(file.fd) != 0)
			fail("close file", path);
	}
	PG_CATCH();
	{
		(void) unlink(path);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

void
bk_archive_remove_file(const char *path)
{
	if (unlink(path) != 0 && errno != ENOENT)
		ereport(WARNING,
				(errcode_for_file_access(),
				 errmsg("could not remove file \"%s\": %m", path)));
}

void
bk_archive_remove_files(void)
{
	char	   *path = directory();
	DIR		   *dir = AllocateDir(path);
	struct dirent *entry;

	if (dir == NULL && errno == ENOENT)
		return;
	while ((entry = ReadDir(dir, path)) != NULL)
		if (entry->d_name[0] != '.')
			bk_archive_remove_file(bk_archive_path(entry->d_name));
	FreeDir(dir);
}
