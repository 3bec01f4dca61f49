/**
 * How many channels campaigns with deadlines need together. Channels are not handed to whom they were counted for: hosts give the next one to the campaign with
 * the fewest for its priority, however near its deadline. So it is computed how that goes on, with so many channels or so many, until the last is done.
 */

/** A campaign that is to be done in time. */
export interface Runner {
	campaignId: string;
	/** Channels that it can use at most. */
	most: number;
	/** Channel-seconds that are left. */
	work: number;
	/** In which they are to be done, the margin taken off. */
	sec: number;
	/** Its turn comes in proportion. */
	priority: number;
}

/** Sums of fractions are not exact. */
const EPSILON = 1e-6;

/** Something that is shared by turns: each has in proportion to its priority, and what one cannot use the others have. @returns in order of the takers */
export const byTurns = (takers: readonly Pick<Runner, "most" | "priority">[], amount: number): number[] => {
	const order = takers
		.map(({ most, priority }, i) => ({ i, most, priority }))
		.sort((a, b) => a.most / a.priority - b.most / b.priority);
	const shares = new Array<number>(takers.length).fill(0);
	let left = amount;
	let weight = order.reduce((sum, { priority }) => sum + priority, 0);
	for (const { i, most, priority } of order) {
		const share = Math.min(most, (left * priority) / weight);
		shares[i] = share;
		left -= share;
		weight -= priority;
	}
	return shares;
};

/** Whether all are done in time with so many channels. */
const areInTime = (runners: readonly Runner[], channels: number): boolean => {
	let open = runners.map((runner) => ({ ...runner }));
	let now = 0;
	while (open.length > 0) {
		const shares = byTurns(open, channels);
		const steps = open.map(({ work }, i) => work / (shares[i] as number));
		const step = Math.min(...steps);
		now += step;
		if (!Number.isFinite(now) || open.some(({ sec }) => now > sec + EPSILON)) return false;
		for (const [i, runner] of open.entries()) runner.work -= step * (shares[i] as number);
		open = open.filter((_, i) => (steps[i] as number) > step + EPSILON);
	}
	return true;
};

/** The least channels with which all are done in time. @param runners each could be in time alone, with all it can use */
export const channelsInTime = (runners: readonly Runner[]): number => {
	const busy = runners.filter(({ work, most }) => work > 0 && most > 0);
	let [low, high] = [0, busy.reduce((sum, { most }) => sum + most, 0)];
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		if (areInTime(busy, middle)) high = middle;
		else low = middle + 1;
	}
	return high;
};
