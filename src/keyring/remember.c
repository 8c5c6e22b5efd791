/*
 * remember.c
 *		One key in memory of the session's own, wiped at its end.
 */
#include "keyring/remember.h"

#include <time.h>

#include "storage/ipc.h"

typedef struct Remembered
{
	char		path[MAXPGPATH];
	struct stat status;			/* of the file that the key came from */
	int32		version;		/* 0 for none */
	uint8		kek[BK_KEK_BYTES];
} Remembered;

static Remembered remembered;

static void
wipe_at_exit(int code, Datum argument)
{
	bk_wipe(&remembered, sizeof(remembered));
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Nothing that could make the file another, or unfit, has happened to it. */
static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
		&& a->st_mode == b->st_mode && a->st_uid == b->st_uid
		&& same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

bool
bk_remembered_key(const char *path, const struct stat *status, int32 version, uint8 *kek)
{
	if (remembered.version != version || strcmp(remembered.path, path) != 0
		|| !same_file(&remembered.status, status))
		return false;
	memcpy(kek, remembered.kek, BK_KEK_BYTES);
	return true;
}

void
bk_remember_key(const char *path, const struct stat *status, int32 version, const uint8 *kek)
{
	static bool registered = false;

	if (!registered)
		on_proc_exit(wipe_at_exit, (Datum) 0);
	registered = true;
	bk_wipe(&remembered, sizeof(remembered));
	if (time(NULL) - status->st_ctim.tv_sec <= 1 || strlen(path) >= sizeof(remembered.path))
		return;
	strcpy(remembered.path, path);
	remembered.status = *status;
	remembered.version = version;
	memcpy(remembered.kek, kek, BK_KEK_BYTES);
}
