import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { runCommand } from "../../support/cli-harness.ts";

/** A day with 40 channels at night and 1,000 for three hours. */
const DAY = Array.from({ length: 24 }, (_, hour) => `${hour},${hour >= 10 && hour < 13 ? 1_000 : 40}`);
const CAMPAIGN =
	"plan campaign --contacts 100000 --within 2h --answer-rate 0.35 --ring 12 --talk 30 --no-answer-ring 25";

let folder: string;
let demand: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "burst-plan-"));
	demand = await file("demand.csv", ["hour,channels", ...DAY].join("\n"));
});
afterAll(async () => rm(folder, { recursive: true }));

const file = async (name: string, content: string): Promise<string> => {
	const path = join(folder, name);
	await writeFile(path, content);
	return path;
};
/** Without address and token: nothing may ask for them. */
const cli = (line: string, options: Parameters<typeof runCommand>[1] = {}) =>
	runCommand(line.split(" "), { home: folder, ...options });
const json = async (line: string) => {
	const run = await cli(`${line} --json`);
	expect(run).toMatchObject({ code: 0, err: "" });
	return JSON.parse(run.out);
};

describe("plan hosts and plan table", () => {
	test("1,000 channels at 120 a host are 9 hosts", async () => {
		expect(await json("plan hosts --channels 1000 --per-host 120")).toEqual({ hosts: 9 });
		expect((await cli("plan hosts --channels 1000")).out).toBe("9 hosts: 1,000 channels at 120 a host.\n");
	});

	test("4 hosts at $0.20 for 10 hours on 22 days", async () => {
		const line = "plan table --price 0.20 --hours 10 --hosts 4 --days 22";
		expect(await json(line)).toEqual({ perDay: 8, perMonth: 176, perYear: 2_112 });
		expect((await cli(line)).out).toBe("a day    $8.00\na month  $176.00\na year   $2,112.00\n");
	});
});

describe("plan campaign", () => {
	test("100,000 contacts in two hours", async () => {
		const plan = await json(CAMPAIGN);
		expect(plan).toMatchObject({ channels: 456, hosts: 4, egressGb: 10.5, egressUsd: 0, egressUsdMarginal: 0.945 });
		expect(plan.cps).toBeCloseTo(13.889, 3);
		expect(plan.erlangs).toBeCloseTo(429.86, 2);
		expect(plan.prices).toContainEqual(expect.objectContaining({ product: "ec2.ipv4", unit: "hour" }));
		expect(plan.warnings).toContainEqual(
			expect.stringMatching(/^ec2\.ipv4 in us-east-1, \$0\.005 per hour: \d+ days old/),
		);
	});

	test("in words, with both costs of egress and what to check", async () => {
		const { out } = await cli(CAMPAIGN);
		expect(out).toContain("456, so that 1 % of the attempts at most find none free");
		expect(out).toContain("10.5 GB (ulaw, 80 kbit/s a leg); beyond the free GB of the month it would be $0.945");
		expect(out).toContain("The trunks together must allow 13.9 calls per second and 456 channels");
		expect(out).toContain("Prices to check");
	});

	test("the month's free GB used up, another codec, one's own carrier", async () => {
		const prices = await file(
			"carrier.json",
			JSON.stringify({ currency: "USD", date: "2026-11-01", carrier: { usdPerMin: 0.004 } }),
		);
		expect(await json(`${CAMPAIGN} --codec g729 --egress-used 100 --prices ${prices}`)).toMatchObject({
			egressGb: 3.15,
			egressUsd: 0.2835,
			egressUsdMarginal: 0.2835,
			carrierUsd: 70,
		});
	});
});

