import type { Settings } from "../config/settings.ts";
import { mayFollow } from "../fleet/life.ts";
import type { HostItem } from "../store/items.ts";

/** What the recovery remembers from one run to the next. */
export interface RecoveryMemory {
	/** Time of the last run, ms. */
	lastRunAt: number;
	/** Nobody is declared lost before this time, ms. */
	graceUntil: number;
	/** Since when all hosts have been silent together, ms; 0 if they are not. */
	allSilentSince: number;
}

/**
 * Two or more hosts silent together are believed to be cut off, not dead, for at most so long: nobody else could dial
 * what they hold, and lost outcomes could not be brought back.
 */
export const ALL_SILENT_HOLD_SEC = 300;

/** Delays of the queue that are not taken for an absence of the control plane, in recovery periods. */
const LATE_RUN_PERIODS = 2.25;

export interface SilenceDecision {
	/** Hosts to declare lost. */
	lost: HostItem[];
	memory: RecoveryMemory;
	/** Why silent hosts were not declared lost; undefined where none was held back. */
	heldBack?: string;
}

/**
 * Who is lost. A host is lost after `lostAfterSec` of silence, unless the control plane was away: then each gets the
 * chance of one round of syncs. It was away if the recovery itself did not run in time, or if all hosts fell silent.
 */
export const decideLost = (
	hosts: HostItem[],
	memory: RecoveryMemory | undefined,
	now: number,
	settings: Pick<Settings, "lostAfterSec" | "fenceSec" | "recoveryPeriodSec">,
): SilenceDecision => {
	// A drained host holds nothing: its silence loses nothing.
	const up = hosts.filter((host) => mayFollow(host.state, "lost"));
	const silent = up.filter((host) => now - host.lastSeenAt > settings.lostAfterSec * 1_000);
	const before = memory ?? { lastRunAt: 0, graceUntil: 0, allSilentSince: 0 };
	let { graceUntil } = before;
	const wasAway =
		before.lastRunAt > 0 && now - before.lastRunAt > LATE_RUN_PERIODS * settings.recoveryPeriodSec * 1_000;
	if (wasAway) graceUntil = Math.max(graceUntil, now + settings.fenceSec * 1_000);

	const allSilent = up.length >= 2 && silent.length === up.length;
	const allSilentSince = allSilent ? before.allSilentSince || now : 0;
	// The first host is heard again after all were silent: the others get one round of syncs too.
	if (!allSilent && before.allSilentSince > 0) graceUntil = Math.max(graceUntil, now + settings.fenceSec * 1_000);

	const next: RecoveryMemory = { lastRunAt: now, graceUntil, allSilentSince };
	if (silent.length === 0) return { lost: [], memory: next };
	if (now < graceUntil)
		return { lost: [], memory: next, heldBack: "the control plane was away; one round of syncs first" };
	if (allSilent && now - allSilentSince < ALL_SILENT_HOLD_SEC * 1_000) {
		return { lost: [], memory: next, heldBack: "all hosts are silent together: they are taken for cut off, not dead" };
	}
	return { lost: silent, memory: next };
};
