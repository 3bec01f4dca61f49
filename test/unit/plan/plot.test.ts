import { describe, expect, test } from "@jest/globals";
import { planSchema } from "../../../shared/contract/plan.ts";
import { splitPlot } from "../../../shared/plan/plot.ts";
import { runPlan } from "../../../shared/plan/run-plan.ts";
import type { SplitPlan } from "../../../shared/plan/split.ts";
import { PriceBook } from "../../../shared/prices/price-book.ts";

const picture = (channels: number[], ownedUsdPerHour: number): string => {
	const request = planSchema.parse({ kind: "split", channels, ownedUsdPerHour });
	const plan = runPlan(request, { bookOf: (region) => new PriceBook(region), nowMs: 0 }) as SplitPlan;
	return splitPlot(channels, plan);
};
/** The labels below the first chart, in order. */
const hourLabels = (svg: string): string[] =>
	[...svg.matchAll(/<text x="[\d.]+" y="318" text-anchor="middle">([^<]*)</g)].map(([, words]) => words ?? "");

describe("the picture of a split", () => {
	test.each([
		[24, ["0", "6", "12", "18", "24"]],
		[7 * 24, ["0", "48", "96", "144"]],
		[3 * 24, ["0", "24", "48", "72"]],
		[5, ["0", "1", "2", "3", "4", "5"]],
	])("of %d hours has labels at the same hours of each day", (hours, labels) => {
		expect(hourLabels(picture(Array(hours).fill(50), 0.05))).toEqual(labels);
	});

	test("says how many channels are owned, beside the line", () => {
		const svg = picture([40, 1_000, 40], 0.01);
		expect(svg).toMatch(/<line [^>]*stroke-dasharray="8 4"\/>\n<text [^>]*>1,080 channels owned</);
		expect(picture([40, 1_000, 40], 5)).toContain(">0 channels owned<");
	});

	test("counts one host in the singular", () => {
		expect(picture([5], 5)).toContain("Own 0, rent up to 1 host of 120 channels");
		expect(picture([500], 5)).toContain("Own 0, rent up to 5 hosts of 120 channels");
	});
});
