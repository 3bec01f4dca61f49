import { decideCall } from "../callees/decide-call.ts";
import { limitsFor } from "../callees/limits.ts";
import { callsOf, readCallee } from "../callees/reserve-call.ts";
import type { Deps } from "../deps.ts";
import { readCallingPolicy } from "./calling-policy.ts";
import { readSuppression } from "./read-suppression.ts";
import { isStale, onList } from "./suppressed-by.ts";

const iso = (ms: number): string => new Date(ms).toISOString();

/** Why a number is, or would be, not called: its lists, the calls to it, and what the policy says of the next one. */
export const showNumber = async (deps: Deps, tenant: string, number: string) => {
	const [{ lists, numbers }, callee, policy] = await Promise.all([
		readSuppression(deps, tenant, [number]),
		readCallee(deps, tenant, number),
		readCallingPolicy(deps, tenant),
	]);
	const now = deps.now();
	const item = numbers.get(number);
	const calls = callsOf(callee);
	const limits = limitsFor(policy, undefined, []);
	// The tag of no call.
	const decision = limits && decideCall(calls, limits, "", now, callee?.cut);
	return {
		number,
		lists: lists.flatMap((list) => {
			const on = onList(item, list);
			if (!on) return [];
			return [
				{
					list: list.name,
					scope: list.scope,
					since: iso(on.at),
					addedBy: on.by,
					...(on.campaignId === undefined ? {} : { campaignId: on.campaignId }),
					...(on.note === undefined ? {} : { note: on.note }),
				},
			];
		}),
		/** Registers that nobody can rely on now, whether the number is on them or not. */
		staleLists: lists.filter((list) => isStale(list, now)).map(({ name }) => name),
		/** When calls to it were granted, of campaigns that a limit holds for; the newest first. */
		calls: calls.map(({ at }) => iso(at)).reverse(),
		/** By the calling policy alone: until when the next call waits; null: it does not. */
		waitUntil: decision && !decision.ok ? iso(decision.waitUntil) : null,
	};
};
