import { campaignCounts } from "../../../shared/campaigns/counts.ts";
import { formatCallId, parseCallId } from "../../../shared/contract/ids.ts";
import type { Deps } from "../../../shared/deps.ts";
import type { HostItem, TrunkItem } from "../../../shared/store/items.ts";
import { channelMsOf } from "../../../shared/sync/counters.ts";
import type { MemoryDynamo } from "../memory-dynamo.ts";
import { campaignsOf, contactsOf, TENANT, type WorldConfig } from "./world.ts";

export type ViolationKind =
	| "hostCap"
	| "trunkCap"
	| "campaignCap"
	| "callsPerSecond"
	| "campaignCallsPerSecond"
	| "dialedTwice"
	| "dialedAfterRedial"
	| "answersDiffer"
	| "contactLost"
	| "outcomeLost"
	| "counters"
	| "channelSum"
	| "channelLeak"
	| "slowRecovery"
	| "drainedLive"
	| "handlerFault"
	| "agentFault";

/** An invariant of the protocol does not hold. */
export class Violation extends Error {
	override readonly name = "Violation";
	readonly kind: ViolationKind;
	constructor(kind: ViolationKind, message: string) {
		super(`${kind}: ${message}`);
		this.kind = kind;
	}
}

const sum = (values: Record<string, number>): number => Object.values(values).reduce((a, b) => a + b, 0);

/** Keeps the first violation it finds: what throws it may be caught by the very code under test. */
class Judge {
	violation: Violation | undefined;
	protected condemn(kind: ViolationKind, message: string): never {
		const violation = new Violation(kind, message);
		this.violation ??= violation;
		throw violation;
	}
}

/** A call as the carrier has it. */
export interface CarrierCall {
	callId: string;
	host: string;
	trunk: string;
	campaignId: string;
}

/** What the carrier sees, judged at every INVITE: caps, calls per second, every attempt at most once. */
export class Carrier extends Judge {
	readonly live = new Map<string, CarrierCall>();
	/** By campaign, contact and attempt: who dialed it. */
	readonly dialed = new Map<string, string>();
	/** By campaign and contact: the newest attempt that was granted to a host. */
	readonly granted = new Map<string, number>();
	readonly #config: WorldConfig;
	readonly #caps: Map<string, number>;
	readonly #rates: Map<string, number>;
	/** By trunk, and by campaign with a rate of its own. */
	readonly #recent = new Map<string, number[]>();

