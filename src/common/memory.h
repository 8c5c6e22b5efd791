/*
 * memory.h
 *		Memory that is freed together, also after an error.
 *
 * In the server a BkMemory is a memory context; without it, a list of blocks.
 * Foreign objects (a z_stream, an EVP context) are closed by a callback that
 * is registered where they are opened.  Nothing here is limited to 1 GB.
 */
#ifndef BK_MEMORY_H
#define BK_MEMORY_H

#ifndef FRONTEND
typedef MemoryContext BkMemory;
#else
typedef struct BkArena *BkMemory;
#endif

/* Name must be a literal.  parent may be NULL only without the server. */
extern BkMemory bk_memory_new(BkMemory parent, const char *name);
extern void bk_memory_delete(BkMemory memory);

/* Never NULL: running out of memory is an error (53200).  Not zeroed. */
extern void *bk_alloc(BkMemory memory, size_t size);
extern void *bk_alloc_zero(BkMemory memory, size_t size);

/* As realloc; pointer was allocated in memory. */
extern void *bk_realloc(BkMemory memory, void *pointer, size_t size);
extern void bk_free(BkMemory memory, void *pointer);

/* Call function(argument) when memory is deleted, last registered first. */
extern void bk_memory_on_delete(BkMemory memory, void (*function) (void *), void *argument);

/*
 * Allocate size zeroed bytes for key material; they are wiped when memory is
 * deleted, also after an error.
 */
extern void *bk_alloc_secret(BkMemory memory, size_t size);

/* Overwrite, in a way that the compiler may not leave out. */
extern void bk_wipe(void *pointer, size_t size);

#endif							/* BK_MEMORY_H */
