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
	for (let progress = true; progress; ) {
		progress = false;
		for (const c of campaigns) {
			const held = (base[c] ?? 0) + (calls[c] ?? 0);
			const needsCall = (share[c] ?? 0) >= held;
			const hasCandidate = (calls[c] ?? 0) < (input.candidates[c] ?? 0);
			if (needsCall && (!hasCandidate || newLeft <= 0)) continue;
			if (trunkLeft <= 0 || hostLeft <= 0 || (left[c] ?? 0) <= 0) continue;
			const leave = input.leave;
			if (needsCall && leave && (trunkLeft <= leave.trunk || (left[c] ?? 0) <= (leave.campaigns[c] ?? 0))) continue;
			share[c] = (share[c] ?? 0) + 1;
			left[c] = (left[c] ?? 0) - 1;
			trunkLeft--;
			hostLeft--;
			if (needsCall) {
				calls[c] = (calls[c] ?? 0) + 1;
				newLeft--;
			}
			progress = true;
		}
	}

	// Prefetch: calls beyond the share, for channels about to free; only where the host has channels at all.
	const beyond = campaigns.reduce((n, c) => n + Math.max(0, (base[c] ?? 0) + (calls[c] ?? 0) - (share[c] ?? 0)), 0);
	let ahead = Math.min(input.prefetch - beyond, newLeft);
	for (let progress = true; progress && ahead > 0; ) {
		progress = false;
		for (const c of campaigns) {
			if (ahead <= 0) break;
			if ((share[c] ?? 0) <= 0 || (calls[c] ?? 0) >= (input.candidates[c] ?? 0)) continue;
			calls[c] = (calls[c] ?? 0) + 1;
			ahead--;
			progress = true;
		}
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
