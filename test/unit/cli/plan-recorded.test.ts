import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { usd } from "../../../cli/format.ts";
import { runCommand } from "../../support/cli-harness.ts";

/** Plans of recorded calls, and the tables of then by today's prices. */

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-recorded-"));
});
afterAll(async () => rm(folder, { recursive: true }));

const file = async (name: string, content: string): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};
const cli = (line: string, stdin = "") => runCommand(line.split(" "), { home: folder, stdin });
const json = async (line: string) => {
	const run = await cli(`${line} --json`);
	expect(run).toMatchObject({ code: 0, err: "" });
	return JSON.parse(run.out);
};

const HEAD = "callId,startedAt,answeredAt,endedAt\n";
const START = Date.parse("2026-11-02T10:00:00Z");
const at = (sec: number): string => new Date(START + sec * 1_000).toISOString();
/** An hour in which a call begins every second: of four one is answered after 10 s and talks for 30, the others ring for 20 s. */
const rows = (from: number): string =>
	Array.from({ length: 3_600 }, (_, i) => {
		const start = from + i;
		return i % 4 === 0
			? `c-${start},${at(start)},${at(start + 10)},${at(start + 40)}\n`
			: `c-${start},${at(start)},,${at(start + 20)}\n`;
	}).join("");

describe("plan split --calls", () => {
	test("the demand of several files, with measured hold and talk", async () => {
		const first = await file("a.csv", HEAD + rows(0));
		const second = await file("b.csv", `${HEAD}${rows(3_600)}x,,,\n`);
		const plan = await json(
			`plan split --calls ${first} --calls ${second} --step 10m --per-host 10 --owned-price 0.01`,
		);
		expect(plan.history).toMatchObject({
			calls: 7_200,
			answered: 1_800,
			answerRate: 0.25,
			holdSec: 25,
			talkShare: 0.3,
			notDialed: 1,
			from: "2026-11-02T10:00:00.000Z",
			stepSec: 600,
		});
		// 25 calls are up in the mean; the last step has only what is left after two hours.
		expect(plan.profile).toMatchObject({ steps: 13, stepSec: 600, peakChannels: 25 });
		// 54,000 s of talk in G.711, whatever was reserved.
		expect(plan.splits[0].egressGb).toBeCloseTo(0.54, 3);
		const said = await cli(`plan split --calls ${first} --step 10m --owned-price 0.01`);
		expect(said.out).toContain("3,600 calls from 2026-11-02T10:00:00.000Z, 900 answered (25 %)");
	});

	test("what is given counts instead", async () => {
		const path = await file("a.csv", HEAD + rows(0));
		const silent = await json(`plan split --calls ${path} --owned-price 0.01 --talk-share 0`);
		expect(silent.splits[0].egressGb).toBe(0);
	});

	test("from standard input", async () => {
		const run = await cli("plan split --calls - --owned-price 0.01 --json", HEAD + rows(0));
		expect(JSON.parse(run.out).history.calls).toBe(3_600);
	});

	test.each([
		["plan split --owned-price 1", "give --profile with a demand by the hour, or --calls"],
		["plan split --owned-price 1 --profile - --calls -", "not both"],
	])("%s is no command", async (line, words) => {
		const run = await cli(line);
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain(words);
	});

	test("bad rows are named with file and line", async () => {
		const path = await file("bad.csv", `${HEAD}1,${at(0)},,${at(5)}\n2,${at(9)},,${at(5)}\n3,soon,,\n`);
		for (const line of [
			`plan split --owned-price 1 --calls ${path}`,
			`plan campaign --contacts 5 --within 1h --calls ${path}`,
		]) {
			const run = await cli(line);
			expect(run).toMatchObject({ code: 2, out: "" });
			expect(run.err).toContain("bad.csv line 3: endedAt is before startedAt");
			expect(run.err).toContain('bad.csv line 4: startedAt is "soon"');
		}
	});

	test("records of years need longer steps", async () => {
		const path = await file(
			"years.csv",
			`${HEAD}1,2024-01-01T00:00:00Z,,2024-01-01T00:00:20Z\n2,2026-01-01T00:00:00Z,,2026-01-01T00:00:20Z\n`,
		);
		const run = await cli(`plan split --owned-price 1 --calls ${path}`);
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain("give a longer --step");
		expect((await cli(`plan split --owned-price 1 --calls ${path} --step 1d`)).code).toBe(0);
	});
});

describe("plan campaign --calls", () => {
	test("takes what calls were like, but for what is given", async () => {
		const path = await file("a.csv", HEAD + rows(0));
		const plan = await json(`plan campaign --contacts 3600 --within 1h --calls ${path}`);
		expect(plan).toMatchObject({ answered: 900, holdSec: 25, cps: 1, erlangs: 25 });
		expect(plan.history).toMatchObject({ ringSec: 10, talkSec: 30, noAnswerRingSec: 20, answerRate: 0.25 });
		const other = await json(`plan campaign --contacts 3600 --within 1h --calls ${path} --talk 70 --answer-rate 0.5`);
		expect(other.holdSec).toBe(0.5 * 80 + 0.5 * 20);
		expect(other.answered).toBe(1_800);
		expect(other).toHaveProperty("history.answered", 900);
		const ring = await json(`plan campaign --contacts 3600 --within 1h --calls ${path} --ring 0 --no-answer-ring 0`);
		expect(ring.holdSec).toBe(0.25 * 30);
	});
});

