/*
 * file.c
 *		Files by the calls of the system.
 */
#include "recover/file.h"

#include "document/buffer.h"
#include "recover/report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_file(const char *path, BkExit status, struct stat *found)
{
	/* a pipe must not make us wait for its writer */
	int			fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		bk_die(status, "could not open file \"%s\": %s", path, strerror(errno));
	if (fstat(fd, found) != 0)
		bk_die(status, "could not stat file \"%s\": %s", path, strerror(errno));
	if (!S_ISREG(found->st_mode))
		bk_die(status, "\"%s\" is not a regular file", path);
	return fd;
}

/* Up to so many bytes; how many there were. */
static size_t
read_bytes(int fd, const char *path, BkExit status, char *bytes, size_t size)
{
	size_t		len = 0;

	while (len < size)
	{
		ssize_t		got = read(fd, bytes + len, size - len);

		if (got < 0 && errno != EINTR)
			bk_die(status, "could not read file \"%s\": %s", path, strerror(errno));
		if (got == 0)
			break;
		if (got > 0)
			len += got;
	}
	return len;
}

BkText
bk_file_read(BkMemory memory, const char *path)
{
	struct stat found;
	int			fd = open_file(path, BK_EXIT_FILE, &found);
	char	   *bytes = bk_alloc(memory, found.st_size + 1);
	size_t		len = read_bytes(fd, path, BK_EXIT_FILE, bytes, found.st_size);

	close(fd);
	return (BkText) {bytes, len};
}

BkText
bk_file_read_secret(BkMemory memory, const char *path, size_t limit)
{
	struct stat found;
	int			fd = open_file(path, BK_EXIT_KEY, &found);
	char	   *bytes = bk_alloc_secret(memory, limit + 1);
	size_t		len;

	if (found.st_mode & (S_IRWXG | S_IRWXO))
	{
		bk_report_error("key file \"%s\" can be accessed by others", path);
		bk_report_hint("Run chmod 0600 on it.");
		exit(BK_EXIT_KEY);
	}
	len = read_bytes(fd, path, BK_EXIT_KEY, bytes, limit + 1);
	close(fd);
	if (len > limit)
		bk_die(BK_EXIT_KEY, "key file \"%s\" is larger than %zu bytes", path, limit);
	return (BkText) {bytes, len};
}

void
bk_file_write(const char *path, BkText text)
{
	FILE	   *file = stdout;
	bool		written;

	if (path)
	{
		/* created, never overwritten: what is restored may be all that is left of it */
		int			fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd < 0)
			bk_die(BK_EXIT_FILE, "could not create file \"%s\": %s", path, strerror(errno));
		file = fdopen(fd, "w");
		if (file == NULL)
			bk_die(BK_EXIT_FILE, "could not open file \"%s\": %s", path, strerror(errno));
	}
	written = fwrite(text.data, 1, text.len, file) == text.len && fputc('\n', file) == '\n' && fflush(file) == 0;
	if (!written || (path && (fsync(fileno(file)) != 0 || fclose(file) != 0)))
		bk_die(BK_EXIT_FILE, "could not write %s: %s", path ? path : "standard output", strerror(errno));
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static char *
join(BkMemory memory, const char *directory, const char *name)
{
	size_t		size = strlen(directory) + strlen(name) + 2;
	char	   *path = bk_alloc(memory, size);

	snprintf(path, size, "%s/%s", directory, name);
	return path;
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t		len = strlen(name);

	return len > strlen(suffix) && name[0] != '.' && strcmp(name + len - strlen(suffix), suffix) == 0;
}

int
bk_file_list(BkMemory memory, const char *path, const char *suffix, char ***paths)
{
	DIR		   *directory = opendir(path);
	struct dirent *entry;
	size_t		room = 0;
	int			count = 0;

	*paths = NULL;
	if (directory == NULL && errno == ENOTDIR)
		return -1;
	if (directory == NULL)
		bk_die(BK_EXIT_FILE, "could not open \"%s\": %s", path, strerror(errno));
	while (errno = 0, (entry = readdir(directory)) != NULL)
		if (ends_with(entry->d_name, suffix))
		{
			*paths = bk_array_enlarge(memory, *paths, &room, count + 1, sizeof(char *));
			(*paths)[count++] = join(memory, path, entry->d_name);
		}
	if (errno != 0)
		bk_die(BK_EXIT_FILE, "could not read directory \"%s\": %s", path, strerror(errno));
	closedir(directory);
	if (count > 1)
		qsort(*paths, count, sizeof(char *), compare_paths);
	return count;
}
