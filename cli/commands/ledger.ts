import type { Command } from "commander";
import { z } from "zod";
import { Context } from "../context.ts";
import { count, facts, instant, NONE, table, usd } from "../format.ts";
import type { Io } from "../io.ts";

const amounts = z.record(z.string(), z.number());
const daySchema = z.looseObject({
	day: z.string(),
	until: z.string(),
	usd: z.number(),
	lines: z.array(
		z.looseObject({
			item: z.string(),
			quantity: z.number(),
			unit: z.string(),
			usd: z.number(),
			unattributedUsd: z.number(),
		}),
	),
	campaigns: z.array(
		z.looseObject({
			campaignId: z.string(),
			name: z.string().nullish(),
			attempts: z.number(),
			answered: z.number(),
			usd: z.number(),
			items: amounts,
		}),
	),
	notCounted: z.array(z.string()),
});
type Day = z.infer<typeof daySchema>;
const daysSchema = z.looseObject({ items: z.array(z.looseObject({ day: z.string(), usd: z.number() })) });

/** What the items are called for people. */
export const COST_WORDS: Readonly<Record<string, string>> = {
	instance: "burst hosts",
	address: "their public addresses",
	volume: "their volumes",
	steady: "steady hosts",
	egress: "egress",
	controlPlane: "control plane",
	carrier: "carrier's minutes",
};

/** What has no price, and is not in the sums. */
export const describeNotCounted = (notCounted: readonly string[]): string =>
	notCounted.length === 0
		? ""
		: `\n\nNot in it, for want of a price: ${notCounted.map((item) => COST_WORDS[item] ?? item).join(", ")}.`;

const decimals = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 3 });

export const describeDay = (day: Day): string => {
	const lines = day.lines.map((line) => [
		COST_WORDS[line.item] ?? line.item,
		decimals(line.quantity),
		line.unit,
		usd(line.usd),
		line.unattributedUsd === 0 ? "" : usd(line.unattributedUsd),
	]);
	const campaigns = day.campaigns.map((each) => [
		each.name ?? each.campaignId,
		each.attempts,
		each.answered,
		usd(each.usd),
		each.attempts === 0 ? NONE : usd(each.usd / each.attempts),
		each.answered === 0 ? NONE : usd(each.usd / each.answered),
	]);
	return [
		facts([
			["day", `${day.day} (UTC)`],
			["until", instant(day.until)],
			["in all", usd(day.usd)],
		]),
		"",
		table(["of", "quantity", "unit", "cost", "nobody's"], lines),
		...(campaigns.length === 0
			? ["", "No campaign dialed on this day."]
			: ["", table(["campaign", "attempts", "answered", "cost", "an attempt", "an answered call"], campaigns)]),
	]
		.join("\n")
		.concat(describeNotCounted(day.notCounted));
};

/** `burst-dialer ledger` */
export const addLedgerCommand = (program: Command, io: Io): void => {
	program
		.command("ledger")
		.description("what a day cost, by kind and by campaign; `ledger days` lists the last ones")
		.argument("[day]", "a day as 2026-11-28 (UTC, as AWS bills), `today`, or `days`", "today")
		.addHelpText(
			"after",
			"\nExamples:\n  $ burst-dialer ledger\n  $ burst-dialer ledger 2026-11-27\n  $ burst-dialer ledger days",
		)
		.action(async (day: string, _options: unknown, command: Command) => {
			const context = new Context(io, command);
			const client = await context.client();
			if (day === "days") {
				const answer = await client.json(daysSchema, "GET", "/v1/ledger");
				const rows = answer.items.map((item) => [item.day, usd(item.usd)]);
				context.result(answer, `${table(["day", "cost"], rows)}\n\n${count(rows.length)} days, UTC.`);
				return;
			}
			const answer = await client.json(daySchema, "GET", `/v1/ledger/${encodeURIComponent(day)}`);
			context.result(answer, describeDay(answer));
		});
};
