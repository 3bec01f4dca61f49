import type { SplitPlan } from "./split.ts";

/** A picture of a split, as SVG. Pure. */

const WIDTH = 960;
const HEIGHT = 720;
/** Of both charts. */
const LEFT = 100;
const RIGHT = 30;
const CHART = { width: WIDTH - LEFT - RIGHT, height: 230 };
const LOAD_TOP = 70;
const COST_TOP = 420;
/** Labels on an axis. */
const TICKS = 5;
/** Dots on a curve, as long as they can be told apart. */
const MOST_DOTS = 40;
/** Of more the hours run into each other: they are drawn in the order of their demand, a load duration curve. Two weeks of hours. */
const MOST_IN_ORDER = 336;

/** A round figure of which some five make up the whole. */
const tickStep = (whole: number): number => {
	const rough = Math.max(whole, 1e-9) / TICKS;
	const power = 10 ** Math.floor(Math.log10(rough));
	return ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10) * power;
};

const HOURS_PER_DAY = 24;
/** Whole days from two days on, so that the same hour of each day is under a label. */
const hourStep = (hours: number): number => {
	if (hours >= 2 * HOURS_PER_DAY) return Math.max(1, Math.ceil(tickStep(hours / HOURS_PER_DAY))) * HOURS_PER_DAY;
	const rough = tickStep(hours);
	return [1, 2, 3, 6, 12].find((each) => each >= rough) ?? HOURS_PER_DAY;
};

type Labels = "whole" | "any" | "hours";
const ticksOf = (to: number, labels: Labels): number[] => {
	const step =
		labels === "hours" ? hourStep(to) : labels === "whole" ? Math.max(1, Math.ceil(tickStep(to))) : tickStep(to);
	return Array.from({ length: Math.floor(to / step + 1e-9) + 1 }, (_, i) => i * step);
};

const fixed = (value: number): string => String(Math.round(value * 10) / 10);
/** Cents, or of less than a dollar what can be told apart. */
const figure = (value: number): string =>
	value.toLocaleString("en-US", value < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 });
const text = (x: number, y: number, words: string, more = ""): string =>
	`<text x="${fixed(x)}" y="${fixed(y)}" ${more}>${words}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, more: string): string =>
	`<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" ${more}/>`;

interface Scale {
	x: (value: number) => number;
	y: (value: number) => number;
}

const axes = (
	top: number,
	{ x, y }: Scale,
	ranges: { x: number; y: number; xLabels: Labels; yLabels: Labels; xWords: string; yWords: string },
): string[] => [
	...ticksOf(ranges.y, ranges.yLabels).flatMap((tick) => [
		line(LEFT, y(tick), LEFT + CHART.width, y(tick), 'stroke="#ddd"'),
		text(LEFT - 8, y(tick) + 4, figure(tick), 'text-anchor="end"'),
	]),
	...ticksOf(ranges.x, ranges.xLabels).map((tick) =>
		text(x(tick), top + CHART.height + 18, figure(tick), 'text-anchor="middle"'),
	),
	line(LEFT, top + CHART.height, LEFT + CHART.width, top + CHART.height, 'stroke="#333"'),
	text(LEFT + CHART.width / 2, top + CHART.height + 38, ranges.xWords, 'text-anchor="middle"'),
	text(
		20,
		top + CHART.height / 2,
		ranges.yWords,
		`text-anchor="middle" transform="rotate(-90 20 ${top + CHART.height / 2})"`,
	),
];

