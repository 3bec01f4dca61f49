import { releaseCall, reserveCall } from "../callees/reserve-call.ts";
import type { CallingPolicy } from "../contract/suppression.ts";
import type { Deps } from "../deps.ts";
import { getItem } from "../store/db.ts";
import type { CampaignItem, Candidate, ContactItem } from "../store/items.ts";
import { callingRules } from "../suppression/calling-policy.ts";
import { claim, contactKeyOfCandidate } from "./grant.ts";
import type { Run } from "./run.ts";
import { calleeLimitsOf, callTagOf } from "./vet.ts";
import { letWait } from "./waits.ts";

/**
 * Claims a candidate. Where calls to its number are limited, the call is noted with the number first: one that is noted and never dialed is at worst one call less,
 * one that is dialed and not noted would be one too many.
 */
export const claimWithinLimits = async (
	run: Run,
	policy: CallingPolicy,
	campaign: CampaignItem,
	candidate: Candidate,
	known: ContactItem | undefined,
): Promise<boolean> => {
	const { deps, host, me } = run;
	const { tenant } = host;
	const key = contactKeyOfCandidate(tenant, candidate, campaign);
	// A twin's candidate was read by the twin.
	const contact = known ?? (await getItem<ContactItem>(deps.db, deps.tables.contacts, key));
	if (!contact) return false;
	const limits = calleeLimitsOf(policy, campaign, contact);
	if (!limits) return claim(deps, key, candidate.v, me);
	const tag = callTagOf(candidate.c, candidate.k, candidate.a, candidate.v);
	const noted = await reserveCall(deps, tenant, contact.number, limits, tag);
	if (noted.ok) return claim(deps, key, candidate.v, me);
	const waits = await letWait(deps, contact, noted.waitUntil, { for: "calleeLimit", rule: noted.rule });
	// A twin of this sync judged otherwise and has claimed it: then it is ours.
	if (!waits.ok) return waits.item?.state === "claimed" && waits.item.lease === me;
	deps.log.info("call.limited", {
		campaignId: candidate.c,
		contactId: contact.contactId,
		rule: noted.rule,
		until: noted.waitUntil,
	});
	return false;
};

/** A call that was granted and never dialed no longer counts for its number. To be called after it was given back. */
export const releaseUndialed = async (
	deps: Deps,
	tenant: string,
	campaign: CampaignItem,
	contact: ContactItem,
	attempt: number,
	verBefore: number,
): Promise<void> => {
	const { policy } = await callingRules(deps, tenant);
	if (!calleeLimitsOf(policy, campaign, contact)) return;
	await releaseCall(
		deps,
		tenant,
		contact.number,
		callTagOf(campaign.campaignId, contact.contactKey, attempt, verBefore),
	);
};
