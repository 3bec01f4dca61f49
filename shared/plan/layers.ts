/** A demand cut into hosts: layer 0 is the host that is needed most, the last one the host that only the peak needs. Pure. */

import { SEC_PER_HOUR } from "../time/clock.ts";

export interface Layer {
	/** Steps in which this many hosts and one more are needed. */
	steps: number;
	/** Channels that it carries, added up over its steps. */
	channelSteps: number;
	/** What would be paid if it were rented, seconds, and how often it would be started. */
	paidSec: number;
	starts: number;
}

export interface Renting {
	billing: "second" | "hour";
	/** Paid before a host can dial, and after it is needed, seconds. */
	bootSec: number;
	drainSec: number;
}

/** EC2 bills by the second, at least so many a start. */
export const LEAST_PAID_SEC = 60;

/** What a host is billed for that was needed for so long without a break, seconds. */
const paidOf = (neededSec: number, { billing, bootSec, drainSec }: Renting): number => {
	const sec = neededSec + bootSec + drainSec;
	return billing === "hour" ? Math.ceil(sec / SEC_PER_HOUR) * SEC_PER_HOUR : Math.max(LEAST_PAID_SEC, sec);
};

/**
 * @param channels needed in each step, whole numbers
 * @param stepSec length of a step
 * @returns one for each host of the peak. A break no longer than a drain and a boot is none: the host drains, is needed again, and goes on.
 */
export const layersOf = (channels: readonly number[], stepSec: number, perHost: number, renting: Renting): Layer[] => {
	const hostsIn = channels.map((wanted) => Math.ceil(wanted / perHost));
	const peak = hostsIn.reduce((a, b) => Math.max(a, b), 0);
	const layers: Layer[] = Array.from({ length: peak }, () => ({ steps: 0, channelSteps: 0, paidSec: 0, starts: 0 }));
	// Hosts below the last one of a step are full: it is enough to know how often each is the last, and with how many channels.
	for (const [t, wanted] of channels.entries()) {
		const last = layers[(hostsIn[t] ?? 0) - 1];
		if (!last) continue;
		last.steps += 1;
		last.channelSteps += wanted - ((hostsIn[t] ?? 0) - 1) * perHost;
	}
	for (let k = peak - 2; k >= 0; k--) {
		const [layer, above] = [layers[k], layers[k + 1]];
		if (!layer || !above) continue;
		layer.steps += above.steps;
		layer.channelSteps += above.steps * perHost;
	}
	/** Of each layer: the step in which it was needed first, and the one after it was needed last. */
	const runs: ({ from: number; to: number } | undefined)[] = layers.map(() => undefined);
	const close = (k: number): void => {
		const [layer, run] = [layers[k], runs[k]];
		if (!layer || !run) return;
		layer.paidSec += paidOf((run.to - run.from) * stepSec, renting);
		layer.starts += 1;
	};
	const bridgedSec = renting.bootSec + renting.drainSec;
	let before = 0;
	for (const [t, hosts] of [...hostsIn, 0].entries()) {
		for (let k = hosts; k < before; k++) {
			const run = runs[k];
			if (run) run.to = t;
		}
		for (let k = before; k < hosts; k++) {
			const run = runs[k];
			if (run && (t - run.to) * stepSec <= bridgedSec) continue;
			close(k);
			runs[k] = { from: t, to: t };
		}
		before = hosts;
	}
	for (const k of layers.keys()) close(k);
	return layers;
};
