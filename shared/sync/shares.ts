/**
 * Which share of a trunk's channels a host gets and how many calls go with it. Pure: the trunk's item as read, the
 * host's calls and the candidates in, the wanted absolute share out; one conditional write makes it true or fails.
 */

/** Channels by campaign. */
export type ByCampaign = Record<string, number>;

export interface ShareInput {
	/** Channels of the trunk, and of each campaign on it, that no host holds. May be negative after a cap was lowered. */
	trunkFree: number;
	campaignFree: ByCampaign;
	/** The host's share as it stands. */
	shareNow: ByCampaign;
	/** Calls the host holds on this trunk after its report, by campaign; at most so many have a channel. */
	base: ByCampaign;
	/** Candidates by campaign, in the order in which campaigns take turns. */
	candidates: ByCampaign;
	/** Channels of the host that its shares of other trunks leave. */
	hostRoom: number;
	/** Calls the host can use; of them `prefetch` beyond its free channels. */
	want: number;
	prefetch: number;
	/** Channels that all hosts hold of each campaign, this host's share included, and what each campaign is entitled to in proportion. Absent: alike. */
	allocated?: ByCampaign;
	weights?: ByCampaign;
	/** Channels that new calls leave free, of the trunk and of campaigns: for hosts that come first. Calls that wait for one take them all the same. */
	leave?: Leave;
}
export interface Leave {
	trunk: number;
	campaigns: ByCampaign;
}

export interface ShareDecision {
	/** The new absolute share by campaign; campaigns with 0 are left out. */
	share: ByCampaign;
	/** Calls to grant by campaign. */
	calls: ByCampaign;
}

export const sum = (values: ByCampaign): number => Object.values(values).reduce((a, b) => a + b, 0);

/**
 * How far each campaign is ahead of the others: the channels that it has everywhere for its weight. Whoever is the furthest behind comes first, so that the
 * channels of a full trunk go to campaigns in proportion, whichever host a channel frees on, and one that has nothing is always next.
 */
class Turns {
	readonly #elsewhere: ByCampaign = {};
	readonly #weights: ByCampaign;

	constructor(input: ShareInput, campaigns: readonly string[]) {
		this.#weights = input.weights ?? {};
		for (const c of campaigns) {
			this.#elsewhere[c] = Math.max(0, (input.allocated?.[c] ?? input.shareNow[c] ?? 0) - (input.shareNow[c] ?? 0));
		}
	}

	/** With `own` channels, or calls, on this host. */
	of(c: string, own: number): number {
		return ((this.#elsewhere[c] ?? 0) + own) / (this.#weights[c] ?? 1);
	}

	/** Of those that may, the one that is the furthest behind; of equals the first. */
	next(campaigns: readonly string[], own: (c: string) => number, may: (c: string) => boolean): string | undefined {
		let next: string | undefined;
		let least = Number.POSITIVE_INFINITY;
		for (const c of campaigns) {
			if (!may(c)) continue;
			const ahead = this.of(c, own(c));
			if (ahead < least) [next, least] = [c, ahead];
		}
		return next;
	}
}

/**
 * A share never falls below what may have a channel (`min(base, shareNow)`): the host may dial what it holds until it
 * has the answer. It never rises above what the host holds afterwards, and only out of what is free.
 */
export const decideShare = (input: ShareInput): ShareDecision => {
	const { base, shareNow } = input;
	const campaigns = [...new Set([...Object.keys(input.candidates), ...Object.keys(base), ...Object.keys(shareNow)])];
	const share: ByCampaign = {};
	for (const c of campaigns) share[c] = Math.min(base[c] ?? 0, shareNow[c] ?? 0);

	let trunkLeft = input.trunkFree + sum(shareNow) - sum(share);
	let hostLeft = input.hostRoom - sum(share);
	let newLeft = input.want;
	const left: ByCampaign = {};
	for (const c of campaigns) left[c] = (input.campaignFree[c] ?? 0) + (shareNow[c] ?? 0) - (share[c] ?? 0);

	const calls: ByCampaign = {};
	const turns = new Turns(input, campaigns);
	const needsCall = (c: string): boolean => (share[c] ?? 0) >= (base[c] ?? 0) + (calls[c] ?? 0);
	const hasCandidate = (c: string): boolean => (calls[c] ?? 0) < (input.candidates[c] ?? 0);
	const mayTake = (c: string): boolean => {
		if (needsCall(c) && (!hasCandidate(c) || newLeft <= 0)) return false;
		if (trunkLeft <= 0 || hostLeft <= 0 || (left[c] ?? 0) <= 0) return false;
		const { leave } = input;
		return !(needsCall(c) && leave && (trunkLeft <= leave.trunk || (left[c] ?? 0) <= (leave.campaigns[c] ?? 0)));
	};
	for (;;) {
		const c = turns.next(campaigns, (each) => share[each] ?? 0, mayTake);
		if (c === undefined) break;
		if (needsCall(c)) {
			calls[c] = (calls[c] ?? 0) + 1;
			newLeft--;
		}
		share[c] = (share[c] ?? 0) + 1;
		left[c] = (left[c] ?? 0) - 1;
		trunkLeft--;
		hostLeft--;
	}

	// Prefetch: calls beyond the share, for channels about to free; only where the host has channels at all.
	const beyond = campaigns.reduce((n, c) => n + Math.max(0, (base[c] ?? 0) + (calls[c] ?? 0) - (share[c] ?? 0)), 0);
	// A campaign that is ahead of one that waits for channels prefetches nothing: what ends of it frees channels for the other.
	const waits = (c: string): boolean => hasCandidate(c) && (left[c] ?? 0) > (input.leave?.campaigns[c] ?? 0);
	const behind = Math.min(...campaigns.filter(waits).map((c) => turns.of(c, (share[c] ?? 0) + 1)));
	const entitled = (c: string): boolean => turns.of(c, share[c] ?? 0) < behind || !campaigns.some(waits);
	let ahead = Math.min(input.prefetch - beyond, newLeft);
	while (ahead > 0) {
		const c = turns.next(
			campaigns,
			(each) => (base[each] ?? 0) + (calls[each] ?? 0),
			(each) => (share[each] ?? 0) > 0 && hasCandidate(each) && entitled(each),
		);
		if (c === undefined) break;
		calls[c] = (calls[c] ?? 0) + 1;
		ahead--;
	}
	const nonZero = (values: ByCampaign): ByCampaign =>
		Object.fromEntries(Object.entries(values).filter(([, n]) => n > 0));
	return { share: nonZero(share), calls: nonZero(calls) };
};

const NOTHING_LEFT: Leave = { trunk: 0, campaigns: {} };

/**
 * Whether the decision leaves channels that were free before this sync came, though it had calls for them: those that it gives back itself nobody could have
 * taken yet.
 */
export const leavesUnused = (input: ShareInput, decision: ShareDecision): boolean => {
	if (input.leave === undefined || input.trunkFree <= 0) return false;
	const without = decideShare({ ...input, leave: NOTHING_LEFT });
	return Object.entries(without.calls).some(
		([c, n]) => n > (decision.calls[c] ?? 0) && (input.campaignFree[c] ?? 0) > 0,
	);
};

/** The calls that fit into a share that an earlier try or a twin of this sync has already reserved. */
export const callsWithinShare = (input: ShareInput, reserved: ByCampaign): ByCampaign =>
	decideShare({ ...input, trunkFree: 0, campaignFree: {}, shareNow: reserved, leave: NOTHING_LEFT }).calls;
