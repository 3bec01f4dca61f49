import type { CallingPolicy, SuppressionScope } from "../../contract/suppression.ts";

// Table suppression: key (callee): a number as `tenant#number`; `tenant#lists`, `tenant#policy`

export const calleeKey = (tenant: string, number: string) => ({ callee: `${tenant}#${number}` });
export const suppressionListsKey = (tenant: string) => ({ callee: `${tenant}#lists` });
export const callingPolicyKey = (tenant: string) => ({ callee: `${tenant}#policy` });

/**
 * A number that is, or was, on a list. It has an attribute for each list, named by {@link onListAttribute}, so that adding to a list is one write without a
 * condition, whatever else the item holds.
 */
export interface SuppressedItem extends Record<string, unknown> {
	callee: string;
}
/** How a number is on a list. */
export interface OnList {
	at: number;
	/** The token that put it there. */
	by: string;
	/** Of an opt-out. */
	campaignId?: string;
	note?: string;
}
export const onListAttribute = (listId: string): string => `on_${listId}`;

/** Key `tenant#lists`: an attribute for each list, named by {@link listAttribute}. */
export interface SuppressionListsItem extends Record<string, unknown> {
	callee: string;
}
export const LIST_ATTRIBUTE_PREFIX = "list_";
export const listAttribute = (name: string): string => `${LIST_ATTRIBUTE_PREFIX}${name}`;
export interface SuppressionListEntry {
	/** Drawn anew whenever a list of that name is made: what is left of a deleted list counts for nothing. */
	id: string;
	scope: SuppressionScope;
	kind: "own" | "register";
	/** Only of a register. */
	maxAgeDays?: number;
	/** Numbers added less those removed; a request that was cut off can leave it too low. */
	count: number;
	createdAt: number;
	/** The last time that numbers were added to the end; absent: never. */
	updatedAt?: number;
}

/** Key `tenant#policy`: `PUT /v1/calling-policy`. */
export interface CallingPolicyItem extends Record<string, unknown>, CallingPolicy {
	callee: string;
	updatedAt: number;
	tokenId: string;
}

// Table callees: key (callee), as above; TTL `ttl` (seconds since 1970)

/** Calls to one number. Stays below 1 KB, so that a call noted is one write unit. */
export interface CalleeItem extends Record<string, unknown> {
	callee: string;
	/** When each call was granted, ms, by the hash of its tag. */
	calls: Record<string, number>;
	/** The youngest call that was dropped to keep the item small, ms. */
	cut?: number;
	/** Raised by every change. */
	ver: number;
	ttl: number;
}
