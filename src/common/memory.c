/*
 * memory.c
 *		The two implementations of memory.h: memory contexts, and lists of
 *		malloc'ed blocks.
 */
#include "common/common.h"

typedef struct Secret
{
	void	   *bytes;
	size_t		size;
} Secret;

void
bk_wipe(void *pointer, size_t size)
{
	explicit_bzero(pointer, size);
}

static void
wipe_secret(void *argument)
{
	Secret	   *secret = argument;

	bk_wipe(secret->bytes, secret->size);
}

void *
bk_alloc_secret(BkMemory memory, size_t size)
{
	Secret	   *secret = bk_alloc(memory, sizeof(Secret));

	secret->bytes = bk_alloc_zero(memory, size);
	secret->size = size;
	bk_memory_on_delete(memory, wipe_secret, secret);
	return secret->bytes;
}

void *
bk_alloc_zero(BkMemory memory, size_t size)
{
	return memset(bk_alloc(memory, size), 0, size);
}

#ifndef FRONTEND

#include "utils/memutils.h"

#include <sys/mman.h>

#define LARGE_BLOCK		((size_t) (4 * 1024 * 1024))
#define PAGE_BYTES		((uintptr_t) 65536)	/* a multiple of any system's page */

/*
 * Documents fill buffers of many megabytes once from start to end, and a fault
 * for each 4 kB of them is a quarter of a restore's time.  Where the system
 * lets programs choose, ask for huge pages; it is advice, so its result does not
 * matter.
 */
static void *
advise(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
	if (size >= LARGE_BLOCK)
	{
		uintptr_t	start = ((uintptr_t) block + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		uintptr_t	end = ((uintptr_t) block + size) & ~(PAGE_BYTES - 1);

		(void) madvise((void *) start, end - start, MADV_HUGEPAGE);
	}
#endif
	return block;
}

BkMemory
bk_memory_new(BkMemory parent, const char *name)
{
	/* NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result): PostgreSQL's macro. */
	return AllocSetContextCreateInternal(parent, name, ALLOCSET_DEFAULT_SIZES);
}

void
bk_memory_delete(BkMemory memory)
{
	MemoryContextDelete(memory);
}

void *
bk_alloc(BkMemory memory, size_t size)
{
	return advise(MemoryContextAllocHuge(memory, size), size);
}

void *
bk_realloc(BkMemory memory, void *pointer, size_t size)
{
	return pointer ? advise(repalloc_huge(pointer, size), size) : bk_alloc(memory, size);
}

void
bk_free(BkMemory memory, void *pointer)
{
	if (pointer)
		pfree(pointer);
}

void
bk_memory_on_delete(BkMemory memory, void (*function) (void *), void *argument)
{
	MemoryContextCallback *callback = MemoryContextAlloc(memory, sizeof(*callback));

	callback->func = function;
	callback->arg = argument;
	MemoryContextRegisterResetCallback(memory, callback);
}

#else							/* FRONTEND */

#include <stdlib.h>

/* Stands before every block's bytes, so that one can be freed alone. */
typedef struct Block
{
	struct Block *previous;
	struct Block *next;
} Block;

StaticAssertDecl(sizeof(Block) % _Alignof(max_align_t) == 0, "what follows a block's head is aligned");

typedef struct Callback
{
	struct Callback *next;
	void		(*function) (void *);
	void	   *argument;
} Callback;

struct BkArena
{
	Block		blocks;			/* head of the ring */
	Callback   *callbacks;
	BkMemory	children;
	BkMemory	parent;
	BkMemory	sibling;
};

static void *
checked(void *pointer)
{
	if (pointer == NULL)
		bk_fail_library("malloc", "bk_alloc", "out of memory");
	return pointer;
}

BkMemory
bk_memory_new(BkMemory parent, const char *name pg_attribute_unused())
{
	BkMemory	memory = checked(calloc(1, sizeof(*memory)));

	memory->blocks.previous = memory->blocks.next = &memory->blocks;
	memory->parent = parent;
	if (parent)
	{
		memory->sibling = parent->children;
		parent->children = memory;
	}
	return memory;
}

void
bk_memory_delete(BkMemory memory)
{
	while (memory->children)
		bk_memory_delete(memory->children);
	for (Callback *callback = memory->callbacks; callback; callback = callback->next)
		callback->function(callback->argument);
	while (memory->blocks.next != &memory->blocks)
		bk_free(memory, memory->blocks.next + 1);
	if (memory->parent)
	{
		BkMemory   *link = &memory->parent->children;

		while (*link != memory)
			link = &(*link)->sibling;
		*link = memory->sibling;
	}
	free(memory);
}

/* Put a block, new or moved, into the ring. */
static void *
link_block(BkMemory memory, Block *block)
{
	block->previous = &memory->blocks;
	block->next = memory->blocks.next;
	block->next->previous = block;
	memory->blocks.next = block;
	return block + 1;
}

static Block *
unlink_block(void *pointer)
{
	Block	   *block = (Block *) pointer - 1;

	block->previous->next = block->next;
	block->next->previous = block->previous;
	return block;
}

void *
bk_alloc(BkMemory memory, size_t size)
{
	if (size > SIZE_MAX - sizeof(Block))
		bk_fail_library("malloc", "bk_alloc", "size overflow");
	return link_block(memory, checked(malloc(sizeof(Block) + size)));
}

void *
bk_realloc(BkMemory memory, void *pointer, size_t size)
{
	if (pointer == NULL)
		return bk_alloc(memory, size);
	if (size > SIZE_MAX - sizeof(Block))
		bk_fail_library("malloc", "bk_realloc", "size overflow");
	return link_block(memory, checked(realloc(unlink_block(pointer), sizeof(Block) + size)));
}

void
bk_free(BkMemory memory pg_attribute_unused(), void *pointer)
{
	if (pointer)
		free(unlink_block(pointer));
}

void
bk_memory_on_delete(BkMemory memory, void (*function) (void *), void *argument)
{
	Callback   *callback = bk_alloc(memory, sizeof(*callback));

	callback->next = memory->callbacks;
	callback->function = function;
	callback->argument = argument;
	memory->callbacks = callback;
}

#endif							/* FRONTEND */
