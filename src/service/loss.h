/*
 * loss.h
 *		Saying what is lost when the extension is dropped.
 */
#ifndef BK_LOSS_H
#define BK_LOSS_H

/* Once, when the library is loaded. */
extern void bk_loss_watch(void);

#endif							/* BK_LOSS_H */