describe("plan table --today", () => {
	const LINE = "plan table --price 0.20 --hours 9.5 --hosts 4 --days 22";

	test("adds the same hours by today's prices, and what is to be said of them", async () => {
		const plan = await json(`${LINE} --today`);
		expect(plan).toMatchObject({
			perDay: 7.6,
			today: {
				type: "c7g.large",
				region: "us-east-1",
				instanceUsdPerHour: 0.0725,
				ipv4UsdPerHour: 0.005,
				perDay: 2.945,
			},
		});
		expect(plan.prices.map(({ product }: { product: string }) => product)).toEqual([
			"ec2.on-demand.c7g.large",
			"ec2.ipv4",
		]);
		expect(plan.warnings).toContainEqual(expect.stringContaining("days old"));
	});

	test("by the hour, of another type and region, with one's own prices", async () => {
		expect((await json(`${LINE} --today --billing hour`)).today).toMatchObject({ paidHoursPerDay: 10, perDay: 3.1 });
		expect((await json(`${LINE} --today --region eu-west-1 --type c7g.2xlarge`)).today.instanceUsdPerHour).toBe(0.31);
		const own = await file(
			"own.json",
			'{"currency":"USD","date":"2026-11-01","prices":[{"product":"ec2.ipv4","unit":"hour","usd":0}],"discounts":[{"product":"ec2.on-demand","percent":50}]}',
		);
		expect((await json(`${LINE} --today --prices ${own}`)).today).toMatchObject({
			instanceUsdPerHour: 0.03625,
			ipv4UsdPerHour: 0,
			perDay: 1.3775,
		});
	});

	test.each([
		["--type c7g.large", "--type is about today's prices"],
		["--billing hour", "give --today with it"],
		["--today --region mars-1", "no price of ec2.on-demand.c7g.large in mars-1"],
	])("%s is refused", async (more, words) => {
		const run = await cli(`${LINE} ${more}`);
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain(words);
	});

	test("the tables of the document are what the command says", async () => {
		const text = await readFile("docs/plan.md", "utf8");
		const documented = text
			.split("\n")
			.filter((line) => /^\| \d+ \| \$0\./.test(line))
			.map((line) =>
				line
					.split("|")
					.map((cell) => cell.trim())
					.slice(1, -1),
			);
		expect(documented).toHaveLength(5);
		for (const [hosts, price, hours, days, day, month, year, type, ...today] of documented) {
			const plan = await json(
				`plan table --price ${price?.slice(1)} --hours ${hours} --hosts ${hosts} --days ${days} --today --type ${type}`,
			);
			const said = ({ perDay, perMonth, perYear }: Record<string, number>): string[] =>
				[perDay, perMonth, perYear].map((value) => usd(value ?? Number.NaN));
			expect([day, month, year]).toEqual(said(plan));
			expect(today).toEqual(said(plan.today));
		}
		const exercise = await json("plan hosts --channels 1000 --per-host 120");
		expect(documented.at(-1)?.[0]).toBe(String(exercise.hosts));
		const clock = await json("plan table --price 0.20 --hours 24 --hosts 9 --days 22");
		expect(text).toContain(`${usd(clock.perMonth)} a month at the price of then`);
	});
});

describe("a price that cannot be used ends the command, and is never a zero", () => {
	const CAMPAIGN = "plan campaign --contacts 1000 --within 1h";
	const own = (prices: unknown[], more: object = {}) =>
		JSON.stringify({ currency: "USD", date: "2026-11-01", prices, ...more });
	const address = { product: "ec2.ipv4", unit: "hour", usd: 0.004 };

	test.each<[string, string, string]>([
		["negative", own([{ ...address, usd: -1 }]), "prices.0.usd: is negative"],
		["in another currency", own([address], { currency: "EUR" }), "currency: only US dollars (USD)"],
		["per another unit", own([{ ...address, unit: "day" }]), "priced per hour, not per day"],
		["there twice", own([address, address]), "is there twice"],
		["for the region and for all", own([address, { ...address, region: "us-east-1" }]), "Two prices fit: ec2.ipv4 in"],
		["with steps of no seconds", own([], { carrier: { usdPerMin: 0.01, incrementSec: 0 } }), "carrier.incrementSec"],
	])("%s", async (_, content, words) => {
		const path = await file("wrong.json", content);
		for (const line of [
			CAMPAIGN,
			`plan split --profile - --owned-price 1`,
			"plan table --price 1 --hours 1 --hosts 1 --days 1 --today",
		]) {
			const run = await cli(`${line} --prices ${path}`, "0,5\n");
			expect({ line, code: run.code, out: run.out }).toEqual({ line, code: 2, out: "" });
			expect(run.err).toContain(words);
			expect(run.err).toContain("wrong.json");
		}
	});

	test("missing: what to write", async () => {
		const run = await cli(`${CAMPAIGN} --region ap-south-1`);
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain('"product": "ec2.on-demand.c7g.large", "region": "ap-south-1", "unit": "hour", "usd": …');
	});

	test("an old one counts, and is named", async () => {
		const path = await file("old.json", own([address], { date: "2026-01-01" }));
		expect((await json(`${CAMPAIGN} --prices ${path}`)).warnings).toContain(
			"ec2.ipv4 in us-east-1, $0.004 per hour: 334 days old",
		);
	});

	test("a carrier's whole minutes", async () => {
		const minutes = async (incrementSec: number): Promise<number> => {
			const path = await file("carrier.json", own([], { carrier: { usdPerMin: 0.01, incrementSec } }));
			return (await json(`${CAMPAIGN} --answer-rate 0.5 --talk 61 --prices ${path}`)).carrierUsd;
		};
		expect(await minutes(1)).toBeCloseTo((500 * 61 * 0.01) / 60, 6);
		expect(await minutes(6)).toBeCloseTo((500 * 66 * 0.01) / 60, 6);
		expect(await minutes(60)).toBe(10);
	});
});
