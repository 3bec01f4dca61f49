import type { CalleeLimit } from "../contract/campaign.ts";
import type { CallingPolicy } from "../contract/suppression.ts";
import type { CalleeLimits } from "./decide-call.ts";

/** A limit that a place's law sets. */
export interface PlaceLimit {
	rule: string;
	max: number;
	perHours: number;
}

/** Names of the rules that are settings; those of places have the names of their laws. */
export const POLICY_RULE = "calling-policy";
export const CAMPAIGN_RULE = "campaign";

/**
 * All that holds for a call: the tenant's policy, the campaign's own limit, and the laws of the callee's places. The longer of two gaps counts.
 * @returns undefined where nothing does: then nothing is written
 */
export const limitsFor = (
	policy: CallingPolicy | undefined,
	campaign: CalleeLimit | undefined,
	placeLimits: readonly PlaceLimit[],
	placeMinGapSec?: number,
): CalleeLimits | undefined => {
	const own: [CalleeLimit | undefined, string][] = [
		[policy?.calleeLimit, POLICY_RULE],
		[campaign, CAMPAIGN_RULE],
	];
	const limits: CalleeLimits["limits"] = [];
	const gaps: number[] = [];
	for (const [limit, rule] of own) {
		if (limit?.max !== undefined && limit.perHours !== undefined) {
			limits.push({ max: limit.max, perHours: limit.perHours, rule });
		}
		if (limit?.minGapSec !== undefined) gaps.push(limit.minGapSec);
	}
	if (placeMinGapSec !== undefined) gaps.push(placeMinGapSec);
	limits.push(...placeLimits.map(({ rule, max, perHours }) => ({ rule, max, perHours })));
	if (limits.length === 0 && gaps.length === 0) return undefined;
	return { limits, ...(gaps.length > 0 ? { minGapSec: Math.max(...gaps) } : {}) };
};
