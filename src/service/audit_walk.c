/*
 * audit_walk.c
 *		Going through chains.
 */
#include "service/audit_walk.h"

#include "utils/timestamp.h"

bool
bk_chain_walk(BkChain *chain, BkBrokenLink *broken)
{
	*broken = (BkBrokenLink) {.link = BK_LINK_GOOD};
	for (;;)
	{
		int64		number;
		BkLink		link = bk_chain_next(chain, DT_NOEND, &number);

		if (link == BK_LINK_NONE)
			break;
		/* After the first one, what is said of the others means nothing. */
		if (link != BK_LINK_GOOD && broken->link == BK_LINK_GOOD)
			*broken = (BkBrokenLink) {.link = link, .number = number};
	}
	broken->checkpoint_holds = bk_chain_checkpoint_holds(chain);
	if (broken->link == BK_LINK_GOOD)
		broken->number = bk_chain_number(chain);
	return broken->link == BK_LINK_GOOD && broken->checkpoint_holds;
}

void
bk_chain_for_each(const BkCall *call, void (*work) (const char *resource_id, void *argument), void *argument)
{
	char	   *resource_id = bk_event_find_chain("");

	while (resource_id != NULL)
	{
		char	   *after = resource_id;

		work(resource_id, argument);
		resource_id = bk_event_find_chain(after);
		pfree(after);
		CHECK_FOR_INTERRUPTS();
	}
}
