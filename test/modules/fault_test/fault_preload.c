/*
 * fault_preload.c
 *		A machine that runs out of memory or of space when a test says so.
 *
 * LD_PRELOAD puts malloc() and the calls that make files longer in front of the C library's, in the server
 * and in the programs that start it, so there is nothing of the server's here.  Allocations fail as
 * fault_arm() says, which fault_test.c calls.  Space ends, for all processes, while FAULT_FULL names a file
 * that is there, and then for paths that hold its first line.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORTED	__attribute__((visibility("default")))

extern EXPORTED void fault_arm(int64_t first, int64_t count);
extern EXPORTED int64_t fault_allocations(void);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);

/* ----- Memory. */

static int64_t allocations;
static int64_t first_failure;		/* by its number; 0: none */
static int64_t last_failure;

static bool
fails(void)
{
	allocations++;
	if (first_failure == 0 || allocations < first_failure || allocations > last_failure)
		return false;
	errno = ENOMEM;
	return true;
}

EXPORTED void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

EXPORTED void *
calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

EXPORTED void *
realloc(void *pointer, size_t size)
{
	return size > 0 && fails() ? NULL : __libc_realloc(pointer, size);
}

/* Of this process's allocations from now, these fail; count 0 is none. */
void
fault_arm(int64_t first, int64_t count)
{
	allocations = 0;
	first_failure = count > 0 ? first : 0;
	last_failure = first + count - 1;
}

/* How many there were since. */
int64_t
fault_allocations(void)
{
	return allocations;
}

/* ----- Space. */

/* Whether the disk that holds the path is full now. */
static bool
is_full(const char *path)
{
	const char *control = getenv("FAULT_FULL");
	char		pattern[256];
	int			file;
	ssize_t		length;
	int			saved = errno;

	if (control == NULL || (file = open(control, O_RDONLY | O_CLOEXEC)) < 0)
	{
		errno = saved;
		return false;
	}
	length = read(file, pattern, sizeof(pattern) - 1);
	close(file);
	errno = saved;
	if (length <= 0)
		return false;
	pattern[length] = '\0';
	pattern[strcspn(pattern, "\n")] = '\0';
	return strstr(path, pattern) != NULL;
}

/* Whether writing up to here needs space that is not there. */
static bool
has_no_space(int file, off_t end)
{
	char		link[64];
	char		path[1024];
	struct stat status;
	ssize_t		length;
	int			saved = errno;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode) || end <= status.st_size)
	{
		errno = saved;
		return false;
	}
	path[length] = '\0';
	errno = saved;
	if (!is_full(path))
		return false;
	errno = ENOSPC;
	return true;
}

static off_t
total(const struct iovec *parts, int count)
{
	off_t		bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += parts[i].iov_len;
	return bytes;
}

#define REAL(name)	((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

EXPORTED ssize_t
write(int file, const void *bytes, size_t size)
{
	return has_no_space(file, lseek(file, 0, SEEK_CUR) + size) ? -1 : REAL(write) (file, bytes, size);
}

EXPORTED ssize_t
pwrite(int file, const void *bytes, size_t size, off_t offset)
{
	return has_no_space(file, offset + size) ? -1 : REAL(pwrite) (file, bytes, size, offset);
}

EXPORTED ssize_t
pwritev(int file, const struct iovec *parts, int count, off_t offset)
{
	return has_no_space(file, offset + total(parts, count)) ? -1 : REAL(pwritev) (file, parts, count, offset);
}

/* Gives the error, and leaves errno alone. */
EXPORTED int
posix_fallocate(int file, off_t offset, off_t size)
{
	int			saved = errno;
	bool		full = has_no_space(file, offset + size);

	errno = saved;
	return full ? ENOSPC : REAL(posix_fallocate) (file, offset, size);
}
