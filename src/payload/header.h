/*
 * header.h
 *		The encoded header: what the MAC covers beside the stored bytes.
 */
#ifndef BK_HEADER_H
#define BK_HEADER_H

#include "payload/digest.h"
#include "payload/payload.h"

#define BK_HEADER_FORMAT	1

/* Encode as docs/format.md says, allocated in memory. */
extern BkText bk_header_encode(BkMemory memory, const BkPayloadHeader *header);

/*
 * Take one off the front of bytes; its resource_id is a slice of them.  False where they do not begin
 * with a header of this format: what it says is left to be judged by the caller.
 */
extern bool bk_header_decode(BkText *bytes, BkPayloadHeader *header);

/* Close a MAC that has seen the stored bytes: header, then the header's length. */
extern void bk_header_seal(BkMemory memory, BkHmac *hmac, const BkPayloadHeader *header,
						   uint8 mac[BK_DIGEST_BYTES]);

#endif							/* BK_HEADER_H */