	constructor(config: WorldConfig, campaignIdOf: (letter: string) => string) {
		super();
		this.#config = config;
		this.#caps = new Map(config.campaigns.map((campaign) => [campaignIdOf(campaign.letter), campaign.cap]));
		this.#rates = new Map(
			config.campaigns.flatMap(({ letter, maxCps }) => (maxCps === undefined ? [] : [[campaignIdOf(letter), maxCps]])),
		);
	}

	/** A call reached a host. */
	onGrant(callId: string): void {
		const ref = parseCallId(callId);
		if (!ref) throw new Error(`granted a call without a callId: ${callId}`);
		const contact = `${ref.campaignId} ${ref.contactKey}`;
		this.granted.set(contact, Math.max(ref.attempt, this.granted.get(contact) ?? 0));
	}

	/** The first INVITE of a call. */
	invite(now: number, call: CarrierCall): void {
		const ref = parseCallId(call.callId);
		if (!ref) throw new Error(`invited without a callId: ${call.callId}`);
		const contact = `${ref.campaignId} ${ref.contactKey}`;
		const attempt = `${contact} ${ref.attempt}`;
		const before = this.dialed.get(attempt);
		if (before !== undefined)
			this.condemn("dialedTwice", `${attempt} by ${call.host} as ${call.callId}, before that by ${before}`);
		this.dialed.set(attempt, `${call.host} as ${call.callId}`);
		const newest = this.granted.get(contact) ?? 0;
		if (newest > ref.attempt)
			this.condemn("dialedAfterRedial", `${attempt} by ${call.host} when attempt ${newest} had been granted`);
		this.live.set(call.callId, call);
		const count = (test: (other: CarrierCall) => boolean): number => [...this.live.values()].filter(test).length;
		const ofHost = count((other) => other.host === call.host);
		const hostCap = this.#config.hosts.find((host) => host.id === call.host)?.cap ?? 0;
		if (ofHost > hostCap) this.condemn("hostCap", `${ofHost} calls of ${call.host}, which has ${hostCap} channels`);
		const trunk = this.#config.trunks.find((each) => each.id === call.trunk);
		const onTrunk = count((other) => other.trunk === call.trunk);
		if (!trunk || onTrunk > trunk.maxChannels)
			this.condemn("trunkCap", `${onTrunk} calls on ${call.trunk} of ${trunk?.maxChannels}`);
		const ofCampaign = count((other) => other.campaignId === call.campaignId);
		const campaignCap = this.#caps.get(call.campaignId) ?? 0;
		if (ofCampaign > campaignCap)
			this.condemn("campaignCap", `${ofCampaign} calls of ${call.campaignId}, cap ${campaignCap}`);
		this.#checkRate("callsPerSecond", call.trunk, trunk.maxCps, now);
		const own = this.#rates.get(call.campaignId);
		if (own !== undefined) this.#checkRate("campaignCallsPerSecond", call.campaignId, own, now);
	}
	#checkRate(kind: ViolationKind, of: string, most: number, now: number): void {
		const recent = (this.#recent.get(of) ?? []).filter((at) => at > now - 1_000);
		recent.push(now);
		this.#recent.set(of, recent);
		if (recent.length > most)
			this.condemn(
				kind,
				`${recent.length} within a second of ${of}, which takes ${most}: ${recent.map((at) => at - now).join(" ")} ms`,
			);
	}
	end(callId: string): void {
		this.live.delete(callId);
	}
}

/** One answer for one seq, however often and by whomever it is made. */
export class Answers extends Judge {
	readonly #said = new Map<string, string>();
	check(hostId: string, epoch: number, seq: number, callIds: string[]): void {
		const key = `${hostId}#${epoch}#${seq}`;
		const said = [...callIds].sort().join(" ");
		const before = this.#said.get(key);
		if (before !== undefined && before !== said) this.condemn("answersDiffer", `${key}: [${before}], then [${said}]`);
		this.#said.set(key, said);
	}
}

/** `free + Σ a + Σ z = cap`, of every trunk and every campaign: holds at every moment. */
export const checkChannelSums = (dynamo: MemoryDynamo): void => {
	for (const trunk of dynamo.items<TrunkItem>("trunks")) {
		if (trunk.trunkId.startsWith("#")) continue;
		const held = [...Object.values(trunk.a).map((entry) => entry.n), ...Object.values(trunk.z).map((entry) => entry.n)];
		const total = trunk.free + held.reduce((n, each) => n + sum(each), 0);
		if (total !== trunk.cap)
			throw new Violation(
				"channelSum",
				`trunk ${trunk.trunkId}: free + shares = ${total}, cap ${trunk.cap}: ${JSON.stringify(trunk)}`,
			);
		for (const [campaignId, entry] of Object.entries(trunk.c)) {
			const ofCampaign = entry.free + held.reduce((n, each) => n + (each[campaignId] ?? 0), 0);
			if (ofCampaign !== entry.cap)
				throw new Violation(
					"channelSum",
					`${campaignId} on ${trunk.trunkId}: free + shares = ${ofCampaign}, cap ${entry.cap}: ${JSON.stringify(trunk)}`,
				);
		}
	}
};

/** No channel is held any more. */
export const checkChannelsFree = (dynamo: MemoryDynamo): void => {
	for (const trunk of dynamo.items<TrunkItem>("trunks")) {
		if (trunk.trunkId.startsWith("#")) continue;
		if (trunk.free !== trunk.cap)
			throw new Violation(
				"channelLeak",
				`trunk ${trunk.trunkId}: ${trunk.free} of ${trunk.cap} free: ${JSON.stringify({ a: trunk.a, z: trunk.z, c: trunk.c })}`,
			);
		for (const [campaignId, entry] of Object.entries(trunk.c))
			if (entry.free !== entry.cap)
				throw new Violation("channelLeak", `${campaignId}: ${entry.free} of ${entry.cap} free`);
	}
};