describe("plan split", () => {
	const split = (more: string): string => `plan split --profile ${demand} ${more}`;

	test("a base of one host for a three-hour peak", async () => {
		const plan = await json(split("--owned-price 0.05"));
		expect(plan.profile).toMatchObject({ steps: 24, peakChannels: 1_000, peakHosts: 9, perHost: 120 });
		expect(plan.best).toMatchObject({ steadyHosts: 1, starts: 8, ownedUsd: 1.2 });
		// Eight hosts for 3 h, 60 s of boot and 90 s of drain each.
		expect(plan.best.rentedHours).toBeCloseTo((8 * (3 * 3_600 + 150)) / 3_600, 6);
		expect(plan.best.rentedUsd).toBeCloseTo((0.0725 * 8 * 10_950) / 3_600, 6);
		expect(plan.splits).toHaveLength(10);
		expect(plan.splits.map(({ totalUsd }: { totalUsd: number }) => totalUsd)).toContain(plan.best.totalUsd);
		expect(plan.strategies.savingsPlan.all.steadyHosts).toBe(9);
		expect(plan.strategies.spot.totalUsd).toBeLessThan(plan.strategies.allOnDemand.totalUsd);
		expect(plan.strategies.reserved).toBeNull();
	});

	test("billed by the hour each start costs what has begun of it", async () => {
		const plan = await json(split("--owned-price 0.05 --billing hour"));
		expect(plan.best).toMatchObject({ steadyHosts: 1, rentedHours: 32 });
	});

	test("the price of an own host by the month, and from the co-location of a file", async () => {
		const perHost = await file("host.json", '{"currency":"USD","date":"2026-11-01","colocation":{"usdPerMonth":36.5}}');
		const perChannel = await file(
			"channel.json",
			'{"currency":"USD","date":"2026-11-01","colocation":{"usdPerChannelMonth":0.5}}',
		);
		const { best } = await json(split("--owned-price 0.05"));
		expect((await json(split("--owned-price 36.5/month"))).best).toEqual(best);
		expect((await json(split(`--prices ${perHost}`))).best).toEqual(best);
		expect((await json(split(`--prices ${perChannel}`))).rule.ownedUsdPerHour).toBe(0.082192);
	});

	test("plans, reservations and spot of one's own", async () => {
		const own = { savingsPlan: { usdPerHour: 0.05 }, reserved: { usdPerHour: 0.04 }, spot: { usdPerHour: 0.01 } };
		const path = await file("own.json", JSON.stringify({ currency: "USD", date: "2026-11-01", ...own }));
		const { strategies } = await json(split(`--owned-price 1 --prices ${path}`));
		expect(strategies.reserved.all.totalUsd).toBeCloseTo(strategies.savingsPlan.all.totalUsd - 0.01 * 9 * 24, 6);
		expect(strategies.spot.totalUsd).toBeLessThan(strategies.allOnDemand.totalUsd);
	});

	test("in words: the cheapest, the break-even, what turns it", async () => {
		const { code, out } = await cli(split("--owned-price 80/month"));
		expect(code).toBe(0);
		expect(out).toContain("Own 1 of 9 hosts, rent the rest: $");
		expect(out).toMatch(/break-even {2}above \$[\d.]+ an hour \(\$[\d.]+ a month\) for an owned host: own 0; below/);
		expect(out).toContain("What turns it, each by itself:");
		expect(out).toContain("carrier's minutes are not counted: no price was given");
	});

	test("from standard input, with rows of ten minutes", async () => {
		const run = await cli("plan split --profile - --step 10m --owned-price 0.05 --boot 0 --drain 0 --json", {
			stdin: "hour,channels\n0,0\n1,120\n2,0\n",
		});
		expect(JSON.parse(run.out).splits[0].rentedHours).toBeCloseTo(1 / 6, 6);
		const hourly = await cli("plan split --profile - --step 10m --owned-price 0.05 --billing hour --json", {
			stdin: "hour,channels\n0,0\n1,120\n2,0\n",
		});
		expect(JSON.parse(hourly.out).splits[0].rentedHours).toBe(1);
	});

	test("a picture", async () => {
		const path = join(folder, "split.svg");
		const run = await cli(split(`--owned-price 0.05 --plot ${path}`));
		expect(run.out).toContain(`The picture: ${path}`);
		const svg = await readFile(path, "utf8");
		expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
		expect(svg).toContain("Own 1, rent up to 8 hosts of 120 channels");
		expect(svg).not.toMatch(/NaN|undefined|Infinity/);
		expect(svg).toContain(">hour<");
		// Hours of a year would run into each other.
		const rows = Array.from({ length: 8_760 }, (_, hour) => `${hour},${(hour % 24) * 10}`);
		const year = await cli(`plan split --profile - --owned-price 0.05 --plot ${path}`, {
			stdin: `hour,channels\n${rows.join("\n")}`,
		});
		expect(year.code).toBe(0);
		expect(await readFile(path, "utf8")).toContain("hours, the busiest first");
		const nowhere = await cli(split(`--owned-price 0.05 --plot ${folder}/none/split.svg`));
		expect(nowhere).toMatchObject({ code: 1, out: "" });
		expect(nowhere.err).toContain("The picture cannot be written");
	});
});

