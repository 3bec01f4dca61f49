import type { BurstSettings } from "../config/burst-settings.ts";
import type { FleetItem } from "../store/items.ts";
import type { FleetChange } from "./state.ts";

/** What the fleet remembers of starts that failed and of EC2's refusals. Pure. */

/** A start that failed. */
export interface Failure {
	/** `hostId/startId`. */
	start: string;
	reason: string;
	/** The carriers of these trunks did not answer it, nor a steady host. */
	trunks?: string[];
}

/** After one failure the next start waits so long, after two twice as long, and so on. */
const FIRST_WAIT_MS = 15_000;
const LONGEST_WAIT_MS = 30 * 60_000;
/** Failures remembered, so that none is counted twice. */
const MAX_COUNTED = 100;

/** The memory with these failures in it. Those seen together count as one: a zone or an image failed, not each host by itself. */
export const withFailures = (failed: FleetItem["failed"], failures: Failure[], now: number): FleetItem["failed"] => {
	const fresh = failures.filter(({ start }) => !failed.counted?.includes(start));
	const [first] = fresh;
	if (!first) return failed;
	const count = failed.count + 1;
	const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(count - 1, 20));
	return {
		count,
		notBefore: now + wait,
		at: now,
		reason: fresh.length === 1 ? first.reason : `${fresh.length} starts failed: ${first.reason}`,
		// Only where all of them failed for it: another fault does not pass with the carrier's.
		...(fresh.every(({ trunks }) => trunks)
			? { trunks: [...new Set(fresh.flatMap(({ trunks = [] }) => trunks))] }
			: {}),
		counted: [...(failed.counted ?? []), ...fresh.map(({ start }) => start)].slice(-MAX_COUNTED),
	};
};

/** The memory after a host came to be of use: the count begins anew, what was counted stays so. */
export const withoutFailures = (failed: FleetItem["failed"]): FleetItem["failed"] => ({
	count: 0,
	notBefore: 0,
	reason: "",
	...(failed.counted ? { counted: failed.counted } : {}),
});

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** EC2 asked us to slow down: a pause that doubles from time to time, of which a random half is waited in any case. */
export const throttled = (fleet: FleetItem, now: number, random: number): FleetChange => {
	const throttles = (fleet.throttles ?? 0) + 1;
	const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(throttles - 1, 10));
	return { throttles, throttledUntil: Math.max(fleet.throttledUntil, now + pause * (0.5 + random / 2)) };
};

/** EC2 refused for a reason that only a person can mend, or a quota is used up. */
export const halted = (reason: string, now: number, settings: Pick<BurstSettings, "haltSec">): FleetChange => ({
	halted: { reason, at: now, until: now + settings.haltSec * 1_000 },
});

export const isHalted = (fleet: FleetItem, now: number): boolean =>
	fleet.halted !== undefined && fleet.halted.until > now;

/** Why nothing may be started now, in words; undefined: something may. */
export const whyNoStart = (fleet: FleetItem, now: number): string | undefined => {
	const seconds = (until: number): string => `${Math.ceil((until - now) / 1_000)} s`;
	if (fleet.halted && isHalted(fleet, now)) return `halted for ${seconds(fleet.halted.until)}: ${fleet.halted.reason}`;
	if (fleet.throttledUntil > now) return `EC2 asked to slow down: nothing for ${seconds(fleet.throttledUntil)}`;
	if (fleet.failed.notBefore > now)
		return `no start for ${seconds(fleet.failed.notBefore)} after ${fleet.failed.count} that failed: ${fleet.failed.reason}`;
	return undefined;
};