/** The demand with the line up to which hosts are owned: what is above it is rented. */
const loadChart = (inOrder: readonly number[], plan: SplitPlan): string[] => {
	const sorted = inOrder.length > MOST_IN_ORDER;
	const channels = sorted ? inOrder.toSorted((a, b) => b - a) : inOrder;
	const steady = plan.best.steadyHosts * plan.profile.perHost;
	const highest = Math.max(plan.profile.peakChannels, steady) * 1.05;
	const hours = (channels.length * plan.profile.stepSec) / 3_600;
	const scale: Scale = {
		x: (hour) => LEFT + (hour / hours) * CHART.width,
		y: (value) => LOAD_TOP + CHART.height * (1 - value / highest),
	};
	const xAt = (step: number): number => scale.x((step * hours) / channels.length);
	const area = (heightOf: (each: number) => number): string =>
		`M${fixed(LEFT)} ${fixed(scale.y(0))}${channels
			.map(
				(each, i) =>
					`L${fixed(xAt(i))} ${fixed(scale.y(heightOf(each)))}L${fixed(xAt(i + 1))} ${fixed(scale.y(heightOf(each)))}`,
			)
			.join("")}L${fixed(LEFT + CHART.width)} ${fixed(scale.y(0))}Z`;
	return [
		`<path d="${area((each) => each)}" fill="#f2a65a"/>`,
		`<path d="${area((each) => Math.min(each, steady))}" fill="#7fb3d5"/>`,
		...axes(LOAD_TOP, scale, {
			x: hours,
			y: highest,
			xLabels: "hours",
			yLabels: "whole",
			xWords: sorted ? "hours, the busiest first" : "hour",
			yWords: "channels",
		}),
		line(
			LEFT,
			scale.y(steady),
			LEFT + CHART.width,
			scale.y(steady),
			'stroke="#1b4f72" stroke-width="2" stroke-dasharray="8 4"',
		),
		// Within the chart and with a rim, so that it can be read on whatever is behind it.
		text(
			LEFT + CHART.width - 6,
			scale.y(steady) - 6,
			`${figure(steady)} channels owned`,
			'text-anchor="end" fill="#1b4f72" font-weight="bold" stroke="#fff" stroke-width="3" paint-order="stroke"',
		),
	];
};

/** What each split costs, the cheapest marked. */
const costChart = (plan: SplitPlan): string[] => {
	const { splits, best } = plan;
	const highest = Math.max(...splits.map(({ totalUsd }) => totalUsd), 1e-6) * 1.05;
	const scale: Scale = {
		x: (hosts) => LEFT + (hosts / Math.max(1, splits.length - 1)) * CHART.width,
		y: (usd) => COST_TOP + CHART.height * (1 - usd / highest),
	};
	const points = splits.map(({ steadyHosts, totalUsd }) => [scale.x(steadyHosts), scale.y(totalUsd)] as const);
	const [x, y] = [scale.x(best.steadyHosts), scale.y(best.totalUsd)];
	return [
		...axes(COST_TOP, scale, {
			x: splits.length - 1,
			y: highest,
			xLabels: "whole",
			yLabels: "any",
			xWords: "owned hosts",
			yWords: "US dollars",
		}),
		`<polyline points="${points.map(([px, py]) => `${fixed(px)},${fixed(py)}`).join(" ")}" fill="none" stroke="#a93226" stroke-width="2"/>`,
		...(points.length <= MOST_DOTS
			? points.map(([px, py]) => `<circle cx="${fixed(px)}" cy="${fixed(py)}" r="3" fill="#a93226"/>`)
			: []),
		`<circle cx="${fixed(x)}" cy="${fixed(y)}" r="7" fill="none" stroke="#1b4f72" stroke-width="3"/>`,
		line(x, y, x, COST_TOP + CHART.height, 'stroke="#1b4f72" stroke-width="2" stroke-dasharray="8 4"'),
	];
};

/** Load curve with the steady line above, cost over the split below. @param channels of the profile, step by step */
export const splitPlot = (channels: readonly number[], plan: SplitPlan): string => {
	const { steadyHosts, totalUsd } = plan.best;
	const rentedHosts = plan.profile.peakHosts - steadyHosts;
	const key = (x: number, fill: string, words: string): string[] => [
		`<rect x="${x}" y="44" width="14" height="14" fill="${fill}"/>`,
		text(x + 20, 56, words),
	];
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" fill="#222">`,
		`<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
		text(
			LEFT,
			28,
			`Own ${steadyHosts}, rent up to ${rentedHosts} ${rentedHosts === 1 ? "host" : "hosts"} of ${plan.profile.perHost} channels`,
			'font-size="18"',
		),
		...key(LEFT, "#7fb3d5", "on owned hosts"),
		...key(LEFT + 140, "#f2a65a", "on rented hosts"),
		line(LEFT + 285, 51, LEFT + 315, 51, 'stroke="#1b4f72" stroke-width="2" stroke-dasharray="8 4"'),
		text(LEFT + 322, 56, "what the owned hosts carry"),
		...loadChart(channels, plan),
		text(
			LEFT,
			COST_TOP - 22,
			`Cost of each split, billed by the ${plan.billing}; the cheapest: $${totalUsd < 1 ? figure(totalUsd) : totalUsd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} over the profile`,
			'font-size="15"',
		),
		...costChart(plan),
		"</svg>",
		"",
	].join("\n");
};