describe("a wrong command line ends with 2, says why, and prints nothing", () => {
	test.each([
		["plan hosts --channels 0", "whole number, at least 1"],
		["plan hosts --channels -5", "whole number, at least 1"],
		["plan hosts --channels 10 --per-host many", "whole number, at least 1"],
		["plan hosts", "--channels"],
		["plan table --price -0.2 --hours 10 --hosts 4 --days 22", "a number above 0"],
		["plan table --price 0 --hours 10 --hosts 4 --days 22", "a number above 0"],
		["plan table --price 0.2 --hours 25 --hosts 4 --days 22", "above 0 and at most 24"],
		["plan table --price 0.2 --hours 10 --hosts 4 --days 32", "above 0 and at most 31"],
		["plan table --price NaN --hours 10 --hosts 4 --days 22", "a number above 0"],
		[`${CAMPAIGN} --codec g723`, "Allowed choices are ulaw"],
		[`${CAMPAIGN} --answer-rate 1.5`, "at least 0 and at most 1"],
		[`${CAMPAIGN} --blocking 0`, "above 0"],
		[`${CAMPAIGN} --within soon`, "90m, 2h or 3d"],
		[`${CAMPAIGN} --retries 5`, "at most 4"],
		[`${CAMPAIGN} --contacts 0`, "whole number, at least 1"],
		[`${CAMPAIGN} --ring 0 --talk 0 --no-answer-ring 0`, "No call would last any time"],
		[`${CAMPAIGN} --contacts 9000000000000`, "erlangs: no fleet"],
		[`${CAMPAIGN} --region mars-1`, "no price of ec2.on-demand.c7g.large in mars-1, US dollars per hour"],
		[`${CAMPAIGN} --type x9.huge`, "no price of ec2.on-demand.x9.huge in us-east-1"],
		["plan", "A command is missing"],
	])("%s", async (line, words) => {
		const run = await cli(line);
		expect(run).toMatchObject({ code: 2 });
		expect(run.err).toContain(words);
		if (line !== "plan") expect(run.out).toBe("");
	});

	test.each([
		["", "It is empty."],
		["hour,channels\n0,1\n5,1\n", "line 3: hour 5 follows hour 0: hour 1 is missing"],
		["hour,channels\n0,lots\n", 'channels is "lots"'],
		["hour,channels\n0,100000\n", "needs 834 hosts; at most 500"],
	])("the profile %j", async (stdin, words) => {
		const run = await cli("plan split --profile - --owned-price 0.05", { stdin });
		expect(run).toMatchObject({ code: 2, out: "" });
		expect(run.err).toContain(words);
	});

	test.each([
		[undefined, "What an own host costs is not known", "--owned-price 0.14"],
		["{}", "currency: only US dollars", "docs/plan.md"],
		[
			'{"currency":"USD","date":"2026-11-01","colocation":{"usdPerMonth":-1}}',
			"colocation.usdPerMonth: is negative",
			"own.json",
		],
	])("own prices %j", async (own, ...words) => {
		const prices = own === undefined ? "" : ` --prices ${await file("own.json", own)}`;
		const run = await cli(`plan split --profile ${demand}${prices}`);
		expect(run).toMatchObject({ code: 2, out: "" });
		for (const each of words) expect(run.err).toContain(each);
	});

	test("as JSON too", async () => {
		const run = await cli(`${CAMPAIGN} --region mars-1 --json`);
		expect(run.code).toBe(2);
		expect(JSON.parse(run.out)).toMatchObject({
			error: { code: "price", remedy: expect.stringContaining('"usd": …') },
		});
	});

	test("owned prices", async () => {
		for (const given of ["-1", "free", "100/year"]) {
			const run = await cli(`plan split --profile ${demand} --owned-price ${given}`);
			expect(run).toMatchObject({ code: 2, out: "" });
			expect(run.err).toContain("0.14 (an hour) or 100/month");
		}
	});
});

test("a file that is not there is no mistake of the command line", async () => {
	const run = await cli(`plan split --profile ${folder}/none.csv --owned-price 1`);
	expect(run).toMatchObject({ code: 1, out: "" });
	expect(run.err).toContain("there is no such file");
});
