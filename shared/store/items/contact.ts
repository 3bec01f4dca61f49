import type { AmdResult } from "../../contract/call.ts";
import type { Consent, ContactNumber, ContactState } from "../../contract/campaign.ts";
import type { Outcome } from "../../contract/outcome.ts";

// Table contacts: key (shardKey, contactKey); index `due` (shardKey, dueAt), keys only, only while pending

export const shardKey = (tenant: string, campaignId: string, shard: number): string =>
	`${tenant}#${campaignId}#${shard}`;

/** The shard of a contact: from its key, which is evenly spread. */
export const shardOf = (contactKey: string, shards: number): number => {
	let value = 0;
	for (const char of contactKey.slice(0, 4)) value = value * 36 + Number.parseInt(char, 36);
	return value % shards;
};

export interface ContactItem extends Record<string, unknown> {
	shardKey: string;
	contactKey: string;
	contactId: string;
	/** The number to dial next. */
	number: string;
	/** All its numbers in order, where there are several; `ni`: which of them is `number`. */
	nums?: ContactNumber[];
	ni?: number;
	/** What `number` is, where it is the only one and that was given. */
	kind?: string;
	/** The callee's zone as given with the contact. */
	tz?: string;
	consent?: Consent;
	vars?: Record<string, string>;
	state: ContactState;
	/** The attempt under way or next; 1 at first. */
	attempt: number;
	/** Raised by every change of state. */
	ver: number;
	/** `hostId#epoch#seq` of the sync that claimed it; only while claimed. */
	lease?: string;
	/** Only while pending: ms since 1970, with a fraction that keeps the order of the list. */
	dueAt?: number;
	/** By attempt; absent before the first ends. */
	hist?: Record<string, HistoryEntry>;
	/** How the contact ended; only when done. */
	outcome?: Outcome;
	/** Only while pending and due later for another reason than a retry: what it waits for. */
	wait?: { for: "window" | "calleeLimit"; rule: string };
	/** Only when it ended without being called: why, and the lease of the sync that ended it. */
	sup?: { by: string; why: string };
	/** The next attempt is to go through another trunk than this one, by index, where there is one that can take it. */
	not?: number;
	/** `importId#row` of the import that brought it: tells a repeated chunk from a duplicate. */
	imp: string;
}

/** One attempt. */
export interface HistoryEntry {
	o: Outcome;
	/** `hostId#epoch#seq` of the sync that settled it, or `reap#hostId#epoch`. */
	by: string;
	/** The lease it was called under: `hostId#epoch#seq`. */
	lease: string;
	/** The contact's version under that lease: with it the callId can be rebuilt. */
	ver: number;
	/** Whether the contact was finished by it. */
	fin: boolean;
	/** Which of the contact's numbers, and which of the campaign's trunks, where there are several. */
	n?: number;
	tr?: number;
	/** Q.850 cause and SIP status. */
	cause?: number;
	sip?: number;
	/** Started, ringing, answered, ended: ms since 1970. */
	t0?: number;
	t1?: number;
	t2?: number;
	t3?: number;
	vars?: Record<string, string>;
	/** Answering machines: verdict, cause, ms from the answer to the verdict, ms until the greeting was over, and how that was noticed. */
	amd?: {
		v: AmdResult["verdict"];
		c?: string;
		d?: number;
		g?: number;
		e?: NonNullable<AmdResult["greetingEnd"]>;
	};
	/** A report that came after the call had been recovered: kept, changes nothing. */
	late?: Outcome;
}
