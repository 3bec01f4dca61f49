import { Exact, ZERO } from "./exact.ts";
import type { Layer } from "./layers.ts";
import { cheapest, modelLayers, type SplitCost, type SplitModel, splitCosts } from "./split-cost.ts";

/** What would have to be otherwise for another split to be the cheapest. Pure. */

/** A price of an owned host beyond which another split is the cheapest, US dollars an hour. */
export interface Turn {
	usdPerHour: Exact;
	steadyHosts: number;
}

/**
 * Where the price of an owned host turns the split. The owned part is the only one that depends on it, in a straight line: lines of two splits cross once.
 * @returns fewer: above this price; more: below it; undefined where no price does
 */
export const breakEven = (
	costs: readonly SplitCost[],
	hours: Exact,
): { fewerAbove: Turn | undefined; moreBelow: Turn | undefined } => {
	const best = cheapest(costs);
	const restOf = ({ totalUsd, steadyUsd }: SplitCost): Exact => totalUsd.minus(steadyUsd);
	const crossing = (other: SplitCost): Turn => ({
		usdPerHour: restOf(other)
			.minus(restOf(best))
			.by(hours.times(best.steadyHosts - other.steadyHosts)),
		steadyHosts: other.steadyHosts,
	});
	let [fewerAbove, moreBelow]: (Turn | undefined)[] = [];
	for (const other of costs) {
		if (other.steadyHosts === best.steadyHosts) continue;
		const turn = crossing(other);
		if (other.steadyHosts < best.steadyHosts) {
			// The first to be reached; of several at once the farthest, which is the cheapest beyond.
			if (!fewerAbove || turn.usdPerHour.compare(fewerAbove.usdPerHour) < 0) fewerAbove = turn;
		} else if (
			turn.usdPerHour.compare(ZERO) > 0 &&
			(!moreBelow || turn.usdPerHour.compare(moreBelow.usdPerHour) >= 0)
		) {
			moreBelow = turn;
		}
	}
	return { fewerAbove, moreBelow };
};

/** Factors that are tried, the nearest first. */
const FEWER = [0.9, 0.75, 0.5, 0.25] as const;
const MORE = [1.1, 1.25, 1.5, 2, 4] as const;

/** An assumption, and the first values that turn the split if nothing else changes. */
export interface Sensitivity {
	assumption: string;
	unit: string;
	value: number;
	/** null: not even a quarter of it. */
	ifLess: { value: number; steadyHosts: number } | null;
	/** null: not even four times as much. */
	ifMore: { value: number; steadyHosts: number } | null;
}

interface Assumption {
	assumption: string;
	unit: string;
	of: (model: SplitModel) => number;
	/** The model with another value; undefined where it cannot be so. */
	with: (model: SplitModel, value: number) => SplitModel | undefined;
	whole?: true;
}

const rented = (model: SplitModel, change: Partial<SplitModel["rented"]>): SplitModel => ({
	...model,
	rented: { ...model.rented, ...change },
});
const calls = (model: SplitModel, change: Partial<SplitModel["calls"]>): SplitModel => ({
	...model,
	calls: { ...model.calls, ...change },
});

const ASSUMPTIONS: readonly Assumption[] = [
	{
		assumption: "price of an owned host",
		unit: "$ an hour",
		of: (model) => model.steady.usdPerHour.toNumber(),
		with: (model, value) => ({ ...model, steady: { ...model.steady, usdPerHour: Exact.of(value) } }),
	},
	{
		assumption: "price of a rented host",
		unit: "$ an hour",
		of: (model) => model.rented.usdPerHour.toNumber(),
		with: (model, value) => rented(model, { usdPerHour: Exact.of(value) }),
	},
	{
		assumption: "channels of a host",
		unit: "channels",
		whole: true,
		of: (model) => model.perHost,
		with: (model, value) => ({ ...model, perHost: value }),
	},
	{
		assumption: "demand",
		unit: "channels at its peak",
		whole: true,
		of: (model) => model.channels.reduce((a, b) => Math.max(a, b), 0),
		with: (model, value) => {
			const peak = model.channels.reduce((a, b) => Math.max(a, b), 0);
			return { ...model, channels: model.channels.map((each) => Math.round((each * value) / peak)) };
		},
	},
	{
		assumption: "part of the time with talk",
		unit: "",
		of: (model) => model.calls.talkShare,
		with: (model, value) => (value <= 1 ? calls(model, { talkShare: value }) : undefined),
	},
	{
		assumption: "price of egress, first paid tier",
		unit: "$ a GB",
		of: (model) => model.calls.egress.find(({ usdPerGb }) => usdPerGb.compare(ZERO) > 0)?.usdPerGb.toNumber() ?? 0,
		with: (model, value) => {
			const today = model.calls.egress.find(({ usdPerGb }) => usdPerGb.compare(ZERO) > 0)?.usdPerGb;
			if (!today) return undefined;
			const factor = Exact.of(value).by(today);
			const egress = model.calls.egress.map((tier) => ({ ...tier, usdPerGb: tier.usdPerGb.times(factor) }));
			return calls(model, { egress });
		},
	},
	{
		assumption: "boot of a rented host",
		unit: "s",
		of: (model) => model.rented.bootSec,
		with: (model, value) => rented(model, { bootSec: value }),
	},
	{
		assumption: "drain of a rented host",
		unit: "s",
		of: (model) => model.rented.drainSec,
		with: (model, value) => rented(model, { drainSec: value }),
	},
	{
		assumption: "public IPv4 address",
		unit: "$ an hour",
		of: (model) => model.rented.ipv4PerHour.toNumber(),
		with: (model, value) => rented(model, { ipv4PerHour: Exact.of(value) }),
	},
	{
		assumption: "volume of a rented host",
		unit: "GB",
		of: (model) => model.rented.volumeGb,
		with: (model, value) => rented(model, { volumeGb: value }),
	},
];

/** Whether two models cut the demand into the same hosts, whatever these cost. */
const sameLayers = (a: SplitModel, b: SplitModel): boolean =>
	a.channels === b.channels &&
	a.perHost === b.perHost &&
	a.rented.bootSec === b.rented.bootSec &&
	a.rented.drainSec === b.rented.drainSec;

/**
 * Each assumption that turns the split within a quarter to four times its value.
 * @param layers of the model, where they are known already
 */
export const sensitivityOf = (model: SplitModel, layers: readonly Layer[] = modelLayers(model)): Sensitivity[] => {
	// A split with other hosts is another split; the owned channels say so where `perHost` itself changes.
	const bestHosts = (other: SplitModel): number =>
		cheapest(splitCosts(other, sameLayers(other, model) ? layers : undefined)).steadyHosts;
	const today = bestHosts(model);
	return ASSUMPTIONS.flatMap((each) => {
		const value = each.of(model);
		if (!(value > 0)) return [];
		const first = (factors: readonly number[]): Sensitivity["ifLess"] => {
			for (const factor of factors) {
				// To a millionth: 0.1 × 3 shall be read as 0.3.
				const other = each.whole ? Math.max(1, Math.round(value * factor)) : Exact.of(value).times(factor).toNumber();
				const changed = other > 0 && other !== value ? each.with(model, other) : undefined;
				const steadyHosts = changed ? bestHosts(changed) : today;
				if (steadyHosts !== today) return { value: other, steadyHosts };
			}
			return null;
		};
		const line = { assumption: each.assumption, unit: each.unit, value, ifLess: first(FEWER), ifMore: first(MORE) };
		return line.ifLess || line.ifMore ? [line] : [];
	});
};
