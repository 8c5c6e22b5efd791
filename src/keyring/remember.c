/*
 * remember.c
 *		A few keys in memory of the session's own, wiped when they are too old and at
 *		its end.
 */
#include "keyring/remember.h"

#include <time.h>

#include "portability/instr_time.h"
#include "storage/ipc.h"
#include "utils/memutils.h"

#define REMEMBERED_KEYS		8

typedef struct Remembered
{
	int32		version;		/* 0 for an empty entry */
	BkKeyPlace	place;			/* its text is in TopMemoryContext */
	instr_time	since;
	uint8		kek[BK_KEK_BYTES];
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
} Remembered;

static Remembered remembered[REMEMBERED_KEYS];

static void
forget(Remembered *entry)
{
	char	   *text = entry->place.text;

	bk_wipe(entry, sizeof(*entry));
	if (text != NULL)
		pfree(text);
}

void
bk_keyring_forget(void)
{
	for (int i = 0; i < REMEMBERED_KEYS; i++)
		forget(&remembered[i]);
}

static void
wipe_at_exit(int code, Datum argument)
{
	bk_wipe(remembered, sizeof(remembered));
}

/* By a clock that nobody sets. */
static double
age_in_seconds(const Remembered *entry)
{
	instr_time	age;

	INSTR_TIME_SET_CURRENT(age);
	INSTR_TIME_SUBTRACT(age, entry->since);
	return INSTR_TIME_GET_DOUBLE(age);
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

/* Wipe what is too old by the setting as it is now, or of a file that has changed since. */
static void
forget_stale(const BkKeyPlace *place, int ttl)
{
	for (int i = 0; i < REMEMBERED_KEYS; i++)
	{
		Remembered *entry = &remembered[i];

		if (entry->version == 0)
			continue;
		if (age_in_seconds(entry) >= ttl
			|| (place->file && entry->place.file
				&& strcmp(entry->place.text, place->text) == 0
				&& !same_file(&entry->place.status, &place->status)))
			forget(entry);
	}
}

static Remembered *
find(const BkKeyPlace *place, int32 version)
{
	for (int i = 0; i < REMEMBERED_KEYS; i++)
	{
		Remembered *entry = &remembered[i];

		if (entry->version == version && entry->place.file == place->file
			&& strcmp(entry->place.text, place->text) == 0)
			return entry;
	}
	return NULL;
}

bool
bk_remembered_key(const BkKeyPlace *place, int32 version, int ttl, uint8 *kek, uint8 *fingerprint)
{
	Remembered *entry;

	forget_stale(place, ttl);
	entry = place->known ? find(place, version) : NULL;
	if (entry == NULL)
		return false;
	memcpy(kek, entry->kek, BK_KEK_BYTES);
	memcpy(fingerprint, entry->fingerprint, BK_FINGERPRINT_BYTES);
	return true;
}

/* An empty entry, else the oldest. */
static Remembered *
choose_entry(void)
{
	Remembered *oldest = &remembered[0];

	for (int i = 0; i < REMEMBERED_KEYS; i++)
	{
		if (remembered[i].version == 0)
			return &remembered[i];
		if (age_in_seconds(&remembered[i]) > age_in_seconds(oldest))
			oldest = &remembered[i];
	}
	return oldest;
}

void
bk_remember_key(const BkKeyPlace *place, int32 version, int ttl, const uint8 *kek, const uint8 *fingerprint)
{
	static bool registered = false;
	Remembered *entry;
	char	   *text;

	if (ttl == 0 || !place->known || time(NULL) - place->status.st_ctim.tv_sec <= 1)
		return;
	if (!registered)
		on_proc_exit(wipe_at_exit, (Datum) 0);
	registered = true;
	/* what can fail comes before what must not be left half done */
	text = MemoryContextStrdup(TopMemoryContext, place->text);
	entry = find(place, version);
	if (entry == NULL)
		entry = choose_entry();
	forget(entry);
	entry->place = *place;
	entry->place.text = text;
	INSTR_TIME_SET_CURRENT(entry->since);
	memcpy(entry->kek, kek, BK_KEK_BYTES);
	memcpy(entry->fingerprint, fingerprint, BK_FINGERPRINT_BYTES);
	entry->version = version;
}
