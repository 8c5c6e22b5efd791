/*
 * answer.h
 *		Requests that may be sent twice: the second gets the answer of the first.
 */
#ifndef BK_ANSWER_H
#define BK_ANSWER_H

#include "service/call.h"

/*
 * Take up a request that the caller names by a key.  *answer is NULL where it is new: then its answer is to be kept
 * by bk_keep_answer() in the same transaction, and until that has ended others with the same key wait.  Else it is
 * the answer that was kept, up to 24 hours ago.  False where the key was another request's then.
 */
extern bool bk_take_up_request(const BkCall *call, const char *key, BkText request, const char **answer);

extern void bk_keep_answer(const BkCall *call, const char *key, const char *answer);

#endif							/* BK_ANSWER_H */
