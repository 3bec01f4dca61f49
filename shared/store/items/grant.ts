import type { Outcome } from "../../contract/outcome.ts";

// Table grants: key (host, grant), TTL `ttl` (seconds since 1970)

export const hostKey = (tenant: string, hostId: string): string => `${tenant}#${hostId}`;
/** Zero-padded, so that grants of an epoch are in order. */
export const grantKey = (epoch: number, seq: number): string =>
	`${String(epoch).padStart(7, "0")}#${String(seq).padStart(10, "0")}`;
export const leaseOf = (hostId: string, epoch: number, seq: number): string => `${hostId}#${epoch}#${seq}`;

export interface Candidate {
	/** Campaign, contactKey, attempt, version before the claim; index of the trunk, where it is not the campaign's first. */
	c: string;
	k: string;
	a: number;
	v: number;
	t?: number;
	/** It is not called: it ends so, for this reason. */
	x?: { o: Outcome; why: string };
}
export interface GrantItem extends Record<string, unknown> {
	host: string;
	grant: string;
	cands: Candidate[];
	/** Put by the recovery: this sync must not go on. */
	tomb?: boolean;
	ttl: number;
}
