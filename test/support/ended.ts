import type { Outcome } from "../../shared/contract/outcome.ts";
import type { ContactItem } from "../../shared/store/items.ts";
import type { MemoryDynamo } from "./memory-dynamo.ts";

/** Ends a contact as a sync or a sweep would have, with the number that was dialed last as its number. */
export const endContact = (dynamo: MemoryDynamo, { shardKey, contactKey }: ContactItem, outcome: Outcome): void => {
	const item = dynamo.peek<ContactItem>("contacts", { shardKey, contactKey });
	if (!item) throw new Error(`there is no contact ${contactKey}`);
	const last = (item.nums?.length ?? 1) - 1;
	delete item.dueAt;
	Object.assign(item, {
		state: "done",
		outcome,
		ver: item.ver + 2,
		attempt: last + 1,
		...(item.nums ? { ni: last, number: item.nums[last]?.number } : {}),
	});
};

/** The contacts of one campaign, in the order of its list. */
export const contactsOf = (dynamo: MemoryDynamo, campaignId: string): ContactItem[] => {
	const line = (item: ContactItem): number => Number(item.imp.split("#")[1]);
	return dynamo
		.items<ContactItem>("contacts")
		.filter((item) => item.shardKey.includes(`#${campaignId}#`))
		.sort((a, b) => line(a) - line(b));
};