/** Every contact has ended. */
export const checkAllDone = (dynamo: MemoryDynamo): void => {
	for (const contact of contactsOf(dynamo))
		if (contact.state !== "done") {
			const trunks = dynamo
				.items<TrunkItem>("trunks")
				.map(({ trunkId, free, c, a, z }) => ({ trunkId, free, c, a, z }));
			throw new Violation("contactLost", `${JSON.stringify(contact)} trunks: ${JSON.stringify(trunks)}`);
		}
};

/** Counters equal a recount of the records. */
export const checkCounters = async (dynamo: MemoryDynamo, deps: Deps): Promise<void> => {
	for (const campaign of campaignsOf(dynamo)) {
		const contacts = contactsOf(dynamo).filter((contact) =>
			contact.shardKey.startsWith(`${TENANT}#${campaign.campaignId}#`),
		);
		let attempts = 0;
		let channelMs = 0;
		let timed = 0;
		const outcomes: Record<string, number> = {};
		for (const contact of contacts) {
			const history = Object.entries(contact.hist ?? {});
			attempts += history.length;
			for (const [attempt, entry] of history) {
				const ms = channelMsOf(entry, campaign);
				if (ms !== undefined) {
					channelMs += ms;
					timed++;
				}
				const isEnd = contact.state === "done" && contact.outcome === entry.o && Number(attempt) === contact.attempt;
				if (entry.fin && !isEnd)
					throw new Violation(
						"counters",
						`a final attempt that is not the contact's outcome: ${JSON.stringify(contact)}`,
					);
				if (entry.fin) outcomes[entry.o] = (outcomes[entry.o] ?? 0) + 1;
			}
			const { outcome } = contact;
			// Ended without a call, whatever attempts there were before.
			if (contact.state === "done" && outcome !== undefined && (outcome === "cancelled" || contact.sup))
				outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
		}
		const counts = await campaignCounts(deps, TENANT, campaign.campaignId);
		// The sweep's end is what tells the counters of contacts that were cancelled.
		if (campaign.sweptAt === undefined) delete outcomes["cancelled"];
		const same = (a: Record<string, number>, b: Record<string, number>): boolean =>
			[...Object.keys(a), ...Object.keys(b)].every((key) => (a[key] ?? 0) === (b[key] ?? 0));
		const recount = { attempts, channelMs, timed };
		const counted = { attempts: counts.attempts, channelMs: counts.channelMs, timed: counts.timed };
		if (!same(counted, recount) || !same(counts.outcomes, outcomes))
			throw new Violation(
				"counters",
				`${campaign.campaignId}: counted ${JSON.stringify({ ...counted, outcomes: counts.outcomes })}, recount ${JSON.stringify({ ...recount, outcomes })}`,
			);
	}
};

/** Outcomes that a host's disk had, or that were acknowledged, by callId: each stands in the contact's history, as its outcome or as late. */
export const checkOutcomes = (dynamo: MemoryDynamo, outcomes: Map<string, string>): void => {
	const contacts = new Map(
		contactsOf(dynamo).map((contact) => [`${contact.shardKey.split("#")[1]} ${contact.contactKey}`, contact]),
	);
	for (const [callId, outcome] of outcomes) {
		const ref = parseCallId(callId);
		if (!ref) continue;
		const entry = contacts.get(`${ref.campaignId} ${ref.contactKey}`)?.hist?.[String(ref.attempt)];
		const rebuilt = entry && formatCallId({ ...ref, ver: entry.ver });
		if (!entry || (entry.o !== outcome && entry.late !== outcome) || rebuilt !== callId)
			throw new Violation("outcomeLost", `${callId} ended as ${outcome}, recorded is ${JSON.stringify(entry)}`);
	}
};

/** Hosts whose epoch is neither alive nor settled. */
export const unsettledHosts = (dynamo: MemoryDynamo): HostItem[] =>
	dynamo.items<HostItem>("hosts").filter((host) => !host.hostId.includes("#") && host.state === "lost");
