/*
 * jsonb_number.h
 *		Numbers of few digits, between their text and how a jsonb holds them, without
 *		the server's own way: that makes three copies of each and allocates two.
 *
 * The inside of a numeric is declared in the server's numeric.c alone.  It is what is on
 * disk, so pg_upgrade relies on it; test/sql/documents.sql compares what is made here with
 * what the server makes.
 */
#ifndef BK_JSONB_NUMBER_H
#define BK_JSONB_NUMBER_H

#include "common/common.h"

#define BK_NUMBER_CHARS		40	/* of a text that bk_number_write() takes */
#define BK_NUMBER_BYTES		32	/* of a numeric that it writes, at most */

/*
 * Write the numeric of a text of at most BK_NUMBER_CHARS as numeric_out prints it, to where
 * an int may stand; returns how many bytes it takes.
 */
extern size_t bk_number_write(char *to, BkText text);

/*
 * Print a numeric as numeric_out does, in at most BK_NUMBER_CHARS; returns how many, 0
 * where it is not one of few digits.
 */
extern size_t bk_number_print(char to[BK_NUMBER_CHARS], const char *numeric);

#endif							/* BK_JSONB_NUMBER_H */
