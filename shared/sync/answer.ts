import type { GrantedCall } from "../contract/call.ts";
import type { SyncResponse } from "../contract/host.ts";
import { formatCallId, laneOf, slotKeyOf } from "../contract/ids.ts";
import type { Deps } from "../deps.ts";
import { callerIdsFor, chooseCallerId } from "../numbers/caller-id.ts";
import { dialNumber } from "../numbers/format.ts";
import { leastRingSecOf } from "../rules/calling-rules.ts";
import { batchGet } from "../store/db.ts";
import type { CampaignItem, Candidate, ContactItem, HostItem, TrunkItem } from "../store/items.ts";
import { contactKeyOfCandidate } from "./grant.ts";
import { trunkIdAt, trunkIndexOf } from "./lanes.ts";
import { sum } from "./shares.ts";
import { slotTimes, slotValidMs, TIGHT_SLOT_VALID_MS } from "./slots.ts";
import { purposeOf, targetOf } from "./vet.ts";
import type { World } from "./world.ts";

/** The call as the host gets it: number and caller id in the carrier's form, everything from the campaign as it stands. */
const grantedCall = (
	candidate: Candidate,
	contact: ContactItem,
	campaign: CampaignItem,
	trunk: TrunkItem,
	epoch: number,
	seq: number,
): GrantedCall => {
	const { format } = trunk.trunk;
	const callerId = chooseCallerId(callerIdsFor(campaign, trunk.trunk), contact.number, contact.contactKey);
	return {
		callId: formatCallId({
			campaignId: candidate.c,
			contactKey: candidate.k,
			...(candidate.t ? { trunkIndex: candidate.t } : {}),
			attempt: candidate.a,
			ver: candidate.v + 1,
			epoch,
			seq,
		}),
		campaignId: candidate.c,
		number: dialNumber(format.number, contact.number),
		trunk: trunk.trunkId,
		callerId: callerId === "" ? "" : dialNumber(format.callerId, callerId),
		ringTimeoutSec: Math.max(
			campaign.ringTimeoutSec,
			leastRingSecOf(targetOf(campaign, contact), purposeOf(campaign)) ?? 0,
		),
		maxCallSec: campaign.maxCallSec,
		then: campaign.then,
		vars: contact.vars ?? {},
		...(campaign.maxCps === undefined ? {} : { paced: true }),
		...(campaign.amd?.enabled ? { amd: { onMachine: campaign.amd.onMachine } } : {}),
	};
};

/**
 * The calls of an answer: the candidates of the grant that the commit names. Contacts are read again only where this
 * execution did not choose them itself; number and variables of a contact never change.
 */
export const grantedCalls = async (
	deps: Deps,
	host: HostItem,
	world: World,
	epoch: number,
	seq: number,
	cands: Candidate[],
	ans: number[],
	known: Map<string, ContactItem>,
): Promise<GrantedCall[]> => {
	const granted = ans.map((i) => cands[i]).filter((candidate): candidate is Candidate => candidate !== undefined);
	const unknown = granted.filter((candidate) => !known.has(candidate.c + candidate.k));
	const keys = unknown.flatMap((candidate) => {
		const campaign = world.campaigns.get(candidate.c);
		return campaign ? [contactKeyOfCandidate(host.tenant, candidate, campaign)] : [];
	});
	const contacts = new Map(known);
	for (const item of await batchGet<ContactItem>(deps.db, deps.tables.contacts, keys)) {
		const campaignId = item.shardKey.split("#")[1] ?? "";
		contacts.set(campaignId + item.contactKey, item);
	}
	return granted.map((candidate) => {
		const campaign = world.campaigns.get(candidate.c);
		const contact = contacts.get(candidate.c + candidate.k);
		const trunk = campaign && world.trunks.get(trunkIdAt(campaign, candidate.t) ?? "");
		if (!campaign || !contact || !trunk) {
			throw new Error(
				`granted call without its ${campaign ? (contact ? "trunk" : "contact") : "campaign"}: ${candidate.c} ${candidate.k}`,
			);
		}
		return grantedCall(candidate, contact, campaign, trunk, epoch, seq);
	});
};

/** Shares and slots as they stand on the trunks: absolute, so they are right in a repeated answer too. */
export const sharesAndSlots = (
	hostId: string,
	epoch: number,
	seq: number,
	trunks: Iterable<TrunkItem>,
	campaigns: ReadonlyMap<string, CampaignItem>,
): Pick<SyncResponse, "share" | "campaignShare" | "slots" | "slotValidMs"> => {
	const answer: Pick<SyncResponse, "share" | "campaignShare" | "slots" | "slotValidMs"> = {
		share: {},
		campaignShare: {},
		slots: {},
		slotValidMs: {},
	};
	for (const trunk of trunks) {
		const entry = trunk.a[hostId];
		if (!entry || entry.e !== epoch) continue;
		answer.share[trunk.trunkId] = sum(entry.n);
		const laneOn = (campaignId: string): string => {
			const campaign = campaigns.get(campaignId);
			const trunkIndex = campaign ? Math.max(0, trunkIndexOf(campaign, trunk.trunkId)) : 0;
			return laneOf({ campaignId, trunkIndex });
		};
		for (const [c, n] of Object.entries(entry.n)) answer.campaignShare[laneOn(c)] = n;
		if (entry.s === seq) {
			for (const [c, moments] of Object.entries(entry.p ?? {})) {
				const key = slotKeyOf(laneOn(c));
				answer.slots[key] = moments;
				answer.slotValidMs[key] = TIGHT_SLOT_VALID_MS;
			}
		}
		if (entry.s === seq && entry.k > 0) answer.slots[trunk.trunkId] = slotTimes(entry.at, entry.k, entry.gap);
		answer.slotValidMs[trunk.trunkId] =
			entry.k > 0 ? (entry.valid ?? TIGHT_SLOT_VALID_MS) : slotValidMs(trunk.trunk.maxCps);
	}
	return answer;
};
