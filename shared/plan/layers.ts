/** A demand cut into hosts: layer 0 is the host that is needed most, the last one the host that only the peak needs. Pure. */

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
const SEC_PER_HOUR = 3_600;

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
	const peak = Math.ceil(Math.max(0, ...new Set(channels)) / perHost);
	const layers: Layer[] = Array.from({ length: peak }, () => ({ steps: 0, channelSteps: 0, paidSec: 0, starts: 0 }));
	/** Of each layer: the step in which it was needed first, and the one after it was needed last. */
	const runs: ({ from: number; to: number } | undefined)[] = layers.map(() => undefined);
	const close = (k: number): void => {
		const [layer, run] = [layers[k], runs[k]];
		if (!layer || !run) return;
		layer.paidSec += paidOf((run.to - run.from) * stepSec, renting);
		layer.starts += 1;
	};
	for (const [t, wanted] of channels.entries()) {
		const hosts = Math.ceil(wanted / perHost);
		for (let k = 0; k < hosts; k++) {
			const [layer, run] = [layers[k], runs[k]];
			if (!layer) continue;
			layer.steps += 1;
			layer.channelSteps += Math.min(perHost, wanted - k * perHost);
			if (run && (t - run.to) * stepSec <= renting.bootSec + renting.drainSec) run.to = t + 1;
			else {
				close(k);
				runs[k] = { from: t, to: t + 1 };
			}
		}
	}
	for (const k of layers.keys()) close(k);
	return layers;
};
