import { type CalleeLimits, DIAL_DELAY_MS } from "../callees/decide-call.ts";
import { limitsFor } from "../callees/limits.ts";
import type { Outcome } from "../contract/outcome.ts";
import type { CallingPolicy } from "../contract/suppression.ts";
import { type CallTarget, type Exemption, opennessOf, placeLimitsOf } from "../rules/calling-rules.ts";
import type { CampaignItem, ContactItem } from "../store/items.ts";
import type { Suppression } from "../suppression/read-suppression.ts";
import { suppressedBy } from "../suppression/suppressed-by.ts";

/** Whether a contact may be called: by its calling window and the rules of its place, by do-not-call lists, and how often its number was called. Pure. */

/** Campaigns of before there were purposes asked for nothing; what a test call is. */
const DEFAULT_PURPOSE = "informational";

export const purposeOf = (campaign: Pick<CampaignItem, "purpose">) => campaign.purpose ?? DEFAULT_PURPOSE;

export const targetOf = (
	campaign: Pick<CampaignItem, "numbering">,
	contact: Pick<ContactItem, "number" | "tz">,
): CallTarget => ({ number: contact.number, isPrivate: campaign.numbering === "private", timeZone: contact.tz });

/** What is to be done with a contact that is due. */
export type Verdict =
	| { kind: "call"; exemptions: Exemption[] }
	/** Not now: it is due again at `until`, ms. */
	| { kind: "wait"; until: number; why: "window"; rule: string }
	/** Its number is on a list, or may never be called: the next of its numbers, if it has one. */
	| { kind: "suppress"; why: string }
	/** It was reached: the call that was lost with its host turned out to have been answered. */
	| { kind: "end"; outcome: Outcome; why: string };

type Rules = Pick<CampaignItem, "purpose" | "window" | "numbering">;

/**
 * When the contact may be called, not before `from`, ms: `from` itself where it may be called then and until it is dialed at the latest, else the next opening.
 * Undefined: never, with the reason.
 */
export const openFrom = (
	campaign: Rules,
	contact: Pick<ContactItem, "number" | "tz">,
	from: number,
): { at: number; rule: string; exemptions: Exemption[] } | { at: undefined; rule: string } => {
	const target = targetOf(campaign, contact);
	const rules = { purpose: purposeOf(campaign), window: campaign.window };
	let now = from;
	let rule = "";
	// A call that is granted just before the window closes would be dialed after it: then the next opening counts.
	for (let i = 0; i < 2; i++) {
		const openness = opennessOf(target, rules, now);
		if (!openness.open) {
			if (openness.opensAt === undefined) return { at: undefined, rule: openness.why };
			return { at: openness.opensAt, rule: openness.why, exemptions: openness.exemptions };
		}
		if (openness.closesAt === undefined || openness.closesAt - now > DIAL_DELAY_MS) {
			return { at: now, rule, exemptions: openness.exemptions };
		}
		rule = "closes within the time that a call may take to be dialed";
		now = openness.closesAt;
	}
	// A window shorter than that is never open for long enough.
	return { at: undefined, rule: "is never open for longer than a call may take to be dialed" };
};

export const vet = (campaign: CampaignItem, contact: ContactItem, suppression: Suppression, now: number): Verdict => {
	const late = contact.hist?.[String(contact.attempt - 1)]?.late;
	if (late === "answered" || late === "machine") {
		return { kind: "end", outcome: late, why: "the host came back and had reached it" };
	}
	const hit = suppressedBy(suppression.numbers.get(contact.number), suppression.lists, campaign);
	if (hit) return { kind: "suppress", why: `on the list ${hit.list}` };
	const open = openFrom(campaign, contact, now);
	if (open.at === undefined) return { kind: "suppress", why: open.rule };
	if (open.at > now) return { kind: "wait", until: open.at, why: "window", rule: open.rule };
	const { exemptions } = placeLimitsOf(targetOf(campaign, contact), purposeOf(campaign));
	return { kind: "call", exemptions: [...open.exemptions, ...exemptions] };
};

/** The limits of calls to a contact's number; undefined where none holds, so that nothing is noted. */
export const calleeLimitsOf = (
	policy: CallingPolicy,
	campaign: CampaignItem,
	contact: Pick<ContactItem, "number" | "tz">,
): CalleeLimits | undefined => {
	const { limits, minGapSec } = placeLimitsOf(targetOf(campaign, contact), purposeOf(campaign));
	return limitsFor(policy, campaign.calleeLimit, limits, minGapSec);
};

/** The name under which a call is noted with its number: the same for every execution that tries to grant it, and of no other call. */
export const callTagOf = (campaignId: string, contactKey: string, attempt: number, verBefore: number): string =>
	`${campaignId}-${contactKey}-${attempt}-${verBefore}`;

/** A later moment that the contact is due at, moved into its opening. */
export const alignToOpening = (campaign: Rules, contact: Pick<ContactItem, "number" | "tz">, dueAt: number): number => {
	const open = openFrom(campaign, contact, dueAt);
	return open.at === undefined ? dueAt : Math.max(dueAt, open.at);
};
